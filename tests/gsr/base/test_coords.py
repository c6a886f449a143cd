"""The plane: scales, sizes, views and their bands, point by point."""

import math
from fractions import Fraction
from math import inf, nan

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gsr.base.coords import (
    FARTHEST,
    MAX_OUTPUT_PIXELS,
    MAX_SCALE,
    MIN_SCALE,
    View,
    check_size,
    parse_scale,
    resolve_view,
    scaled_size,
)
from gsr.base.errors import GsrError, ScaleError
from gsr.base.output_size import OutputSize
from gsr.field import edits, inspection
from gsr.tasks.sweep import Sweep

WHOLE = View(0.0, 0.0, 10.0, 8.0, (16, 30))


@pytest.mark.parametrize(
    ("scale", "pair"),
    [(3, (3.0, 3.0)), (2.5, (2.5, 2.5)), ((2, 3.5), (2.0, 3.5)), (64, (64.0,) * 2)],
)
def test_scales_are_pairs_of_floats(scale: float | tuple, pair: tuple[float, float]) -> None:
    assert parse_scale(scale) == pair
    assert all(isinstance(value, float) for value in parse_scale(scale))


@pytest.mark.parametrize(
    "scale",
    [0, -2, 64.01, 0.0156, math.nan, math.inf, -math.inf, "4", None, (2, math.nan), (0, 2)],
)
def test_scales_out_of_range(scale: object) -> None:
    with pytest.raises(ScaleError, match=r"^scale must be a number between 0\.015625 and 64, got "):
        parse_scale(scale)


@pytest.mark.parametrize("scale", [(), (2,), (2, 3, 4)])
def test_scales_of_the_wrong_length(scale: tuple) -> None:
    with pytest.raises(ScaleError, match=r"^scale must be one number or a pair \(sy, sx\), got \("):
        parse_scale(scale)


def test_the_message_names_the_bad_half() -> None:
    with pytest.raises(ScaleError, match=r"got 65\.$"):
        parse_scale((2, 65))


@pytest.mark.parametrize(
    ("lr_size", "scale", "size"),
    [
        ((10, 20), 2, (20, 40)),
        ((10, 20), 3.7, (37, 74)),
        ((10, 20), (0.5, 4), (5, 80)),
        ((1, 1), 1 / 64, (1, 1)),
        ((3, 7), 1.5, (5, 11)),  # halves go up
    ],
)
def test_size_of_a_whole_image(
    lr_size: tuple[int, int], scale: float | tuple, size: tuple[int, int]
) -> None:
    assert scaled_size(lr_size, scale) == size


@settings(deadline=None)
@given(
    lr_size=st.tuples(st.integers(1, 5000), st.integers(1, 5000)),
    scale=st.tuples(*[st.floats(MIN_SCALE, MAX_SCALE)] * 2),
)
@example(lr_size=(80, 80), scale=(MIN_SCALE, MIN_SCALE))
def test_every_accepted_scale_gives_a_view(
    lr_size: tuple[int, int], scale: tuple[float, float]
) -> None:
    height, width = scaled_size(lr_size, scale)
    if height * width <= MAX_OUTPUT_PIXELS:
        assert resolve_view(lr_size, scale).size == (height, width)


@pytest.mark.parametrize(
    "numbers",
    [
        (math.nan, 0, 1, 1),
        (0, math.inf, 1, 1),
        (0, 0, math.nan, 1),
        (0, 0, 1, math.inf),
        ("0", 0, 1, 1),
    ],
)
def test_views_need_finite_numbers(numbers: tuple) -> None:
    with pytest.raises(ScaleError, match=r"^a view needs finite x, y, width and height, got "):
        View(*numbers, (1, 1))


@pytest.mark.parametrize("extent", [(0, 1), (1, 0), (-2.5, 1)])
def test_views_need_an_extent(extent: tuple[float, float]) -> None:
    expected = f"^a view needs width and height above 0, got {extent[0]:g} x {extent[1]:g}.$"
    with pytest.raises(ScaleError, match=expected):
        View(0, 0, *extent, (1, 1))


