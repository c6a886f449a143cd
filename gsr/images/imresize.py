"""MATLAB's `imresize` with its default, the bicubic that published benchmarks are made with.

It differs from Pillow's bicubic at the border, which it mirrors (the edge pixel repeats) where
Pillow cuts the kernel off, and in the size that it makes of a scale, which it rounds up. Like
MATLAB on pictures of class double, which is what the usual scripts give it, it works in double
precision and rounds nothing.

Source: the documentation of MATLAB's Image Processing Toolbox; Keys, "Cubic convolution
interpolation for digital image processing" (1981), Eq. (15).
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from gsr.base.errors import ScaleError, check_shape

_WIDTH = 4


def imresize(
    rgb: Tensor, scale: float | None = None, *, size: tuple[int, int] | None = None
) -> Float[Tensor, "*batch c H W"]:
    """Resize by `imresize(A, scale)` or `imresize(A, [height width])`; anti-aliased when smaller.

    Args:
        rgb: [*batch, c, h, w], floating point.
        scale: Magnification of both axes; the size becomes ceil(scale * size).
        size: (height, width) in pixels; each axis has its own scale.

    Returns:
        float64, not clamped: a bicubic overshoots.

    Raises:
        ShapeError: fewer than three dimensions.
        ScaleError: unless exactly one of scale and size is given, and is positive.
    """
    check_shape("rgb", rgb, "[*batch, c, h, w]")
    lengths = rgb.shape[-2], rgb.shape[-1]
    (rows, sy), (columns, sx) = _targets(lengths, scale, size)
    return sample(rgb, _centres(rows, sy, rgb), _centres(columns, sx, rgb), (sy, sx))


def sample(
    rgb: Float[Tensor, "*batch c h w"],
    ys: Float[Tensor, " H"],
    xs: Float[Tensor, " W"],
    scale: tuple[float, float],
) -> Float[Tensor, "*batch c H W"]:
    """The bicubic of `imresize` on any rows and columns of points.

    Args:
        rgb: A picture.
        ys: Rows in pixels of `rgb`; the centre of the first is 0.5.
        xs: Columns likewise.
        scale: Magnification (sy, sx); below 1 it widens the kernel.
    """
    down = _along(rgb.double().transpose(-1, -2), ys, scale[0]).transpose(-1, -2)
    return _along(down, xs, scale[1])


def _centres(length: int, scale: float, like: Tensor) -> Tensor:
    return (torch.arange(length, dtype=torch.float64, device=like.device) + 0.5) / scale


def _targets(
    lengths: tuple[int, int], scale: float | None, size: tuple[int, int] | None
) -> list[tuple[int, float]]:
    """Length and scale of each axis of the result."""
    if (scale is None) == (size is None):
        raise ScaleError("imresize takes exactly one of scale and size.")
    if scale is not None:
        if not (math.isfinite(scale) and scale > 0):
            raise ScaleError(f"scale must be a positive number, got {scale}.")
        return [(math.ceil(scale * n), scale) for n in lengths]
    assert size is not None  # one of the two is given
    if min(size) < 1:
        raise ScaleError(
            f"an output size must be at least 1 x 1 pixels, got {size[1]} x {size[0]}."
        )
    return [(out, out / n) for out, n in zip(size, lengths, strict=True)]


def _along(values: Tensor, points: Tensor, scale: float) -> Tensor:
    """The last axis of [..., n] read at [m] points. [..., m]"""
    index, weight = _taps(points, values.shape[-1], scale)
    out = values.new_zeros((*values.shape[:-1], len(points)))
    for k in range(index.shape[1]):  # tap by tap: the memory is that of the result
        out += values[..., index[:, k]] * weight[:, k]
    return out


def _taps(
    points: Float[Tensor, " m"], length: int, scale: float
) -> tuple[Int[Tensor, "m taps"], Float[Tensor, "m taps"]]:
    """Which pixels make each point, mirrored at the border, and with what weights."""
    shrink = min(scale, 1.0)
    width = _WIDTH / shrink
    centre = points.double() - 0.5  # in pixel indices
    first = (centre - width / 2).floor().long()
    index = first[:, None] + torch.arange(math.ceil(width) + 2, device=points.device)
    weight = _cubic(shrink * (centre[:, None] - index))
    around = index.remainder(2 * length)
    return torch.minimum(around, 2 * length - 1 - around), weight / weight.sum(1, keepdim=True)


def _cubic(x: Tensor) -> Tensor:
    """Keys' kernel with a = -0.5."""
    x = x.abs()
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return torch.where(x <= 1, near, torch.where(x <= 2, far, torch.zeros_like(x)))
