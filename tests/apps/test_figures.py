import colorsys
import math

import numpy as np
import pytest
import torch

from apps.figures import ellipse_points, kernel_bank, kernel_order
from apps.palette import bank_colors, kernel_color
from gsr.kernels import ellipses, physical


def hue_and_saturation(color):
    hue, _, saturation = colorsys.rgb_to_hls(*(int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)))
    return hue, saturation


def test_hue_is_direction_and_saturation_elongation():
    assert hue_and_saturation(kernel_color(0.5, 0.5, 1.0))[1] == pytest.approx(0, abs=0.01)
    hue, saturation = hue_and_saturation(kernel_color(0.9, 0.3, math.pi / 3))
    assert hue == pytest.approx(1 / 3, abs=0.01)
    assert saturation > 0.95


def test_a_direction_and_its_opposite_have_one_colour():
    assert kernel_color(0.9, 0.4, 0.3) == kernel_color(0.9, 0.4, 0.3 + math.pi)


def test_every_kernel_has_a_colour(field):
    colors = bank_colors(field.bank_raw)
    assert len(colors) == 100
    assert len(set(colors)) > 60


def test_the_figure_shows_every_kernel_once(field):
    assert sorted(kernel_order(field)) == list(range(100))
    figure = kernel_bank(field)
    assert len(figure.data) == 101
    assert len(figure.data[-1].text) == 100
    assert "cdn" not in str(figure.layout).lower()


def test_rows_of_the_figure_grow(field):
    shape = ellipses(physical(field.bank_raw).covariances())
    size = (shape.major * shape.minor)[torch.tensor(kernel_order(field))].reshape(10, 10)
    assert bool((size[1:].amin(1) >= size[:-1].amax(1) - 1e-6).all())


def test_an_outline_lies_on_the_ellipse():
    x, y = ellipse_points(0.9, 0.3, 0.7)
    along = x * math.cos(0.7) + y * math.sin(0.7)
    across = -x * math.sin(0.7) + y * math.cos(0.7)
    assert np.allclose((along / 0.9) ** 2 + (across / 0.3) ** 2, 1)
