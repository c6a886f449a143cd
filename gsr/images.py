"""Pictures in and out: the one loader, the one writer, and the classical resampling.

Everything read becomes a :class:`Picture`, RGB in [0, 1] with the transparency kept apart.
"""

from __future__ import annotations

import errno
import io
import math
import os
import secrets
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from PIL import ExifTags, Image, ImageCms, ImageOps, PngImagePlugin
from torch import Tensor
from torch.nn import functional

from gsr.errors import ImageError, OutputError, ScaleError, ShapeError, check_shape

MAX_INPUT_PIXELS = 64_000_000

ColourMode: TypeAlias = Literal["rgb", "grey"]
Kind: TypeAlias = Literal["bicubic", "lanczos", "nearest"]

# Pillow knows more formats; these have a signature to tell them by and run no outside program.
_READABLE = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "JPEG2000", "PPM")
_READABLE_TEXT = "PNG, JPEG, WebP, TIFF, BMP, GIF, AVIF, JPEG 2000, PPM/PGM/PFM"
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
_ANIMATED = ("GIF", "WEBP", "PNG", "AVIF")

# What describes the picture; every other tag describes how the source file stores its pixels.
_KEPT_EXIF = frozenset(
    {
        ExifTags.Base.ImageDescription,
        ExifTags.Base.Make,
        ExifTags.Base.Model,
        ExifTags.Base.Software,
        ExifTags.Base.DateTime,
        ExifTags.Base.Artist,
        ExifTags.Base.HostComputer,
        ExifTags.Base.Rating,
        ExifTags.Base.Copyright,
        ExifTags.IFD.Exif,
        ExifTags.IFD.GPSInfo,
    }
)
_EXIF_PIXEL_SIZE = (ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight)

_BAND_VALUES = 1 << 20

_RESAMPLING = {
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "nearest": Image.Resampling.NEAREST,
}


@dataclass(frozen=True)
class PictureInfo:
    """What is worth keeping of a picture besides its pixels.

    Attributes:
        name: file name without the folder, or ``"image"``.
        mode: ``"grey"`` when the source had one colour channel.
        bit_depth: bits per channel that were read: 1, 8, 16, or 32 for floating point.
        icc: ICC profile that fits the pixels, untouched.
        exif: EXIF block without orientation, thumbnail and pixel layout.
        text: text entries, such as PNG text chunks.
        dpi: horizontal and vertical resolution in dots per inch.
        frames: pictures in the source; only the first is read.
        notes: sentences for the user about anything that was changed or left out.
    """

    name: str = "image"
    mode: ColourMode = "rgb"
    bit_depth: int = 8
    icc: bytes | None = None
    exif: bytes | None = None
    text: dict[str, str] = field(default_factory=dict)
    dpi: tuple[float, float] | None = None
    frames: int = 1
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Picture:
    """A picture ready for a model.

    Attributes:
        rgb: [3, h, w] float32 in [0, 1], as encoded (gamma not removed); grey has three equal
            channels.
        alpha: [h, w] float32 in [0, 1], or None without transparency. RGB is not premultiplied.
        info: everything else.
    """

    rgb: Tensor
    alpha: Tensor | None
    info: PictureInfo


Source: TypeAlias = (
    str | Path | bytes | BinaryIO | Image.Image | npt.NDArray[Any] | Tensor | Picture
)


# --- reading ---------------------------------------------------------------------------------


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
        _check_size(source.info.name, source.rgb.shape[2], source.rgb.shape[1], max_pixels)
        return source
    if isinstance(source, Tensor):
        return _from_tensor(source, max_pixels)
    if isinstance(source, np.ndarray):
        return _from_array(source, max_pixels)
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
        raise ImageError(f"{path} cannot be opened: {_reason(error)}.") from error


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
        raise ImageError(f"{label} cannot be read: {_reason(error)}.") from error
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
    raise ImageError(f"{label} is not an image Gsr can read; accepted: {_READABLE_TEXT}.")


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


def _check_size(label: str, width: int, height: int, max_pixels: int) -> None:
    if width < 1 or height < 1:
        raise ImageError(f"{label} has no pixels ({width} x {height}).")
    if width * height > max_pixels:
        raise ImageError(
            f"{label} is {width} x {height} pixels ({width * height / 1e6:.3g} megapixels), and "
            f"at most {max_pixels / 1e6:.3g} megapixels are accepted."
        )


