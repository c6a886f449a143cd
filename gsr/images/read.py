"""The one loader: files, bytes, PIL images, arrays and tensors become a `Picture`."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image
from torch import Tensor

from gsr.base.errors import ImageError, reason
from gsr.base.files import is_stream
from gsr.decoding.decode import PREFIX, decode, from_pillow, is_known
from gsr.decoding.info import MAX_INPUT_PIXELS, Decoded, check_pixels
from gsr.decoding.pool import Pool
from gsr.images.picture import Picture, Source
from gsr.images.planes import from_array, from_decoded, from_tensor

MOST_BYTES = 2**30
"""Of a file that is read from a pipe."""


def load(
    source: Source,
    *,
    max_pixels: int = MAX_INPUT_PIXELS,
    white: float | None = None,
    pool: Pool | None = None,
    name: str = "image",
) -> Picture:
    """Read a picture from anything that may hold one.

    EXIF orientation is applied; CMYK and LAB become sRGB; an RGB or grey ICC profile is kept, not
    applied. The result is on the CPU and shares no memory with the source.

    Args:
        source: a path, the bytes of an image file, a binary stream, a Pillow image, a NumPy array
            ([h, w] or [h, w, 1|3|4]; bool, uint8, uint16, or float in [0, 1]), a tensor ([h, w]
            or [1|3|4, h, w]; uint8, or float in [0, 1]), or a Picture, which is returned as it is.
        max_pixels: the largest width times height accepted, read from the header of a file before
            anything is decoded.
        white: the value that is white where pixels are numbers and not levels: float and 32-bit
            files, float arrays and tensors. Unless given, files must say it clearly themselves
            and arrays and tensors have 1.
        pool: decodes files outside this process, where a crash of a decoder costs the picture
            alone; unless given, they are decoded here.
        name: what messages call the source, where it does not bring a name itself.

    Raises:
        ImageError: the source is missing, unreadable, damaged, too large or out of range.
        ShapeError: an array or tensor has another shape.

    Examples:
        >>> import numpy as np
        >>> from gsr.images import load
        >>> load(np.zeros((6, 8, 3), dtype=np.uint8)).rgb.shape
        torch.Size([3, 6, 8])
    """
    if isinstance(source, Picture):
        check_pixels(source.info.name, source.rgb.shape[2], source.rgb.shape[1], max_pixels)
        return source
    if isinstance(source, Tensor):
        return from_tensor(source, max_pixels, white)
    if isinstance(source, np.ndarray):
        return from_array(source, max_pixels, white)
    return from_decoded(_decode(source, max_pixels, white, pool, name))


def _decode(
    source: object, max_pixels: int, white: float | None, pool: Pool | None, name: str
) -> Decoded:
    if isinstance(source, Image.Image):
        label = str(getattr(source, "filename", "") or name)
        return from_pillow(source, label, max_pixels, white)
    if not isinstance(source, str | Path):
        return _from_stream(_as_stream(source), name, max_pixels, white, pool)
    with _open_file(Path(source)) as stream:
        regular = stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
        if pool and regular and not is_stream(Path(source)):
            return pool.decode(Path(source), str(source), max_pixels, white)
        return _from_stream(stream, str(source), max_pixels, white, pool)


def _from_stream(
    stream: BinaryIO, label: str, max_pixels: int, white: float | None, pool: Pool | None
) -> Decoded:
    if pool is not None:
        return pool.decode(_whole(stream, label), label, max_pixels, white)
    if not stream.seekable():
        stream = io.BytesIO(_whole(stream, label))
    return decode(stream, label, max_pixels, white)


def _whole(stream: BinaryIO, label: str) -> bytes:
    """The bytes of a file, as far as it is worth to read them: some never end."""
    try:
        if stream.seekable():
            stream.seek(0)
        prefix = stream.read(PREFIX)
        rest = stream.read(MOST_BYTES) if is_known(prefix) else b""
    except OSError as error:
        raise ImageError(f"{label} cannot be read: {reason(error)}.") from error
    if len(rest) == MOST_BYTES:
        raise ImageError(f"{label} is longer than {MOST_BYTES >> 20} MiB.")
    return prefix + rest


def _open_file(path: Path) -> BinaryIO:
    try:
        # Windows reports opening a folder as a lack of permission.
        if path.is_dir():
            raise IsADirectoryError
        return path.open("rb")
    except FileNotFoundError:
        raise ImageError(f"{path}: there is no such file.") from None
    except IsADirectoryError:
        raise ImageError(f"{path} is a folder, and a picture file is needed.") from None
    except PermissionError:
        raise ImageError(f"{path}: there is no permission to read this file.") from None
    except (OSError, ValueError) as error:
        raise ImageError(f"{path} cannot be opened: {reason(error)}.") from error


def _as_stream(source: object) -> BinaryIO:
    if isinstance(source, bytes | bytearray | memoryview):
        return io.BytesIO(source)
    if isinstance(source, io.TextIOBase):
        raise ImageError("a stream with a picture must be opened in binary mode, got a text one.")
    if not hasattr(source, "read"):
        raise ImageError(
            "a picture must be a path, bytes, a binary stream, a Pillow image, a NumPy array or a "
            f"tensor, got {type(source).__name__}."
        )
    if hasattr(source, "seekable"):
        return source  # type: ignore[return-value]
    return io.BytesIO(source.read())
