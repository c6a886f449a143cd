"""The one loader: files, bytes, PIL images, arrays and tensors become a `Picture`."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, TiffImagePlugin
from torch import Tensor

from gsr.errors import ImageError, reason
from gsr.images.metadata import fitting_icc, read_info, upright
from gsr.images.picture import MAX_INPUT_PIXELS, ColourMode, Picture, Source, check_pixels
from gsr.images.pixels import fill_transparent, from_array, from_tensor, read_pixels

# Pillow knows more formats; these have a signature to tell them by and run no outside program.
_READABLE = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "JPEG2000", "PPM")
_WHITE_IS_ZERO = 0
_READABLE_TEXT = "PNG, JPEG, WebP, TIFF, BMP, GIF, AVIF, JPEG 2000, PPM/PGM/PFM"


def load(source: Source, *, max_pixels: int = MAX_INPUT_PIXELS) -> Picture:
    """Read a picture from anything that may hold one.

    EXIF orientation is applied; CMYK and LAB become sRGB; an RGB or grey ICC profile is kept, not
    applied. The result is on the CPU and shares no memory with the source.

    Args:
        source: a path, the bytes of an image file, a binary stream, a Pillow image, a NumPy array
            ([h, w] or [h, w, 1|3|4]; bool, uint8, uint16, or float in [0, 1]), a tensor ([h, w]
            or [1|3|4, h, w]; uint8, or float in [0, 1]), or a Picture, which is returned as it is.
        max_pixels: the largest width times height accepted, read from the header of a file before
            anything is decoded.

    Raises:
        ImageError: the source is missing, unreadable, damaged, too large or out of range.
        ShapeError: an array or tensor has another shape.
    """
    if isinstance(source, Picture):
        check_pixels(source.info.name, source.rgb.shape[2], source.rgb.shape[1], max_pixels)
        return source
    if isinstance(source, Tensor):
        return from_tensor(source, max_pixels)
    if isinstance(source, np.ndarray):
        return from_array(source, max_pixels)
    if isinstance(source, Image.Image):
        label = str(getattr(source, "filename", "") or "image")
        return _from_pillow(source, label, max_pixels)
    if isinstance(source, str | Path):
        with _open_file(Path(source)) as stream:
            return _from_stream(stream, str(source), max_pixels)
    return _from_stream(_as_stream(source), "image", max_pixels)


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
    if hasattr(source, "seekable") and source.seekable():
        return source  # type: ignore[return-value]
    return io.BytesIO(source.read())


def _from_stream(stream: BinaryIO, label: str, max_pixels: int) -> Picture:
    try:
        stream.seek(0)
        prefix = stream.read(16)
    except OSError as error:
        raise ImageError(f"{label} cannot be read: {reason(error)}.") from error
    if not prefix:
        raise ImageError(f"{label} is empty (0 bytes), and a picture file is needed.")
    image = _identify(stream, prefix, label)
    return _from_pillow(image, label, max_pixels)


def _identify(stream: BinaryIO, prefix: bytes, label: str) -> Image.Image:
    # Image.open would compare the size with Pillow's own limit, a module-wide setting that warns
    # or raises before ours is looked at; the format readers it dispatches to do not.
    Image.init()
    recognised = False
    for name in _READABLE:
        factory, accepts = Image.OPEN.get(name, (None, None))
        if factory is None or accepts is None or accepts(prefix) is not True:
            continue
        recognised = True
        with _decoding(label, passing=(SyntaxError, IndexError, TypeError, struct.error)):
            stream.seek(0)
            return factory(stream, label)
    if recognised:
        raise ImageError(_damaged(label))
    raise ImageError(f"{label} is not an image gsr can read; accepted: {_READABLE_TEXT}.")


@contextmanager
def _decoding(label: str, passing: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Turn whatever a decoder throws into one sentence; swallow the ``passing`` kinds."""
    try:
        yield
    except ImageError:
        raise
    except passing:
        pass
    except Exception as error:
        # Decoders of damaged input raise almost anything: OSError, struct.error, AssertionError.
        raise ImageError(_damaged(label)) from error


def _damaged(label: str) -> str:
    return f"{label} is damaged, cut short or of an unsupported variant, and cannot be decoded."


def _from_pillow(image: Image.Image, label: str, max_pixels: int) -> Picture:
    check_pixels(label, image.width, image.height, max_pixels)
    stored = _stored_mode(image)
    notes: list[str] = []
    with _decoding(label):
        image.load()
        info = read_info(image, label, notes)
        turned = upright(image)
    rgb, alpha, depth = read_pixels(turned, image.format, stored, label, notes)
    if _is_negative(image, depth):
        rgb = 1 - rgb
    opaque = alpha is not None and float(alpha.min()) == 1
    if opaque:  # nothing that a network would have to enlarge
        alpha = None
    mode = _colour_mode(turned.mode, stored)
    if ";16" in stored and depth == 8:
        notes.append("16-bit colour was read at 8 bits per channel.")
    icc = fitting_icc(info.icc, turned.mode, mode, notes)
    info = replace(info, mode=mode, opaque=opaque, bit_depth=depth, icc=icc, notes=tuple(notes))
    return Picture(fill_transparent(rgb, alpha), alpha, info)


def _is_negative(image: Image.Image, depth: int) -> bool:
    """Whether white is stored as 0, which Pillow puts right at 8 bits only."""
    photometric = getattr(image, "tag_v2", {}).get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION)
    return depth > 8 and photometric == _WHITE_IS_ZERO


def _colour_mode(pillow_mode: str, stored: str) -> ColourMode:
    # Pillow opens 16-bit grey with alpha as RGBA; the layout in the file still tells.
    single = pillow_mode.split(";")[0] in ("1", "L", "LA", "La", "I", "F")
    return "grey" if single or stored.split(";")[0] == "LA" else "rgb"


def _stored_mode(image: Image.Image) -> str:
    """The pixel layout in the file, for example ``"RGB;16B"``; empty when it is not known."""
    for tile in getattr(image, "tile", None) or ():
        arguments = tile[3]
        stored = arguments if isinstance(arguments, str) else (arguments or ("",))[0]
        return stored if isinstance(stored, str) else ""
    return ""
