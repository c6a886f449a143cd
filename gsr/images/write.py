"""The one writer: atomic, metadata kept, one clear sentence when it cannot be."""

from __future__ import annotations

import io
from collections.abc import Collection
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from gsr.base.atomic import writing
from gsr.base.compression import Compression
from gsr.base.errors import OutputError, reason
from gsr.decoding.coding import hdr_name
from gsr.decoding.info import PictureInfo
from gsr.images.embedding import Embedded, chosen, embed, with_segments
from gsr.images.quantise import Depth
from gsr.images.samples import Samples, pillow_mode, write_png, write_tiff

_WRITABLE = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
}
_LONGEST_SIDE = {"JPEG": 65_500, "WEBP": 16_383}
_DEPTHS: dict[str, tuple[Depth, ...]] = {"PNG": (8, 16), "TIFF": (8, 16, 32)}
_WRITE_SAMPLES = {"PNG": write_png, "TIFF": write_tiff}
_NO_TRANSPARENCY = ("JPEG", "BMP")


def save(
    image: Image.Image | Samples,
    path: str | Path,
    info: PictureInfo | None = None,
    *,
    strip: bool = False,
    keep: Collection[str] | None = None,
    comment: dict[str, str] | None = None,
    quality: int | None = None,
    compression: Compression | None = None,
) -> tuple[str, ...]:
    """Write a picture whole or not at all; an existing file is replaced only at the very end.

    The suffix picks the format: .png, .jpg, .jpeg, .webp (lossless), .tif, .tiff (lossless), .bmp.

    Args:
        image: an 8-bit Pillow image, as from :func:`to_pil`, or levels of any depth that the
            format has, see `depth_for`.
        path: where to; the folder must exist. A symbolic link is followed.
        info: ICC profile, EXIF, XMP, IPTC, text and resolution to keep, as far as the format has
            a place.
        strip: write pixels only: no ICC, EXIF, text, resolution or comment.
        keep: kinds of metadata to keep, see `gsr.base.metadata_kinds`; unless given, all.
        comment: entries such as ``{"Software": "gsr 0.1", "gsr:scale": "3.7"}``, written as PNG
            text, or joined into the EXIF Software tag of JPEG, WebP and TIFF.
        quality: of a JPEG, 1 to 100; 95 if not given. Other formats do not look at it.
        compression: all that formats have to choose, instead of `quality`.

    Returns:
        Notes: a sentence for each thing in `info` that the file could not take.

    Raises:
        OutputError: unknown suffix, a picture the format cannot hold, or a failing file system.
    """
    target = Path(path)
    pixels = _simplified(image)
    height, width = (
        (pixels.height, pixels.width) if isinstance(pixels, Image.Image) else pixels.shape[:2]
    )
    size = height, width
    file_format = check_output(target, size, transparent=_shows_through(pixels), info=info)
    if file_format in _NO_TRANSPARENCY:
        pixels = _opaque(pixels)
    if compression is None:
        compression = Compression(quality if file_format == "JPEG" else None)
    choices = compression.options(file_format, target)
    if strip:
        info, comment = PictureInfo(cicp=info.cicp if info and hdr_name(info) else None), {}
    kept = chosen(info or PictureInfo(), keep)
    try:
        with writing(target) as stream:
            notes = _write_all(pixels, stream, file_format, choices, kept, comment or {})
    except OutputError:
        raise
    except (OSError, MemoryError):
        raise
    except Exception as error:
        said = reason(error)
        raise OutputError(f"{target} cannot be written as {file_format}: {said}.") from error
    return (*notes, *_shallow(pixels, info, file_format))


def depth_for(path: str | Path, info: PictureInfo, wanted: Depth | None = None) -> Depth:
    """Bits per channel of a result: as wanted, else those of the picture where the format can.

    Raises:
        OutputError: the format has no such depth.
    """
    file_format = _WRITABLE.get(Path(path).suffix.lower(), "")
    depths: tuple[Depth, ...] = _DEPTHS.get(file_format, (8,))
    if wanted is not None:
        if wanted not in depths:
            listed = " or ".join(map(str, depths))
            raise OutputError(f"{path}: {file_format} holds {listed} bits, and {wanted} are asked.")
        return wanted
    return 16 if info.bit_depth > 8 and 16 in depths else 8


