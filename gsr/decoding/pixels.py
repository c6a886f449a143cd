"""Stored pixels of any kind as grey or RGB, with transparency as a last channel."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from gsr.decoding.metadata import icc_space
from gsr.decoding.white import find_white

_PEAK_12, _PEAK_16 = 4095.0, 65535.0


def read_pixels(
    image: Image.Image,
    file_format: str | None,
    stored: str,
    label: str,
    notes: list[str],
    white: float | None = None,
) -> tuple[npt.NDArray[Any], int]:
    """Pixels as of `Decoded` and the bits per channel of a decoded picture.

    Args:
        image: What was decoded.
        file_format: Pillow's name of it.
        stored: Layout of the pixels in the file, as Pillow calls it.
        label: What messages call the picture.
        notes: What was changed is added.
        white: The value that is white, of pictures of numbers.
    """
    if stored.startswith("I;12"):
        return _read_grey(image, _PEAK_12), 12
    if image.mode.startswith("I;16"):
        return _read_grey(image, _PEAK_16), 16
    # Pillow scales the 16-bit values of these two formats itself, however dark the picture is.
    if image.mode == "I" and file_format in ("PNG", "PPM"):
        return _read_grey(image, _PEAK_16), 16
    if image.mode in ("I", "F"):
        peak = find_white(np.asarray(image), label, notes, white)
        depth = 32 if image.mode == "F" else 8 if peak <= 255 else 16
        return _read_grey(image, peak), depth
    pixels = np.array(_to_standard(image, notes))
    return np.atleast_3d(pixels), 1 if image.mode == "1" else 8


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


def _read_grey(image: Image.Image, peak: float) -> npt.NDArray[Any]:
    """Grey values of which `peak` is white, and alpha where one value is transparent."""
    values = np.asarray(image)
    grey = values.astype(np.float32)[..., None]
    grey /= np.float32(peak)
    np.clip(grey, 0, 1, out=grey)
    transparent = image.info.get("transparency")
    if not isinstance(transparent, int):
        return grey
    alpha = (values != transparent).astype(np.float32)
    return np.concatenate([grey, alpha[..., None]], -1)