def _from_pillow(image: Image.Image, label: str, max_pixels: int) -> Picture:
    _check_size(label, image.width, image.height, max_pixels)
    stored = _stored_mode(image)
    notes: list[str] = []
    with _decoding(label):
        image.load()
        info = _read_info(image, label, notes)
        upright = _upright(image)
    rgb, alpha, depth = _read_pixels(upright, image.format, label, notes)
    mode = _colour_mode(upright.mode, stored)
    if ";16" in stored and depth == 8:
        notes.append("16-bit colour was read at 8 bits per channel.")
    icc = _fitting_icc(info.icc, upright.mode, mode, notes)
    info = replace(info, mode=mode, bit_depth=depth, icc=icc, notes=tuple(notes))
    return Picture(_fill_transparent(rgb, alpha), alpha, info)


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


def _read_info(image: Image.Image, label: str, notes: list[str]) -> PictureInfo:
    frames = int(getattr(image, "n_frames", 1))
    if frames > 1 and image.format in _ANIMATED:
        notes.append(f"Animated image: the first of {frames} frames was used.")
    elif frames > 1:
        notes.append(f"The file holds {frames} pictures: the first was used.")
    return PictureInfo(
        name=Path(label).name or "image",
        icc=image.info.get("icc_profile") or None,
        exif=_read_exif(image, notes),
        text=_read_text(image),
        dpi=_read_dpi(image),
        frames=frames,
    )


def _read_exif(image: Image.Image, notes: list[str]) -> bytes | None:
    try:
        exif = Image.Exif()
        exif.load(image.getexif().tobytes())
        for tag in set(exif) - _KEPT_EXIF:
            del exif[tag]
        if ExifTags.IFD.Exif in exif:
            details = exif.get_ifd(ExifTags.IFD.Exif)
            for tag in _EXIF_PIXEL_SIZE:
                details.pop(tag, None)
        return exif.tobytes() if len(exif) else None
    except Exception:
        # A broken EXIF block is no reason to refuse sound pixels.
        notes.append("The EXIF data could not be read and was left out.")
        return None


def _read_text(image: Image.Image) -> dict[str, str]:
    text = {str(key): str(value) for key, value in getattr(image, "text", {}).items()}
    # These carry a second copy of orientation and size, which would contradict the pixels.
    text = {key: value for key, value in text.items() if not key.startswith(("XML:", "Raw prof"))}
    comment = image.info.get("comment")
    if isinstance(comment, bytes):
        comment = comment.decode("utf-8", "replace")
    if isinstance(comment, str) and comment:
        text.setdefault("Comment", comment)
    return text


