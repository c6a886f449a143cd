"""Enlarged with transparency, then blended, is nearly what blended, then enlarged, is."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFilter
from torch import Tensor

import gsr

SCALE = 4
WHITE, BLACK, GREY = (255, 255, 255), (0, 0, 0), (128, 128, 128)


@pytest.fixture(scope="module")
def lite() -> gsr.GaussianSR:
    return gsr.load("lite")


def card() -> Image.Image:
    """A light card with a soft black shadow."""
    shadow = Image.new("L", (64, 64), 0)
    ImageDraw.Draw(shadow).rectangle((19, 19, 49, 49), fill=90)
    image = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    image.putalpha(shadow.filter(ImageFilter.GaussianBlur(3)))
    ImageDraw.Draw(image).rectangle((16, 16, 46, 46), fill=(235, 235, 235, 255))
    return image


def feathered() -> Image.Image:
    y, x = np.mgrid[:64, :64]
    shades = [128 + 100 * np.sin(x / 9), 128 + 90 * np.cos(y / 7), 2 * (x + y)]
    image = Image.fromarray(np.dstack(shades).clip(0, 255).astype(np.uint8))
    mask = Image.new("L", (64, 64), 0)
    ImageDraw.Draw(mask).ellipse((12, 12, 52, 52), fill=255)
    image.putalpha(mask.filter(ImageFilter.GaussianBlur(4)))
    return image


def one_level() -> Image.Image:
    image = feathered().convert("RGB")
    image.putalpha(1)
    return image


def on(image: Image.Image, color: tuple[int, int, int]) -> Image.Image:
    ground = Image.new("RGBA", image.size, color)
    ground.alpha_composite(image)
    return ground.convert("RGB")


def apart(one: Image.Image, other: Image.Image) -> int:
    return int(np.abs(np.asarray(one).astype(int) - np.asarray(other).astype(int)).max())


@pytest.mark.parametrize(
    ("image", "color", "most"),
    [
        (card(), WHITE, 40),
        (feathered(), WHITE, 20),
        (feathered(), BLACK, 20),
        (feathered(), GREY, 20),
        (one_level(), WHITE, 4),
        (one_level(), BLACK, 4),
    ],
)
def test_blending_and_enlarging_change_places(
    lite: gsr.GaussianSR, image: Image.Image, color: tuple[int, int, int], most: int
) -> None:
    enlarged = on(lite.encode(image).render(SCALE), color)
    assert apart(enlarged, lite.encode(on(image, color)).render(SCALE)) <= most


@pytest.mark.parametrize("hidden", [BLACK, WHITE, (0, 255, 0)])
@pytest.mark.parametrize("palette", [False, True])
def test_a_hard_edge_has_no_fringe(
    lite: gsr.GaussianSR, hidden: tuple[int, int, int], palette: bool
) -> None:
    color = np.array((40, 90, 200))
    image = Image.new("RGBA", (48, 48), (*hidden, 0))
    ImageDraw.Draw(image).ellipse((10, 10, 37, 37), fill=(*color.tolist(), 255))
    if palette:
        flat = Image.fromarray((np.asarray(image)[..., 3] > 0).astype(np.uint8))
        flat.putpalette([*hidden, *color.tolist()])
        flat.info["transparency"] = 0
        image = flat
    shown = np.asarray(lite.encode(image).render(SCALE)).astype(int)
    visible = shown[..., 3] > 0
    assert np.abs(shown[visible][:, :3] - color).max() <= 3


def test_a_field_with_transparency_comes_back(lite: gsr.GaussianSR, tmp_path: Path) -> None:
    field = lite.encode(card())
    again = gsr.open_field(field.save(tmp_path / "a.gsf"))
    assert apart(field.render(2.5), again.render(2.5)) == 0


def test_a_mosaic_is_the_same(lite: gsr.GaussianSR) -> None:
    image = card().crop((0, 0, 64, 40))
    whole, tiled = lite.encode(image), lite.encode(image, lazy=True, tile=24)
    assert apart(whole.render(2), tiled.render(2)) == 0


def test_an_explanation_says_how_opaque_a_point_is(lite: gsr.GaussianSR) -> None:
    field = lite.encode(card())
    assert field.explain(30, 30).alpha == pytest.approx(1, abs=0.01)
    assert field.explain(2, 2).alpha == pytest.approx(0, abs=0.01)
    assert 0.2 < field.explain(48.5, 40).alpha < 0.45
    assert lite.encode(on(card(), WHITE)).explain(2, 2).alpha == 1


def test_a_reduction_counts_colours_by_their_alpha(lite: gsr.GaussianSR) -> None:
    image = Image.new("RGBA", (32, 32), (0, 255, 0, 0))
    image.paste((200, 0, 0, 255), (0, 0, 16, 32))
    shown: Tensor = torch.from_numpy(np.array(lite.encode(image).render(0.3)))
    seen = shown[shown[..., 3] > 2].int()
    assert (seen[:, 0] - 200).abs().max() <= 3
    assert seen[:, 1].max() <= 3
