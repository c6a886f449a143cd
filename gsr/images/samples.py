"""Samples of more than 8 bits in PNG and TIFF, which Pillow writes of 8 bits only.

Pillow writes the file with all its metadata; what is said there of the layout of the samples, and
in a PNG the samples themselves, is put in its place.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image

from gsr.decoding.metadata import with_tags

Samples = npt.NDArray[Any]
"""[h, w, c] uint16, or float32 in [0, 1]; grey or RGB, with alpha as the last of 2 or 4."""

_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_PNG_KINDS = {1: 0, 2: 4, 3: 2, 4: 6}
_PNG_START = 8
_BAND = 1 << 22
_WIDTH, _BITS, _FORMAT = 256, 258, 339
_FLOAT = 3


def pillow_mode(samples: Samples) -> str:
    """What Pillow calls pixels of this many channels."""
    return _MODES[samples.shape[2]]


def write_png(samples: Samples, stream: BinaryIO, options: dict[str, Any]) -> None:
    """A PNG of 16 bits per channel.

    Args:
        samples: uint16.
        stream: Where to.
        options: For `PIL.Image.Image.save`: metadata.
    """
    height, width, channels = samples.shape
    shell = io.BytesIO()
    Image.new(_MODES[channels], (1, 1)).save(shell, "PNG", **options)
    stream.write(shell.getvalue()[:_PNG_START])
    for kind, data in _chunks(shell.getvalue()):
        if kind == b"IHDR":
            data = struct.pack(">IIBBBBB", width, height, 16, _PNG_KINDS[channels], 0, 0, 0)
        if kind != b"IDAT":
            stream.write(_chunk(kind, data))
            continue
        for part in _compressed(samples):
            stream.write(_chunk(kind, part))


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = _PNG_START
    while at < len(png):
        size = int.from_bytes(png[at : at + 4], "big")
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        at += 12 + size


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def _compressed(samples: Samples) -> Iterator[bytes]:
    """Rows filtered by Paeth's predictor, in bands that bound the memory."""
    height, width, channels = samples.shape
    pixel = 2 * channels
    squeeze = zlib.compressobj(6)
    above = np.zeros((1, pixel * (width + 1)), np.uint8)
    rows = max(1, _BAND // (pixel * width))
    for top in range(0, height, rows):
        big = np.ascontiguousarray(samples[top : top + rows].astype(">u2"))
        lines = np.pad(big.reshape(len(big), -1).view(np.uint8), ((0, 0), (pixel, 0)))
        filtered = _paeth(np.concatenate([above, lines]), pixel)
        above = lines[-1:]
        data = squeeze.compress(np.pad(filtered, ((0, 0), (1, 0)), constant_values=4).tobytes())
        if data:
            yield data
    yield squeeze.flush()


def _paeth(lines: npt.NDArray[np.uint8], pixel: int) -> npt.NDArray[np.uint8]:
    """What is left of rows of bytes, of which the first row and pixel are only looked at."""
    whole = lines.astype(np.int16)
    left, up, corner = whole[1:, :-pixel], whole[:-1, pixel:], whole[:-1, :-pixel]
    of_left, of_up = np.abs(up - corner), np.abs(left - corner)
    of_corner = np.abs(left + up - 2 * corner)
    nearest = np.where(of_up <= of_corner, up, corner)
    guess = np.where((of_left <= of_up) & (of_left <= of_corner), left, nearest)
    return (whole[1:, pixel:] - guess).astype(np.uint8)


def write_tiff(samples: Samples, stream: BinaryIO, options: dict[str, Any]) -> None:
    """A TIFF of the samples as they are.

    Args:
        samples: uint16, or float32.
        stream: Where to; it can be read and sought in.
        options: For `PIL.Image.Image.save`: metadata and compression.
    """
    height, width, channels = samples.shape
    little = np.ascontiguousarray(samples.astype(samples.dtype.newbyteorder("<")))
    size = samples.dtype.itemsize
    bytes_as_pixels = little.view(np.uint8).reshape(height, width * size, channels)
    if samples.dtype.kind == "f":
        more = {_FORMAT: (_FLOAT,) * channels}
        # Compressed, it would go through libtiff, which has its own mind about this tag; and the
        # bytes of floats hardly get fewer.
        exif = with_tags(options.get("exif"), more)
        options = options | {"exif": exif, "compression": "raw"}
    start = stream.tell()
    shape = bytes_as_pixels[..., 0] if channels == 1 else bytes_as_pixels
    Image.fromarray(shape).save(stream, "TIFF", **options)
    _relabel(stream, start, width, 8 * size)


def _relabel(stream: BinaryIO, start: int, width: int, bits: int) -> None:
    """Say in a TIFF that its bytes are wider samples of fewer pixels."""
    stream.seek(start)
    order = "<" if stream.read(2) == b"II" else ">"
    stream.seek(start + 4)
    (at,) = struct.unpack(order + "I", stream.read(4))
    stream.seek(start + at)
    (count,) = struct.unpack(order + "H", stream.read(2))
    for entry in range(start + at + 2, start + at + 2 + 12 * count, 12):
        stream.seek(entry)
        tag, _, many, value = struct.unpack(order + "HHII", stream.read(12))
        if tag == _WIDTH:
            stream.seek(entry + 2)
            stream.write(struct.pack(order + "HII", 4, 1, width))
        if tag == _BITS:
            inside = many <= 2
            stream.seek(entry + 8 if inside else start + value)
            stream.write(struct.pack(f"{order}{many}H", *(bits,) * many))
    stream.seek(0, io.SEEK_END)
