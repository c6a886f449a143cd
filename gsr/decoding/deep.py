"""Colour of 16 bits per channel, of which Pillow unpacks one byte at a time."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from gsr.decoding.metadata import upright

_OTHER = {"B": "L", "L": "B", "N": "L" if sys.byteorder == "big" else "B"}
"""The byte order under which the unpacker of the high byte takes the low one."""
_COLOUR = ("RGB;16", "RGBA;16")
_GREY_ALPHA = "LA;16B"


def is_deep(stored: str) -> bool:
    """Whether a layout, as Pillow calls it, is one that `read_deep` can read."""
    return stored == _GREY_ALPHA or (stored[:-1] in _COLOUR and stored[-1] in _OTHER)


def read_deep(
    image: Image.Image, again: Any, stored: str, colour_key: object = None
) -> npt.NDArray[np.uint16]:
    """[h, w, 2|3|4] uint16 of a picture that was decoded to its high bytes.

    Args:
        image: What was decoded, of layout `stored`.
        again: The same file opened once more and not decoded.
        stored: See `is_deep`.
        colour_key: The one colour that is transparent, 16 bits each.
    """
    if stored == _GREY_ALPHA:
        # Four bytes a pixel, as if they were red, green, blue and alpha.
        each = _decoded(again, "RGBA")
        return _word(each[..., ::2], each[..., 1::2])
    low = _decoded(again, stored[:-1] + _OTHER[stored[-1]])
    high = np.asarray(upright(image))
    pixels = _word(high, low)
    if isinstance(colour_key, tuple):
        seen = (pixels[..., :3] != np.asarray(colour_key, np.uint16)).any(-1)
        pixels = np.concatenate([pixels, np.where(seen, 65535, 0)[..., None]], -1, dtype=np.uint16)
    return pixels


def _word(high: npt.NDArray[Any], low: npt.NDArray[Any]) -> npt.NDArray[np.uint16]:
    words = high.astype(np.uint16)
    words <<= 8
    words |= low
    return words


def _decoded(image: Any, layout: str) -> npt.NDArray[Any]:
    """The pixels, upright, as if they had another layout in the file."""
    image.tile = [
        tile._replace(args=layout if isinstance(tile.args, str) else (layout, *tile.args[1:]))
        for tile in image.tile
    ]
    return np.asarray(upright(image))