def _read_dpi(image: Image.Image) -> tuple[float, float] | None:
    try:
        horizontal, vertical = (float(value) for value in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    # Pillow reports 1 for a TIFF file that gives no resolution.
    usable = all(math.isfinite(value) and value > 1 for value in (horizontal, vertical))
    return (horizontal, vertical) if usable else None


def _upright(image: Image.Image) -> Image.Image:
    try:
        turned = image.getexif().get(ExifTags.Base.Orientation, 1) != 1
    except Exception:
        return image
    return ImageOps.exif_transpose(image) if turned else image


def _fitting_icc(
    icc: bytes | None, source_mode: str, mode: ColourMode, notes: list[str]
) -> bytes | None:
    if icc is None or source_mode in ("CMYK", "LAB"):
        return None
    if _icc_space(icc) == ("GRAY" if mode == "grey" else "RGB "):
        return icc
    notes.append(f"The colour profile does not fit {mode} pixels and was left out.")
    return None


def _icc_space(icc: bytes) -> str:
    return icc[16:20].decode("latin-1")


# --- pixels ----------------------------------------------------------------------------------


def _read_pixels(
    image: Image.Image, file_format: str | None, label: str, notes: list[str]
) -> tuple[Tensor, Tensor | None, int]:
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _read_deep_grey(image, file_format, label, notes)
    standard = _to_standard(image, notes)
    pixels = np.array(standard)
    planes = _unit_planes(pixels[..., None] if pixels.ndim == 2 else pixels)
    rgb, alpha = _split(planes)
    return rgb, alpha, 1 if image.mode == "1" else 8


def _to_standard(image: Image.Image, notes: list[str]) -> Image.Image:
    """Convert to one of the modes L, LA, RGB and RGBA."""
    if image.mode == "CMYK":
        return _cmyk_to_rgb(image, notes)
    if image.mode == "LAB":
        notes.append("LAB colours were converted to sRGB.")
        return _convert_profile(image, ImageCms.createProfile("LAB"))
    transparent = image.has_transparency_data
    if image.mode in ("1", "L", "LA", "La"):
        return image.convert("LA" if transparent else "L")
    return image.convert("RGBA" if transparent else "RGB")


def _cmyk_to_rgb(image: Image.Image, notes: list[str]) -> Image.Image:
    icc = image.info.get("icc_profile")
    if icc and _icc_space(icc) == "CMYK":
        with suppress(OSError, ImageCms.PyCMSError):
            converted = _convert_profile(image, ImageCms.ImageCmsProfile(io.BytesIO(icc)))
            notes.append("CMYK colours were converted to sRGB through the picture's own profile.")
            return converted
    notes.append("CMYK colours were converted to RGB without a profile and are approximate.")
    return image.convert("RGB")


def _convert_profile(image: Image.Image, profile: Any) -> Image.Image:
    srgb = ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(image, profile, srgb, outputMode="RGB")
    assert converted is not None  # only None when converting in place
    return converted


def _read_deep_grey(
    image: Image.Image, file_format: str | None, label: str, notes: list[str]
) -> tuple[Tensor, Tensor | None, int]:
    values = np.array(image)
    peak, depth = _deep_peak(image.mode, values, file_format, label, notes)
    grey = np.ascontiguousarray(values[None], dtype=np.float32)
    grey /= np.float32(peak)
    transparent = image.info.get("transparency")
    alpha = None
    if isinstance(transparent, int):
        alpha = torch.from_numpy((values != transparent).astype(np.float32))
    return torch.from_numpy(grey).repeat(3, 1, 1), alpha, depth


def _deep_peak(
    mode: str, values: npt.NDArray[Any], file_format: str | None, label: str, notes: list[str]
) -> tuple[float, int]:
    """The value that stands for white, and the bit depth."""
    if mode.startswith("I;16"):
        return 65535.0, 16
    low, high = float(values.min()), float(values.max())
    if not (low >= 0 and high <= 65535):
        raise ImageError(
            f"{label} has grey values from {low:g} to {high:g}; accepted: 0 to 1, 0 to 255 or "
            "0 to 65535."
        )
    # Pillow scales the 16-bit values of these two formats itself, however dark the picture is.
    if mode == "I" and file_format in ("PNG", "PPM"):
        return 65535.0, 16
    if mode == "F" and high <= 1:
        peak, depth = 1.0, 32
        notes.append("Floating-point values were taken as they are: 1 is white.")
    else:
        peak, depth = (255.0, 8) if high <= 255 else (65535.0, 16)
        notes.append(f"The largest grey value is {high:g}, so {peak:g} was taken as white.")
    return peak, 32 if mode == "F" else depth


def _unit_planes(pixels: npt.NDArray[Any]) -> Tensor:
    """[h, w, c] bool, uint8, uint16 or float -> [c, h, w] float32 in [0, 1], a copy."""
    planes = np.array(np.moveaxis(pixels, -1, 0), dtype=np.float32, order="C")
    if pixels.dtype.kind == "u":
        planes /= np.float32(np.iinfo(pixels.dtype).max)
    return torch.from_numpy(planes)


def _split(planes: Tensor) -> tuple[Tensor, Tensor | None]:
    """[1|2|3|4, h, w] -> [3, h, w] and, from an even number of planes, [h, w]."""
    alpha = planes[-1].clone() if planes.shape[0] in (2, 4) else None
    colour = planes[:-1] if alpha is not None else planes
    rgb = colour.repeat(3, 1, 1) if colour.shape[0] == 1 else colour.contiguous()
    return rgb, alpha


def _fill_transparent(rgb: Tensor, alpha: Tensor | None) -> Tensor:
    """Give fully transparent pixels the colour of the opaque ones near them.

    Their stored colour is arbitrary, most often black. A model looks at a neighbourhood, so that
    black would bleed into the visible edge and show as a dark fringe.
    """
    if alpha is None:
        return rgb
    hidden = alpha == 0
    if not bool(hidden.any()) or bool(hidden.all()):
        return rgb
    return _pull_push(rgb[None], alpha[None, None])[0]


def _pull_push(colour: Tensor, weight: Tensor) -> Tensor:
    """Fill colour [1, 3, h, w] where weight [1, 1, h, w] is 0 from ever coarser averages."""
    hidden = weight == 0
    if not bool(hidden.any()):
        return colour
    share = functional.avg_pool2d(weight, 2, ceil_mode=True)
    total = functional.avg_pool2d(colour * weight, 2, ceil_mode=True)
    coarse = _pull_push(total / share.clamp_min(1e-12), share)
    size = (weight.shape[-2], weight.shape[-1])
    spread = functional.interpolate(coarse, size=size, mode="bilinear", align_corners=False)
    return torch.where(hidden, spread, colour)


def _from_array(array: npt.NDArray[Any], max_pixels: int) -> Picture:
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))):
        raise ShapeError(
            f"a NumPy picture must have shape [h, w] or [h, w, 1|3|4], got {array.shape}."
        )
    kind, size = array.dtype.kind, array.dtype.itemsize
    if not (kind in "bf" or (kind == "u" and size <= 2)):
        raise ImageError(
            "a NumPy picture must be bool, uint8, uint16, or float in [0, 1], got "
            f"{array.dtype.name}."
        )
    _check_size("image", array.shape[1], array.shape[0], max_pixels)
    depth = {"b": 1, "u": 8 * size, "f": 32}[kind]
    planes = _unit_planes(array[..., None] if array.ndim == 2 else array)
    return _from_planes(planes, depth)


