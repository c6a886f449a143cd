"""The large picture that a small one was made from: what every method is measured against."""

import math
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from gsr import View
from gsr.base.errors import ConfigError, ImageError, ScaleError
from gsr.field.protocol import ContinuousImage
from gsr.images import Picture, PictureInfo, bicubic_view
from gsr.methods.point_image import SampledImage

MAX_PIXELS = 24_000_000
"""Of a ground truth."""
MAX_SHRINK = 16.0
_LEAST = 4
"""LR pixels per side that are left."""
_TOLERANCE = 0.02
"""By how much its sides may be enlarged differently, from cropping to whole pixels."""


class _Truth:
    """Reads the truth: its own pixels, interpolated between them or averaged over them."""

    name = "truth"

    def read(self, lr: Tensor, maps: Tensor, view: View) -> Tensor:
        """See `gsr.methods.point_image.Reader`."""
        sy, sx = (maps.shape[i] / lr.shape[i] for i in (-2, -1))
        box = view.x * sx, view.y * sy, view.width * sx, view.height * sy
        return torch.stack([bicubic_view(image, box, view.size) for image in maps])


def shrunk(picture: Picture, factor: float) -> tuple[Picture, SampledImage]:
    """A picture reduced by Pillow's bicubic, and the large one as its truth.

    The large one is cropped at its right and lower border to `factor` times the small one,
    rounded, as the benchmarks are.

    Raises:
        ScaleError: unless `factor` is from 1 to 16 and leaves a few pixels.
    """
    if not 1 < factor <= MAX_SHRINK:
        raise ScaleError(
            f"a picture is shrunk by a number above 1 and up to {MAX_SHRINK:g}, got {factor:g}."
        )
    sides = picture.rgb.shape[-2:]
    small = tuple(math.floor(side / factor + 1e-9) for side in sides)
    if min(small) < _LEAST:
        raise ScaleError(
            f"{picture.info.name} has {sides[1]} x {sides[0]} pixels: too few to shrink it by "
            f"{factor:g}."
        )
    rows, columns = (round(side * factor) for side in small)
    large = picture.rgb[:, :rows, :columns]
    rgb = _reduced(large, small)
    alpha = None
    if picture.alpha is not None:
        alpha = _reduced(picture.alpha[None, :rows, :columns], small)[0]
    was, now = f"{columns} x {rows}", f"{small[1]} x {small[0]}"
    note = f"{picture.info.name} was shrunk from {was} to {now} pixels; the large one is the truth."
    info = replace(picture.info, notes=(*picture.info.notes, note))
    return replace(picture, rgb=rgb, alpha=alpha, info=info), _sampled(large, rgb[None], info)


def _reduced(pixels: Tensor, size: tuple[int, ...]) -> Tensor:
    """By Pillow's bicubic, in 8 bit as a file would hold it."""
    box = 0.0, 0.0, float(pixels.shape[-1]), float(pixels.shape[-2])
    return (bicubic_view(pixels, box, (size[0], size[1])) * 255).round() / 255


def _sampled(large: Tensor, lr: Tensor, info: PictureInfo | None) -> SampledImage:
    return SampledImage(lr, large[None], _Truth(), info=info)


def of_picture(large: Picture, field: ContinuousImage) -> SampledImage:
    """The truth of a field that was made from a smaller copy of it.

    Raises:
        ImageError: when the sizes cannot belong together.
    """
    (height, width), (rows, columns) = field.lr_size, large.rgb.shape[-2:]
    sy, sx = rows / height, columns / width
    if not (min(sy, sx) > 1 and abs(sy / sx - 1) <= _TOLERANCE):
        raise ImageError(
            f"the ground truth must be larger than the picture of {width} x {height} and of the "
            f"same shape, got {columns} x {rows}."
        )
    return _sampled(large.rgb, field.lr, field.info)


def needed(truth: SampledImage | None) -> SampledImage:
    """The truth.

    Raises:
        ConfigError: when it is not known.
    """
    if truth is None:
        raise ConfigError("this picture has no ground truth.")
    return truth


def describe(truth: SampledImage | None, field: ContinuousImage) -> dict[str, Any] | None:
    """What the page says of it."""
    if truth is None:
        return None
    rows, columns = truth.maps.shape[-2:]
    return {"width": columns, "height": rows, "scale": rows / field.lr_size[0]}
