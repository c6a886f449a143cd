"""Drawings: which ellipses are in them, where, in what colour, and what is refused."""

import base64
import io
import itertools
import math
import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from gsr import View
from gsr.base.errors import GsrError, OutputError, ScaleError
from gsr.field.svg import overlay_svg, save_svg
from gsr.images import PictureInfo
from gsr.network.colors import (
    bank_colors,
    direction_color,
    distinct_color,
    kernel_color,
    ramp_color,
    size_color,
)
from gsr.network.kernels import ellipses

SVG = "{http://www.w3.org/2000/svg}"
VIEW = View(2.0, 1.0, 5.0, 4.0, (64, 80))


def parsed(svg):
    return ElementTree.fromstring(svg)


def drawn(svg):
    """(x, y, rx, ry, degrees, colour) of every ellipse, LR pixels from the view's corner."""
    found = []
    for group in parsed(svg).iter(f"{SVG}g"):
        for one in group.findall(f"{SVG}ellipse"):
            numbers = re.findall(r"-?[\d.]+", one.get("transform"))
            x, y, angle = map(float, numbers)
            found.append(
                (x, y, float(one.get("rx")), float(one.get("ry")), angle, group.get("stroke"))
            )
    return found


def expected(field, view, sigma):
    """By the definition: every Gaussian, and whether its ellipse's box meets the view."""
    shape = ellipses(field.bank.covariances())
    height, width = field.lr_size
    rows = []
    for row in range(height):
        for column in range(width):
            kernel = int(field.index[0, row, column])
            dx, dy = field.offsets[0, row, column].tolist()
            x, y = column + 0.5 + dx, row + 0.5 + dy
            sx, sy = (sigma * float(s) for s in field.bank.sigmas[kernel])
            if (
                x + sx > view.x
                and x - sx < view.x + view.width
                and y + sy > view.y
                and y - sy < view.y + view.height
            ):
                major, minor = (sigma * float(v[kernel]) for v in (shape.major, shape.minor))
                rows.append((x - view.x, y - view.y, major, minor))
    return rows


@pytest.mark.parametrize("sigma", [0.5, 1.0, 3.0])
def test_every_gaussian_that_meets_the_view_is_drawn_once(tiny_field, sigma):
    ours = [row[:4] for row in drawn(overlay_svg(tiny_field, VIEW, sigma=sigma, picture=False))]
    wanted = expected(tiny_field, VIEW, sigma)
    assert len(ours) == len(wanted) > 10
    apart = np.abs(np.array(ours)[:, None] - np.array(wanted)[None]).max(-1)
    assert apart.min(0).max() < 2e-3
    assert apart.min(1).max() < 2e-3


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.floats(-30, 30), st.floats(-30, 30), st.floats(0.05, 40), st.floats(0.05, 40),
    st.integers(1, 90), st.floats(0.1, 4),
)  # fmt: skip
def test_any_view_makes_valid_xml(lite_field, x, y, width, height, pixels, sigma):
    try:
        view = View(x, y, width, height, (pixels, pixels))
    except ScaleError:
        return
    svg = overlay_svg(lite_field, view, sigma=sigma, picture=False)
    root = parsed(svg)
    assert root.get("viewBox") == f"0 0 {pixels} {pixels}"
    assert len(drawn(svg)) == len(expected(lite_field, view, sigma))


def test_angles_and_stretched_views(lite_field):
    view = View(2, 2, 6, 6, (60, 120))
    svg = overlay_svg(lite_field, view, picture=False)
    group = parsed(svg).find(f"{SVG}g")
    assert group.get("transform") == "scale(20 10)"
    shape = ellipses(lite_field.bank.covariances())
    angles = {round(math.degrees(v), 2) for v in shape.angle.tolist()}
    for *_, angle, _ in drawn(svg):
        assert min(abs(angle - a) for a in angles) < 0.01
    assert all(one.get("vector-effect") for one in parsed(svg).iter(f"{SVG}ellipse"))


def test_the_picture_below_is_the_render(tiny_field):
    image = parsed(overlay_svg(tiny_field, VIEW, layer="gaussians")).find(f"{SVG}image")
    kind, data = image.get("href").split(",")
    assert kind == "data:image/png;base64"
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
    pixels = tiny_field.render(view=VIEW, layer="gaussians").movedim(0, -1)
    assert np.abs(shown - (255 * pixels.numpy()).round()).max() <= 0.5
    assert parsed(overlay_svg(tiny_field, VIEW, picture=False)).find(f"{SVG}image") is None


