"""What is known of a picture before its pixels are read."""

import os
import socket
from pathlib import Path

import pytest
from PIL import Image

from gsr.base.errors import OutputError
from gsr.base.files import plan
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


def test_nothing_lies_beside_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path.cwd().anchor
    monkeypatch.setattr("os.walk", lambda _: iter([(root, [], ["a.png"])]))
    with pytest.raises(
        OutputError, match=r"results cannot be written next to .*; name an output folder"
    ):
        plan([Path(root)], None, label="x2", suffix=".png")


def test_many_pictures_do_not_go_into_a_picture(tmp_path: Path) -> None:
    sources = [turned(tmp_path / name, 1) for name in ("a.png", "b.png")]
    with pytest.raises(OutputError, match=r"c\.png is the name of a picture, and a folder is"):
        plan(sources, tmp_path / "c.png", label="x2", suffix=".png")
    (tmp_path / "d.png").mkdir()  # unless there is such a folder
    assert plan(sources, tmp_path / "d.png", label="x2", suffix=".png").many


def test_links_in_a_ring_are_pictures_that_are_not_there(tmp_path: Path) -> None:
    turned(tmp_path / "a.png", 1)
    (tmp_path / "ring.png").symlink_to("ring.png")
    found = plan([tmp_path], None, label="x2", suffix=".png")
    assert [job.source.name for job in found.jobs] == ["a.png", "ring.png"]


def test_pipes_devices_and_sockets_of_a_folder_are_no_pictures(tmp_path: Path) -> None:
    turned(tmp_path / "a.png", 1)
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "null.png").symlink_to(os.devnull)
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "socket.png"))
    found = plan([tmp_path], None, label="x2", suffix=".png")
    assert [job.source.name for job in found.jobs] == ["a.png"]
