"""Training samples: made as the benchmarks are, consistent, and drawn from one generator."""

import numpy as np
import pytest
import torch
from gsr_training.trainer.data import Batch, Crops, ImageStore
from gsr_training.trainer.recipe import Recipe
from helpers.training import make_crops, make_recipe, photo
from PIL import Image
from torch import Tensor

from gsr.base.errors import GsrError


def batch(recipe: Recipe, step: int = 0, images: list[Tensor] | None = None) -> Batch:
    return make_crops(recipe, images).batch(step)


def fixed(scale: float, **changes: object) -> Recipe:
    """Every sample at one scale."""
    values = {"batch": 3, "crop": 10, "queries": 50, "scale_min": scale, "scale_max": scale}
    return make_recipe(**(values | changes))


def test_shapes_and_ranges() -> None:
    found = batch(make_recipe(batch=4, crop=12, queries=77))
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
    found = batch(make_recipe(batch=20, crop=7, queries=10))
    sides = found.scale * 7
    torch.testing.assert_close(sides, sides.round())


def test_a_step_of_a_seed_is_a_batch() -> None:
    recipe = make_recipe(batch=3, crop=10, queries=20)
    torch.manual_seed(1)
    state = torch.random.get_rng_state()
    first = batch(recipe, 5)
    assert torch.equal(torch.random.get_rng_state(), state)  # nothing was drawn
    torch.manual_seed(2)
    np.random.seed(3)
    for a, b in zip(vars(first).values(), vars(batch(recipe, 5)).values(), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(first.lr, batch(recipe, 6).lr)
    other = make_recipe(batch=3, crop=10, queries=20, seed=1)
    assert not torch.equal(first.lr, batch(other, 5).lr)


@pytest.mark.parametrize("parts", [2, 4])
def test_shares_are_equal_and_make_the_joint_batch(parts: int) -> None:
    recipe = make_recipe(batch=8, crop=6, queries=9, far=0.25, far_max=6.0)
    crops = make_crops(recipe)
    joint = crops.batch(3)
    shares = [crops.batch(3, part, parts) for part in range(parts)]
    assert [len(share.lr) for share in shares] == [8 // parts] * parts

    def samples(of: list[Batch]) -> list[bytes]:
        return sorted(lr.numpy().tobytes() for one in of for lr in one.lr)

    assert samples(shares) == samples([joint])
    assert len(set(samples([joint]))) == 8


def test_far_samples() -> None:
    recipe = make_recipe(batch=8, crop=6, queries=30, far=0.25, far_max=9.0)
    scale = make_crops(recipe).batch(0).scale[:, 0]
    assert scale[:6].max() <= 4
    assert scale[6:].min() >= 4
    assert scale[6:].max() <= 9
    # An image of 30 pixels cannot be seen closer than x5.
    near = make_crops(recipe, [photo(30, 40)]).batch(0).scale[:, 0]
    assert near[6:].min() >= 4
    assert near[6:].max() <= 5


def test_every_pixel_is_as_likely() -> None:
    recipe = fixed(2.0, batch=64, crop=4, queries=20)
    crops = make_crops(recipe)
    seen = torch.cat([crops.batch(step).points.flatten(0, 1) for step in range(20)])
    x, y = (seen * 2 - 0.5).round().long().unbind(-1)
    counts = torch.bincount(y * 8 + x, minlength=64)
    assert counts.sum() == 64 * 20 * 20
    assert (counts - 400).abs().max() < 5 * 20  # five standard deviations


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
    store = ImageStore.of(images, [False, True, False])
    assert store.chance.tolist() == [1600, 1600, 800]


def test_rare_images_are_drawn_less() -> None:
    black = torch.zeros(3, 40, 40, dtype=torch.uint8)
    store = ImageStore.of([black, black + 255], [True, False])
    found = Crops(store, fixed(2.0).data, 90).batch(0)
    assert 0.55 < float(found.lr.mean()) < 0.8


def test_nothing_to_train_on() -> None:
    with pytest.raises(GsrError, match=r"^no training image is large enough"):
        ImageStore.of([])
