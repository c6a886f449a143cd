"""`gsr page`: the page that encodes by itself, and what is refused."""

from pathlib import Path

import pytest

import gsr
from gsr.cli import run
from gsr.methods.weights import save_weights
from gsr.network.encoders import EncoderConfig


def test_a_page_with_bundled_weights(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "gsr.html"
    assert run(["page", "-o", str(out)]) == 0
    said = capfd.readouterr()
    assert said.out.strip() == str(out)
    assert "the model lite" in said.err
    assert out.stat().st_size < 8e6


def test_other_weights_and_a_part_of_them(tmp_path: Path) -> None:
    texts = []
    for options in (["-m", "photo"], ["-m", "photo", "--strength", "0.5"]):
        out = tmp_path / f"{len(options)}.html"
        assert run(["page", *options, "-o", str(out), "-q"]) == 0
        texts.append(out.read_text(encoding="utf-8"))
    assert "<title>gsr, photo" in texts[0]
    assert "with the model photo" in texts[1]
    assert texts[0] != texts[1]


def test_a_file_of_weights(tmp_path: Path) -> None:
    config = gsr.ModelConfig("mine", EncoderConfig(channels=16, blocks=1))
    weights = save_weights(gsr.GaussianSR(config), tmp_path / "mine.safetensors")
    out = tmp_path / "mine.html"
    assert run(["page", "-m", str(weights), "-o", str(out), "-q"]) == 0
    assert "<title>gsr, mine</title>" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-m", "paper-tiny"], "a page cannot run paper: it has the paper's head"),
        (["-m", "no-such"], "unknown weights 'no-such'"),
        (["-o", "page.png"], "must end in .html, as pages do"),
    ],
)
def test_what_is_refused(
    options: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["page", *options]) == 2
    assert said in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_what_exists_is_not_replaced_unasked(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "gsr.html"
    out.write_text("mine")
    assert run(["page", "-o", str(out)]) == 2
    assert "exists already; add --overwrite" in capfd.readouterr().err
    assert out.read_text() == "mine"
    assert run(["page", "-o", str(out), "--overwrite", "-q"]) == 0
    assert out.read_text(encoding="utf-8") != "mine"
