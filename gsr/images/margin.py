"""A picture in the middle of a larger canvas."""

import numpy as np
from PIL import ImageColor

from gsr.base.errors import ConfigError, shown
from gsr.images.samples import Samples


def check_color(color: str) -> None:
    """Refuse what is not a colour.

    Raises:
        ConfigError: it is neither a name of CSS nor #rrggbb.
    """
    try:
        ImageColor.getrgb(color)
    except ValueError:
        raise ConfigError(
            f"{shown(color)} is not a colour; give a name such as white, or #rrggbb."
        ) from None


def with_margin(levels: Samples, canvas: tuple[int, int], color: str | None = None) -> Samples:
    """The picture on a canvas of (height, width) pixels.

    Args:
        levels: At most as large, of any depth; see `gsr.images.to_levels`. [h, w, c]
        canvas: (height, width).
        color: Of the margin, see `check_color`; unless given, transparent where the picture has
            an alpha channel, black elsewhere.
    """
    height, width, channels = levels.shape
    if (height, width) == canvas:
        return levels
    out = np.zeros((*canvas, channels), levels.dtype)
    if color is not None:
        full = np.iinfo(levels.dtype).max if levels.dtype.kind == "u" else 1
        fill = ImageColor.getcolor(color, ("L", "LA", "RGB", "RGBA")[channels - 1])
        out[:] = np.asarray(fill, np.float64) * (full / 255)
    top, left = (canvas[0] - height) // 2, (canvas[1] - width) // 2
    out[top : top + height, left : left + width] = levels
    return out
