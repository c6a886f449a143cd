"""MATLAB's imresize against its formula in exact fractions, hand-computed rows and its laws."""

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from gsr.base.errors import ScaleError, ShapeError
from gsr.images.imresize import imresize, sample


def kernel(x: Fraction) -> Fraction:
    """Keys (1981) with a = -1/2."""
    x = abs(x)
    if x <= 1:
        return Fraction(3, 2) * x**3 - Fraction(5, 2) * x**2 + 1
    if x <= 2:
        return -Fraction(1, 2) * x**3 + Fraction(5, 2) * x**2 - 4 * x + 2
    return Fraction(0)


def row_by_definition(row: list[int], out: int, scale: Fraction) -> list[Fraction]:
    """One row in MATLAB's own counting from 1, continued by mirror images on both sides."""
    n, shrink = len(row), min(scale, Fraction(1))
    mirrored = row[::-1] + row
    found = []
    for x in range(1, out + 1):
        u = x / scale + Fraction(1, 2) * (1 - 1 / scale)
        reach = math.ceil(2 / shrink) + 2
        taps = range(math.floor(u) - reach, math.floor(u) + reach + 1)
        weights = [kernel(shrink * (u - tap)) for tap in taps]
        values = [mirrored[(tap - 1 + n) % (2 * n)] for tap in taps]
        total = sum(w * v for w, v in zip(weights, values, strict=True))
        found.append(total / sum(weights))
    return found


def by_definition(picture: list[list[int]], size: tuple[int, int], scale: tuple) -> np.ndarray:
    across = [row_by_definition(row, size[1], scale[1]) for row in picture]
    columns = [row_by_definition(list(c), size[0], scale[0]) for c in zip(*across, strict=True)]
    return np.array([[float(v) for v in row] for row in zip(*columns, strict=True)])


def grey_levels(height: int, width: int) -> list[list[int]]:
    return [[(37 * i * i + 91 * j + 13 * i * j) % 256 for j in range(width)] for i in range(height)]


@pytest.mark.parametrize(
    "scale",
    [Fraction(1, 2), Fraction(1, 3), Fraction(1, 4), Fraction(5, 12), 2, 3, 4, Fraction(17, 5)],
)
def test_a_scale_is_the_formula(scale: Fraction) -> None:
    picture = grey_levels(12, 15)
    size = math.ceil(scale * 12), math.ceil(scale * 15)
    expected = by_definition(picture, size, (Fraction(scale), Fraction(scale)))
    found = imresize(torch.tensor([picture]).double(), float(scale))
    assert tuple(found.shape) == (1, *size)
    assert np.abs(found[0].numpy() - expected).max() < 1e-9


@pytest.mark.parametrize("size", [(5, 7), (24, 7), (12, 15), (3, 40), (1, 1)])
def test_a_size_has_a_scale_per_axis(size: tuple[int, int]) -> None:
    picture = grey_levels(12, 15)
    expected = by_definition(picture, size, (Fraction(size[0], 12), Fraction(size[1], 15)))
    found = imresize(torch.tensor([picture]).double(), size=size)
    assert np.abs(found[0].numpy() - expected).max() < 1e-9


def test_by_hand_enlarging() -> None:
    """Between 0 and 1 at double size: k(1.25) + k(1.75) and k(0.75) + k(1.75), and mirrored."""
    found = imresize(torch.tensor([[[0.0, 1.0]]]), size=(1, 4))[0, 0].tolist()
    assert found == [-0.09375, 0.203125, 0.796875, 1.09375]


def test_by_hand_shrinking() -> None:
    """A single 8 at half size is 4 k(d / 2) at the distances 3.5, 1.5, 0.5 and 2.5."""
    row = torch.tensor([[[0.0, 0, 0, 0, 8, 0, 0, 0]]])
    assert imresize(row, size=(1, 4))[0, 0].tolist() == [-0.09375, 0.90625, 3.46875, -0.28125]


def test_the_size_is_rounded_up() -> None:
    assert tuple(imresize(torch.zeros(3, 7, 10), 1 / 3).shape) == (3, 3, 4)
    assert tuple(imresize(torch.zeros(2, 3, 7, 10), 1.25).shape) == (2, 3, 9, 13)


@settings(deadline=None)
@given(
    st.integers(1, 9), st.integers(1, 9), st.integers(1, 20), st.integers(1, 20), st.integers(0, 99)
)
def test_laws(h: int, w: int, out_h: int, out_w: int, seed: int) -> None:
    """Linear; constants stay; mirror images and transposes commute with it."""
    generator = torch.Generator().manual_seed(seed)
    a, b = torch.rand((2, 3, h, w), generator=generator, dtype=torch.float64)
    size = out_h, out_w
    found = imresize(a, size=size)
    close = {"rtol": 0, "atol": 1e-9}
    torch.testing.assert_close(imresize(2 * a - b, size=size), 2 * found - imresize(b, size=size))
    torch.testing.assert_close(
        imresize(torch.full_like(a, 0.3), size=size), torch.full_like(found, 0.3), **close
    )
    torch.testing.assert_close(imresize(a.flip(-1), size=size), found.flip(-1), **close)
    turned = imresize(a.transpose(-1, -2), size=(out_w, out_h))
    torch.testing.assert_close(turned, found.transpose(-1, -2), **close)


def test_the_same_size_changes_nothing(picture: Callable[..., Tensor]) -> None:
    rgb = picture(9, 13)
    assert torch.equal(imresize(rgb, 1.0), rgb.double())


def test_inside_it_is_pillows_and_at_the_border_not(picture: Callable[..., Tensor]) -> None:
    plane = picture(48, 60)[0]
    pillow = Image.fromarray(plane.numpy()).resize((30, 24), Image.Resampling.BICUBIC)
    difference = (imresize(plane[None], 0.5)[0] - torch.from_numpy(np.array(pillow))).abs()
    assert float(difference[2:-2, 2:-2].max()) < 1e-6
    assert float(difference.max()) > 1e-3


def test_any_points_are_those_of_the_grid(picture: Callable[..., Tensor]) -> None:
    rgb = picture(6, 7)
    whole = imresize(rgb, 3.0)
    ys, xs = (torch.arange(4.0, 9.0).double() + 0.5) / 3, (torch.arange(2.0).double() + 0.5) / 3
    torch.testing.assert_close(sample(rgb, ys, xs, (3.0, 3.0)), whole[:, 4:9, :2])


@pytest.mark.parametrize("how", [{}, {"scale": 2.0, "size": (4, 4)}])
def test_scale_or_size(how: dict) -> None:
    with pytest.raises(ScaleError, match=r"^imresize takes exactly one of scale and size\.$"):
        imresize(torch.zeros(3, 4, 4), **how)


@pytest.mark.parametrize("scale", [0.0, -2.0, math.nan, math.inf])
def test_scales_that_are_none(scale: float) -> None:
    with pytest.raises(ScaleError, match=r"^scale must be a positive number, got "):
        imresize(torch.zeros(3, 4, 4), scale)


def test_sizes_and_shapes_that_are_none() -> None:
    with pytest.raises(ScaleError, match=r"^an output size must be at least 1 x 1 .*got 4 x 0\.$"):
        imresize(torch.zeros(3, 4, 4), size=(0, 4))
    with pytest.raises(ShapeError, match=r"^rgb must have shape \[\*batch, c, h, w\]"):
        imresize(torch.zeros(4, 4), 2.0)
