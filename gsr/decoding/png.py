"""A PNG file without what it says besides pixels, which may be more than a reader takes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_OF_PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")


def without_metadata(stream: BinaryIO) -> io.BytesIO | None:
    """The same pixels in a smaller file; None where there is nothing to leave out."""
    stream.seek(0)
    data = stream.read()
    if not data.startswith(_SIGNATURE):
        return None
    chunks = list(_chunks(data))
    kept = [chunk for chunk in chunks if chunk[4:8] in _OF_PIXELS]
    return io.BytesIO(_SIGNATURE + b"".join(kept)) if len(kept) < len(chunks) else None


def _chunks(data: bytes) -> Iterator[bytes]:
    at = len(_SIGNATURE)
    while at < len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        yield data[at:end]
        at = end
