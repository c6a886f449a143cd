"""XMP packets and IPTC records of a picture, as far as they stay true of a result."""

from __future__ import annotations

import re
from typing import Any

from PIL import Image

_MOST = 2**20
_ABOUT_PIXELS = (
    rb"exif:Pixel[XY]Dimension|tiff:Image(?:Width|Length)|tiff:BitsPerSample|"
    rb"xmpNote:HasExtendedXMP|hdrgm:\w+|GCamera:\w+|GPano:\w+|MicroVideo:\w+"
)
"""Properties of the file that was read: its size, and other pictures that were in it."""
_ATTRIBUTE = re.compile(rb"\s(?:" + _ABOUT_PIXELS + rb")\s*=\s*(?:\"[^\"]*\"|'[^']*')")
_ELEMENT = re.compile(
    rb"<(" + _ABOUT_PIXELS + rb"|xmp:Thumbnails)(?:\s[^>]*)?(?:/>|>.*?</\1>)", re.S
)
_ORIENTATION = re.compile(rb"(tiff:Orientation(?:\s*=\s*[\"']|\s*>\s*))\d+")
IPTC_TAG, PHOTOSHOP = 33723, 0x0404
_RECORDS = {5: "title", 80: "author", 116: "copyright", 120: "caption"}


def read_xmp(image: Image.Image, notes: list[str]) -> bytes | None:
    """The XMP packet, upright, without what it says of the pixels of the file."""
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    if isinstance(packet, str):
        packet = packet.encode("utf-8", "replace")
    if not isinstance(packet, bytes) or not packet:
        return None
    packet = packet.rstrip(b"\0")
    odd = b"<rdf:RDF" not in packet or b"\0" in packet or b"<!" in packet
    if odd or len(packet) > _MOST:
        notes.append("The XMP data could not be read and was left out.")
        return None
    return _ORIENTATION.sub(rb"\g<1>1", _ELEMENT.sub(b"", _ATTRIBUTE.sub(b"", packet)))


def read_iptc(image: Image.Image) -> bytes | None:
    """The IPTC records as they are, where a JPEG or a TIFF holds them."""
    blocks = image.info.get("photoshop")
    found: Any = blocks.get(PHOTOSHOP) if isinstance(blocks, dict) else None
    if image.format == "TIFF":
        found = getattr(image, "tag_v2", {}).get(IPTC_TAG)
    if not isinstance(found, bytes) or not found.startswith(b"\x1c") or len(found) > _MOST:
        return None
    return found


def iptc_text(iptc: bytes | None) -> dict[str, str]:
    """Title, author, copyright and caption among IPTC records."""
    found: dict[str, str] = {}
    at, data = 0, iptc or b""
    utf8 = b"\x1c\x01\x5a\x00\x03\x1b%G" in data
    while data[at : at + 1] == b"\x1c" and at + 5 <= len(data):
        record, kind = data[at + 1], data[at + 2]
        size = int.from_bytes(data[at + 3 : at + 5], "big")
        if size >= 0x8000:  # longer than any text
            break
        value = data[at + 5 : at + 5 + size]
        if record == 2 and kind in _RECORDS:
            try:
                text = value.decode("utf-8")
            except UnicodeDecodeError:
                text = value.decode("utf-8" if utf8 else "latin-1", "replace")
            found.setdefault(_RECORDS[kind], text)
        at += 5 + size
    return found
