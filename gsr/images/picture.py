"""A picture in memory: what every reader gives and every writer takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal, TypeAlias

import numpy.typing as npt
from PIL import Image
from pydantic import Field
from torch import Tensor

from gsr.errors import ImageError

MAX_INPUT_PIXELS = 64_000_000

ColourMode: TypeAlias = Literal["rgb", "grey"]


@dataclass(frozen=True)
class PictureInfo:
    """What is worth keeping of a picture besides its pixels.

    Attributes:
        name: file name without the folder, or ``"image"``.
        mode: ``"grey"`` when the source had one colour channel.
        opaque: whether there was an alpha channel that hides nothing; pictures made get one too.
        bit_depth: bits per channel that were read: 1, 8, 12, 16, or 32 for floating point.
        icc: ICC profile that fits the pixels, untouched.
        exif: EXIF block without orientation, thumbnail and pixel layout.
        text: text entries, such as PNG text chunks.
        dpi: horizontal and vertical resolution in dots per inch.
        frames: pictures in the source; only the first is read.
        notes: sentences for the user about anything that was changed or left out.
    """

    name: str = "image"
    mode: ColourMode = "rgb"
    bit_depth: Annotated[int, Field(ge=1, le=64)] = 8
    opaque: bool = False
    icc: bytes | None = None
    exif: bytes | None = None
    text: dict[str, str] = field(default_factory=dict)
    dpi: tuple[float, float] | None = None
    frames: Annotated[int, Field(ge=1)] = 1
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Picture:
    """A picture ready for a model.

    Attributes:
        rgb: [3, h, w] float32 in [0, 1], as encoded (gamma not removed); grey has three equal
            channels.
        alpha: [h, w] float32 in [0, 1], or None without transparency. RGB is not premultiplied.
        info: everything else.
    """

    rgb: Tensor
    alpha: Tensor | None
    info: PictureInfo


Source: TypeAlias = (
    str | Path | bytes | BinaryIO | Image.Image | npt.NDArray[Any] | Tensor | Picture
)


def check_pixels(label: str, width: int, height: int, max_pixels: int) -> None:
    """Refuse a picture without pixels or with more than `max_pixels`; ImageError."""
    if width < 1 or height < 1:
        raise ImageError(f"{label} has no pixels ({width} x {height}).")
    if width * height > max_pixels:
        raise ImageError(
            f"{label} is {width} x {height} pixels ({width * height / 1e6:.3g} megapixels), and "
            f"at most {max_pixels / 1e6:.3g} megapixels are accepted."
        )
