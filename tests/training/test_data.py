"""Training samples: made as the benchmarks are, consistent, and drawn from one generator."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from gsr.errors import GsrError
from training.data import Batch, Crops, list_images, read_images
from training.recipe import Recipe


def photo(height: int = 64, width: int = 72, seed: int = 0) -> Tensor:
    """A picture with smooth parts and fine ones, without black and white. uint8 [3, h, w]"""
    g = np.random.default_rng(seed)
    small = Image.fromarray(g.integers(60, 196, (height // 6, width // 6, 3), dtype=np.uint8))
    large = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC)).astype(int)
    noisy = (large + g.integers(-20, 21, large.shape)).clip(0, 255).astype(np.uint8)
    return torch.from_numpy(noisy.transpose(2, 0, 1).copy())


def batch(recipe: Recipe, seed: int = 0, images: list[Tensor] | None = None) -> Batch:
    crops = Crops(images or [photo()], recipe)
    return crops.batch(torch.Generator().manual_seed(seed))


def fixed(scale: float, **changes: object) -> Recipe:
    """Every sample at one scale."""
    values = {"batch": 3, "crop": 10, "queries": 50, "scale_min": scale, "scale_max": scale}
    return Recipe(**(values | changes))


def test_shapes_and_ranges() -> None:
    found = batch(Recipe(batch=4, crop=12, queries=77))
    assert found.lr.shape == (4, 3, 12, 12)
    assert found.points.shape == (4, 77, 2)
    assert found.scale.shape == (4, 2)
    assert found.rgb.shape == (4, 77, 3)
    assert found.lr.dtype == found.rgb.dtype == torch.float32
    for values, high in ((found.lr, 1), (found.rgb, 1), (found.points, 12)):
        assert values.min() >= 0
        assert values.max() <= high
    assert (found.scale >= 1).all()
    assert (found.scale <= 4).all()
    assert found.scale[:, 0].unique().numel() > 1  # each sample has its own


@pytest.mark.parametrize("scale", [2.0, 2.5, 4.0])
def test_lr_is_pillows_bicubic_of_the_crop(scale: float) -> None:
    recipe = fixed(scale, batch=6, queries=4000)
    found = batch(recipe)
    side = round(10 * scale)
    for i in range(6):
        # Every pixel was queried, so the crop can be put together again.
        x, y = ((found.points[i] * side / 10) - 0.5).round().long().unbind(-1)
        hr = torch.zeros(side, side, 3)
        hr[y, x] = found.rgb[i]
        pixels = Image.fromarray((hr * 255).round().byte().numpy())
        small = np.asarray(pixels.resize((10, 10), Image.Resampling.BICUBIC)).astype(int)
        levels = (found.lr[i].movedim(0, -1) * 255).numpy()
        assert np.abs(levels - np.round(levels)).max() < 1e-3  # whole grey levels
        assert np.abs(np.round(levels) - small).max() <= 1


def test_scale_one_leaves_the_crop_alone() -> None:
    found = batch(fixed(1.0, queries=100))
    for i in range(3):
        x, y = (found.points[i] - 0.5).round().long().unbind(-1)
        torch.testing.assert_close(found.lr[i][:, y, x].T, found.rgb[i])


@pytest.mark.parametrize("scale", [2.0, 3.0])
def test_points_are_centres_of_hr_pixels(scale: float) -> None:
    found = batch(fixed(scale))
    position = found.points * scale - 0.5
    torch.testing.assert_close(position, position.round(), rtol=0, atol=1e-4)
    assert (found.scale == scale).all()


def test_colours_belong_to_their_points() -> None:
    """Red counts columns, green rows; flips and turns keep their steps."""
    y, x = torch.meshgrid(torch.arange(40), torch.arange(40), indexing="ij")
    image = torch.stack((3 * x, 3 * y, torch.zeros_like(x))).to(torch.uint8)
    found = batch(fixed(2.0, batch=8, queries=300), images=[image])
    for i in range(8):
        pixel = found.points[i] * 2 - 0.5  # (x, y) in the crop
        color = found.rgb[i, :, :2] * 255 / 3  # (column, row) in the picture
        fit = torch.linalg.lstsq(torch.cat((pixel, torch.ones(300, 1)), 1), color).solution
        torch.testing.assert_close(fit[:2].abs().sum(0), torch.ones(2), rtol=0, atol=1e-3)
        torch.testing.assert_close(fit[:2].abs().sum(1), torch.ones(2), rtol=0, atol=1e-3)


def test_all_eight_turns_are_drawn() -> None:
    y, x = torch.meshgrid(torch.arange(12), torch.arange(12), indexing="ij")
    image = torch.stack((20 * x, 20 * y, torch.zeros_like(x))).to(torch.uint8)
    found = batch(fixed(1.0, batch=64, crop=12, queries=4), images=[image])
    corners = {tuple((lr[:2, 0, 0] * 255).round().tolist()) for lr in found.lr}
    steps = {
        (*corner, bool(lr[0, 0, 0] == lr[0, 0, 1]))
        for lr in found.lr
        for corner in [tuple((lr[:2, 0, 0] * 255).round().tolist())]
    }
    assert len(corners) == 4
    assert len(steps) == 8


def test_no_pixel_is_asked_twice_while_there_are_enough() -> None:
    found = batch(fixed(2.0, queries=400))
    assert all(len(points.unique(dim=0)) == 400 for points in found.points)


def test_small_crops_repeat_their_pixels() -> None:
    found = batch(fixed(1.0, queries=250))
    assert found.points.shape == (3, 250, 2)
    assert all(len(points.unique(dim=0)) == 100 for points in found.points)


def test_the_scale_is_that_of_the_rounded_crop() -> None:
    found = batch(Recipe(batch=20, crop=7, queries=10))
    sides = found.scale * 7
    torch.testing.assert_close(sides, sides.round())


def test_a_seed_is_a_batch() -> None:
    recipe = Recipe(batch=3, crop=10, queries=20)
    torch.manual_seed(1)
    state = torch.random.get_rng_state()
    first = batch(recipe, 5)
    assert torch.equal(torch.random.get_rng_state(), state)  # nothing was drawn
    torch.manual_seed(2)
    np.random.seed(3)
    for a, b in zip(vars(first).values(), vars(batch(recipe, 5)).values(), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(first.lr, batch(recipe, 6).lr)


def test_flat_crops_are_drawn_again() -> None:
    half = torch.full((3, 40, 400), 128, dtype=torch.uint8)
    half[:, :, 200:] = photo(40, 200)
    calm = batch(fixed(2.0, batch=40, min_contrast=0.0), images=[half])
    picky = batch(fixed(2.0, batch=40, min_contrast=0.02), images=[half])
    flat = [int((b.lr.std((1, 2, 3)) < 0.01).sum()) for b in (calm, picky)]
    assert flat[0] > 10
    assert flat[1] < 5


def test_a_flat_picture_does_not_hang() -> None:
    flat = torch.full((3, 40, 40), 9, dtype=torch.uint8)
    torch.testing.assert_close(
        batch(fixed(2.0), images=[flat]).lr, torch.full((3, 3, 10, 10), 9 / 255)
    )


def test_chances_are_pixels_and_halves() -> None:
    images = [torch.zeros(3, h, w, dtype=torch.uint8) for h, w in ((40, 40), (40, 80), (20, 40))]
    crops = Crops(images, fixed(2.0), [False, True, False])
    assert crops.weights.tolist() == [1600, 1600, 800]


def test_rare_images_are_drawn_less() -> None:
    black = torch.zeros(3, 40, 40, dtype=torch.uint8)
    crops = Crops([black, black + 255], fixed(2.0, batch=90), [True, False])
    found = crops.batch(torch.Generator().manual_seed(0))
    assert 0.55 < float(found.lr.mean()) < 0.8


def test_nothing_to_train_on() -> None:
    with pytest.raises(GsrError, match=r"^no training image is large enough"):
        Crops([], Recipe())


# --- folders -------------------------------------------------------------------------------------


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
    found = list(read_images(list_images(folder), 20).values())
    assert [tuple(image.shape) for image in found] == [(3, 20, 30), (3, 50, 50)]
    assert found[0][:, 3, 4].tolist() == [9, 8, 7]


def test_a_file_that_is_no_image_is_named(folder: Path) -> None:
    (folder / "z.png").write_bytes(b"no picture")
    with pytest.raises(GsrError, match=r"z\.png is not an image"):
        read_images(list_images(folder), 20)


def test_sixteen_bits_are_read_rightly(tmp_path: Path) -> None:
    Image.fromarray(np.full((24, 24), 30_000, np.uint16)).save(tmp_path / "deep.png")
    (image,) = read_images(list_images(tmp_path), 20).values()
    assert image.unique().tolist() == [round(30_000 / 257)]
