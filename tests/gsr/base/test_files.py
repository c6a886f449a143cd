"""What is known of a picture before its pixels are read."""

from pathlib import Path

import pytest
from PIL import Image

from gsr.decoding.header import header_size


def turned(path: Path, orientation: int) -> Path:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.effect_noise((40, 30), 50).convert("RGB").save(path, exif=exif)
    return path


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tif"])
@pytest.mark.parametrize(("orientation", "size"), [(1, (30, 40)), (3, (30, 40)), (6, (40, 30))])
def test_upright_size(name: str, orientation: int, size: tuple[int, int], tmp_path: Path) -> None:
    assert header_size(turned(tmp_path / name, orientation)) == size


def test_the_header_of_a_png_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.effect_noise((40, 30), 50).save(path)
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"IDAT") + 8])  # no pixel can be decoded
    assert header_size(path) == (30, 40)


def test_what_is_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"no picture")
    assert header_size(path) is None