def _from_tensor(tensor: Tensor, max_pixels: int) -> Picture:
    shape = tuple(tensor.shape)
    if not (tensor.ndim == 2 or (tensor.ndim == 3 and shape[0] in (1, 3, 4))):
        raise ShapeError(f"a tensor picture must have shape [h, w] or [1|3|4, h, w], got {shape}.")
    if not (tensor.is_floating_point() or tensor.dtype == torch.uint8):
        name = str(tensor.dtype).removeprefix("torch.")
        raise ImageError(f"a tensor picture must be uint8, or float in [0, 1], got {name}.")
    _check_size("image", shape[-1], shape[-2], max_pixels)
    planes = tensor.detach().to("cpu", torch.float32, copy=True).reshape(-1, *shape[-2:])
    if tensor.dtype == torch.uint8:
        return _from_planes(planes.div_(255), 8)
    return _from_planes(planes, 32)


def _from_planes(planes: Tensor, depth: int) -> Picture:
    low, high = (float(value) for value in planes.aminmax())
    if math.isnan(low) or math.isnan(high):
        raise ImageError("float pixels must lie in [0, 1], and some are not numbers (NaN).")
    if low < 0 or high > 1:
        raise ImageError(
            f"float pixels must lie in [0, 1], got values from {low:g} to {high:g}; divide 8-bit "
            "values by 255."
        )
    rgb, alpha = _split(planes)
    mode: ColourMode = "grey" if planes.shape[0] == 1 else "rgb"
    return Picture(_fill_transparent(rgb, alpha), alpha, PictureInfo(mode=mode, bit_depth=depth))


# --- 8-bit pictures --------------------------------------------------------------------------


def to_uint8(rgb: Tensor) -> npt.NDArray[np.uint8]:
    """Round [3, h, w] in [0, 1], clamped, to [h, w, 3] uint8.

    Raises:
        ShapeError: another shape.
        ImageError: a value is not a number.
    """
    sizes = check_shape("rgb", rgb, "[3, h, w]")
    out = np.empty((sizes["h"], sizes["w"], 3), np.uint8)
    _quantise(rgb, out)
    return out


