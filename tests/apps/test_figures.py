import colorsys
import math

import numpy as np
import pytest
import torch
from gsr_apps.figures import (
    class_map,
    directions,
    ellipse_points,
    ellipses_over,
    entropy_map,
    kernel_bank,
    kernel_order,
    scale_sweep,
    shares,
)
from gsr_apps.palette import bank_colors, kernel_color

from gsr import View
from gsr.field.edges import edge_agreement
from gsr.field.inspection import gaussians_in
from gsr.field.render import render
from gsr.images import to_pil
from gsr.methods import get
from gsr.network.kernels import ellipses, physical


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


def test_ellipses_over_a_view(field):
    view = View(x=10, y=8, width=20, height=15, size=(150, 200))
    figure = ellipses_over(field, view, sigma=1.5)
    picture, *outlines = figure.data
    assert np.asarray(picture.z).shape == (150, 200, 3)
    drawn = sum(list(trace.x).count(None) for trace in outlines)
    expected = gaussians_in(field, view)
    assert drawn == len(expected.kernel) > 300
    assert "1.5 sigma" in figure.layout.title.text
    first = outlines[0]
    end = list(first.x).index(None)
    centre = np.array((np.mean(first.x[: end - 1]), np.mean(first.y[: end - 1])))
    means = (expected.means.numpy() - (10, 8)) * 10
    assert np.abs(means - centre).sum(1).min() < 0.05


def test_ellipses_say_when_they_are_thinned(field):
    view = View(x=0, y=0, width=64, height=48, size=(96, 128))
    assert "every 2nd row" in ellipses_over(field, view, limit=1000).layout.title.text


def test_shares_sum_to_a_hundred(field):
    figure = shares(field.explain(20.3, 11.6, 4), most=5)
    assert len(figure.data[0].x) == 6
    assert sum(figure.data[0].x) == pytest.approx(100, abs=1e-3)
    assert list(figure.data[0].x[:5]) == sorted(figure.data[0].x[:5], reverse=True)


def test_maps_show_what_was_chosen(field):
    (picture,) = class_map(field).data
    colors = bank_colors(field.bank_raw)
    expected = [int(colors[int(field.index[0, 5, 9])][i : i + 2], 16) for i in (1, 3, 5)]
    assert list(picture.z[5][9]) == expected
    (heat,) = entropy_map(field).data
    assert np.allclose(heat.z, field.choice_at().entropy[0])


def test_a_sweep_has_a_view_for_each_image_and_scale(field):
    images = {"ours": field, "bicubic": get("bicubic").encode(field.lr)}
    figure = scale_sweep(images, (30, 20), (2, 4, 8), side=40)
    assert len(figure.data) == 6
    view = View(27.5, 17.5, 5.0, 5.0, (40, 40))
    assert np.array_equal(figure.data[2].z, np.asarray(to_pil(render(field, view=view)[0])))


def test_directions_say_how_well_they_agree(field):
    figure = directions(field)
    assert f"{edge_agreement(field).mean:.2f}" in figure.layout.title.text
    assert len(figure.data[0].x) == round(0.1 * 64 * 48)


def test_figures_are_reached_by_a_short_import():
    from gsr import plots

    assert plots.kernel_bank is kernel_bank
    assert "scale_sweep" in dir(plots)
