"""What kind of picture a file holds, by its first bytes and nothing else."""

import os
import re
from importlib.util import find_spec
from pathlib import Path

LONGEST = 16
_PLUGINS = {"HEIF": ("pillow_heif", "pillow-heif"), "JXL": ("pillow_jxl", "pillow-jxl-plugin")}
"""Formats that Pillow reads with a package of the extra `formats`."""
_STARTS = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG2000"),
    (b"\xff\x4f\xff\x51", "JPEG2000"),
    (b"\xff\x0a", "JXL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JXL"),
)
_NETPBM = re.compile(rb"P[1-6fF]\s*[\s#][\s\d#]")
_AVIF = (b"avif", b"avis")
_HEIF = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")


def picture_format(start: bytes) -> str | None:
    """Pillow's name of the format of a file that begins so; None if it is not a picture."""
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "WEBP"
    if start[4:8] == b"ftyp":
        brand = start[8:12]
        return "AVIF" if brand in _AVIF else "HEIF" if brand in _HEIF else None
    if start[:2] == b"BM" and start[6:10] == bytes(4):
        return "BMP"
    if _NETPBM.match(start):
        return "PPM"
    return next((name for mark, name in _STARTS if start.startswith(mark)), None)


def plugin_of(file_format: str) -> str | None:
    """The package that a format needs and that is not installed; None where all is there."""
    module, package = _PLUGINS.get(file_format, ("", ""))
    return package if module and find_spec(module) is None else None


def format_of_file(path: str | os.PathLike[str]) -> str | None:
    """`picture_format` of a file; None also where it cannot be read."""
    try:
        with Path(path).open("rb") as file:
            return picture_format(file.read(LONGEST))
    except OSError:
        return None
