"""Margins around a picture, of every mode that is written."""

import numpy as np
import pytest

from gsr.base.errors import ConfigError
from gsr.images.margin import check_color, with_margin


@pytest.mark.parametrize(
    ("channels", "color", "margin"),
    [
        (3, None, (0, 0, 0)),
        (3, "#ff8000", (255, 128, 0)),
        (4, None, (0, 0, 0, 0)),
        (4, "white", (255, 255, 255, 255)),
        (1, None, (0,)),
        (1, "white", (255,)),
        (2, None, (0, 0)),
    ],
)
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_the_picture_is_in_the_middle_and_unchanged(channels, color, margin, kind):
    levels = np.random.default_rng(0).integers(1, 255, (5, 6, channels)).astype(kind)
    made = with_margin(levels, (9, 6), color)
    assert (made.dtype, made.shape) == (kind, (9, 6, channels))
    assert np.array_equal(made[2:7], levels)
    full = {np.uint8: 1, np.uint16: 257, np.float32: 1 / 255}[kind]
    assert np.allclose(made[[0, 1, 7, 8]], np.array(margin) * full)


def test_without_a_margin_it_is_the_same_picture():
    levels = np.zeros((2, 3, 3), np.uint8)
    assert with_margin(levels, (2, 3), "red") is levels


@pytest.mark.parametrize("color", ["", "greenish", "#12", "rgb(1,2)", "red;blue"])
def test_what_is_no_colour_is_refused(color):
    with pytest.raises(ConfigError, match="is not a colour; give a name such as white"):
        check_color(color)


@pytest.mark.parametrize(("dtype", "full"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1)])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_levels_of_any_depth_get_the_same_margin(dtype, full, channels):
    levels = np.full((4, 3, channels), full // 3, dtype)
    made = with_margin(levels, (4, 6), "white")
    assert made.dtype == dtype
    assert np.array_equal(made[:, 1:4], levels)
    assert bool((made[:, [0, 4, 5]] == full).all())
    assert with_margin(levels, (4, 6))[0, 0].tolist() == [0] * channels
    assert with_margin(levels, (4, 3), "white") is levels
