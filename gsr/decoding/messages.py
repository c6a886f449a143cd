"""What a worker process is asked and answers: JSON, then the bytes whose lengths it gives.

No pickles: a worker whose memory a picture has overwritten may say anything.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, BinaryIO

import numpy as np

from gsr.base.errors import ImageError
from gsr.decoding.info import Decoded, PictureInfo

Message = dict[str, Any]
Blob = bytes | memoryview

_LENGTH_BYTES = 4
_MOST_JSON = 2**28
_BLOBS = ("icc", "exif", "xmp", "iptc")
"""Members of `PictureInfo` that are bytes."""
_DTYPES = ("uint8", "uint16", "float32")


class BrokenMessageError(Exception):
    """The other side has gone, or says what it never would."""


def send(stream: BinaryIO, message: Message, blobs: Sequence[Blob] = ()) -> None:
    """Write a message and bytes that go with it."""
    sizes = [memoryview(blob).nbytes for blob in blobs]
    data = json.dumps(message | {"blobs": sizes}).encode()
    stream.write(len(data).to_bytes(_LENGTH_BYTES, "big") + data)
    for blob in blobs:
        stream.write(blob)
    stream.flush()


def receive(stream: BinaryIO, most: int) -> tuple[Message, list[bytearray]] | None:
    """Read a message and its bytes, at most `most` of them; None at the end of the stream.

    Raises:
        BrokenMessageError: it ends within, or is none.
    """
    head = stream.read(_LENGTH_BYTES)
    if not head:
        return None
    length = int.from_bytes(head, "big")
    if length > _MOST_JSON:
        raise BrokenMessageError
    try:
        message = json.loads(bytes(_exactly(stream, length)))
        sizes = [int(size) for size in message.pop("blobs")]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BrokenMessageError from error
    if min(sizes, default=0) < 0 or sum(sizes) > most:
        raise BrokenMessageError
    return message, [_exactly(stream, size) for size in sizes]


def _exactly(stream: BinaryIO, size: int) -> bytearray:
    data = bytearray(size)
    view, done = memoryview(data), 0
    while done < size:
        count = stream.readinto(view[done:])  # type: ignore[attr-defined]
        if not count:
            raise BrokenMessageError
        done += count
    return data


def pack(decoded: Decoded) -> tuple[Message, list[Blob]]:
    """A decoded picture as a message."""
    info = asdict(decoded.info)
    blobs: list[Blob] = [info.pop(name) or b"" for name in _BLOBS]
    pixels = np.ascontiguousarray(decoded.pixels)
    message = {"info": info, "shape": pixels.shape, "dtype": str(pixels.dtype)}
    return message, [*blobs, pixels.data.cast("B")]


def unpack(message: Message, blobs: list[bytearray], max_pixels: int) -> Decoded:
    """The picture in a message.

    Raises:
        BrokenMessageError: there is none in it.
        ImageError: the worker has refused it.
    """
    try:
        if "error" in message:
            raise ImageError(str(message["error"]))
        *blocks, data = blobs
        height, width, channels = (int(side) for side in message["shape"])
        if not (0 < height * width <= max_pixels and 1 <= channels <= 4):
            raise BrokenMessageError
        if message["dtype"] not in _DTYPES:
            raise BrokenMessageError
        pixels = np.frombuffer(data, message["dtype"]).reshape(height, width, channels)
        info = message["info"]
        dpi, cicp = info.pop("dpi"), info.pop("cicp")
        named = {name: bytes(block) or None for name, block in zip(_BLOBS, blocks, strict=True)}
        kept = PictureInfo(
            **info | named | {"notes": tuple(info["notes"])},
            dpi=None if dpi is None else (float(dpi[0]), float(dpi[1])),
            cicp=None if cicp is None else (int(cicp[0]), int(cicp[1])),
        )
    except ImageError:
        raise
    except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
        raise BrokenMessageError from error
    return Decoded(pixels, kept)
