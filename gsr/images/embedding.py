"""Metadata of a picture as a file of each format can hold it; what it cannot is said in notes.

What is written here came from a stranger's file. Pillow's encoders see none of it: JPEG segments
are put in by us, and the other formats write theirs in Python or as bytes that nobody looks into.
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from PIL import ExifTags, PngImagePlugin

from gsr.base.metadata_kinds import check_kinds
from gsr.decoding.info import PictureInfo
from gsr.decoding.metadata import (
    OWN,
    exif_tags,
    icc_space,
    is_profile,
    kept_exif,
    with_tags,
)
from gsr.decoding.packets import IPTC_TAG, PHOTOSHOP, iptc_text

_SEGMENT = 65_533
"""Bytes after the length of a JPEG segment."""
_EXIF_MARK, _ICC_MARK = b"Exif\0\0", b"ICC_PROFILE\0"
_XMP_MARK, _IPTC_MARK = b"http://ns.adobe.com/xap/1.0/\0", b"Photoshop 3.0\0"
XMP_TAG = 700
_HOLD_IPTC = ("JPEG", "TIFF")
_ICC_PART = _SEGMENT - len(_ICC_MARK) - 2
_MOST_EXIF = {"JPEG": _SEGMENT}
_MOST_ICC = {"JPEG": 255 * _ICC_PART, "PNG": 2**20}
"""A PNG with a longer profile is one that Pillow does not open."""
_MOST_TEXT = 2**24
"""All PNG texts together; readers stop at some such number."""
_LONGEST_KEY = 79
_MOST_DPI = 65_535
_OF_COPYRIGHT = (ExifTags.Base.Artist, ExifTags.Base.Copyright)


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
    notes: list[str] = []
    options: dict[str, Any] = {"dpi": _dpi(info.dpi, notes)}
    if file_format == "BMP":
        notes += _nowhere(info, file_format)
        return Embedded({k: value for k, value in options.items() if value}, b"", tuple(notes))
    if file_format == "PNG":
        exif = _exif(info.exif, exif_text(info, {}), file_format, notes)
    else:
        tags, remark = _as_exif(info, file_format)
        software = software_line(comment)
        tags |= {ExifTags.Base.Software: software} if software else {}
        exif = _exif(info.exif, tags, file_format, notes, remark)
    icc = _icc(info.icc, file_format, pillow_mode, notes)
    xmp = _xmp(info.xmp, file_format, notes)
    if info.iptc and file_format not in _HOLD_IPTC:
        notes.append(
            f"{file_format} has no place for IPTC records; the title, author, copyright and "
            "caption among them stand in the EXIF data."
        )
    segments = b""
    if file_format == "JPEG":
        segments = _segments(exif, xmp, info.iptc, icc, _jpeg_comment(info.text, notes))
    else:
        options |= {"exif": exif, "icc_profile": icc}
    if file_format == "WEBP":
        options["xmp"] = xmp
    if file_format == "PNG":
        options["pnginfo"] = _png_text(info, xmp, comment, notes)
    if file_format == "TIFF":
        blocks = {XMP_TAG: xmp, IPTC_TAG: info.iptc}
        options["exif"] = with_tags(exif, {t: block for t, block in blocks.items() if block})
        if info.exif or ExifTags.Base.UserComment in exif_tags(exif):
            # Compressed TIFF goes through libtiff, which takes tags of a wrong type for addresses
            # and has no way in for directories of EXIF.
            options["compression"] = "raw"
    return Embedded({k: value for k, value in options.items() if value}, segments, tuple(notes))


def chosen(info: PictureInfo, keep: Collection[str] | None) -> PictureInfo:
    """Without the kinds of metadata that are not among `keep`; None keeps all."""
    if keep is None:
        return info
    check_kinds(keep)
    exif = info.exif if "exif" in keep else None
    if exif is None and "copyright" in keep:
        exif = _copyright(info)
    return replace(
        info,
        icc=info.icc if "icc" in keep else None,
        exif=exif,
        xmp=info.xmp if "xmp" in keep else None,
        iptc=info.iptc if "iptc" in keep else None,
        text=info.text if "text" in keep else {},
        dpi=info.dpi if "dpi" in keep else None,
    )


def _copyright(info: PictureInfo) -> bytes | None:
    """An EXIF block of the copyright and the author, wherever the file names them."""
    found = exif_text(info, info.text) | exif_tags(info.exif)
    return kept_exif(None, {tag: v for tag, v in found.items() if tag in _OF_COPYRIGHT})


def _nowhere(info: PictureInfo, file_format: str) -> list[str]:
    """A note of what a format has no place for at all."""
    kinds = {
        "colour profile": info.icc,
        "EXIF data": info.exif,
        "XMP data": info.xmp,
        "IPTC records": info.iptc,
        "text": info.text,
    }
    lost = [name for name, value in kinds.items() if value]
    if not lost:
        return []
    named = " and ".join([", ".join(lost[:-1]), lost[-1]] if lost[1:] else lost)
    are = "are" if lost[1:] else "is"
    return [f"{file_format} has no place for metadata: the {named} of the picture {are} left out."]


def exif_text(info: PictureInfo, text: dict[str, str]) -> dict[int, str]:
    """EXIF tags of caption, author and copyright that stand elsewhere only: in the IPTC records,
    or as PNG's texts of the keywords that PNG defines.
    """
    named = iptc_text(info.iptc)
    values = {
        ExifTags.Base.ImageDescription: text.get("Description") or text.get("Title"),
        ExifTags.Base.Artist: text.get("Author") or text.get("Artist"),
        ExifTags.Base.Copyright: text.get("Copyright"),
    }
    others = {
        ExifTags.Base.ImageDescription: named.get("caption") or named.get("title"),
        ExifTags.Base.Artist: named.get("author"),
        ExifTags.Base.Copyright: named.get("copyright"),
    }
    present = exif_tags(info.exif)
    merged = {int(tag): values[tag] or others[tag] for tag in values}
    return {tag: value for tag, value in merged.items() if value and tag not in present}


def _as_exif(info: PictureInfo, file_format: str) -> tuple[dict[int, str], str]:
    """A picture's texts as EXIF tags, and what is left of them as a comment."""
    others = {k: v for k, v in info.text.items() if not k.startswith(OWN) and k != "Software"}
    if file_format == "JPEG":
        others.pop("Comment", None)
    tags = exif_text(info, others)
    done = set(tags.values())
    rest = {key: value for key, value in others.items() if value not in done}
    if len(rest) == 1:
        return tags, next(iter(rest.values()))  # as programs do that write one thing alone
    return tags, "\n".join(f"{key}: {value}" for key, value in rest.items())


