"""Pictures that photographs hardly hold: dither, lines, text, panels, frames."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Pixels: TypeAlias = npt.NDArray[np.uint8]
Colour: TypeAlias = tuple[int, int, int]

FINE = 3
"""Pixels drawn for one HR pixel along each axis."""
AREA = 0.5
"""Share of drawn pictures whose LR is their mean over each pixel's area, as a screen shows them.

The others are reduced as photographs are, by a bicubic.
"""
GREY = 0.6
"""Share of pictures without colour."""
FULL = 0.4
"""Share of pictures in black and white, or in white and black."""
BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]])
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,;:!?()[]{}+-=*/%&@#"


@dataclass(frozen=True)
class Pattern:
    """A picture for one sample.

    Attributes:
        hr: [side, side, 3]
        lr: [crop, crop, 3]; None where it is the reduction of `hr`, as of any photo.
    """

    hr: Pixels
    lr: Pixels | None = None


def draw(rng: np.random.Generator, photo: Pixels, crop: int) -> Pattern:
    """A picture of a kind drawn at random, to be seen at `len(photo) / crop`.

    Args:
        rng: All that is random comes from it.
        photo: The crop of a photo that would be the sample; frames are drawn around it.
        crop: Side of the LR picture.
    """
    side = len(photo)
    kind = rng.choice(["cells", "drawing", "frame"], p=[0.45, 0.4, 0.15])
    if kind == "cells":
        lr = _coloured(rng, _CELLS[rng.integers(len(_CELLS))](rng, crop))
        return Pattern(_squares(lr, side), lr)
    if kind == "frame":
        return Pattern(_frame(rng, photo, crop))
    canvas = _DRAWINGS[rng.integers(len(_DRAWINGS))](rng, side * FINE, side * FINE / crop)
    hr = np.asarray(canvas.resize((side, side), Image.Resampling.BOX))
    area = rng.random() < AREA
    return Pattern(
        hr, np.asarray(canvas.resize((crop, crop), Image.Resampling.BOX)) if area else None
    )


# --- Pictures made of LR pixels. A bicubic of squares is never black and white, and pictures that
# --- were drawn in pixels are, so here the LR comes first. Each gives a share of ink. [n, n] ------


def _checker(rng: np.random.Generator, n: int) -> npt.NDArray[np.float64]:
    y, x = np.mgrid[:n, :n] // rng.choice([1, 1, 1, 2, 3])
    return ((x + y) % 2).astype(float)


def _stripes(rng: np.random.Generator, n: int) -> npt.NDArray[np.float64]:
    y, x = np.mgrid[:n, :n]
    along = (x, y, x + y, x - y)[rng.integers(4)]
    period = rng.choice([2, 2, 3, 4, 6])
    return (along % period < rng.integers(1, period)).astype(float)


def _shade(rng: np.random.Generator, n: int) -> npt.NDArray[np.float64]:
    """A flat grey, or one that changes across the picture."""
    level, other = rng.random(2)
    if rng.random() < 0.5:
        return np.full((n, n), level)
    y, x = np.mgrid[:n, :n] / n
    turn = rng.random() * 2 * np.pi
    return level + (other - level) * ((x - 0.5) * np.cos(turn) + (y - 0.5) * np.sin(turn) + 0.5)


def _ordered(rng: np.random.Generator, n: int) -> npt.NDArray[np.float64]:
    if rng.random() < 0.5:
        matrix = (BAYER + 0.5) / 16
    else:
        matrix = (np.array([[0, 2], [3, 1]]) + 0.5) / 4
    threshold = np.tile(matrix, (n // len(matrix) + 1,) * 2)[:n, :n]
    return (_shade(rng, n) > threshold).astype(float)


def _scattered(rng: np.random.Generator, n: int) -> npt.NDArray[np.float64]:
    return (_shade(rng, n) > rng.random((n, n))).astype(float)


def _blocks(rng: np.random.Generator, n: int) -> npt.NDArray[np.float64]:
    """Cells of a few levels, as sprites and symbols have them."""
    cell = int(rng.integers(1, 5))
    levels = rng.random(rng.integers(2, 5))
    small = rng.choice(levels, (n // cell + 1,) * 2)
    return small.repeat(cell, 0).repeat(cell, 1)[:n, :n]


def _thin(rng: np.random.Generator, n: int) -> npt.NDArray[np.float64]:
    """Lines of one pixel without any smoothing, as old plots and user interfaces have them."""
    image = Image.new("L", (n, n))
    pen = ImageDraw.Draw(image)
    for _ in range(rng.integers(1, 9)):
        x0, y0, x1, y1 = (int(v) for v in rng.integers(0, n, 4))
        kind = rng.integers(4)
        if kind == 0:
            pen.line((x0, y0, x1, y1), 255)
        elif kind == 1:
            pen.line((x0, 0, x0, n), 255)
        elif kind == 2:
            pen.line((0, y0, n, y0), 255)
        else:
            pen.rectangle((min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)), outline=255)
    return np.asarray(image) / 255


_CELLS: tuple[Callable[[np.random.Generator, int], npt.NDArray[np.float64]], ...] = (
    _checker, _checker, _stripes, _stripes, _ordered, _ordered, _scattered, _blocks, _thin,
)  # fmt: skip
"""Those that a network gets most wrong come twice."""


def _coloured(rng: np.random.Generator, ink: npt.NDArray[np.float64]) -> Pixels:
    paper, pen = (np.array(colour) for colour in _pair(rng))
    return (paper + (pen - paper) * ink[..., None]).round().astype(np.uint8)


def _squares(lr: Pixels, side: int) -> Pixels:
    """Each LR pixel as a square; HR pixels on a border take their share of both."""
    fine = Image.fromarray(lr).resize((side * FINE,) * 2, Image.Resampling.NEAREST)
    return np.asarray(fine.resize((side, side), Image.Resampling.BOX))


# --- Pictures without pixels, drawn finely. `unit` is the side of an LR pixel in theirs -----------


def _line_art(rng: np.random.Generator, n: int, unit: float) -> Image.Image:
    """Spokes, rings, polygons and loose strokes."""
    paper, ink = _pair(rng)
    image = Image.new("RGB", (n, n), paper)
    pen = ImageDraw.Draw(image)
    width = max(1, round(unit * rng.uniform(0.6, 3.0)))
    centre = rng.uniform(0.2, 0.8, 2) * n
    kind = rng.integers(4)
    if kind == 0:
        for turn in np.linspace(0, 2 * np.pi, rng.integers(8, 48), endpoint=False):
            far = centre + n * 2 * np.array([np.cos(turn), np.sin(turn)])
            pen.line((*centre, *far), ink, width)
    elif kind == 1:
        for radius in np.arange(width, n, width + unit * rng.uniform(1.5, 6)):
            pen.ellipse((*(centre - radius), *(centre + radius)), outline=ink, width=width)
    elif kind == 2:
        for _ in range(rng.integers(1, 5)):
            corners = [tuple(p) for p in rng.uniform(-0.2, 1.2, (rng.integers(3, 6), 2)) * n]
            pen.polygon(corners, fill=_any_colour(rng), outline=ink, width=width)
    else:
        for _ in range(rng.integers(2, 12)):
            path = [tuple(p) for p in rng.uniform(-0.1, 1.1, (rng.integers(2, 5), 2)) * n]
            pen.line(path, ink, width, joint="curve")
    return image


def _edge(rng: np.random.Generator, n: int, unit: float) -> Image.Image:
    """Two halves and a straight border in any direction: it must not ring."""
    paper, ink = _pair(rng)
    image = Image.new("RGB", (n, n), paper)
    turn, shift = rng.random() * 2 * np.pi, rng.uniform(-0.3, 0.3) * n
    along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    start = np.array([n / 2, n / 2]) + across * shift
    corners = [start - 2 * n * along, start + 2 * n * along]
    corners += [c + 3 * n * across for c in reversed(corners)]
    ImageDraw.Draw(image).polygon([tuple(c) for c in corners], fill=ink)
    return image


def _text(rng: np.random.Generator, n: int, unit: float) -> Image.Image:
    paper, ink = _pair(rng)
    image = Image.new("RGB", (n, n), paper)
    _write(rng, ImageDraw.Draw(image), (0, 0, n, n), unit * rng.uniform(6, 20), ink)
    return image


def _panels(rng: np.random.Generator, n: int, unit: float) -> Image.Image:
    """Boxes with borders, bars and words, as on a screen; all lines on whole LR pixels."""
    image = Image.new("RGB", (n, n), _any_colour(rng))
    pen = ImageDraw.Draw(image)
    for _ in range(rng.integers(2, 7)):
        places = np.sort(rng.integers(-2, round(n / unit) + 3, (2, 2)), 0).ravel() * unit
        box = x0, y0, x1, y1 = tuple(float(v) for v in places)
        if min(x1 - x0, y1 - y0) < 2 * unit:
            continue
        fill, line = _pair(rng)
        border = round(unit * rng.integers(0, 3))
        pen.rectangle(box, fill=fill, outline=line if border else None, width=border)
        if rng.random() < 0.5:
            _write(rng, pen, (x0 + 2 * unit, y0 + unit, x1, y1), unit * rng.uniform(7, 12), line)
    return image


def _write(
    rng: np.random.Generator,
    pen: ImageDraw.ImageDraw,
    box: tuple[float, float, float, float],
    size: float,
    ink: Colour,
) -> None:
    """Lines of letters down a box. Pillow's own font is the same on every machine."""
    font = ImageFont.load_default(max(1.0, size))
    x0, y0, x1, y1 = box
    for y in np.arange(y0 - rng.random() * size, y1 - size / 2, size * rng.uniform(1.1, 1.5)):
        letters = rng.choice(list(LETTERS + " " * 12), max(1, int(2 * (x1 - x0) / size)))
        pen.text((x0 - rng.random() * size / 2, y), "".join(letters), fill=ink, font=font)


