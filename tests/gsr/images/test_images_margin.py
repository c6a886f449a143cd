"""Margins around a picture, of every mode that is written."""

import numpy as np
import pytest
from PIL import Image

from gsr.base.errors import ConfigError
from gsr.images.margin import check_color, with_margin


@pytest.mark.parametrize(
    ("mode", "color", "margin"),
    [
        ("RGB", None, (0, 0, 0)),
        ("RGB", "#ff8000", (255, 128, 0)),
        ("RGBA", None, (0, 0, 0, 0)),
        ("RGBA", "white", (255, 255, 255, 255)),
        ("L", None, 0),
        ("L", "white", 255),
        ("LA", None, (0, 0)),
    ],
)
def test_the_picture_is_in_the_middle_and_unchanged(mode, color, margin):
    bands = len(Image.new(mode, (1, 1)).getbands())
    pixels = np.random.default_rng(0).integers(1, 255, (5, 6, bands), np.uint8)
    image = Image.fromarray(pixels.squeeze(-1) if bands == 1 else pixels)
    made = with_margin(image, (9, 6), color)
    assert (made.mode, made.size) == (mode, (6, 9))
    assert np.array_equal(np.asarray(made)[2:7], np.asarray(image))
    assert {made.getpixel((x, y)) for x in range(6) for y in (0, 1, 7, 8)} == {margin}


def test_without_a_margin_it_is_the_same_picture():
    image = Image.new("RGB", (3, 2))
    assert with_margin(image, (2, 3), "red") is image


@pytest.mark.parametrize("color", ["", "greenish", "#12", "rgb(1,2)", "red;blue"])
def test_what_is_no_colour_is_refused(color):
    with pytest.raises(ConfigError, match="is not a colour; give a name such as white"):
        check_color(color)