def software_line(comment: dict[str, str]) -> str:
    """A comment for `save` in one line, for formats with a place for one only."""
    named = [comment["Software"]] if "Software" in comment else []
    return "; ".join(named + [f"{key}={comment[key]}" for key in comment if key != "Software"])


def _exif(
    exif: bytes | None,
    ours: dict[int, str],
    file_format: str,
    notes: list[str],
    remark: str = "",
) -> bytes | None:
    most = _MOST_EXIF.get(file_format, _MOST_TEXT)
    try:
        block = kept_exif(exif, ours)
        if remark and ExifTags.Base.UserComment in exif_tags(exif):
            notes.append(f"{file_format} has no place for texts beside the EXIF comment.")
        elif remark:
            said = kept_exif(exif, ours, remark)
            if said is not None and len(said) <= most:
                return said
            notes.append(
                _too_long("The text", len(remark.encode("utf-8", "replace")), most, file_format)
            )
    except Exception:
        # Python's parsers of damaged EXIF raise almost anything.
        notes.append("The EXIF data is damaged and was left out.")
        return kept_exif(None, ours)
    if block is None or len(block) <= most:
        return block
    notes.append(_too_long("The EXIF data", len(block), most, file_format))
    software = {tag: value for tag, value in ours.items() if tag == ExifTags.Base.Software}
    return kept_exif(None, software)


def _xmp(xmp: bytes | None, file_format: str, notes: list[str]) -> bytes | None:
    most = _SEGMENT - len(_XMP_MARK)
    if not xmp or file_format != "JPEG" or len(xmp) <= most:
        return xmp
    notes.append(_too_long("The XMP data", len(xmp), most, file_format))
    return None


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


def _segments(
    exif: bytes | None,
    xmp: bytes | None,
    iptc: bytes | None,
    icc: bytes | None,
    comment: bytes,
) -> bytes:
    parts = [icc[at : at + _ICC_PART] for at in range(0, len(icc), _ICC_PART)] if icc else []
    count = len(parts)
    return b"".join(
        [
            _segment(0xE1, _EXIF_MARK + exif.removeprefix(_EXIF_MARK)) if exif else b"",
            _segment(0xE1, _XMP_MARK + xmp) if xmp else b"",
            _segment(0xED, _photoshop(iptc)) if iptc else b"",
            *(
                _segment(0xE2, _ICC_MARK + bytes([number, count]) + part)
                for number, part in enumerate(parts, 1)
            ),
            _segment(0xFE, comment) if comment else b"",
        ]
    )


def _photoshop(iptc: bytes) -> bytes:
    """IPTC records as one of Photoshop's resources, where a JPEG has them."""
    size = struct.pack(">HxxI", PHOTOSHOP, len(iptc))
    return _IPTC_MARK + b"8BIM" + size + iptc + bytes(len(iptc) % 2)


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
    info: PictureInfo, xmp: bytes | None, comment: dict[str, str], notes: list[str]
) -> PngImagePlugin.PngInfo | None:
    chunks, text = PngImagePlugin.PngInfo(), info.text
    if info.cicp and max(info.cicp) < 256:
        chunks.add(b"cICP", bytes([*info.cicp, 0, 1]))  # RGB, all values used
    if xmp:
        chunks.add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8", "replace"))
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