_DRAWINGS: tuple[Callable[[np.random.Generator, int, float], Image.Image], ...] = (
    _line_art, _edge, _text, _text, _panels,
)  # fmt: skip


# --- Photos with a frame -------------------------------------------------------------------------


def _frame(rng: np.random.Generator, photo: Pixels, crop: int) -> Pixels:
    """The photo with a border of whole LR pixels on some of its sides."""
    side = len(photo)
    unit = side * FINE / crop
    inside = Image.new("L", (side * FINE,) * 2, 255)
    pen = ImageDraw.Draw(inside)
    width = round(unit * rng.integers(1, 5))
    last = side * FINE - 1
    edges = (
        (0, 0, last, width - 1),
        (0, 0, width - 1, last),
        (0, last - width + 1, last, last),
        (last - width + 1, 0, last, last),
    )
    sides = rng.random(4) < 0.6
    sides[rng.integers(4)] = True
    for edge, there in zip(edges, sides, strict=True):
        if there:
            pen.rectangle(edge, fill=0)
    share = np.asarray(inside.resize((side, side), Image.Resampling.BOX))[..., None] / 255
    border = np.array(rng.integers(0, 40, 3) if rng.random() < 0.7 else _any_colour(rng))
    return (border + share * (photo - border.astype(float))).round().astype(np.uint8)


# --- Colours -------------------------------------------------------------------------------------


def _pair(rng: np.random.Generator) -> tuple[Colour, Colour]:
    """Two distinguishable colours."""
    if rng.random() < FULL:
        first = int(rng.integers(2)) * 255
        return (first,) * 3, (255 - first,) * 3
    while True:
        one, other = _any_colour(rng), _any_colour(rng)
        if max(abs(a - b) for a, b in zip(one, other, strict=True)) > 40:
            return one, other


def _any_colour(rng: np.random.Generator) -> Colour:
    if rng.random() < GREY:
        return (int(rng.integers(256)),) * 3
    red, green, blue = (int(v) for v in rng.integers(0, 256, 3))
    return red, green, blue
