"""Folders of training images: found in order, read as 8 bit, damage named."""

from pathlib import Path

import numpy as np
import pytest
import torch
from gsr_training.trainer.images import list_images, read_images, shrunk
from PIL import Image

from gsr.base.errors import GsrError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    for name, size in (("b.png", (30, 20)), ("a.PNG", (10, 40)), ("sub/c.png", (50, 50))):
        Image.new("RGB", size, (9, 8, 7)).save(tmp_path / name, "PNG")
    (tmp_path / "notes.txt").write_text("no image")
    return tmp_path


def test_images_are_found_in_order(folder: Path) -> None:
    found = [path.relative_to(folder).as_posix() for path in list_images(folder)]
    assert found == ["a.PNG", "b.png", "sub/c.png"]
    assert list_images(folder, ["sub/c.png"]) == [folder / "sub/c.png"]


def test_a_folder_without_images(tmp_path: Path) -> None:
    with pytest.raises(GsrError, match=r"holds no image; accepted are \.bmp, \.jpeg"):
        list_images(tmp_path)


def test_small_images_are_left_out(folder: Path) -> None:
    images = read_images(list_images(folder), 20)
    assert [path.name for path in images.small] == ["a.PNG"]
    found = list(images.found.values())
    assert [tuple(image.shape) for image in found] == [(3, 20, 30), (3, 50, 50)]
    assert found[0][:, 3, 4].tolist() == [9, 8, 7]


def test_a_file_that_is_no_image_is_named(folder: Path) -> None:
    (folder / "z.png").write_bytes(b"no picture")
    images = read_images(list_images(folder), 20)
    assert len(images.found) == 2
    (reason,) = images.broken.values()
    assert "z.png is not an image" in reason
    with pytest.raises(GsrError, match=r"z\.png is not an image"):
        read_images(list_images(folder), 20, strict=True)


def test_progress(folder: Path) -> None:
    seen: list[tuple[int, int]] = []
    read_images(list_images(folder), 20, progress=lambda done, of: seen.append((done, of)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(GsrError, match="does not exist; name a folder"):
        list_images(tmp_path / "none")


def test_sixteen_bits_are_read_rightly(tmp_path: Path) -> None:
    Image.fromarray(np.full((24, 24), 30_000, np.uint16)).save(tmp_path / "deep.png")
    (image,) = read_images(list_images(tmp_path), 20).found.values()
    assert image.unique().tolist() == [round(30_000 / 257)]


def test_shrinking_takes_the_mean_of_each_area() -> None:
    image = torch.randint(0, 256, (3, 40, 60), dtype=torch.uint8)
    small = shrunk(image, 2.0, 10)
    mean = torch.nn.functional.avg_pool2d(image.float(), 2)
    assert small.dtype == torch.uint8
    assert (small - mean).abs().max() <= 1


def test_shrinking_leaves_pictures_large_enough() -> None:
    image = torch.zeros(3, 40, 60, dtype=torch.uint8)
    assert shrunk(image, 2.0, 30).shape == (3, 30, 45)
    assert shrunk(image, 2.0, 40) is image
    assert shrunk(image, 1.0, 10) is image
