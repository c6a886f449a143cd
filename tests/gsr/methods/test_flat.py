"""Flat pictures come out flat, whatever their size, and faithful fields give back the picture."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

import gsr
from gsr.methods.flat import WINDOW, flat_at_borders

LEVEL = 1 / 255
COLORS = [(1, 0, 1), (0, 1, 0), (0, 0, 1), (1, 1, 1), (0, 0, 0), (1, 0, 0), (0.5, 0.5, 0.5)]


@pytest.fixture(scope="module")
def lite() -> gsr.GaussianSR:
    return gsr.load("lite")


def sheet(color: tuple[float, ...], height: int, width: int) -> Tensor:
    return torch.tensor(color, dtype=torch.float32)[:, None, None].repeat(1, height, width)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 2), (24, 20)])
@pytest.mark.parametrize("color", [*COLORS, (0.31, 0.62, 0.07)])
def test_flat_pictures_come_out_flat(
    lite: gsr.GaussianSR, size: tuple[int, int], color: tuple[float, ...]
) -> None:
    field = lite.encode(sheet(color, *size))
    for scale in (1, 2, 3.7, 4, 9):
        shown = field.render(scale=scale)
        assert (shown - sheet(color, *shown.shape[1:])).abs().max() < 1.01 * LEVEL


def test_a_margin_of_one_colour_stays_so(lite: gsr.GaussianSR) -> None:
    picture = sheet((1, 1, 1), 60, 60)
    picture[:, 25:35, 25:35] = torch.rand(3, 10, 10, generator=torch.Generator().manual_seed(0))
    shown = lite.encode(picture).render(scale=4)
    assert (shown[:, :40] - 1).abs().max() < 1.01 * LEVEL


def test_tiles_and_mosaics_are_flat_alike(lite: gsr.GaussianSR) -> None:
    picture = sheet((0.2, 0.9, 0.4), 40, 44)
    picture[:, :, 30:] = torch.rand(3, 40, 14, generator=torch.Generator().manual_seed(1))
    whole = lite.encode(picture)
    assert torch.equal(lite.encode(picture, tile=16).colors, whole.colors)
    assert torch.equal(lite.encode(picture, tile=16, lazy=True).whole().colors, whole.colors)


def test_what_counts_as_flat() -> None:
    picture = torch.zeros(1, 1, 40, 60).repeat(1, 3, 1, 1)
    picture[..., 12, 30] = 1
    everything = slice(0, 40), slice(0, 60)
    flat = flat_at_borders(picture, everything, 5)[0]
    assert not flat[5:-5, 5:-5].any()
    assert flat[0, :].all()  # further than the window from the only other pixel
    assert not flat[4, 30 - WINDOW : 31 + WINDOW].any()
    part = slice(3, 20), slice(10, 50)
    assert torch.equal(flat_at_borders(picture, part, 5)[0], flat[part])


@pytest.mark.parametrize("ensemble", [False, True])
def test_at_magnification_1_the_picture_itself(lite: gsr.GaussianSR, ensemble: bool) -> None:
    picture = torch.rand(3, 15, 18, generator=torch.Generator().manual_seed(2))
    field = lite.encode(picture, ensemble=ensemble)
    assert (field.render(scale=1) - picture).abs().max() < LEVEL
    part = field.render(view=gsr.View(x=3, y=2, width=7, height=5, size=(5, 7)))
    assert (part - picture[:, 2:7, 3:10]).abs().max() < LEVEL


def test_edits_are_seen_at_magnification_1(lite: gsr.GaussianSR) -> None:
    picture = torch.rand(3, 15, 18, generator=torch.Generator().manual_seed(2))
    field = lite.encode(picture).with_kernel(0)
    assert (field.render(scale=1) - picture).abs().max() > 5 * LEVEL


@pytest.mark.parametrize("scale", [0.5, 0.3, 0.25, 0.71])
def test_a_reduction_has_no_moire(lite: gsr.GaussianSR, scale: float) -> None:
    board = np.indices((64, 64)).sum(0) % 2 * 255
    image = Image.fromarray(np.dstack([board.astype(np.uint8)] * 3))
    shown = lite.encode(image).render(scale=scale)
    wanted = image.resize(shown.size, Image.Resampling.BICUBIC)
    difference = np.asarray(shown).astype(int) - np.asarray(wanted).astype(int)
    assert np.abs(difference).max() <= 1


def test_a_reduction_in_parts_is_that_of_the_whole(lite: gsr.GaussianSR) -> None:
    picture = torch.rand(3, 40, 48, generator=torch.Generator().manual_seed(3))
    field = lite.encode(picture)
    whole = field.render(scale=0.5)
    part = field.render(view=gsr.View(x=8, y=4, width=24, height=20, size=(10, 12)))
    assert torch.allclose(part, whole[:, 2:12, 4:16], atol=1e-5)
