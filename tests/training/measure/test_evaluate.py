"""The tables: protocol of the pairs, figures that can be worked out, the command."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from gsr_training.measure import evaluate
from PIL import Image
from typer.testing import CliRunner

from gsr.field.edges import edge_agreement
from gsr.methods.gaussiansr import GaussianSR
from gsr.methods.weights import save_weights
from gsr.network.kernels import oriented_bank
from gsr.tasks.evaluation.pairs import Pair


@pytest.fixture
def photo(tmp_path: Path, picture: Callable[..., torch.Tensor]) -> Path:
    pixels = (picture(45, 67) * 255).byte().permute(1, 2, 0).numpy()
    path = tmp_path / "Set" / "HR" / "photo.png"
    path.parent.mkdir(parents=True)
    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.parametrize(
    ("scale", "lr", "hr"),
    [(2, (22, 33), (44, 66)), (4, (11, 16), (44, 64)), (3.4, (13, 19), (44, 65))],
)
def test_pairs_follow_the_protocol(photo: Path, scale: float, lr: tuple, hr: tuple) -> None:
    pair = evaluate.make_pair(photo, scale)
    assert tuple(pair.lr.shape[-2:]) == lr
    assert tuple(pair.hr.shape[-2:]) == hr
    whole = Image.open(photo)
    cropped = whole.crop((0, 0, hr[1], hr[0]))
    expected = cropped.resize((lr[1], lr[0]), Image.Resampling.BICUBIC)
    assert np.array_equal((pair.lr * 255).round().byte().permute(1, 2, 0), np.asarray(expected))
    assert np.array_equal((pair.hr * 255).round().byte().permute(1, 2, 0), np.asarray(cropped))


def test_bicubic_is_pillows(photo: Path) -> None:
    pair = evaluate.make_pair(photo, 2)
    lr = Image.fromarray((pair.lr * 255).round().byte().permute(1, 2, 0).numpy())
    expected = np.asarray(lr.resize((66, 44), Image.Resampling.BICUBIC)) / 255
    got = evaluate.bicubic(pair).permute(1, 2, 0).numpy().clip(0, 1)
    # Pillow rounds 8-bit pictures after each of its two passes.
    assert np.abs(got - expected).max() < 1.5 / 255


def test_psnr_of_a_known_error(photo: Path) -> None:
    pair = evaluate.make_pair(photo, 2)
    hr = pair.hr.clamp(0.2, 0.8)
    # A grey shift of 0.1 is 0.1 * (65.738 + 129.057 + 25.064) / 256 in luma.
    error = 0.1 * (65.738 + 129.057 + 25.064) / 256
    got = evaluate.score(hr + 0.1, Pair(pair.lr, hr), 2)
    assert got == pytest.approx(-20 * math.log10(error), abs=1e-3)


@pytest.mark.parametrize("degrees", [0, 30, 90, 140])
def test_directions_agree_when_kernels_lie_along_edges(
    degrees: int, make_model: Callable[..., GaussianSR]
) -> None:
    angle = math.radians(degrees)
    y, x = torch.meshgrid(torch.arange(40.0), torch.arange(40.0), indexing="ij")
    across = (x - 20) * -math.sin(angle) + (y - 20) * math.cos(angle)
    field = make_model().encode(torch.sigmoid(across).expand(3, -1, -1))
    bank = oriented_bank()
    # The long kernels of the smallest size: 8 directions in steps of 22.5 degrees.
    directions = torch.arange(8) * math.pi / 8
    along = 17 + int(torch.cos(2 * (directions - angle)).argmax())
    across_it = 17 + int(torch.cos(2 * (directions - angle)).argmin())
    for kernel, low, high in ((along, 0.85, 1.0), (across_it, -1.0, -0.85)):
        mean = edge_agreement(field.with_bank(bank).with_kernel(kernel)).mean
        assert low <= float(mean) <= high + 1e-6


@pytest.mark.parametrize(
    ("out", "words"), [("none/x.json", "does not exist"), ("Set", "is a folder, and the name")]
)
def test_where_figures_cannot_go_is_told_first(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str, words: str
) -> None:
    monkeypatch.setattr("gsr.load", lambda _: pytest.fail("worked"))
    app = typer.Typer()
    app.command()(evaluate.main)
    done = CliRunner().invoke(app, ["--data", str(tmp_path), "--out", str(tmp_path / out)])
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert words in done.stderr


def test_the_command_prints_and_writes(
    photo: Path, tmp_path: Path, make_model: Callable[..., GaussianSR]
) -> None:
    weights = save_weights(make_model(), tmp_path / "tiny.safetensors")
    out = tmp_path / "figures.json"
    app = typer.Typer()
    app.command()(evaluate.main)
    done = CliRunner().invoke(
        app,
        [
            *("--data", str(tmp_path), "--model", str(weights), "--out", str(out)),
            *("--sets", "Set", "--scales", "2,3.4"),
        ],
    )
    assert done.exit_code == 0, done.output
    figures = json.loads(out.read_text())
    assert set(figures["psnr"]["Set"]) == {"x2", "x3.4"}
    assert set(figures["psnr"]["Set"]["x2"]) == {"bicubic", "result", "gaussians"}
    assert all(math.isfinite(v) for v in figures["content"].values())
    shown = f"{figures['psnr']['Set']['x2']['bicubic']:.2f}"
    assert shown in done.stdout
