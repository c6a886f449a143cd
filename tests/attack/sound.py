"""Sound pictures: every format times mode times way of writing it."""

import io
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import tifffile
from PIL import Image

from .cases import Case

Options = Callable[[random.Random], dict[str, Any]]


def drawn(g: random.Random, width: int, height: int) -> Image.Image:
    """A smooth picture with a little noise, so that what became of it can be recognised."""
    corners = np.array([g.randrange(30, 225) for _ in range(12)], np.uint8).reshape(2, 2, 3)
    smooth = Image.fromarray(corners).resize((width, height), Image.Resampling.BILINEAR)
    noise = np.random.default_rng(g.randrange(2**32)).integers(-8, 9, (height, width, 1))
    return Image.fromarray(np.clip(np.asarray(smooth) + noise, 0, 255).astype(np.uint8))


def in_mode(image: Image.Image, mode: str, g: random.Random) -> Image.Image:
    grey = np.asarray(image.convert("L"))
    if mode.startswith("I;16"):
        return Image.fromarray(grey.astype(np.uint16) * 257)
    if mode in ("I", "F"):
        values = grey.astype(np.int32) * 257 if mode == "I" else grey.astype(np.float32) / 255
        return Image.fromarray(values)
    if mode in ("LA", "RGBA"):
        made = image.convert(mode)
        made.putalpha(Image.linear_gradient("L").resize(image.size))
        return made
    if mode == "P":
        return image.quantize(g.choice((2, 3, 16, 200)))
    if mode == "LAB":
        return Image.merge("LAB", image.split())
    return image.convert(mode)


def _png(g: random.Random) -> dict[str, Any]:
    return {"optimize": g.random() < 0.3, "compress_level": g.choice((0, 1, 9))}


def _jpeg(g: random.Random) -> dict[str, Any]:
    options = {"quality": g.choice((40, 75, 95, 100)), "progressive": g.random() < 0.4}
    return options | {"subsampling": g.choice((0, 1, 2)), "optimize": g.random() < 0.3}


def _tiff(g: random.Random) -> dict[str, Any]:
    ways = ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
    return {"compression": g.choice(ways), "big_tiff": g.random() < 0.2}


def _webp(g: random.Random) -> dict[str, Any]:
    return {"lossless": g.random() < 0.5, "exact": True, "quality": g.choice((50, 90)), "method": 0}


def _gif(g: random.Random) -> dict[str, Any]:
    return {"interlace": g.choice((0, 1)), "transparency": g.choice((0, 1, 255))}


def _jp2(g: random.Random) -> dict[str, Any]:
    return {"irreversible": False, "num_resolutions": 1, "no_jp2": g.random() < 0.3}


def _none(g: random.Random) -> dict[str, Any]:
    return {}


_FORMATS: dict[str, tuple[str, str, Options]] = {
    "PNG": (".png", "1 L LA P RGB RGBA I;16", _png),
    "JPEG": (".jpg", "L RGB CMYK", _jpeg),
    "TIFF": (".tif", "1 L LA P RGB RGBA CMYK LAB I;16 I F", _tiff),
    "WEBP": (".webp", "L RGB RGBA", _webp),
    "GIF": (".gif", "1 L P RGB", _gif),
    "BMP": (".bmp", "1 L P RGB RGBA", _none),
    "AVIF": (".avif", "L RGB RGBA", lambda g: {"speed": 10, "quality": 80}),
    "JPEG2000": (".jp2", "L LA RGB RGBA I;16", _jp2),
    "PPM": (".ppm", "1 L RGB I;16 F", _none),
}
_SEVERAL = ("GIF", "PNG", "WEBP", "TIFF", "AVIF")
FOREIGN = ("ICO", "TGA", "PCX", "PDF", "EPS", "SGI", "DDS", "ICNS", "IM", "MSP", "XBM", "QOI")
"""Formats that Pillow writes and the product does not accept."""


def picture(g: random.Random, only: tuple[str, ...] = ()) -> Case:
    """A small picture that nothing is wrong with.

    Args:
        g: Draws.
        only: Pillow's names of formats, for some alone.
    """
    name = g.choice(only or tuple(_FORMATS))
    if name == "TIFF" and g.random() < 0.3:
        return _scientific(g)
    suffix, modes, options = _FORMATS[name]
    mode = g.choice(modes.split())
    given = options(g)
    if name == "TIFF" and (given["compression"] == "jpeg" and mode not in ("L", "RGB")):
        given["compression"] = "raw"
    if name == "JPEG2000" and mode == "I;16":
        given = {"num_resolutions": 1}
    size = (g.choice((1, 2, 7, 16, 23, 33)), g.choice((1, 3, 8, 17, 24)))
    image = in_mode(drawn(g, *size), mode, g)
    frames = name in _SEVERAL and g.random() < 0.15
    if frames:
        given |= {"save_all": True, "append_images": [image.rotate(180)] * g.choice((1, 3))}
    data = saved(image, name, **given)
    return Case(f"sound {suffix[1:]}{' frames' if frames else ''}", suffix, data, sound=True)


def saved(image: Image.Image, name: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, name, **options)
    return stream.getvalue()


def _scientific(g: random.Random) -> Case:
    """TIFF as other programs write it: tiles, separate planes, big endian, BigTIFF."""
    pixels = np.asarray(drawn(g, g.choice((5, 40)), g.choice((4, 36))))
    deep = g.random() < 0.4
    values = pixels.astype(np.uint16) * 257 if deep else pixels
    grey = g.random() < 0.4
    options: dict[str, Any] = {"photometric": "minisblack" if grey else "rgb"}
    if g.random() < 0.5:
        options["tile"] = (16, 16)
    if not grey and g.random() < 0.4:
        options["planarconfig"] = "separate"
        values = np.ascontiguousarray(values.transpose(2, 0, 1))
    stream = io.BytesIO()
    order, big = g.choice("<>"), g.random() < 0.2
    tifffile.imwrite(
        stream, values[..., 0] if grey else values, byteorder=order, bigtiff=big, **options
    )
    return Case("sound tif elsewhere", ".tif", stream.getvalue(), sound=True)


def foreign(g: random.Random) -> Case:
    """A picture of a format that is not accepted, under a name that is."""
    name = g.choice(FOREIGN)
    mode = "1" if name in ("MSP", "XBM") else "RGB"
    size = (32, 32) if name in ("ICO", "ICNS") else (16, 12)
    try:
        data = saved(drawn(g, *size).convert(mode), name)
    except (KeyError, OSError):  # not every build of Pillow writes them all
        data = b"8BPS\0\1" + bytes(40)
    return Case("foreign format", g.choice((".png", ".jpg", ".tif", ".gif")), data)
