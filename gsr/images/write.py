"""The one writer: atomic, metadata kept, one clear sentence when it cannot be."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image

from gsr.base.atomic import writing
from gsr.base.errors import OutputError, reason
from gsr.decoding.info import PictureInfo
from gsr.images.embedding import Embedded, embed, with_segments

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
_NO_TRANSPARENCY = ("JPEG", "BMP")


def save(
    image: Image.Image,
    path: str | Path,
    info: PictureInfo | None = None,
    *,
    strip: bool = False,
    comment: dict[str, str] | None = None,
    quality: int = 95,
) -> tuple[str, ...]:
    """Write a picture whole or not at all; an existing file is replaced only at the very end.

    The suffix picks the format: .png, .jpg, .jpeg, .webp (lossless), .tif, .tiff (lossless), .bmp.

    Args:
        image: an 8-bit Pillow image, as from :func:`to_pil`.
        path: where to; the folder must exist. A symbolic link is followed.
        info: ICC profile, EXIF, text and resolution to keep, as far as the format has a place.
        strip: write pixels only: no ICC, EXIF, text, resolution or comment.
        comment: entries such as ``{"Software": "gsr 0.1", "gsr:scale": "3.7"}``, written as PNG
            text, or joined into the EXIF Software tag of JPEG, WebP and TIFF.
        quality: JPEG quality, 1 to 100.

    Returns:
        Notes: a sentence for each thing in `info` that the file could not take.

    Raises:
        OutputError: unknown suffix, a picture the format cannot hold, or a failing file system.
    """
    target = Path(path)
    size = image.height, image.width
    file_format = check_output(target, size, transparent=_shows_through(image))
    if file_format in _NO_TRANSPARENCY and image.mode in ("RGBA", "LA"):
        image = image.convert(image.mode.removesuffix("A"))
    if not 1 <= quality <= 100:
        raise OutputError(f"quality must be from 1 to 100, got {quality}.")
    try:
        with writing(target) as stream:
            if strip:
                _write(image, stream, file_format, quality, Embedded({}))
                return ()
            return _write_all(image, stream, file_format, quality, info, comment or {})
    except OutputError:
        raise
    except (OSError, MemoryError):
        raise
    except Exception as error:
        said = reason(error)
        raise OutputError(f"{target} cannot be written as {file_format}: {said}.") from error


def _write_all(
    image: Image.Image,
    stream: BinaryIO,
    file_format: str,
    quality: int,
    info: PictureInfo | None,
    comment: dict[str, str],
) -> tuple[str, ...]:
    """Pixels and metadata; where metadata is in the way after all, pixels and our own comment."""
    embedded = embed(info or PictureInfo(), comment, file_format, image.mode)
    try:
        _write(image, stream, file_format, quality, embedded)
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
    _write(image, stream, file_format, quality, embed(PictureInfo(), comment, file_format, ""))
    return (f"The metadata could not be written as {file_format} and was left out.",)


def _write(
    image: Image.Image, stream: BinaryIO, file_format: str, quality: int, embedded: Embedded
) -> None:
    options = _pixel_options(file_format, quality) | embedded.options
    if not embedded.segments:
        _bare(image).save(stream, format=file_format, **options)
        return
    bare = io.BytesIO()
    _bare(image).save(bare, format=file_format, **options)
    for part in with_segments(bare.getvalue(), embedded.segments):
        stream.write(part)


def _shows_through(image: Image.Image) -> bool:
    if image.mode in ("RGBA", "LA"):
        return image.getchannel("A").getextrema() != (255, 255)
    return image.has_transparency_data


def check_output(path: str | Path, size: tuple[int, int], *, transparent: bool = False) -> str:
    """The format `path` asks for, if it can hold a picture of `size` (height, width).

    Raises:
        OutputError: unknown suffix, too many pixels a side, or transparency it has no place for.
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
    longest = _LONGEST_SIDE.get(file_format)
    if longest is not None and max(size) > longest:
        raise OutputError(
            f"{path}: {file_format} holds at most {longest} pixels a side and this picture is "
            f"{size[1]} x {size[0]}; use .png or .tif."
        )
    return file_format


def _pixel_options(file_format: str, quality: int) -> dict[str, Any]:
    options: dict[str, dict[str, Any]] = {
        # Full-resolution chroma: halving it would undo part of what was just upscaled.
        "JPEG": {"quality": quality, "subsampling": 0},
        "WEBP": {"lossless": True, "exact": True},
        "TIFF": {"compression": "tiff_deflate"},
    }
    return options.get(file_format, {})


def _bare(image: Image.Image) -> Image.Image:
    """The image without metadata of its own, which some Pillow writers would add unasked."""
    if type(image) is Image.Image and not image.info:
        return image
    bare = image.copy()
    bare.info = {key: image.info[key] for key in ("transparency",) if key in image.info}
    return bare
