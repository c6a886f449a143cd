"""Where LIIF and its descendants look: the LR pixels around a point.

Their networks get places as (y, x) from an LR pixel's centre with neighbouring centres 2
apart, and sizes of output pixels in the same unit. Places are computed in float64: in half
precision a point on the line between two pixels would fall to either side.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

NUDGE = 1e-5
"""LR pixels. A point so near to a line lies beyond it, whichever way its coordinate was rounded."""


@dataclass(frozen=True)
class Axis:
    """The LR pixel of each coordinate, and the coordinate from its centre, neighbours 2 apart."""

    index: Int[Tensor, "*n"]
    rel: Float[Tensor, "*n"]


def nearest(x: Float[Tensor, "*n"], length: int, shift: Tensor | float = 0.0) -> Axis:
    """The LR pixel, of `length`, in which x + shift lies; places are of x itself, in LR pixels."""
    index = (x.double() + shift + NUDGE).floor().clamp(0, length - 1)
    return Axis(index.long(), 2 * (x.double() - 0.5 - index))


@dataclass(frozen=True)
class Corner:
    """One of the four LR pixels around each of n points, all images' in one row.

    Attributes:
        index: LR pixel, counted row by row and image by image. [n]
        rel: (y, x) of the point from its centre, neighbouring centres 2 apart. [n, 2]
        weight: Its share in the result. [n, 1]
    """

    index: Int[Tensor, " n"]
    rel: Float[Tensor, "n 2"]
    weight: Float[Tensor, "n 1"]


def corners(points: Float[Tensor, "b n 2"], size: tuple[int, int], like: Tensor) -> list[Corner]:
    """The four LR pixels around points (x, y), upper left first, then upper right.

    LIIF weights a corner with the area of the rectangle between the point and the corner
    opposite. That is the bilinear weight; written as such it needs no guard against areas of
    zero, which in the public code makes weights equal on the centre line of the last row and
    column. At the border corners fall on one LR pixel and share its weight.

    Args:
        points: In LR pixels.
        size: (height, width) of the LR grid.
        like: Gives `rel` and `weight` their type and device.
    """
    x, y = points.unbind(-1)
    found = []
    for rows, of_row in _sides(y, size[0]):
        for columns, of_column in _sides(x, size[1]):
            weight = (of_row * of_column).flatten()[:, None]
            found.append(Corner(*place(rows, columns, size, like), weight.to(like)))
    return found


def _sides(x: Tensor, length: int) -> Iterator[tuple[Axis, Tensor]]:
    """The pixels before and after x on one axis, and their linear weights."""
    centred = x.double() - 0.5
    after = centred - (centred + NUDGE).floor()
    yield nearest(x, length, -0.5), 1 - after
    yield nearest(x, length, 0.5), after


def place(
    rows: Axis, columns: Axis, size: tuple[int, int], like: Tensor
) -> tuple[Int[Tensor, " n"], Float[Tensor, "n 2"]]:
    """LR pixels and places (y, x) in them of points, given per axis [b, n]; see `Corner`."""
    index = rows.index * size[1] + columns.index
    index += size[0] * size[1] * torch.arange(len(index), device=index.device)[:, None]
    rel = torch.stack((rows.rel, columns.rel), -1)
    return index.flatten().to(like.device), rel.flatten(0, 1).to(like)


def take(maps: Float[Tensor, "b c h w"], index: Int[Tensor, " n"]) -> Float[Tensor, "n c"]:
    """Values of LR pixels, counted as in `Corner`."""
    rows = maps.movedim(1, -1).flatten(0, -2)
    return F.embedding(index, rows)  # its gradient is the fastest of torch's ways
