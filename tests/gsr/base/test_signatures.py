"""Formats by their first bytes."""

import io
from pathlib import Path

import pytest
from PIL import Image

from gsr.base import signatures
from gsr.base.files import READABLE_SUFFIXES
from gsr.base.signatures import format_of_file, picture_format, plugin_of
from gsr.images import load


@pytest.mark.parametrize(
    "name", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "JPEG2000", "PPM", "HEIF", "JXL"]
)
def test_what_pillow_writes_is_known_and_read(name: str) -> None:
    for plugin in ("pillow_heif", "pillow_jxl"):
        pytest.importorskip(plugin)
    load(ramp("PNG"))  # which registers the plugins
    data = ramp(name)
    assert picture_format(data[: signatures.LONGEST]) == name
    picture = load(data)
    assert picture.rgb.shape == (3, 30, 40)
    assert picture.rgb[0].mean().item() == pytest.approx(200 / 255, abs=0.03)


def ramp(name: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), (200, 80, 60)).save(file, name)
    return file.getvalue()


@pytest.mark.parametrize(
    "start", [b"", b"P", b"plain text, and more", b"\0\0\0\x18ftypisom", b"<svg"]
)
def test_what_is_no_picture(start: bytes) -> None:
    assert picture_format(start) is None


def test_a_file_that_cannot_be_read_has_no_format(tmp_path: Path) -> None:
    assert format_of_file(tmp_path) is None
    assert format_of_file(tmp_path / "nothing") is None


def test_a_plugin_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert plugin_of("PNG") is None
    monkeypatch.setattr(signatures, "find_spec", lambda name: None)
    assert plugin_of("HEIF") == "pillow-heif"
    assert plugin_of("JXL") == "pillow-jxl-plugin"


def test_every_suffix_that_pillow_has_for_these_formats_is_taken() -> None:
    Image.init()
    formats = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "DIB", "GIF", "AVIF", "JPEG2000", "MPO")
    known = {suffix for suffix, name in Image.EXTENSION.items() if name in formats}
    assert known <= set(READABLE_SUFFIXES)
