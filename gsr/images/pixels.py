"""Stored pixels of any kind as RGB in [0, 1], transparency apart."""

from __future__ import annotations

import io
import math
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageCms
from torch import Tensor
from torch.nn import functional

from gsr.errors import ImageError, ShapeError
from gsr.images.metadata import icc_space
from gsr.images.picture import ColourMode, Picture, PictureInfo, check_pixels

_PEAK_12 = 4095.0


def read_pixels(
    image: Image.Image, file_format: str | None, stored: str, label: str, notes: list[str]
) -> tuple[Tensor, Tensor | None, int]:
    """RGB [3, h, w], alpha [h, w] and the bits per channel of a decoded picture.

    Args:
        image: What was decoded.
        file_format: Pillow's name of it.
        stored: Layout of the pixels in the file, as Pillow calls it.
        label: What messages call the picture.
        notes: What was changed is added.
    """
    if stored.startswith("I;12"):
        return *_read_grey(image, _PEAK_12), 12
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _read_deep_grey(image, file_format, label, notes)
    standard = _to_standard(image, notes)
    pixels = np.array(standard)
    planes = _unit_planes(pixels[..., None] if pixels.ndim == 2 else pixels)
    rgb, alpha = _split(planes)
    return rgb, alpha, 1 if image.mode == "1" else 8


def _to_standard(image: Image.Image, notes: list[str]) -> Image.Image:
    """Convert to one of the modes L, LA, RGB and RGBA."""
    if image.mode == "CMYK":
        return _cmyk_to_rgb(image, notes)
    if image.mode == "LAB":
        notes.append("LAB colours were converted to sRGB.")
        return _convert_profile(image, ImageCms.createProfile("LAB"))
    transparent = image.has_transparency_data
    if image.mode in ("1", "L", "LA", "La"):
        return image.convert("LA" if transparent else "L")
    return image.convert("RGBA" if transparent else "RGB")


def _cmyk_to_rgb(image: Image.Image, notes: list[str]) -> Image.Image:
    icc = image.info.get("icc_profile")
    if icc and icc_space(icc) == "CMYK":
        with suppress(OSError, ImageCms.PyCMSError):
            converted = _convert_profile(image, ImageCms.ImageCmsProfile(io.BytesIO(icc)))
            notes.append("CMYK colours were converted to sRGB through the picture's own profile.")
            return converted
    notes.append("CMYK colours were converted to RGB without a profile and are approximate.")
    return image.convert("RGB")


def _convert_profile(image: Image.Image, profile: Any) -> Image.Image:
    srgb = ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(image, profile, srgb, outputMode="RGB")
    assert converted is not None  # only None when converting in place
    return converted


def _read_deep_grey(
    image: Image.Image, file_format: str | None, label: str, notes: list[str]
) -> tuple[Tensor, Tensor | None, int]:
    peak, depth = _deep_peak(image.mode, np.array(image), file_format, label, notes)
    return *_read_grey(image, peak), depth


def _read_grey(image: Image.Image, peak: float) -> tuple[Tensor, Tensor | None]:
    """RGB and alpha of grey values of which `peak` is white."""
    values = np.array(image)
    grey = np.ascontiguousarray(values[None], dtype=np.float32)
    grey /= np.float32(peak)
    transparent = image.info.get("transparency")
    alpha = None
    if isinstance(transparent, int):
        alpha = torch.from_numpy((values != transparent).astype(np.float32))
    return torch.from_numpy(grey).repeat(3, 1, 1), alpha


def _deep_peak(
    mode: str, values: npt.NDArray[Any], file_format: str | None, label: str, notes: list[str]
) -> tuple[float, int]:
    """The value that stands for white, and the bit depth."""
    if mode.startswith("I;16"):
        return 65535.0, 16
    low, high = float(values.min()), float(values.max())
    if not (low >= 0 and high <= 65535):
        raise ImageError(
            f"{label} has grey values from {low:g} to {high:g}; accepted: 0 to 1, 0 to 255 or "
            "0 to 65535."
        )
    # Pillow scales the 16-bit values of these two formats itself, however dark the picture is.
    if mode == "I" and file_format in ("PNG", "PPM"):
        return 65535.0, 16
    if mode == "F" and high <= 1:
        peak, depth = 1.0, 32
        notes.append("Floating-point values were taken as they are: 1 is white.")
    else:
        peak, depth = (255.0, 8) if high <= 255 else (65535.0, 16)
        notes.append(f"The largest grey value is {high:g}, so {peak:g} was taken as white.")
    return peak, 32 if mode == "F" else depth


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


def from_array(array: npt.NDArray[Any], max_pixels: int) -> Picture:
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
    return _from_planes(planes, depth)


def from_tensor(tensor: Tensor, max_pixels: int) -> Picture:
    """A tensor picture; see `gsr.images.load`."""
    shape = tuple(tensor.shape)
    if not (tensor.ndim == 2 or (tensor.ndim == 3 and shape[0] in (1, 3, 4))):
        raise ShapeError(f"a tensor picture must have shape [h, w] or [1|3|4, h, w], got {shape}.")
    if not (tensor.is_floating_point() or tensor.dtype == torch.uint8):
        name = str(tensor.dtype).removeprefix("torch.")
        raise ImageError(f"a tensor picture must be uint8, or float in [0, 1], got {name}.")
    check_dense(tensor)
    check_pixels("image", shape[-1], shape[-2], max_pixels)
    planes = tensor.detach().to("cpu", torch.float32, copy=True).reshape(-1, *shape[-2:])
    if tensor.dtype == torch.uint8:
        return _from_planes(planes.div_(255), 8)
    return _from_planes(planes, 32)


def check_dense(tensor: Tensor) -> None:
    """Refuse a tensor without a number for each pixel; ImageError."""
    if tensor.layout != torch.strided or tensor.device.type == "meta":
        kind = "meta" if tensor.device.type == "meta" else str(tensor.layout).removeprefix("torch.")
        raise ImageError(f"a tensor picture must be dense and hold its numbers, got {kind}.")


def _from_planes(planes: Tensor, depth: int) -> Picture:
    low, high = (float(value) for value in planes.aminmax())
    if math.isnan(low) or math.isnan(high):
        raise ImageError("float pixels must lie in [0, 1], and some are not numbers (NaN).")
    if low < 0 or high > 1:
        raise ImageError(
            f"float pixels must lie in [0, 1], got values from {low:g} to {high:g}; divide 8-bit "
            "values by 255."
        )
    rgb, alpha = _split(planes)
    mode: ColourMode = "grey" if planes.shape[0] == 1 else "rgb"
    return Picture(fill_transparent(rgb, alpha), alpha, PictureInfo(mode=mode, bit_depth=depth))
