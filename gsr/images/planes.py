"""Pixels of any source as tensors in [0, 1], transparency apart."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from gsr.base.errors import ImageError, ShapeError
from gsr.decoding.info import ColourMode, Decoded, PictureInfo, check_pixels
from gsr.decoding.white import check_white, is_unit
from gsr.images.picture import Picture


def from_decoded(decoded: Decoded) -> Picture:
    """A picture out of a file."""
    rgb, alpha = _split(_unit_planes(decoded.pixels))
    return Picture(fill_transparent(rgb, alpha), alpha, decoded.info)


def _unit_planes(pixels: npt.NDArray[Any]) -> Tensor:
    """[h, w, c] bool, uint8, uint16 or float -> [c, h, w] float32 in [0, 1], a copy."""
    planes = np.array(np.moveaxis(pixels, -1, 0), dtype=np.float32, order="C")
    if pixels.dtype.kind == "u":
        planes /= np.float32(np.iinfo(pixels.dtype).max)
    return torch.from_numpy(planes)


def _split(planes: Tensor) -> tuple[Tensor, Tensor | None]:
    """[1|2|3|4, h, w] -> [3, h, w] and, from an even number of planes, [h, w]."""
    alpha = planes[-1].clone() if planes.shape[0] in (2, 4) else None
    colour = planes[:-1] if alpha is not None else planes
    rgb = colour.repeat(3, 1, 1) if colour.shape[0] == 1 else colour.contiguous()
    return rgb, alpha


def fill_transparent(rgb: Tensor, alpha: Tensor | None) -> Tensor:
    """Give fully transparent pixels the colour of the opaque ones near them.

    Their stored colour is arbitrary, most often black. A model looks at a neighbourhood, so that
    black would bleed into the visible edge and show as a dark fringe.
    """
    if alpha is None:
        return rgb
    hidden = alpha == 0
    if not bool(hidden.any()) or bool(hidden.all()):
        return rgb
    return _pull_push(rgb[None], alpha[None, None])[0]


def _pull_push(colour: Tensor, weight: Tensor) -> Tensor:
    """Fill colour [1, 3, h, w] where weight [1, 1, h, w] is 0 from ever coarser averages."""
    hidden = weight == 0
    if not bool(hidden.any()):
        return colour
    share = functional.avg_pool2d(weight, 2, ceil_mode=True)
    total = functional.avg_pool2d(colour * weight, 2, ceil_mode=True)
    coarse = _pull_push(total / share.clamp_min(1e-12), share)
    size = (weight.shape[-2], weight.shape[-1])
    spread = functional.interpolate(coarse, size=size, mode="bilinear", align_corners=False)
    return torch.where(hidden, spread, colour)


def from_array(array: npt.NDArray[Any], max_pixels: int, white: float | None = None) -> Picture:
    """A NumPy picture; see `gsr.images.load`."""
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))):
        raise ShapeError(
            f"a NumPy picture must have shape [h, w] or [h, w, 1|3|4], got {array.shape}."
        )
    kind, size = array.dtype.kind, array.dtype.itemsize
    if not (kind in "bf" or (kind == "u" and size <= 2)):
        raise ImageError(
            "a NumPy picture must be bool, uint8, uint16, or float in [0, 1], got "
            f"{array.dtype.name}."
        )
    check_pixels("image", array.shape[1], array.shape[0], max_pixels)
    depth = {"b": 1, "u": 8 * size, "f": 32}[kind]
    planes = _unit_planes(array[..., None] if array.ndim == 2 else array)
    return _from_planes(planes, depth, white)


def from_tensor(tensor: Tensor, max_pixels: int, white: float | None = None) -> Picture:
    """A tensor picture; see `gsr.images.load`."""
    shape = tuple(tensor.shape)
    if not (tensor.ndim == 2 or (tensor.ndim == 3 and shape[0] in (1, 3, 4))):
        raise ShapeError(f"a tensor picture must have shape [h, w] or [1|3|4, h, w], got {shape}.")
    if not (tensor.is_floating_point() or tensor.dtype == torch.uint8):
        name = str(tensor.dtype).removeprefix("torch.")
        raise ImageError(f"a tensor picture must be uint8, or float in [0, 1], got {name}.")
    check_pixels("image", shape[-1], shape[-2], max_pixels)
    check_dense(tensor)
    planes = tensor.detach().to("cpu", torch.float32, copy=True).reshape(-1, *shape[-2:])
    if tensor.dtype == torch.uint8:
        return _from_planes(planes.div_(255), 8)
    return _from_planes(planes, 32, white)


def check_dense(tensor: Tensor) -> None:
    """Refuse a tensor without a number for each pixel; ImageError."""
    if tensor.layout != torch.strided or tensor.device.type == "meta":
        kind = "meta" if tensor.device.type == "meta" else str(tensor.layout).removeprefix("torch.")
        raise ImageError(f"a tensor picture must be dense and hold its numbers, got {kind}.")


def _from_planes(planes: Tensor, depth: int, white: float | None = None) -> Picture:
    """Of planes [1|2|3|4, h, w]; floats are divided by `white`."""
    check_white(white)
    if white is not None and depth == 32:
        planes = planes / white
    low, high = (float(value) for value in planes.aminmax())
    if math.isnan(low) or math.isnan(high):
        raise ImageError("float pixels must lie in [0, 1], and some are not numbers (NaN).")
    if not is_unit(low, high):
        raise ImageError(
            f"float pixels must lie in [0, 1], got values from {low:g} to {high:g}; divide 8-bit "
            "values by 255."
        )
    rgb, alpha = _split(planes.clamp_(0, 1))
    mode: ColourMode = "grey" if planes.shape[0] == 1 else "rgb"
    return Picture(fill_transparent(rgb, alpha), alpha, PictureInfo(mode=mode, bit_depth=depth))