@pytest.mark.parametrize("size", [(0, 4), (4, -1), (4.0, 4), (4,), (4, 4, 4), ("4", 4)])
def test_views_need_whole_pixels(size: tuple) -> None:
    with pytest.raises(ScaleError, match=r"^size must be \(height, width\) in whole pixels"):
        View(0, 0, 1, 1, size)


@pytest.mark.parametrize("size", [4, None])
def test_a_size_that_is_no_pair(size: object) -> None:
    with pytest.raises(ScaleError, match="size"):
        View(0, 0, 1, 1, size)


@pytest.mark.parametrize("size", [(65, 1), (1, 65)])
def test_views_too_near(size: tuple[int, int]) -> None:
    with pytest.raises(ScaleError, match=r"^a view's scale must .* got (65 and 1|1 and 65)\.$"):
        View(0, 0, 1, 1, size)


def test_views_too_far() -> None:
    with pytest.raises(ScaleError, match=r"^a view's scale must be"):
        View(0, 0, 129, 1, (1, 1))


def test_whole_and_scale() -> None:
    view = View.whole((8, 10), (16, 30))
    assert view == WHOLE
    assert view.scale == (2.0, 3.0)


def test_axes_by_hand() -> None:
    xs, ys = View(1.0, 2.0, 2.0, 1.0, (2, 4)).axes((8, 8))
    assert xs.tolist() == [1.25, 1.75, 2.25, 2.75]
    assert ys.tolist() == [2.25, 2.75]
    assert xs.dtype == ys.dtype == torch.float64


def test_axes_at_scale_one_are_pixel_centres() -> None:
    xs, ys = View.whole((3, 5), (3, 5)).axes((3, 5))
    assert xs.tolist() == [0.5, 1.5, 2.5, 3.5, 4.5]
    assert ys.tolist() == [0.5, 1.5, 2.5]


def test_axes_outside_stop_at_the_border() -> None:
    xs, ys = View(-2.0, 6.0, 4.0, 4.0, (4, 4)).axes((8, 8))
    assert xs.tolist() == [0.0, 0.0, 0.5, 1.5]
    assert ys.tolist() == [6.5, 7.5, 8.0, 8.0]


VIEWS = st.builds(
    lambda x, y, w, h, sy, sx: View(x, y, w, h, (max(1, round(h * sy)), max(1, round(w * sx)))),
    st.floats(-20, 20),
    st.floats(-20, 20),
    st.floats(1, 30),
    st.floats(1, 30),
    st.floats(1, 6),
    st.floats(1, 6),
)


@settings(max_examples=60, deadline=None)
@given(view=VIEWS, pixels=st.integers(1, 4000))
def test_bands_cover_every_row_once(view: View, pixels: int) -> None:
    bands = list(view.bands(pixels))
    rows = [row for start, stop in bands for row in range(start, stop)]
    assert rows == list(range(view.size[0]))
    assert all((b - a) * view.size[1] <= max(pixels, view.size[1]) for a, b in bands)


@settings(max_examples=40, deadline=None)
@given(view=VIEWS, pixels=st.integers(1, 2000))
def test_bands_look_at_the_same_points(view: View, pixels: int) -> None:
    parts = [view.band(*band) for band in view.bands(pixels)]
    xs, ys = view.axes((16, 16))
    rows = torch.cat([part.axes((16, 16))[1] for part in parts])
    torch.testing.assert_close(rows, ys, rtol=0, atol=1e-10)
    assert all(torch.equal(part.axes((16, 16))[0], xs) for part in parts)
    for part in parts:
        assert part.scale == pytest.approx(view.scale)


