"""Degraded inputs: the same for the same draw, where the picture was; a share stays clean."""

import numpy as np
import pytest
from gsr_training.trainer.degrade import CHANGES, Change, degraded, jpeg, noise
from helpers.training import make_crops, make_recipe, photo
from scipy.ndimage import gaussian_filter


def picture(side: int = 48) -> np.ndarray:
    return gaussian_filter(photo(side, side).movedim(0, -1).numpy(), (2, 2, 0))


def drawn(number: int, of: np.ndarray) -> np.ndarray:
    return degraded(np.random.default_rng((7, number)), of)


def test_a_draw_is_always_the_same_and_draws_differ() -> None:
    clean = picture()
    found = [drawn(i, clean) for i in range(30)]
    for i, one in enumerate(found):
        assert one.dtype == np.uint8
        assert one.shape == clean.shape
        assert np.array_equal(one, drawn(i, clean))
    assert len({one.tobytes() for one in found}) == 30


def test_it_stays_the_same_picture() -> None:
    """Neither moved nor of another tone."""
    clean = picture()
    for i in range(40):
        worse = drawn(i, clean).astype(float)
        assert abs(worse.mean() - clean.mean()) < 2
        here = np.abs(worse - clean).mean()
        assert here < np.abs(np.roll(worse, 3, 0) - clean).mean()
        assert here < np.abs(np.roll(worse, 3, 1) - clean).mean()


@pytest.mark.parametrize("change", [*CHANGES, jpeg])
def test_each_change_does_something_and_keeps_the_shape(change: Change) -> None:
    values = picture() / 255.0
    worse = change(np.random.default_rng(3), values)
    assert worse.shape == values.shape
    assert 1e-4 < np.abs(worse - values).mean() < 0.1


def test_noise_is_as_strong_as_it_is_drawn() -> None:
    grey = np.full((64, 64, 3), 0.5)
    levels = [255 * (noise(np.random.default_rng(i), grey) - grey).std() for i in range(60)]
    assert 0.8 < min(levels) < 3
    assert 12 < max(levels) < 19


def test_no_border_shows() -> None:
    """A flat picture that is not made noisy stays flat up to its edge."""
    flat = np.full((32, 32, 3), 90, np.uint8)
    found = [drawn(i, flat).astype(int) for i in range(60)]
    calm = [one for one in found if np.ptp(one) <= 2]
    assert len(calm) > 10
    assert all(np.abs(one - 90).max() <= 2 for one in calm)


@pytest.mark.parametrize("share", [0.0, 0.6, 1.0])
def test_the_share_of_degraded_samples(share: float) -> None:
    """Targets stay clean; the rest of the samples is as without."""
    plain = make_crops(make_recipe(batch=60)).batch(1)
    mixed = make_crops(make_recipe(batch=60, degraded=share)).batch(1)
    assert (plain.rgb == mixed.rgb).all()
    changed = (plain.lr != mixed.lr).flatten(1).any(1).float().mean()
    assert abs(float(changed) - share) < 0.2
    assert mixed.lr.min() >= 0
    assert mixed.lr.max() <= 1
    assert (mixed.lr * 255 - (mixed.lr * 255).round()).abs().max() < 1e-3


def test_degraded_samples_are_shared_among_processes() -> None:
    crops = make_crops(make_recipe(batch=8, degraded=0.8))
    joint = {lr.numpy().tobytes() for lr in crops.batch(3).lr}
    shares = {lr.numpy().tobytes() for part in range(4) for lr in crops.batch(3, part, 4).lr}
    assert joint == shares
