"""A whole picture at one scale, as a lossless file."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

import gsr
from gsr import GaussianField, View
from gsr.coords import scaled_size
from gsr.errors import ScaleError
from gsr.images import save, to_pil
from gsr.render import Progress, render_bands

MAX_EXPORT_PIXELS = 100_000_000
MIN_EXPORT_SCALE = 1.0


def export_size(field: GaussianField, scale: float) -> tuple[int, int]:
    """Output (height, width).

    Raises:
        ScaleError: for a scale that cannot be rendered or a picture that would be too large.
    """
    height, width = scaled_size(field.lr_size, scale)
    if scale < MIN_EXPORT_SCALE:
        raise ScaleError(f"a download has a scale of at least {MIN_EXPORT_SCALE:g}, got {scale:g}.")
    if height * width > MAX_EXPORT_PIXELS:
        raise ScaleError(
            f"scale {scale:g} makes {width} x {height} pixels ({height * width / 1e6:.0f} "
            f"megapixels); downloads go up to {MAX_EXPORT_PIXELS / 1e6:.0f} megapixels, that is "
            f"scale {largest_scale(field):.2f} for this picture."
        )
    return height, width


def largest_scale(field: GaussianField) -> float:
    """The largest scale, in hundredths, whose picture may be downloaded."""
    height, width = field.lr_size
    return min(64.0, int(100 * (MAX_EXPORT_PIXELS / (height * width)) ** 0.5 - 1) / 100)


def export_png(
    field: GaussianField, scale: float, path: Path, progress: Progress | None = None
) -> None:
    """Write the whole picture at `scale`, with the metadata of the file it came from.

    Rendered band by band straight to 8 bits: one byte per value is all that is held.
    """
    image = render_whole(field, export_size(field, scale), progress)
    comment = {
        "Software": f"gsr {gsr.__version__}",
        "gsr:model": field.model,
        "gsr:scale": f"{scale:g}",
    }
    save(image, path, field.info, comment=comment)


def render_whole(
    field: GaussianField, size: tuple[int, int], progress: Progress | None = None
) -> Image.Image:
    """The same pixels as `field.render(size=size)`, in a fraction of the memory."""
    view = View.whole(field.lr_size, size)
    mode = field.info.mode if field.info is not None else "rgb"
    channels = (1 if mode == "grey" else 3) + (field.alpha is not None)
    pixels = np.empty((*size, channels), np.uint8)
    for start, stop, band in render_bands(field, view):
        alpha = _alpha_band(field, view.band(start, stop))
        rows = np.asarray(to_pil(band[0], alpha, mode))
        pixels[start:stop] = rows.reshape(stop - start, size[1], channels)
        if progress:
            progress(stop, size[0])
    return Image.fromarray(pixels[..., 0] if channels == 1 else pixels)


def _alpha_band(field: GaussianField, view: View) -> torch.Tensor | None:
    if field.alpha is None:
        return None
    bands = [band[0].mean(0) for _, _, band in render_bands(field.alpha, view)]
    return torch.cat(bands)


def export_name(field: GaussianField, scale: float) -> str:
    """File name for a download, such as `osprey-x3.7.png`."""
    stem = Path(field.info.name).stem if field.info is not None else "image"
    return f"{stem or 'image'}-x{scale:g}.png"