def test_resolve_view_in_three_ways() -> None:
    assert resolve_view((8, 10), (2, 3)) == WHOLE
    assert resolve_view((8, 10), size=(16, 30)) == WHOLE
    view = View(1, 2, 3, 4, (5, 6))
    assert resolve_view((8, 10), view=view) is view


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"scale": 2, "size": (1, 1)},
        {"scale": 2, "view": WHOLE},
        {"size": (1, 1), "view": WHOLE},
    ],
)
def test_resolve_view_takes_one_way(how: dict) -> None:
    with pytest.raises(ScaleError, match=r"^give exactly one of scale, size and view.$"):
        resolve_view((8, 10), **how)


@pytest.mark.parametrize("size", [64, (64,), (64, 64, 3)])
def test_resolve_view_wants_a_pair_as_size(size: object) -> None:
    with pytest.raises(ScaleError, match="size"):
        resolve_view((8, 10), size=size)  # not (64, 64) in silence


def test_resolve_view_refuses_what_no_memory_holds() -> None:
    with pytest.raises(
        ScaleError, match=r"^64000 x 64000 output pixels are more than the 1,073,741,824"
    ):
        resolve_view((1000, 1000), 64)
    assert resolve_view((512, 512), 64).size == (32768, 32768)


def test_numbers_of_numpy_are_numbers() -> None:
    view = View(np.int64(1), np.float32(2), np.float64(3), 4, (np.int64(6), np.int32(9)))
    assert view.size == (6, 9)
    assert type(view.size[0]) is int
    assert parse_scale(np.float32(2.5)) == (2.5, 2.5)
    assert parse_scale([2, 3]) == (2.0, 3.0)


@pytest.mark.parametrize("wrong", [True, "2", None, complex(2), float("nan"), [1, 2, 3], []])
def test_what_is_no_scale(wrong: object) -> None:
    with pytest.raises(ScaleError, match=r"^scale must be"):
        parse_scale(wrong)


# --- numbers without limit -----------------------------------------------------------------------

HUGE = (10**30, -(10**30), 10**400, 10**5000, Fraction(10**400, 3), 1e308, -1e308, inf, nan)


@pytest.mark.parametrize("value", [*HUGE, "1", (), 1j], ids=lambda v: type(v).__name__)
def test_numbers_without_limit_are_refused_in_a_sentence(value, tiny_field) -> None:
    field = tiny_field
    places = {"x": 0.0, "y": 0.0, "width": 4.0, "height": 4.0}
    asked = [lambda n=name: View(**(places | {n: value}), size=(4, 4)) for name in places]
    asked += [
        lambda: View(0, 0, 4, 4, (value, 4)),
        lambda: View(0, 0, 4, 4, (4, value)),
        lambda: View(0, 0, 4, 4, value),
        lambda: parse_scale(value),
        lambda: parse_scale((value, 2)),
        lambda: check_size((value, value)),
        lambda: OutputSize("width", value),
        lambda: Sweep(seconds=value),
        lambda: Sweep(fps=value),
        lambda: Sweep(at=(value, 1)).views((9, 9)),
        lambda: Sweep(size=(value, 4)),
        lambda: field.render(value),
        lambda: field.render(size=(value, 3)),
        lambda: field.explain(value, 2),
        lambda: field.explain(2, value),
        lambda: field.explain(2, 2, value),
        lambda: inspection.explain(field, 2, 2, image=value),
        lambda: inspection.footprint(field, value, 2, View(0, 0, 4, 4, (4, 4))),
        lambda: inspection.footprint(field, 2, value, View(0, 0, 4, 4, (4, 4))),
        lambda: field.with_kernel(value),
        lambda: edits.Top(value)(field),
        lambda: edits.Without((value,))(field),
    ]
    for ask in asked:
        with pytest.raises(GsrError) as caught:
            ask()
        assert len(str(caught.value)) < 400
        assert "\n" not in str(caught.value)


def test_far_views_show_the_border(tiny_field) -> None:
    height, width = tiny_field.lr_size
    for x in (-FARTHEST, FARTHEST):
        far = tiny_field.render(view=View(x, 0, width, height, (height, width)))
        assert bool((far == far[..., :1]).all())
