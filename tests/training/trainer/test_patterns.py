"""Drawn pictures: the same for the same draw, LR and HR of one picture, all kinds met."""

import numpy as np
import pytest
from gsr_training.trainer.patterns import Pattern, draw
from gsr_training.trainer.seeding import PATTERNS, numbers_for
from helpers.training import make_crops, make_recipe, photo
from PIL import Image

CROP = 12


def drawn(number: int, side: int = 30, crop: int = CROP) -> Pattern:
    crop_of_photo = photo(side, side).movedim(0, -1).numpy()
    return draw(numbers_for(0, 1, PATTERNS, number), crop_of_photo, crop)


@pytest.mark.parametrize("side", [12, 30, 48, 120])
def test_sizes_and_kinds(side: int) -> None:
    found = [drawn(i, side) for i in range(40)]
    for pattern in found:
        assert pattern.hr.shape == (side, side, 3)
        assert pattern.hr.dtype == np.uint8
        assert pattern.lr is None or pattern.lr.shape == (CROP, CROP, 3)
    assert 8 < sum(p.lr is None for p in found) < 32
    grey = [bool((np.ptp(p.hr.astype(int), axis=-1) == 0).all()) for p in found]
    assert 8 < sum(grey) < 38


def test_a_draw_is_always_the_same() -> None:
    for i in range(20):
        one, other = drawn(i), drawn(i)
        assert np.array_equal(one.hr, other.hr)
        assert (one.lr is None) == (other.lr is None)
        assert one.lr is None or np.array_equal(one.lr, other.lr)
    assert len({drawn(i).hr.tobytes() for i in range(20)}) > 15


def test_small_and_large_are_one_picture() -> None:
    """Reduced by area, HR is LR: nothing is moved, and the tone is kept."""
    compared = 0
    for i in range(60):
        pattern = drawn(i, 48)
        if pattern.lr is None:
            continue
        small = np.asarray(Image.fromarray(pattern.hr).resize((CROP, CROP), Image.Resampling.BOX))
        assert np.abs(small.astype(int) - pattern.lr).max() <= 2
        compared += 1
    assert compared > 15


def test_frames_leave_the_photo_inside() -> None:
    inside = photo(48, 48).movedim(0, -1).numpy()
    framed = [
        p.hr for p in (drawn(i, 48) for i in range(60)) if (p.hr[24, 24] == inside[24, 24]).all()
    ]
    assert framed
    for hr in framed:
        assert np.array_equal(hr[17:31, 17:31], inside[17:31, 17:31])
        assert any(
            np.ptp(hr[at], axis=0).max() == 0 for at in (0, -1, (slice(None), 0), (slice(None), -1))
        )


def test_the_share_of_patterns() -> None:
    """The others are the samples that they were, and their queries too."""
    plain = make_crops(make_recipe(batch=60)).batch(2)
    mixed = make_crops(make_recipe(batch=60, patterns=0.25)).batch(2)
    other = (plain.lr != mixed.lr).flatten(1).any(1)
    assert 6 < int(other.sum()) < 26
    assert (plain.points == mixed.points).all()
    assert (plain.rgb[~other] == mixed.rgb[~other]).all()
    assert (plain.rgb[other] != mixed.rgb[other]).flatten(1).any(1).all()


def test_patterns_are_shared_among_processes() -> None:
    crops = make_crops(make_recipe(batch=16, patterns=0.5, far=0.25, far_max=6.0))
    joint = {lr.numpy().tobytes() for lr in crops.batch(3).lr}
    shares = {lr.numpy().tobytes() for part in range(4) for lr in crops.batch(3, part, 4).lr}
    assert joint == shares


def test_a_far_sample_may_be_a_pattern() -> None:
    crops = make_crops(make_recipe(batch=8, patterns=1.0, far=0.5, far_max=9.0), [photo(200, 200)])
    batch = crops.batch(0)
    assert batch.scale[4:].min() >= 4
    assert batch.lr.min() >= 0
    assert batch.lr.max() <= 1
