"""Metadata of a picture as a file of each format can hold it; what it cannot is said in notes.

What is written here came from a stranger's file. Pillow's encoders see none of it: JPEG segments
are put in by us, and the other formats write theirs in Python or as bytes that nobody looks into.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from PIL import ExifTags, PngImagePlugin

from gsr.decoding.info import PictureInfo
from gsr.decoding.metadata import OWN, icc_space, is_profile, kept_exif

_SEGMENT = 65_533
"""Bytes after the length of a JPEG segment."""
_EXIF_MARK, _ICC_MARK = b"Exif\0\0", b"ICC_PROFILE\0"
_ICC_PART = _SEGMENT - len(_ICC_MARK) - 2
_MOST_EXIF = {"JPEG": _SEGMENT}
_MOST_ICC = {"JPEG": 255 * _ICC_PART, "PNG": 2**20}
"""A PNG with a longer profile is one that Pillow does not open."""
_MOST_TEXT = 2**24
"""All PNG texts together; readers stop at some such number."""
_LONGEST_KEY = 79
_MOST_DPI = 65_535


@dataclass(frozen=True)
class Embedded:
    """What goes into a file besides pixels.

    Attributes:
        options: For `PIL.Image.Image.save`.
        segments: Of a JPEG file, in their order and with their marks.
        notes: What was left out, a sentence each.
    """

    options: dict[str, Any]
    segments: bytes = b""
    notes: tuple[str, ...] = ()


def embed(
    info: PictureInfo, comment: dict[str, str], file_format: str, pillow_mode: str
) -> Embedded:
    """Choose what fits.

    Args:
        info: Of the picture that was read.
        comment: Our own entries, see `gsr.images.save`.
        file_format: Pillow's name.
        pillow_mode: Of the pixels.
    """
    if file_format == "BMP":
        return Embedded({})
    notes: list[str] = []
    software = "" if file_format == "PNG" else software_line(comment)
    exif = _exif(info.exif, software, file_format, notes)
    icc = _icc(info.icc, file_format, pillow_mode, notes)
    options: dict[str, Any] = {"dpi": _dpi(info.dpi, notes)}
    segments = b""
    if file_format == "JPEG":
        segments = _segments(exif, icc, _jpeg_comment(info.text, notes))
    else:
        options |= {"exif": exif, "icc_profile": icc}
    if file_format == "PNG":
        options["pnginfo"] = _png_text(info.text, comment, notes)
    if file_format == "TIFF" and info.exif:
        # Compressed TIFF goes through libtiff, which takes tags of a wrong type for addresses
        # and has no way in for directories of EXIF.
        options["compression"] = "raw"
    return Embedded({k: value for k, value in options.items() if value}, segments, tuple(notes))


def software_line(comment: dict[str, str]) -> str:
    """A comment for `save` in one line, for formats with a place for one only."""
    named = [comment["Software"]] if "Software" in comment else []
    return "; ".join(named + [f"{key}={comment[key]}" for key in comment if key != "Software"])


def _exif(exif: bytes | None, software: str, file_format: str, notes: list[str]) -> bytes | None:
    ours: dict[int, str] = {ExifTags.Base.Software: software} if software else {}
    try:
        block = kept_exif(exif, ours)
    except Exception:
        # Python's parsers of damaged EXIF raise almost anything.
        notes.append("The EXIF data is damaged and was left out.")
        return kept_exif(None, ours)
    most = _MOST_EXIF.get(file_format)
    if block is None or most is None or len(block) <= most:
        return block
    notes.append(_too_long("The EXIF data", len(block), most, file_format))
    return kept_exif(None, ours)


def _icc(icc: bytes | None, file_format: str, pillow_mode: str, notes: list[str]) -> bytes | None:
    if icc and not is_profile(icc):
        notes.append("The colour profile is damaged and was left out.")
        return None
    if not icc:
        return None
    if icc_space(icc) != _profile_space(pillow_mode):
        notes.append("The colour profile does not fit these pixels and was left out.")
        return None
    most = _MOST_ICC.get(file_format)
    if most is not None and len(icc) > most:
        notes.append(_too_long("The colour profile", len(icc), most, file_format))
        return None
    return icc


def _profile_space(pillow_mode: str) -> str:
    if pillow_mode in ("1", "L", "LA") or pillow_mode.startswith("I"):
        return "GRAY"
    return "CMYK" if pillow_mode == "CMYK" else "RGB "


def _dpi(dpi: tuple[float, float] | None, notes: list[str]) -> tuple[float, float] | None:
    if dpi is None or all(1 <= value <= _MOST_DPI for value in dpi):
        return dpi
    notes.append(f"The resolution of {dpi[0]:g} x {dpi[1]:g} dpi is none and was left out.")
    return None


def _too_long(what: str, size: int, most: int, file_format: str) -> str:
    return (
        f"{what} of {size:,} bytes is too long for {file_format}, which holds {most:,}, and was "
        "left out."
    )


# --- JPEG ------------------------------------------------------------------------------------


def _jpeg_comment(text: dict[str, str], notes: list[str]) -> bytes:
    comment = text.get("Comment", "").encode("utf-8", "replace")
    if len(comment) <= _SEGMENT:
        return comment
    notes.append(_too_long("The comment", len(comment), _SEGMENT, "JPEG"))
    return b""


def _segments(exif: bytes | None, icc: bytes | None, comment: bytes) -> bytes:
    parts = [icc[at : at + _ICC_PART] for at in range(0, len(icc), _ICC_PART)] if icc else []
    count = len(parts)
    return b"".join(
        [
            _segment(0xE1, _EXIF_MARK + exif.removeprefix(_EXIF_MARK)) if exif else b"",
            *(
                _segment(0xE2, _ICC_MARK + bytes([number, count]) + part)
                for number, part in enumerate(parts, 1)
            ),
            _segment(0xFE, comment) if comment else b"",
        ]
    )


def _segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def with_segments(jpeg: bytes, segments: bytes) -> tuple[bytes, bytes, bytes]:
    """The parts of a JPEG file that Pillow wrote with segments put where readers look for them.

    After the JFIF header if there is one, which must be first.
    """
    at = 2
    if jpeg[2:4] == b"\xff\xe0":
        at += 2 + int.from_bytes(jpeg[4:6], "big")
    return jpeg[:at], segments, jpeg[at:]


# --- PNG -------------------------------------------------------------------------------------


def _png_text(
    text: dict[str, str], comment: dict[str, str], notes: list[str]
) -> PngImagePlugin.PngInfo | None:
    chunks = PngImagePlugin.PngInfo()
    left = _MOST_TEXT
    # What gsr said of an earlier result is not true of this one.
    others = {key: value for key, value in text.items() if not key.startswith(OWN)}
    for key, value in (comment | others | comment).items():
        value = value.encode("utf-8", "replace").decode()
        left -= len(value.encode())
        if left < 0:
            notes.append(f"The text {_short(key)} is too long for PNG and was left out.")
            left += len(value.encode())
        elif not _is_key(key) or "\0" in value:
            notes.append(f"The text {_short(key)} cannot stand in a PNG and was left out.")
        else:
            chunks.add_text(key, value)
    return chunks if chunks.chunks else None


def _is_key(key: str) -> bool:
    """A keyword as PNG defines it, near enough: printable Latin-1."""
    latin = all(" " <= letter <= "~" or "\xa1" <= letter <= "\xff" for letter in key)
    return latin and 1 <= len(key) <= _LONGEST_KEY


def _short(key: str) -> str:
    return repr(key if len(key) <= 40 else key[:40] + "…")
