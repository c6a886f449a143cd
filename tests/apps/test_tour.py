"""What the tour says of the shipped model on its own photo, measured."""

import math

import numpy as np
import pytest
from gsr_apps.demos import FIRST, FOLDER
from gsr_apps.studio.server import PAGE
from gsr_apps.viewer import payloads
from PIL import Image

from gsr import load
from gsr.field import edits

STEPS = (PAGE / "tour_steps.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def field():
    """Of the middle of the photo, where the bird is."""
    with Image.open(FOLDER / f"{FIRST}.jpg") as image:
        return load("lite").encode(image.crop((180, 40, 340, 200)))


@pytest.fixture(scope="module")
def structure(field):
    """Strength and direction of the edge through each pixel. [h, w] each"""
    gray = field.lr[0].mean(0).numpy()
    gy, gx = np.gradient(gray)

    def near(values):
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(values, 2, mode="edge"), (5, 5))
        return windows.mean((2, 3))

    xx, yy, xy = near(gx * gx), near(gy * gy), near(gx * gy)
    return np.sqrt(xx + yy), 0.5 * np.arctan2(2 * xy, xx - yy) + math.pi / 2


def picked(field):
    """The kernel that each pixel picked. [h, w]"""
    height, width = field.lr_size
    planes = payloads.choices(field)
    return np.frombuffer(planes[: 2 * height * width], np.uint16).reshape(height, width)


def test_along_an_edge_kernels_are_long_and_lie_with_it(field, structure):
    assert "picks long kernels that lie with it" in STEPS
    strength, direction = structure
    kernels = payloads.describe(field)["kernels"]
    ratio = np.array([kernel["major"] / kernel["minor"] for kernel in kernels])
    angle = np.array([kernel["angle"] for kernel in kernels])
    edges = strength >= np.quantile(strength, 0.95)
    chosen = picked(field)[edges]
    assert ratio[chosen].mean() > 2
    off = np.abs((angle[chosen] - direction[edges] + math.pi / 2) % math.pi - math.pi / 2)
    assert np.median(off) < math.radians(15)  # by chance it would be 45
    assert (off < math.radians(30)).mean() > 0.75


def test_where_nothing_happens_the_choice_hardly_matters(field, structure):
    assert "the choice hardly matters" in STEPS
    strength, _ = structure
    shuffled = edits.apply(field, (edits.Shuffle(0),))
    before, after = (np.asarray(one.render(scale=1)).astype(float) for one in (field, shuffled))
    change = np.abs(after - before).mean(2)
    flat, edges = (
        strength <= np.quantile(strength, 0.2),
        strength >= np.quantile(strength, 0.95),
    )
    assert change[flat].mean() < 0.5  # grey levels of 255
    assert change[edges].mean() > 5 * change[flat].mean()