def test_colours_mean_what_they_say(lite_field):
    kernels = sorted(lite_field.index[0, 3:5, 4:7].flatten().tolist())
    view = View(4.0, 3.0, 3.0, 2.0, (20, 30))
    # Only Gaussians with their pixel in the view: tiny ellipses, no offsets.
    field = replace(lite_field, offsets=torch.zeros_like(lite_field.offsets))

    def colours(by):
        return sorted(row[-1] for row in drawn(overlay_svg(field, view, sigma=0.1, color=by)))

    bank = bank_colors(field.bank_raw)
    assert colours("kernel") == sorted(bank[k] for k in kernels)
    assert colours("number") == sorted(distinct_color(k) for k in kernels)
    own = (field.colors[0, 3:5, 4:7].clamp(0, 1) * 255).round().int().reshape(-1, 3).tolist()
    assert colours("own") == sorted("#" + bytes(rgb).hex() for rgb in own)
    confidence = field.choice_at().confidence[0, 3:5, 4:7].flatten()
    assert colours("confidence") == sorted(ramp_color(round(v, 3)) for v in confidence.tolist())
    opacities = field.bank.opacities.tolist()
    assert colours("opacity") == sorted(ramp_color(opacities[k]) for k in kernels)
    shape = ellipses(field.bank.covariances())
    major, minor, angle = (v.tolist() for v in (shape.major, shape.minor, shape.angle))
    assert colours("size") == sorted(size_color(major[k], minor[k]) for k in kernels)
    directions = [direction_color(major[k], minor[k], angle[k]) for k in kernels]
    assert colours("direction") == sorted(directions)


def test_a_colour_that_is_unknown(tiny_field):
    with pytest.raises(GsrError, match=r"color must be one of kernel, .*, got 'taste'\."):
        overlay_svg(tiny_field, VIEW, color="taste")


@pytest.mark.parametrize("sigma", [0, -1, 6, float("nan")])
def test_sigma_out_of_range(tiny_field, sigma):
    with pytest.raises(ScaleError, match="sigma must be above 0 and at most 5"):
        overlay_svg(tiny_field, VIEW, sigma=sigma)


def test_too_many_are_refused_or_thinned(tiny_field):
    whole = View.whole(tiny_field.lr_size, (90, 110))
    with pytest.raises(ScaleError, match=r"more than 30 Gaussians .* choose a smaller view"):
        overlay_svg(tiny_field, whole, limit=30)
    svg = overlay_svg(tiny_field, whole, limit=30, thin=True)
    assert 10 < len(drawn(svg)) <= 30
    assert "Of 2 rows and columns one is drawn." in svg
    assert "is drawn" not in overlay_svg(tiny_field, whole)


def test_a_picture_that_is_too_large(tiny_field):
    whole = View.whole(tiny_field.lr_size, (9, 11))
    view = replace(whole, width=100.0, height=100.0, size=(5000, 5000))
    with pytest.raises(ScaleError, match="at most 16 megapixels, got 5000 x 5000"):
        overlay_svg(tiny_field, view)


def test_names_are_text_whatever_they_are(lite_field):
    name = 'a<b>&"\x00\x1b\udce9.png'
    field = replace(lite_field, info=PictureInfo(name=name))
    svg = overlay_svg(field, VIEW)
    assert parsed(svg).findtext(f"{SVG}title") == 'a<b>&"���.png'
    assert svg.encode()  # no lone surrogates


def test_the_document_says_what_it_shows(lite_field):
    said = parsed(overlay_svg(lite_field, VIEW, sigma=2)).findtext(f"{SVG}desc")
    assert "2 sigma, coloured by kernel" in said
    assert "gsr:model=lite" in said
    assert "gsr:scale=16" in said


def test_files(tiny_field, tmp_path):
    svg = overlay_svg(tiny_field, VIEW)
    assert save_svg(svg, tmp_path / "a.svg").read_text("utf-8") == svg
    with pytest.raises(OutputError, match=r"must end in \.svg, got '\.png'"):
        save_svg(svg, tmp_path / "a.png")
    assert [path.name for path in tmp_path.iterdir()] == ["a.svg"]


def test_colours_of_the_palette():
    assert kernel_color(1, 1, 0) == kernel_color(1, 1, 1)  # round: no direction
    assert kernel_color(2, 1, 0) != kernel_color(2, 1, 1)
    assert len({distinct_color(k) for k in range(100)}) == 100
    colours = [bytes.fromhex(ramp_color(v / 10)[1:]) for v in range(11)]
    lightness = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in colours]
    assert all(b - a > 10 for a, b in itertools.pairwise(lightness))
    assert ramp_color(-1) == ramp_color(0)
