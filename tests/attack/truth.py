"""What Pillow makes of a picture, as the measure of what the product makes of it."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image

ACCEPTED = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "JPEG2000", "PPM")
NEAR = 1.001 / 255
"""The difference of a loaded pixel that is explained: Pillow cuts 16 bits of a colour down to 8."""
SHIFT = 0.05
"""How far the mean colour of an enlarged picture may lie from that of the picture."""
LEAST_SIDE, HARD = 8, 0.35
"""No network keeps the mean of pictures that are thinner, or of black and white alone."""
_TURNS = dict(
    zip(range(2, 9), (Image.Transpose(way) for way in (0, 3, 1, 5, 4, 6, 2)), strict=True)
)
"""Pillow's transpositions by the values of EXIF's orientation."""


@dataclass(frozen=True)
class Truth:
    """Colours [h, w, 3] in [0, 1], None where formats disagree about them; alpha [h, w] or None."""

    size: tuple[int, int]
    rgb: npt.NDArray[Any] | None
    alpha: npt.NDArray[Any] | None


def by_pillow(data: bytes, most_pixels: int = 4_000_000) -> Truth | None:
    """None where Pillow does not open it, or it is too large to be worth it."""
    try:
        with Image.open(io.BytesIO(data), formats=ACCEPTED) as image:
            if image.width * image.height > most_pixels:
                return None
            image.load()
            negative = getattr(image, "tag_v2", {}).get(262) == 0
            upright = _turned(image)
            size = upright.height, upright.width
            if upright.mode in ("CMYK", "LAB", "I", "F") or upright.mode.startswith("I;"):
                return Truth(size, None if negative else _deep(upright, image.format), None)
            pixels = np.asarray(upright.convert("RGBA")) / 255
    except Exception:  # of any kind: that is what the product has to cope with
        return None
    alpha = pixels[..., 3]
    return Truth(size, pixels[..., :3], None if (alpha == 1).all() else alpha)


def opens(data: bytes) -> bool:
    """Whether Pillow reads its pixels."""
    try:
        with Image.open(io.BytesIO(data), formats=ACCEPTED) as image:
            image.load()
    except Exception:
        return False
    return True


def _turned(image: Image.Image) -> Image.Image:
    """As EXIF asks. Pillow's own way fails where it cannot write the EXIF block again."""
    try:
        way = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation))
    except Exception:
        way = None
    return image if way is None else image.transpose(way)


def _deep(image: Image.Image, file_format: str | None) -> npt.NDArray[Any] | None:
    wide = image.mode.startswith("I;16") or (image.mode == "I" and file_format in ("PNG", "PPM"))
    if not wide or "transparency" in image.info:
        return None
    grey = np.asarray(image, dtype=np.float64) / 65535
    return np.repeat(grey[..., None], 3, axis=2)


def differs(truth: Truth, rgb: npt.NDArray[Any], alpha: npt.NDArray[Any] | None) -> str | None:
    """What is wrong with a loaded picture, if anything is.

    Args:
        truth: What it should be.
        rgb: [h, w, 3] in [0, 1].
        alpha: [h, w] in [0, 1], or None.
    """
    if rgb.shape[:2] != truth.size:
        return f"the size is {rgb.shape[:2]} instead of {truth.size}"
    if truth.rgb is None:
        return None
    if (alpha is None) != (truth.alpha is None):
        return f"transparency: {alpha is not None} instead of {truth.alpha is not None}"
    seen = np.ones(truth.size, bool)
    if alpha is not None and truth.alpha is not None:
        if np.abs(alpha - truth.alpha).max() > NEAR:
            return "the transparency is another"
        seen = truth.alpha > 0
    off = float(np.abs(rgb - truth.rgb)[seen].max(initial=0))
    return f"colours differ by {off:.3f}" if off > NEAR else None


def enlarged_differs(truth: Truth, data: bytes, size: tuple[int, int]) -> str | None:
    """The same for a result file: its size, transparency and mean colour.

    Args:
        truth: What was enlarged.
        data: The result file.
        size: (height, width) that it should have.
    """
    made = by_pillow(data)
    if made is None or made.rgb is None:
        return "Pillow cannot open the result"
    if made.size != size:
        return f"the result has {made.size} pixels instead of {size}"
    if truth.rgb is None:
        return None
    if (made.alpha is None) != (truth.alpha is None):
        return f"transparency: {made.alpha is not None} instead of {truth.alpha is not None}"
    if min(truth.size) < LEAST_SIDE or truth.rgb.std() > HARD:
        return None
    off = float(np.abs(_mean(made) - _mean(truth)).max())
    return f"the mean colour is off by {off:.3f}" if off > SHIFT else None


def _mean(truth: Truth) -> npt.NDArray[Any]:
    assert truth.rgb is not None
    weight = np.ones(truth.size) if truth.alpha is None else truth.alpha
    return (truth.rgb * weight[..., None]).sum((0, 1)) / max(weight.sum(), 1e-9)
