"""What is known of a picture besides its pixels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias

import numpy.typing as npt
from annotated_types import Interval

from gsr.base.errors import ImageError, TooLargeError

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
        icc: ICC profile that fits the pixels, untouched, or made from what the file says else.
        cicp: Primaries and transfer curve by their numbers in ITU-T H.273, where the file has
            them and they are not those of sRGB.
        exif: EXIF block without orientation, thumbnail and pixel layout.
        xmp: XMP packet, upright, without what it says of the pixels of the file.
        iptc: IPTC records.
        text: text entries, such as PNG text chunks.
        dpi: horizontal and vertical resolution in dots per inch.
        frames: pictures in the source; only the first is read.
        notes: sentences for the user about anything that was changed or left out.
    """

    name: str = "image"
    mode: ColourMode = "rgb"
    bit_depth: Annotated[int, Interval(ge=1, le=64)] = 8
    opaque: bool = False
    icc: bytes | None = None
    cicp: tuple[int, int] | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    text: dict[str, str] = field(default_factory=dict)
    dpi: tuple[float, float] | None = None
    frames: Annotated[int, Interval(ge=1)] = 1
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decoded:
    """A picture as it comes out of a file.

    Attributes:
        pixels: [h, w, c] uint8, uint16, or float32 in [0, 1]; grey or RGB, with alpha as the last
            of two or four channels.
        info: everything else.
    """

    pixels: npt.NDArray[Any]
    info: PictureInfo


def check_pixels(label: str, width: int, height: int, max_pixels: int) -> None:
    """Refuse a picture without pixels or with more than `max_pixels`; ImageError."""
    if width < 1 or height < 1:
        raise ImageError(f"{label} has no pixels ({width} x {height}).")
    if width * height > max_pixels:
        raise TooLargeError(label, width, height, max_pixels)
