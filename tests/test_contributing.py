"""Every example of CONTRIBUTING.md is short, complete, and does what its section says."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from gsr_apps.viewer import questions
from helpers.checkout import ROOT

import gsr
from gsr import cli
from gsr.field import edits
from gsr.images import to_pil
from gsr.methods import baselines, new_network
from gsr.methods.weights import build, load_network, save_weights
from gsr.network import classifier, encoders
from gsr.tasks import exports

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.*?)\n.*?```\w+\n(.*?)```", TEXT, re.M | re.S))
LONGEST = 40
USED = """
const see = { picture: { width: 3, height: 2 }, state: { frame: true } };
const found = await frame.load(async (what, { view }) => ({ shares: Object.values(view) }), see);
const drawn = [];
const said = frame.draw({ strokeRect: (...place) => drawn.push(place.join()) }, see, found);
if (!frame.wanted(see) || said !== "4 kernels" || drawn.join() !== "0,0,3,2") process.exit(1);
"""


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The tables without what an example added."""
    tables: list[Any] = [
        encoders.ENCODERS, classifier.CLASSIFIERS, baselines.BASELINES, exports.EXPORTS,
        edits.EDITS, questions.QUESTIONS,
    ]  # fmt: skip
    before, commands = [dict(table) for table in tables], list(cli.app.registered_commands)
    yield
    for table, old in zip(tables, before, strict=True):
        table.clear()
        table.update(old)
    cli.app.registered_commands[:] = commands


def built(section: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(SECTIONS[section], section, "exec", dont_inherit=True), names)
    return names


@pytest.mark.parametrize("section", SECTIONS)
def test_examples_are_short(section: str) -> None:
    assert len(SECTIONS[section].splitlines()) < LONGEST


def test_every_extension_has_an_example() -> None:
    assert TEXT.count("\n## ") == len(SECTIONS) == 9


def test_the_formula() -> None:
    built("The formula")


def test_an_encoder(tmp_path: Path, picture) -> None:
    config = built("An encoder")["PlainConfig"](channels=6, layers=2)
    network = new_network("lite", config).eval()
    path = save_weights(network, tmp_path / "own.safetensors")
    lr = picture(9, 12)
    assert torch.equal(gsr.load(path).encode(lr).render(2), network.encode(lr, tile=5).render(2))


def test_a_classifier(picture) -> None:
    built("A classifier")
    small = encoders.EncoderConfig(4, 1)
    model = gsr.GaussianSR(replace(gsr.PRESETS["lite"], encoder=small, classifier="soft"))
    model(picture(6, 7)[None], torch.rand(1, 5, 2), torch.full((1, 2), 2.0)).rgb.sum().backward()
    assert float(model.bank.raw.grad.abs().sum()) > 0
    assert model.eval().encode(picture(6, 7)).render(2).shape == (3, 12, 14)


def test_a_method(tmp_path: Path, picture) -> None:
    built("A method to compare with")
    small = encoders.EncoderConfig(4, 1)
    network = build(baselines.BaselineConfig("blurred", "blurred", small)).eval()
    again = load_network(save_weights(network, tmp_path / "own.safetensors"))
    lr = picture(9, 12)
    assert torch.equal(again.encode(lr).render(2), network.encode(lr).render(2))


def test_an_export_format(tmp_path: Path, picture) -> None:
    built("An export format")
    path = gsr.load("lite-tiny").encode(to_pil(picture(8, 9))).save(tmp_path / "a.gsf")
    assert cli.run(["export", str(path), "-o", str(tmp_path / "a.json"), "-q"]) == 0
    assert (tmp_path / "a.json").read_text().startswith('{"sigmas": [[')


def test_an_edit(lite_field) -> None:
    built("An edit")
    (tint,) = edits.from_values([{"kind": "tint", "amount": 0.2}])
    assert tint.label == "Red by +0.2"
    assert torch.equal(tint(lite_field).colors[..., 1:], lite_field.colors[..., 1:])
    assert edits.loads(edits.dumps(tint(lite_field).edits)) == (tint,)
    with pytest.raises(gsr.GsrError, match="amount must be at most 1"):
        edits.from_values([{"kind": "tint", "amount": 2.0}])


def test_a_question(picture) -> None:
    built("A question to a field")
    field = gsr.load("lite-tiny").encode(to_pil(torch.full((3, 8, 9), 0.2)))
    place = {"x": 1.0, "y": 1.0, "width": 4.0, "height": 4.0}
    assert questions.answer(field, "mean", {"view": place})["rgb"] == pytest.approx(
        (51,) * 3, abs=2
    )


def test_an_overlay() -> None:
    members = re.findall(r"^  (\w+)[:(]", SECTIONS["An overlay"], re.M)
    source = (ROOT / "apps/gsr_apps/viewer/overlays.js").read_text(encoding="utf-8")
    known = set(re.findall(r"@property .*? \[?(\w+)\]?$", source, re.M))
    assert {"name", "wanted", "draw"} <= set(members) <= known
    node = shutil.which("node")
    if node is not None:
        used = SECTIONS["An overlay"] + USED
        subprocess.run([node, "--input-type=module", "-e", used], check=True, timeout=60)


def test_a_command(tmp_path: Path, picture, capsys: pytest.CaptureFixture[str]) -> None:
    built("A command")
    to_pil(picture(8, 9)).save(tmp_path / "a.png")
    assert cli.run(["size", str(tmp_path / "a.png")]) == 0
    assert capsys.readouterr().out == "9 x 8\n"
