"""Flat surroundings at the borders of a picture, where a network sees zeros beyond the border.

What it says there of a colour that does not change is replaced by what it says of that colour far
from any border, so that flat pictures come out flat, however small they are.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from gsr.network.tiles import Slices, widened

WINDOW = 8
"""A pixel is flat where this many pixels around it, as far as there are any, have its colour."""


def flat_at_borders(
    lr: Float[Tensor, "b 3 h w"], part: Slices, margin: int
) -> Bool[Tensor, "b rows columns"]:
    """Which pixels of a part of a picture are flat and less than `margin` from its borders."""
    height, width = lr.shape[-2:]
    outer = widened(part, WINDOW, (height, width))
    seen = lr[:, :, *outer]
    flat = (_highest(seen) == -_highest(-seen)).all(1)
    top, left = (a.start - b.start for a, b in zip(part, outer, strict=True))
    rows, columns = part
    flat = flat[:, top : top + rows.stop - rows.start, left : left + columns.stop - columns.start]
    near = _near(rows, height, margin)[:, None] | _near(columns, width, margin)
    return flat & near.to(flat.device)


def _highest(values: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
    """The maximum of the window around each pixel."""
    side = 2 * WINDOW + 1
    down = F.max_pool2d(values, (side, 1), 1, (WINDOW, 0))
    return F.max_pool2d(down, (1, side), 1, (0, WINDOW))


def _near(span: slice, length: int, margin: int) -> Bool[Tensor, " n"]:
    places = torch.arange(span.start, span.stop)
    return (places < margin) | (places >= length - margin)
