"""How large a result becomes: one rule of rounding, and every way to fit a box."""

import math
import pickle
from decimal import ROUND_HALF_UP, Decimal

import pytest
from gsr_apps.studio.batch import Options
from gsr_apps.studio.export import PictureRequest
from hypothesis import assume, given
from hypothesis import strategies as st

from gsr.base.coords import MAX_OUTPUT_PIXELS, resolve_view, scaled_size
from gsr.base.errors import ScaleError
from gsr.base.limits import whole_pixels
from gsr.base.output_size import OutputSize

sides = st.integers(1, 3000)


@given(side=sides, hundredths=st.integers(2, 6400))
def test_halves_go_up_as_the_number_was_typed(side, hundredths):
    exact = side * Decimal(hundredths) / 100
    nearest = max(1, int(exact.quantize(Decimal(1), ROUND_HALF_UP)))
    assert whole_pixels(side * (hundredths / 100)) == nearest


@given(height=sides, width=sides, halves=st.integers(1, 20))
def test_library_command_line_and_studio_round_alike(height, width, halves):
    scale, size = halves / 2, (height, width)
    expected = scaled_size(size, scale)
    assume(math.prod(expected) <= MAX_OUTPUT_PIXELS)
    assert resolve_view(size, scale=scale).size == expected
    assert OutputSize("scale", scale).for_picture(size) == expected
    assert Options.typed("scale", str(scale)).wanted.for_picture(size) == expected
    assert PictureRequest(scale=scale)._size(width, height) == expected


@given(height=st.integers(8, 400), width=st.integers(8, 400), side=st.integers(8, 400))
def test_one_side_gives_the_other_halves_up(height, width, side):
    doubled = 2 * height * side + width  # the nearest of height * side / width, in whole numbers
    expected = (max(1, doubled // (2 * width)), side)
    asked = OutputSize("width", side)
    if 1 / 64 <= min(expected[0] / height, side / width) <= 64:
        assert asked.for_picture((height, width)) == expected


boxes = st.tuples(st.integers(40, 400), st.integers(40, 400))


@given(picture=boxes, box=boxes, fit=st.sampled_from(["inside", "crop", "pad", "stretch"]))
def test_every_fit_keeps_its_promise(picture, box, fit):
    height, width = picture
    layout = OutputSize("size", (box[1], box[0]), fit).layout(picture)
    sy, sx = layout.view.scale
    if fit == "stretch":
        assert layout.canvas == layout.view.size == box
        return
    assert abs(sy / sx - 1) <= 0.5 / min(layout.view.size) + 0.5 / max(layout.view.size) + 1e-9
    assert layout.canvas == (layout.view.size if fit == "inside" else box)
    assert layout.view.size[0] <= box[0]
    assert layout.view.size[1] <= box[1]
    if fit == "crop":
        centre = layout.view.x + layout.view.width / 2, layout.view.y + layout.view.height / 2
        assert centre == pytest.approx((width / 2, height / 2))
        assert min(layout.view.x, layout.view.y) >= -1e-9
    else:
        assert (layout.view.x, layout.view.y) == (0, 0)
        assert (layout.view.height, layout.view.width) == picture
        assert box[0] in layout.view.size or box[1] in layout.view.size
    assert bool(layout.note) == (fit == "inside" and layout.canvas != box)


def test_a_box_of_the_same_proportions_needs_no_choice():
    for fit in ("inside", "crop", "pad", "stretch"):
        layout = OutputSize("size", (24, 18), fit).layout((9, 12))
        assert (layout.view.size, layout.canvas, layout.note) == ((18, 24), (18, 24), "")


def test_a_margin_is_no_way_around_the_limit_of_pixels():
    with pytest.raises(ScaleError, match="more than the"):
        OutputSize("size", (60_000, 60_000), "pad").layout((9000, 10))


def test_names_say_how_it_was_fitted():
    labels = [OutputSize("size", (8, 6), fit).label for fit in ("inside", "crop", "pad", "stretch")]
    assert labels == ["8x6", "8x6-crop", "8x6-pad", "8x6-stretch"]
    asked = OutputSize("size", (8, 6), "pad")
    assert pickle.loads(pickle.dumps(asked)) == asked