def to_pil(rgb: Tensor, alpha: Tensor | None = None, mode: ColourMode = "rgb") -> Image.Image:
    """Make an 8-bit Pillow image.

    Args:
        rgb: [3, h, w] float, clamped to [0, 1], rounded half to even; on any device.
        alpha: [h, w] likewise, or None.
        mode: ``"grey"`` for one channel, 0.299 R + 0.587 G + 0.114 B.

    Returns:
        An image of mode RGB, RGBA, L or LA.

    Raises:
        ShapeError: another shape.
        ImageError: a value is not a number, or an unknown mode.
    """
    sizes = check_shape("rgb", rgb, "[3, h, w]")
    if mode not in ("rgb", "grey"):
        raise ImageError(f'mode must be "rgb" or "grey", got {mode!r}.')
    colours = 1 if mode == "grey" else 3
    channels = colours + (alpha is not None)
    out = np.empty((sizes["h"], sizes["w"], channels), np.uint8)
    _quantise(rgb, out[..., :colours])
    if alpha is not None:
        check_shape("alpha", alpha, (sizes["h"], sizes["w"]))
        _quantise(alpha[None], out[..., colours:])
    return Image.fromarray(out[..., 0] if channels == 1 else out)


def _quantise(planes: Tensor, out: npt.NDArray[np.uint8]) -> None:
    """Write [c, h, w] to [h, w, c] in bands of rows, so that no full-size float copy is made."""
    height, width = planes.shape[-2:]
    rows = max(1, _BAND_VALUES // max(1, width))
    for top in range(0, height, rows):
        band = planes[:, top : top + rows].detach().to(torch.float32)
        if out.shape[2] == 1 and band.shape[0] == 3:
            band = (0.299 * band[0] + 0.587 * band[1] + 0.114 * band[2])[None]
        if bool(band.isnan().any()):
            raise ImageError("pixels to write must lie in [0, 1], and some are not numbers (NaN).")
        levels = band.clamp(0, 1).mul_(255).round_().to(torch.uint8)
        out[top : top + rows] = levels.permute(1, 2, 0).cpu().numpy()


# --- writing ---------------------------------------------------------------------------------


def save(
    image: Image.Image,
    path: str | Path,
    info: PictureInfo | None = None,
    *,
    strip: bool = False,
    comment: dict[str, str] | None = None,
    quality: int = 95,
) -> None:
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

    Raises:
        OutputError: unknown suffix, a picture the format cannot hold, or a failing file system.
    """
    target = Path(path)
    file_format = _writable_format(target)
    _check_holds(image, file_format, target)
    if not 1 <= quality <= 100:
        raise OutputError(f"quality must be from 1 to 100, got {quality}.")
    try:
        kept = _kept_data(image, file_format, info or PictureInfo(), comment or {})
        options = _pixel_options(file_format, quality) | ({} if strip else kept)
        with _replacing(Path(os.path.realpath(target))) as stream:
            _bare(image).save(stream, format=file_format, **options)
    except OSError as error:
        raise OutputError(_write_failure(target, error)) from error
    except (ValueError, TypeError, OverflowError, RuntimeError, struct.error) as error:
        reason = _reason(error)
        raise OutputError(f"{target} cannot be written as {file_format}: {reason}.") from error


def _writable_format(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in _WRITABLE:
        raise OutputError(
            f"{path} must end in one of {', '.join(_WRITABLE)}, got {suffix or 'no suffix'!r}."
        )
    return _WRITABLE[suffix]


def _check_holds(image: Image.Image, file_format: str, path: Path) -> None:
    if file_format in _NO_TRANSPARENCY and image.has_transparency_data:
        # Compositing on some background instead would lose the transparency without a word.
        raise OutputError(
            f"{path}: {file_format} has no transparency and this picture does; use .png or .webp."
        )
    longest = _LONGEST_SIDE.get(file_format)
    if longest is not None and max(image.size) > longest:
        raise OutputError(
            f"{path}: {file_format} holds at most {longest} pixels a side and this picture is "
            f"{image.width} x {image.height}; use .png or .tif."
        )


def _pixel_options(file_format: str, quality: int) -> dict[str, Any]:
    options: dict[str, dict[str, Any]] = {
        # Full-resolution chroma: halving it would undo part of what was just upscaled.
        "JPEG": {"quality": quality, "subsampling": 0},
        "WEBP": {"lossless": True, "exact": True},
        "TIFF": {"compression": "tiff_deflate"},
    }
    return options.get(file_format, {})


def _kept_data(
    image: Image.Image, file_format: str, info: PictureInfo, comment: dict[str, str]
) -> dict[str, Any]:
    if file_format == "BMP":
        return {}
    software = "" if file_format == "PNG" else _software(comment)
    kept: dict[str, Any] = {"exif": _with_software(info.exif, software), "dpi": info.dpi}
    if info.icc and _icc_space(info.icc) == _profile_space(image.mode):
        kept["icc_profile"] = info.icc
    if file_format == "PNG":
        kept["pnginfo"] = _png_text(info.text | comment)
    if file_format == "TIFF" and _has_directories(info.exif):
        # Pillow writes compressed TIFF through libtiff, which has no way in for these.
        kept["compression"] = "raw"
    if file_format == "JPEG" and "Comment" in info.text:
        kept["comment"] = info.text["Comment"].encode()[:65_000]
    return {name: value for name, value in kept.items() if value}


def _profile_space(pillow_mode: str) -> str:
    if pillow_mode in ("1", "L", "LA") or pillow_mode.startswith("I"):
        return "GRAY"
    return "CMYK" if pillow_mode == "CMYK" else "RGB "


def _png_text(entries: dict[str, str]) -> PngImagePlugin.PngInfo | None:
    if not entries:
        return None
    chunks = PngImagePlugin.PngInfo()
    for key, value in entries.items():
        chunks.add_text(key, value)
    return chunks


def _software(comment: dict[str, str]) -> str:
    named = [comment["Software"]] if "Software" in comment else []
    return "; ".join(named + [f"{key}={comment[key]}" for key in comment if key != "Software"])


def _with_software(exif: bytes | None, software: str) -> bytes | None:
    if not software:
        return exif
    block = Image.Exif()
    if exif:
        block.load(exif)
    block[ExifTags.Base.Software] = software
    return block.tobytes()


def _has_directories(exif: bytes | None) -> bool:
    block = Image.Exif()
    if exif:
        block.load(exif)
    return ExifTags.IFD.Exif in block or ExifTags.IFD.GPSInfo in block


def _bare(image: Image.Image) -> Image.Image:
    """The image without metadata of its own, which some Pillow writers would add unasked."""
    if type(image) is Image.Image and not image.info:
        return image
    bare = image.copy()
    bare.info = {key: image.info[key] for key in ("transparency",) if key in image.info}
    return bare


@contextmanager
def _replacing(target: Path) -> Iterator[BinaryIO]:
    """A new file in the same folder that takes the place of ``target`` if all goes well."""
    temporary = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with temporary.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, target)
    except BaseException:
        # BaseException: an interrupt from the keyboard must not leave a half-written file either.
        with suppress(OSError):
            temporary.unlink()
        raise


def _write_failure(path: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{path} cannot be written: the disk is full."
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return f"{path} cannot be written: the folder {path.parent} does not exist."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{path} cannot be written: there is no permission to write there."
    if error.errno == errno.EISDIR:
        return f"{path} cannot be written: it is a folder."
    return f"{path} cannot be written: {_reason(error)}."


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split()).rstrip(".")


# --- classical resampling --------------------------------------------------------------------


def downscale(rgb: Tensor, size: tuple[int, int]) -> Tensor:
    """Antialiased bicubic downscaling, the degradation that the benchmarks are made with.

    Keys' kernel with a = -0.5, widened by the scale: within one grey level of Pillow's bicubic
    once both are rounded to 8 bits.

    Args:
        rgb: [*batch, c, h, w] in [0, 1].
        size: (height, width) of the result, in pixels.

    Returns:
        [*batch, c, height, width], clamped to [0, 1].

    Raises:
        ShapeError: fewer than three dimensions.
        ScaleError: a size below 1.
    """
    check_shape("rgb", rgb, "[*batch, c, h, w]")
    _check_out_size(size)
    flat = rgb.reshape(-1, *rgb.shape[-3:])
    small = functional.interpolate(flat, size=size, mode="bicubic", antialias=True)
    return small.clamp(0, 1).reshape(*rgb.shape[:-2], *size)


def bicubic_view(
    rgb: Tensor,
    box: tuple[float, float, float, float],
    size: tuple[int, int],
    *,
    kind: Kind = "bicubic",
) -> Tensor:
    """A rectangle of a picture at any size, by Pillow's resampling in floating point.

    A box inside the picture gives exactly Pillow's ``resize(box=...)``. On a side where the box
    reaches outside, the border pixels are repeated outwards.

    Args:
        rgb: [c, h, w] in [0, 1].
        box: (x, y, width, height) in pixels of ``rgb``; (0, 0) is the upper left corner of the
            upper left pixel. May be fractional.
        size: (height, width) of the result, in pixels.
        kind: ``"bicubic"`` (a = -0.5), ``"lanczos"`` (3 lobes) or ``"nearest"``.

    Returns:
        [c, height, width] float32 on the device of ``rgb``, clamped to [0, 1].

    Raises:
        ShapeError: ``rgb`` has another shape.
        ScaleError: a box or size that is not positive, or a box that covers too much.
    """
    sizes = check_shape("rgb", rgb, "[c, h, w]")
    _check_out_size(size)
    _check_box(box)
    if kind not in _RESAMPLING:
        raise ScaleError(f"kind must be one of {', '.join(_RESAMPLING)}, got {kind!r}.")
    x, y = _nearby(box[0], box[2], sizes["w"]), _nearby(box[1], box[3], sizes["h"])
    left, right = _span(x, box[2], size[1], sizes["w"])
    top, bottom = _span(y, box[3], size[0], sizes["h"])
    if (right - left) * (bottom - top) > 4 * MAX_INPUT_PIXELS:
        raise ScaleError(f"the view box covers too much: {box[2]:g} x {box[3]:g} pixels.")
    region = _region(rgb, (left, right), (top, bottom))
    inner = (x - left, y - top, x - left + box[2], y - top + box[3])
    planes = [_resize_plane(plane, inner, size, kind) for plane in region]
    return torch.stack(planes).to(rgb.device).clamp_(0, 1)


def _check_out_size(size: tuple[int, int]) -> None:
    if min(size) < 1:
        raise ScaleError(
            f"an output size must be at least 1 x 1 pixels, got {size[1]} x {size[0]}."
        )


def _check_box(box: tuple[float, float, float, float]) -> None:
    if not (all(math.isfinite(value) for value in box) and box[2] > 0 and box[3] > 0):
        raise ScaleError(
            f"a view box is (x, y, width, height) with a positive width and height, got {box}."
        )


def _nearby(start: float, extent: float, length: int) -> float:
    """Where to look instead of far outside, where only the border pixel is to be seen anyway."""
    return min(max(start, -4 * extent - 8), length + 3 * extent + 8)


def _span(start: float, extent: float, out: int, length: int) -> tuple[int, int]:
    """First and last + 1 pixel that the box and the kernel around it need along one axis."""
    margin = math.ceil(3 * max(1.0, extent / out)) + 1
    first, last = math.floor(start) - margin, math.ceil(start + extent) + margin
    if start >= 0:
        first = min(max(first, 0), length - 1)
    if start + extent <= length:
        last = max(min(last, length), 1)
    return first, last


def _region(rgb: Tensor, columns: tuple[int, int], rows: tuple[int, int]) -> npt.NDArray[Any]:
    """Cut out [c, rows, columns], repeating the border pixels outwards."""
    height, width = rgb.shape[-2:]
    across = torch.arange(*columns, device=rgb.device).clamp_(0, width - 1)
    down = torch.arange(*rows, device=rgb.device).clamp_(0, height - 1)
    region = rgb.detach()[:, down][:, :, across]
    return region.to("cpu", torch.float32).contiguous().numpy()


def _resize_plane(
    plane: npt.NDArray[Any],
    box: tuple[float, float, float, float],
    size: tuple[int, int],
    kind: Kind,
) -> Tensor:
    height, width = plane.shape
    # Subtracting the offset can round the far edge a hair beyond the region.
    inside = (box[0], box[1], min(box[2], width), min(box[3], height))
    image = Image.fromarray(plane).resize((size[1], size[0]), _RESAMPLING[kind], box=inside)
    return torch.from_numpy(np.array(image))
