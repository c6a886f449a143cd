"""Float pictures as 8-bit ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from gsr.base.errors import ImageError, check_shape
from gsr.decoding.info import ColourMode

_BAND_VALUES = 1 << 20


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
