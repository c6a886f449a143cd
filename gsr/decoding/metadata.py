"""What a file says besides its pixels: EXIF, ICC profile, text, frames."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image

from gsr.decoding.info import ColourMode, PictureInfo
from gsr.decoding.packets import read_iptc, read_xmp

_ANIMATED = ("GIF", "WEBP", "PNG", "AVIF")

# What describes the picture; every other tag describes how the source file stores its pixels.
_KEPT_EXIF = frozenset(
    {
        ExifTags.Base.ImageDescription,
        ExifTags.Base.Make,
        ExifTags.Base.Model,
        ExifTags.Base.Software,
        ExifTags.Base.DateTime,
        ExifTags.Base.Artist,
        ExifTags.Base.HostComputer,
        ExifTags.Base.Rating,
        ExifTags.Base.Copyright,
        ExifTags.IFD.Exif,
        ExifTags.IFD.GPSInfo,
    }
)
OWN = "gsr:"
"""Before the names of entries that this program writes."""
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What turns upright, by EXIF's orientation."""
LYING = (5, 6, 7, 8)
"""Orientations whose width is the height of the upright picture."""
_EXIF_PIXEL_SIZE = (ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight)


def read_info(image: Image.Image, label: str, notes: list[str]) -> PictureInfo:
    """What is kept of an opened file; what is not is said in `notes`."""
    frames = int(getattr(image, "n_frames", 1))
    if frames > 1 and image.format in _ANIMATED:
        notes.append(f"Animated image: the first of {frames} frames was used.")
    elif frames > 1:
        notes.append(f"The file holds {frames} pictures: the first was used.")
    exif, text = _read_exif(image, notes), _read_text(image)
    notes += _made_before(exif, text)
    return PictureInfo(
        name=Path(label).name or "image",
        icc=image.info.get("icc_profile") or None,
        exif=exif,
        xmp=read_xmp(image, notes),
        iptc=read_iptc(image),
        text=text,
        dpi=_read_dpi(image),
        frames=frames,
    )


def _made_before(exif: bytes | None, text: dict[str, str]) -> list[str]:
    """A note where gsr made the picture itself: what it said then is not of the next result."""
    software = text.get("Software", "")
    if exif is not None and not software.startswith("gsr "):
        block = Image.Exif()
        block.load(exif)
        software = str(block.get(ExifTags.Base.Software, ""))
    if not software.startswith("gsr "):
        return []
    edited = "gsr:edits" in text or "gsr:edits=" in software
    return [f"The picture was made by gsr before{', of an edited field' if edited else ''}."]


def _read_exif(image: Image.Image, notes: list[str]) -> bytes | None:
    try:
        return kept_exif(image.getexif().tobytes())
    except Exception:
        # A broken EXIF block is no reason to refuse sound pixels.
        notes.append("The EXIF data could not be read and was left out.")
        return None


def kept_exif(
    block: bytes | None, others: dict[int, str] | None = None, remark: str = ""
) -> bytes | None:
    """What of an EXIF block describes the picture, with other tags and a comment of the user put
    in; None if nothing.

    It raises almost anything where the block is damaged.
    """
    exif = Image.Exif()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is damaged and skipped
        exif.load(block or b"")
        for tag in set(exif) - _KEPT_EXIF:
            del exif[tag]
        if ExifTags.IFD.Exif in exif:
            details = exif.get_ifd(ExifTags.IFD.Exif)
            for tag in _EXIF_PIXEL_SIZE:
                details.pop(tag, None)
        exif.update(others or {})
        if remark:
            said = b"UNICODE\0" + remark.encode("utf-16-be", "replace")
            exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = said
        return exif.tobytes() if len(exif) or remark else None


def with_tags(block: bytes | Image.Exif | None, tags: Mapping[int, Any]) -> Image.Exif:
    """An EXIF block that Pillow made, with more tags: what it takes for the tags of a TIFF."""
    exif = block if isinstance(block, Image.Exif) else Image.Exif()
    if isinstance(block, bytes):
        exif.load(block)
    exif.update(tags)
    return exif


def exif_tags(block: bytes | None) -> dict[int, str]:
    """The tags of an EXIF block, the user's comment among them; none where it is damaged."""
    exif = Image.Exif()
    with warnings.catch_warnings(), suppress(Exception):
        warnings.simplefilter("ignore")
        exif.load(block or b"")
        found = {tag: str(value) for tag, value in exif.items()}
        details = exif.get_ifd(ExifTags.IFD.Exif) if ExifTags.IFD.Exif in exif else {}
        if ExifTags.Base.UserComment in details:
            found[ExifTags.Base.UserComment] = str(details[ExifTags.Base.UserComment])
        return found
    return {}


def _read_text(image: Image.Image) -> dict[str, str]:
    text = {str(key): str(value) for key, value in getattr(image, "text", {}).items()}
    # These carry a second copy of orientation and size, which would contradict the pixels.
    text = {key: value for key, value in text.items() if not key.startswith(("XML:", "Raw prof"))}
    comment = image.info.get("comment")
    if isinstance(comment, bytes):
        comment = comment.decode("utf-8", "replace")
    if isinstance(comment, str) and comment:
        text.setdefault("Comment", comment)
    return text


def _read_dpi(image: Image.Image) -> tuple[float, float] | None:
    try:
        horizontal, vertical = (float(value) for value in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return None
    # Pillow reports 1 for a TIFF file that gives no resolution.
    usable = all(math.isfinite(value) and value > 1 for value in (horizontal, vertical))
    if not usable:
        return None
    lying = orientation(image) in LYING and image.format != "TIFF"
    return (vertical, horizontal) if lying else (horizontal, vertical)


def orientation(image: Image.Image) -> int:
    """EXIF's, 1 (upright) where it cannot be read."""
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:
        return 1  # a broken EXIF block is no reason to refuse sound pixels


def upright(image: Image.Image) -> Image.Image:
    """The picture turned as its EXIF orientation asks.

    Pillow's own way rewrites the EXIF block, which fails where other tags are damaged.
    """
    turn = _TURNS.get(orientation(image))
    return image if turn is None else image.transpose(turn)


def fitting_icc(
    icc: bytes | None, source_mode: str, mode: ColourMode, notes: list[str]
) -> bytes | None:
    """The profile if it describes pixels of this mode."""
    if icc is None or source_mode in ("CMYK", "LAB"):
        return None
    if not is_profile(icc):
        notes.append("The colour profile is damaged and was left out.")
        return None
    if icc_space(icc) == ("GRAY" if mode == "grey" else "RGB "):
        return icc
    notes.append(f"The colour profile does not fit {mode} pixels and was left out.")
    return None


def is_profile(icc: bytes) -> bool:
    """Whether bytes begin as an ICC profile does and hold as many as it says."""
    return 128 <= int.from_bytes(icc[:4], "big") <= len(icc) and icc[36:40] == b"acsp"


def icc_space(icc: bytes) -> str:
    """Colour space signature in a profile's header, four letters."""
    return icc[16:20].decode("latin-1")
