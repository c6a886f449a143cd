"""The bytes of an image file as pixels and what is known of them."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache
from typing import Any, BinaryIO, cast

import numpy as np
import numpy.typing as npt
from PIL import Image, TiffImagePlugin

from gsr.base.errors import GsrError, ImageError, reason
from gsr.base.signatures import picture_format, plugin_of
from gsr.decoding.coding import described, is_deep_av1, read_cicp
from gsr.decoding.deep import is_deep, read_deep
from gsr.decoding.info import ColourMode, Decoded, check_pixels
from gsr.decoding.metadata import LYING, fitting_icc, orientation, read_info, upright
from gsr.decoding.pixels import read_pixels
from gsr.decoding.png import without_metadata
from gsr.decoding.white import check_white

# Pillow knows more formats; these have a signature to tell them by and run no outside program.
_READABLE = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "JPEG2000", "PPM", "HEIF", "JXL")
_WHITE_IS_ZERO = 0
_READABLE_TEXT = "PNG, JPEG, WebP, TIFF, BMP, GIF, AVIF, JPEG 2000, PPM/PGM/PFM"
_HEAD = 2**18
PREFIX = 16
"""Bytes at the beginning of a file that tell its format."""


def decode(stream: BinaryIO, label: str, max_pixels: int, white: float | None = None) -> Decoded:
    """Read an image file.

    Args:
        stream: The file; it can be sought in.
        label: What messages call it.
        max_pixels: The largest width times height accepted.
        white: The value that is white, of pictures of numbers.

    Raises:
        ImageError: if it is not an image, damaged, too large or out of range.
    """
    try:
        return _from_file(stream, label, max_pixels, white)
    except _Damaged:
        bare = without_metadata(stream)
        if bare is None:
            raise
    decoded = _from_file(bare, label, max_pixels, white)
    notes = (*decoded.info.notes, "The metadata could not be read and was left out.")
    return replace(decoded, info=replace(decoded.info, notes=notes))


def _from_file(stream: BinaryIO, label: str, max_pixels: int, white: float | None) -> Decoded:
    return from_pillow(_identify(stream, label), label, max_pixels, white, stream)


def read_size(stream: BinaryIO, label: str) -> tuple[int, int]:
    """Upright (height, width) from a picture's header.

    Raises:
        ImageError: it has none that can be read.
    """
    try:
        return _upright_size(_identify(stream, label), label)
    except _Damaged:
        bare = without_metadata(stream)
        if bare is None:
            raise
    return _upright_size(_identify(bare, label), label)


def _upright_size(image: Image.Image, label: str) -> tuple[int, int]:
    with _decoding(label):
        width, height = image.size
        return (width, height) if _orientation(image) in LYING else (height, width)


def is_known(prefix: bytes) -> bool:
    """Whether a file that begins so may be one of those that are read."""
    _register()
    return any(_accepts(name, prefix) for name in _READABLE)


@cache
def _register() -> None:
    """Let Pillow find its formats, and those of its plugins that are installed."""
    Image.init()
    with suppress(ImportError):
        import pillow_heif

        pillow_heif.register_heif_opener()
    with suppress(ImportError):
        import pillow_jxl  # noqa: F401  (registers itself)


def _accepts(name: str, prefix: bytes) -> bool:
    accepts = Image.OPEN.get(name, (None, None))[1]
    return accepts is not None and accepts(prefix) is True


class _Damaged(ImageError):
    """Recognised, and not readable."""


def _identify(stream: BinaryIO, label: str) -> Image.Image:
    # Image.open would compare the size with Pillow's own limit, a module-wide setting that warns
    # or raises before ours is looked at; the format readers it dispatches to do not.
    try:
        stream.seek(0)
        prefix = stream.read(PREFIX)
    except OSError as error:
        raise ImageError(f"{label} cannot be read: {reason(error)}.") from error
    if not prefix:
        raise ImageError(f"{label} is empty (0 bytes), and a picture file is needed.")
    if not is_known(prefix):
        found = picture_format(prefix)
        if found and (package := plugin_of(found)):
            what = f"{label} is a {found} picture, which needs {package}"
            raise ImageError(f'{what}: pip install "gaussiansr[formats]".')
        raise ImageError(f"{label} is not an image gsr can read; accepted: {_READABLE_TEXT}.")
    for name in _READABLE:
        if not _accepts(name, prefix):
            continue
        with _decoding(label, passing=(SyntaxError, IndexError, TypeError, struct.error)):
            stream.seek(0)
            # No name: Pillow would open what is called so, and show that file's bytes.
            return Image.OPEN[name][0](cast(BinaryIO, _Stream(stream)), "")
    raise _Damaged(_damaged(label))


class _Stream:
    """A file without its descriptor, in which libtiff moves so that Pillow loses its place."""

    def __init__(self, stream: BinaryIO):
        self.read, self.seek, self.tell = stream.read, stream.seek, stream.tell
        self.close = stream.close


@contextmanager
def _decoding(label: str, passing: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Turn whatever a decoder throws into one sentence; swallow the ``passing`` kinds."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata; what matters is said in notes
            yield
    except GsrError:
        raise
    except passing:
        pass
    except MemoryError as error:
        raise ImageError(f"{label} takes more memory to decode than there is for it.") from error
    except Exception as error:
        # Decoders of damaged input raise almost anything: OSError, struct.error, AssertionError.
        raise _Damaged(_damaged(label)) from error


def _damaged(label: str) -> str:
    return f"{label} is damaged, cut short or of an unsupported variant, and cannot be decoded."


def from_pillow(
    image: Image.Image,
    label: str,
    max_pixels: int,
    white: float | None = None,
    stream: BinaryIO | None = None,
) -> Decoded:
    """Of a Pillow image, decoded or not; see `decode`.

    The file it is in, if any, is asked for what Pillow does not tell.
    """
    check_white(white)
    check_pixels(label, image.width, image.height, max_pixels)
    with _decoding(label):  # all of it: what was opened may still fail anywhere
        return _read(image, label, white, stream)


def _read(image: Image.Image, label: str, white: float | None, stream: BinaryIO | None) -> Decoded:
    stored = _stored_mode(image)
    notes: list[str] = []
    image.load()
    info = read_info(image, label, notes)
    turned = upright(image)
    if stream is not None and is_deep(stored):
        key = image.info.get("transparency")
        pixels, depth = read_deep(image, _identify(stream, label), stored, key), 16
    else:
        pixels, depth = read_pixels(turned, image.format, stored, label, notes, white)
    colours = pixels.shape[-1] - (pixels.shape[-1] % 2 == 0)
    if _is_negative(image, depth):
        pixels[..., :colours] = _full(pixels) - pixels[..., :colours]
    opaque = colours < pixels.shape[-1] and bool(pixels[..., -1].min() == _full(pixels))
    if opaque:  # nothing that a network would have to enlarge
        pixels = pixels[..., :colours]
    mode = _colour_mode(turned.mode, stored)
    if ";16" in stored and depth == 8:
        notes.append("16-bit colour was read at 8 bits per channel.")
    info = replace(info, icc=fitting_icc(info.icc, turned.mode, mode, notes))
    if stream is not None:
        head = _head(stream)
        info = described(image, info, mode, read_cicp(head, image.format), notes)
        if image.format in ("AVIF", "HEIF") and is_deep_av1(head):
            notes.append("The picture has more than 8 bits per channel, of which 8 were read.")
    return Decoded(
        pixels, replace(info, mode=mode, opaque=opaque, bit_depth=depth, notes=tuple(notes))
    )


def _head(stream: BinaryIO) -> bytes:
    """The beginning of a file, before its pixels."""
    stream.seek(0)
    head = stream.read(_HEAD)
    return head.partition(b"IDAT")[0] if head.startswith(b"\x89PNG") else head


def _full(pixels: npt.NDArray[Any]) -> int:
    """Of a channel that is full."""
    return int(np.iinfo(pixels.dtype).max) if pixels.dtype.kind == "u" else 1


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


def _orientation(image: Image.Image) -> int:
    """Of a picture whose pixels are not read yet."""
    if image.format == "TIFF":
        return 1  # Pillow gives its size as it is upright
    if image.format == "PNG" and not {"exif", "Raw profile type exif"} & image.info.keys():
        return 1  # asked for what is not in the header, Pillow would decode all pixels
    return orientation(image)