def _shallow(
    pixels: Image.Image | Samples, info: PictureInfo | None, file_format: str
) -> tuple[str, ...]:
    deep = not isinstance(pixels, Image.Image)
    if deep or info is None or not 8 < info.bit_depth < 32 or 16 in _DEPTHS.get(file_format, ()):
        return ()
    return (f"{file_format} holds 8 bits per channel, and the picture had {info.bit_depth}.",)


def _simplified(image: Image.Image | Samples) -> Image.Image | Samples:
    """Levels of 8 bits as Pillow has them."""
    if isinstance(image, Image.Image) or image.dtype != np.uint8:
        return image
    return Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)


def _opaque(pixels: Image.Image | Samples) -> Image.Image | Samples:
    if isinstance(pixels, Image.Image):
        return (
            pixels.convert(pixels.mode.removesuffix("A"))
            if pixels.mode in ("RGBA", "LA")
            else pixels
        )
    return pixels[..., : pixels.shape[2] - (pixels.shape[2] % 2 == 0)]


def _write_all(
    image: Image.Image | Samples,
    stream: BinaryIO,
    file_format: str,
    choices: dict[str, Any],
    info: PictureInfo,
    comment: dict[str, str],
) -> tuple[str, ...]:
    """Pixels and metadata; where metadata is in the way after all, pixels and our own comment."""
    mode = image.mode if isinstance(image, Image.Image) else pillow_mode(image)
    embedded = embed(info, comment, file_format, mode)
    try:
        _write(image, stream, file_format, choices, embedded)
        return embedded.notes
    except OSError as error:
        if error.errno is not None:  # of the file system
            raise
    except MemoryError:
        raise
    except Exception:
        pass  # whatever it was: the next attempt meets it again, or was the answer
    stream.seek(0)
    stream.truncate()
    _write(image, stream, file_format, choices, embed(PictureInfo(), comment, file_format, ""))
    return (f"The metadata could not be written as {file_format} and was left out.",)


def _write(
    image: Image.Image | Samples,
    stream: BinaryIO,
    file_format: str,
    choices: dict[str, Any],
    embedded: Embedded,
) -> None:
    options = choices | embedded.options
    if not isinstance(image, Image.Image):
        _WRITE_SAMPLES[file_format](image, stream, options)
        return
    if not embedded.segments:
        _bare(image).save(stream, format=file_format, **options)
        return
    bare = io.BytesIO()
    _bare(image).save(bare, format=file_format, **options)
    for part in with_segments(bare.getvalue(), embedded.segments):
        stream.write(part)


def _shows_through(image: Image.Image | Samples) -> bool:
    if not isinstance(image, Image.Image):
        full = np.iinfo(image.dtype).max if image.dtype.kind == "u" else 1
        return image.shape[2] % 2 == 0 and bool(image[..., -1].min() < full)
    if image.mode in ("RGBA", "LA"):
        return image.getchannel("A").getextrema() != (255, 255)
    return image.has_transparency_data


def check_output(
    path: str | Path,
    size: tuple[int, int],
    *,
    transparent: bool = False,
    info: PictureInfo | None = None,
) -> str:
    """The format `path` asks for, if it can hold a picture of `size` (height, width).

    Raises:
        OutputError: unknown suffix, too many pixels a side, or transparency or a range of light it
            has no place for.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _WRITABLE:
        raise OutputError(
            f"{path} must end in one of {', '.join(_WRITABLE)}, got {suffix or 'no suffix'!r}."
        )
    file_format = _WRITABLE[suffix]
    if file_format in _NO_TRANSPARENCY and transparent:
        # Compositing on some background instead would lose the transparency without a word.
        raise OutputError(
            f"{path}: {file_format} has no transparency and this picture does; use .png or .webp."
        )
    curve = info and hdr_name(info)
    if curve and file_format != "PNG":
        raise OutputError(
            f"{path}: this picture has high dynamic range ({curve}), which {file_format} cannot "
            "say, so that it would look wrong everywhere; use .png."
        )
    longest = _LONGEST_SIDE.get(file_format)
    if longest is not None and max(size) > longest:
        raise OutputError(
            f"{path}: {file_format} holds at most {longest} pixels a side and this picture is "
            f"{size[1]} x {size[0]}; use .png or .tif."
        )
    return file_format


def _bare(image: Image.Image) -> Image.Image:
    """The image without metadata of its own, which some Pillow writers would add unasked."""
    if type(image) is Image.Image and not image.info:
        return image
    bare = image.copy()
    bare.info = {key: image.info[key] for key in ("transparency",) if key in image.info}
    return bare
