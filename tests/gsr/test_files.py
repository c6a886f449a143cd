"""What is known of a picture before its pixels are read."""

from pathlib import Path

import pytest
from PIL import Image

from gsr.errors import OutputError
from gsr.files import header_size, plan


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


def test_nothing_lies_beside_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path.cwd().anchor
    monkeypatch.setattr("os.walk", lambda _: iter([(root, [], ["a.png"])]))
    with pytest.raises(OutputError, match=r"no place beside .* for results; name a folder"):
        plan([Path(root)], None, label="x2", suffix=".png")


def test_many_pictures_do_not_go_into_a_picture(tmp_path: Path) -> None:
    sources = [turned(tmp_path / name, 1) for name in ("a.png", "b.png")]
    with pytest.raises(OutputError, match=r"c\.png is the name of a picture, and a folder is"):
        plan(sources, tmp_path / "c.png", label="x2", suffix=".png")
    (tmp_path / "d.png").mkdir()  # unless there is such a folder
    assert plan(sources, tmp_path / "d.png", label="x2", suffix=".png").many
