"""Classical resampling: the reduction that makes LR images, and the methods to compare with."""

from __future__ import annotations

import math
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from gsr.base.errors import ScaleError, check_shape
from gsr.decoding.info import MAX_INPUT_PIXELS

Kind: TypeAlias = Literal["bicubic", "lanczos", "nearest"]


_RESAMPLING = {
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "nearest": Image.Resampling.NEAREST,
}


def downscale(rgb: Tensor, size: tuple[int, int]) -> Tensor:
    """Antialiased bicubic downscaling, the degradation that the benchmarks are made with.

    Keys' kernel with a = -0.5, widened by the scale: within one grey level of Pillow's bicubic
    once both are rounded to 8 bits.

    Args:
        rgb: [*batch, c, h, w] in [0, 1].
        size: (height, width) of the result, in pixels.

    Returns:
        [*batch, c, height, width], clamped to [0, 1].

    Raises:
        ShapeError: fewer than three dimensions.
        ScaleError: a size below 1.
    """
    check_shape("rgb", rgb, "[*batch, c, h, w]")
    _check_out_size(size)
    flat = rgb.reshape(-1, *rgb.shape[-3:])
    small = functional.interpolate(flat, size=size, mode="bicubic", antialias=True)
    return small.clamp(0, 1).reshape(*rgb.shape[:-2], *size)


def bicubic_view(
    rgb: Tensor,
    box: tuple[float, float, float, float],
    size: tuple[int, int],
    *,
    kind: Kind = "bicubic",
) -> Tensor:
    """A rectangle of a picture at any size, by Pillow's resampling in floating point.

    A box inside the picture gives exactly Pillow's ``resize(box=...)``. On a side where the box
    reaches outside, the border pixels are repeated outwards.

    Args:
        rgb: [c, h, w] in [0, 1].
        box: (x, y, width, height) in pixels of ``rgb``; (0, 0) is the upper left corner of the
            upper left pixel. May be fractional.
        size: (height, width) of the result, in pixels.
        kind: ``"bicubic"`` (a = -0.5), ``"lanczos"`` (3 lobes) or ``"nearest"``.

    Returns:
        [c, height, width] float32 on the device of ``rgb``, clamped to [0, 1].

    Raises:
        ShapeError: ``rgb`` has another shape.
        ScaleError: a box or size that is not positive, or a box that covers too much.
    """
    sizes = check_shape("rgb", rgb, "[c, h, w]")
    _check_out_size(size)
    _check_box(box)
    if kind not in _RESAMPLING:
        raise ScaleError(f"kind must be one of {', '.join(_RESAMPLING)}, got {kind!r}.")
    x, y = _nearby(box[0], box[2], sizes["w"]), _nearby(box[1], box[3], sizes["h"])
    left, right = _span(x, box[2], size[1], sizes["w"])
    top, bottom = _span(y, box[3], size[0], sizes["h"])
    if (right - left) * (bottom - top) > 4 * MAX_INPUT_PIXELS:
        raise ScaleError(f"the view box covers too much: {box[2]:g} x {box[3]:g} pixels.")
    region = _region(rgb, (left, right), (top, bottom))
    inner = (x - left, y - top, x - left + box[2], y - top + box[3])
    planes = [_resize_plane(plane, inner, size, kind) for plane in region]
    return torch.stack(planes).to(rgb.device).clamp_(0, 1)


def _check_out_size(size: tuple[int, int]) -> None:
    if min(size) < 1:
        raise ScaleError(
            f"an output size must be at least 1 x 1 pixels, got {size[1]} x {size[0]}."
        )


def _check_box(box: tuple[float, float, float, float]) -> None:
    if not (all(math.isfinite(value) for value in box) and box[2] > 0 and box[3] > 0):
        raise ScaleError(
            f"a view box is (x, y, width, height) with a positive width and height, got {box}."
        )


def _nearby(start: float, extent: float, length: int) -> float:
    """Where to look instead of far outside, where only the border pixel is to be seen anyway."""
    return min(max(start, -4 * extent - 8), length + 3 * extent + 8)


def _span(start: float, extent: float, out: int, length: int) -> tuple[int, int]:
    """First and last + 1 pixel that the box and the kernel around it need along one axis."""
    margin = math.ceil(3 * max(1.0, extent / out)) + 1
    first, last = math.floor(start) - margin, math.ceil(start + extent) + margin
    hair = 1e-9 * length  # a band's place is rounded
    if start >= -hair:
        first = min(max(first, 0), length - 1)
    if start + extent <= length + hair:
        last = max(min(last, length), 1)
    return first, last


def _region(rgb: Tensor, columns: tuple[int, int], rows: tuple[int, int]) -> npt.NDArray[Any]:
    """Cut out [c, rows, columns], repeating the border pixels outwards."""
    height, width = rgb.shape[-2:]
    across = torch.arange(*columns, device=rgb.device).clamp_(0, width - 1)
    down = torch.arange(*rows, device=rgb.device).clamp_(0, height - 1)
    region = rgb.detach()[:, down][:, :, across]
    return region.to("cpu", torch.float32).contiguous().numpy()


def _resize_plane(
    plane: npt.NDArray[Any],
    box: tuple[float, float, float, float],
    size: tuple[int, int],
    kind: Kind,
) -> Tensor:
    height, width = plane.shape
    # Rounding may have put the edges a hair beyond the region.
    inside = (max(box[0], 0), max(box[1], 0), min(box[2], width), min(box[3], height))
    image = Image.fromarray(plane).resize((size[1], size[0]), _RESAMPLING[kind], box=inside)
    return torch.from_numpy(np.array(image))
