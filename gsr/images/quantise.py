"""Float pictures as levels: of 8 bits, of 16, or as they are."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from gsr.base.errors import ImageError, check_shape
from gsr.decoding.info import ColourMode

_BAND_VALUES = 1 << 20
Depth = Literal[8, 16, 32]
"""Bits per channel; 32 are a floating-point number."""
_DTYPES = {8: np.uint8, 16: np.uint16, 32: np.float32}


class Dither:
    """Noise of half a level either way before rounding, so that shades show no steps.

    The same pictures give the same noise.
    """

    def __init__(self) -> None:
        self._source = torch.Generator().manual_seed(0)

    def __call__(self, levels: Tensor) -> Tensor:
        noise = torch.rand(levels.shape, generator=self._source) - 0.5
        return levels + noise.to(levels.device)


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
    out = to_levels(rgb, alpha, mode)
    return Image.fromarray(out[..., 0] if out.shape[2] == 1 else out)


def to_levels(
    rgb: Tensor,
    alpha: Tensor | None = None,
    mode: ColourMode = "rgb",
    depth: Depth = 8,
    dither: Dither | None = None,
) -> npt.NDArray[Any]:
    """Levels [h, w, c] of 1 to 4 channels, alpha the last of two or four.

    Args:
        rgb, alpha, mode: As `to_pil`.
        depth: Bits: 8 or 16 for whole numbers, 32 for float32 in [0, 1].
        dither: Hides the steps of 8 bits; of others, and of transparency, nothing is changed.

    Raises:
        ShapeError: another shape.
        ImageError: a value is not a number, or an unknown mode or depth.
    """
    sizes = check_shape("rgb", rgb, "[3, h, w]")
    if mode not in ("rgb", "grey"):
        raise ImageError(f'mode must be "rgb" or "grey", got {mode!r}.')
    if depth not in _DTYPES:
        raise ImageError(f"depth must be 8, 16 or 32 bits, got {depth!r}.")
    colours = 1 if mode == "grey" else 3
    channels = colours + (alpha is not None)
    out = np.empty((sizes["h"], sizes["w"], channels), _DTYPES[depth])
    _quantise(rgb, out[..., :colours], dither if depth == 8 else None)
    if alpha is not None:
        check_shape("alpha", alpha, (sizes["h"], sizes["w"]))
        _quantise(alpha[None], out[..., colours:])
    return out


def _quantise(planes: Tensor, out: npt.NDArray[Any], dither: Dither | None = None) -> None:
    """Write [c, h, w] to [h, w, c] in bands of rows, so that no full-size float copy is made."""
    height, width = planes.shape[-2:]
    rows = max(1, _BAND_VALUES // max(1, width))
    for top in range(0, height, rows):
        band = planes[:, top : top + rows].detach().to(torch.float32)
        if out.shape[2] == 1 and band.shape[0] == 3:
            band = (0.299 * band[0] + 0.587 * band[1] + 0.114 * band[2])[None]
        if bool(band.isnan().any()):
            raise ImageError("pixels to write must lie in [0, 1], and some are not numbers (NaN).")
        out[top : top + rows] = _levels(band.clamp(0, 1), out.dtype, dither)


def _levels(band: Tensor, kind: np.dtype[Any], dither: Dither | None) -> npt.NDArray[Any]:
    if kind.kind == "f":
        return band.permute(1, 2, 0).cpu().numpy()
    most = int(np.iinfo(kind).max)
    levels = band.mul_(most)
    if dither is not None:
        levels = dither(levels).clamp_(0, most)
    whole = levels.round_().to(torch.uint8 if most == 255 else torch.int32)
    return whole.permute(1, 2, 0).cpu().numpy()
