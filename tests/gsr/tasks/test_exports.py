"""One table of formats, read by the command line and the app."""

from pathlib import Path

import pytest

import gsr
from gsr.cli import run
from gsr.images import to_pil
from gsr.tasks.exports import EXPORTS, Export

SIGNS = {".html": b"<!doctype html>", ".gsf": b"gsr-field", ".svg": b"<svg"}


@pytest.fixture
def field_file(picture, tmp_path: Path) -> Path:
    return gsr.load("lite-tiny").encode(to_pil(picture(12, 15))).save(tmp_path / "photo.gsf")


@pytest.mark.parametrize("suffix", EXPORTS)
def test_the_command_writes_every_format(suffix: str, field_file: Path) -> None:
    target = field_file.with_name(f"out{suffix}")
    assert run(["export", str(field_file), "-o", str(target), "-q"]) == 0
    assert SIGNS[suffix].lower() in target.read_bytes()[:4000].lower()


def test_a_format_of_ones_own(field_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(field: gsr.GaussianField, path: Path) -> None:
        path.write_text(f"{field.lr_size}")

    monkeypatch.setitem(EXPORTS, ".txt", Export("text", "text/plain", "Text", "Text.", write))
    target = field_file.with_suffix(".txt")
    assert run(["export", str(field_file), "-o", str(target), "-q"]) == 0
    assert target.read_text() == "(12, 15)"


def test_other_suffixes_are_named(field_file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["export", str(field_file), "-o", "a.doc"]) == 2
    said = capfd.readouterr().err
    assert "a.doc must end in .html, as pages do; other formats are .gsf and .svg." in said
