"""HR and LR of a picture at any scale.

For a scale that is not whole LIIF's protocol says nothing. Here the LR size is floor(HR / scale),
HR is cropped from the top left to round(LR * scale), and a method gets the true scale per axis.
For a whole scale this is the usual crop to a multiple of it.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from gsr.base.coords import MAX_SCALE
from gsr.base.errors import ScaleError
from gsr.decoding.pool import Pool
from gsr.images import load, to_uint8
from gsr.images.metrics import Protocol

CROP = "top left to round(floor(size / scale) * scale)"

Size = tuple[int, int]

_SSIM_WINDOW = 11


@dataclass(frozen=True)
class Pair:
    """A picture at one scale, in [0, 1] in steps of 1 / 255."""

    lr: Float[Tensor, "3 h w"]
    hr: Float[Tensor, "3 H W"]


def parse_scales(text: str) -> list[float]:
    """Comma-separated magnifications, each once.

    Raises:
        ScaleError: one is not a number above 1 and up to `MAX_SCALE`.
    """
    try:
        scales = [float(part) for part in text.split(",")]
    except ValueError:
        scales = []
    if not scales or not all(1 < scale <= MAX_SCALE for scale in scales):
        raise ScaleError(
            f"scales must be numbers above 1 and up to {MAX_SCALE:g}, such as 2,3.4, got {text!r}."
        )
    return list(dict.fromkeys(scales))


def read_hr(path: Path, pool: Pool | None = None) -> UInt8[Tensor, "3 H W"]:
    """The colours of a file, in 8 bits; grey becomes RGB. `pool`: as of `gsr.images.load`."""
    return torch.from_numpy(to_uint8(load(path, pool=pool).rgb)).permute(2, 0, 1)


def sizes_at(size: Size, scale: float) -> tuple[Size, Size]:
    """(height, width) of LR, and of what HR of `size` is cropped to."""
    # A size worked out as 3.4 * 5 is a hair off 17, and still means 17.
    lr = math.floor(size[0] / scale + 1e-9), math.floor(size[1] / scale + 1e-9)
    return lr, (round(lr[0] * scale), round(lr[1] * scale))


def check_size(name: str, size: Size, scale: float, protocol: Protocol) -> None:
    """Refuse a picture of which too little is left.

    Raises:
        ScaleError: SSIM needs 11 x 11 pixels inside the shave.
    """
    least = 2 * protocol.shave + _SSIM_WINDOW
    cropped = sizes_at(size, scale)[1]
    if min(cropped) < least:
        raise ScaleError(
            f"{name} is too small for scale {scale:g}: {size[1]} x {size[0]} pixels are cropped "
            f"to {cropped[1]} x {cropped[0]}, and at least {least} x {least} are needed for a "
            f"shave of {protocol.shave}."
        )


def as_pair(lr: UInt8[Tensor, "3 h w"], hr: UInt8[Tensor, "3 H W"]) -> Pair:
    """8-bit pictures as floats."""
    return Pair(lr.float() / 255, hr.float() / 255)
