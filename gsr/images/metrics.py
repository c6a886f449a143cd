"""PSNR and SSIM, each under a protocol that says exactly what is compared.

Published numbers differ by whole decibels with the channel, the border that is left out and the
rounding, so none of the three has a hidden default here: every call names its ``Protocol``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from gsr.base.errors import ConfigError, ScaleError, ShapeError, check_shape

# ITU-R BT.601 studio-range luma of RGB in [0, 1], in units of 1/256 (65.738 = 65.481 * 256 / 255).
_LUMA_WEIGHTS = (65.738, 129.057, 25.064)
_LUMA_OFFSET = 16.0 / 255.0

_WINDOW = 11
_SIGMA = 1.5
_K1 = 0.01
_K2 = 0.03
_BAND_VALUES = 1 << 18


@dataclass(frozen=True)
class Protocol:
    """What is compared.

    Attributes:
        channel: ``"luma"`` (see :func:`luma`) or ``"rgb"`` (all three channels together).
        shave: pixels left out along each border, 0 or more.
        rounding: round both pictures to 8 bits (RGB, before the luma is taken) first. They are
            clamped to [0, 1] either way.
        luma_rounding: round the luma to 8 bits too, as MATLAB's ``rgb2ycbcr`` does for uint8.

    Raises:
        ConfigError: an unknown channel or a negative shave.
    """

    channel: Literal["luma", "rgb"]
    shave: int
    rounding: bool = False
    luma_rounding: bool = False

    def __post_init__(self) -> None:
        if self.channel not in ("luma", "rgb"):
            raise ConfigError(f'channel must be "luma" or "rgb", got {self.channel!r}.')
        if self.shave < 0:
            raise ConfigError(f"shave must be 0 or more pixels, got {self.shave}.")

    @classmethod
    def benchmark(cls, scale: float, *, rounding: bool = False) -> Protocol:
        """Set5, Set14, B100, Urban100, Manga109: luma, ``ceil(scale)`` pixels shaved.

        Source: the benchmark evaluation of EDSR (Lim et al., 2017) and LIIF (Chen et al., 2021).

        Raises:
            ScaleError: ``scale`` is not a positive number.
        """
        return cls("luma", _ceil_scale(scale), rounding)

    @classmethod
    def div2k(cls, scale: float, *, rounding: bool = False) -> Protocol:
        """DIV2K validation set: RGB, ``ceil(scale) + 6`` pixels shaved.

        Source: the DIV2K evaluation of EDSR (Lim et al., 2017) and LIIF (Chen et al., 2021).

        Raises:
            ScaleError: ``scale`` is not a positive number.
        """
        return cls("rgb", _ceil_scale(scale) + 6, rounding)


def luma(rgb: Tensor) -> Tensor:
    """BT.601 studio-range luma, as in MATLAB's ``rgb2ycbcr``, divided by 255.

    Args:
        rgb: [*batch, 3, h, w] in [0, 1].

    Returns:
        [*batch, h, w] in [16/255, 235/255]: (16 + (65.738 R + 129.057 G + 25.064 B) * 255/256)/255.

    Raises:
        ShapeError: ``rgb`` has another shape.
    """
    check_shape("rgb", rgb, "[*batch, 3, h, w]")
    red, green, blue = (weight / 256.0 for weight in _LUMA_WEIGHTS)
    weighted = red * rgb[..., 0, :, :] + green * rgb[..., 1, :, :] + blue * rgb[..., 2, :, :]
    return weighted + _LUMA_OFFSET


def psnr(sr: Tensor, hr: Tensor, *, protocol: Protocol) -> Tensor:
    """Peak signal-to-noise ratio in dB, peak 1.

    The peak stays 1 for luma too, although studio-range luma spans less: that is how the
    published benchmark numbers are made.

    Args:
        sr: [*batch, 3, h, w], clamped to [0, 1].
        hr: the same shape.
        protocol: what is compared.

    Returns:
        [*batch] float64, one value per picture; ``inf`` for identical pictures.

    Raises:
        ShapeError: the shapes differ, or nothing is left after the shave.

    Examples:
        >>> import torch
        >>> from gsr.images.metrics import Protocol, psnr
        >>> hr = torch.zeros(3, 32, 32)
        >>> round(float(psnr(hr + 0.1, hr, protocol=Protocol("rgb", shave=2))), 3)
        20.0
    """
    first, second = _prepare(sr, hr, protocol, least=1)
    error = (first - second).square().mean(dim=(-3, -2, -1))
    return -10.0 * torch.log10(error)


def ssim(sr: Tensor, hr: Tensor, *, protocol: Protocol) -> Tensor:
    """Structural similarity (Wang et al., 2004), mean over the valid region.

    Gaussian window of 11x11 pixels with sigma 1.5, K1 = 0.01, K2 = 0.03, data range 1, population
    covariance; for ``"rgb"`` the mean of the three channels.

    Args:
        sr: [*batch, 3, h, w], clamped to [0, 1].
        hr: the same shape.
        protocol: what is compared; luma is studio range over 255, see :func:`luma`.

    Returns:
        [*batch] float64, one value per picture; 1 for identical pictures.

    Raises:
        ShapeError: the shapes differ, or fewer than 11x11 pixels are left after the shave.

    Examples:
        >>> import torch
        >>> from gsr.images.metrics import Protocol, ssim
        >>> hr = torch.zeros(3, 32, 32)
        >>> round(float(ssim(hr, hr, protocol=Protocol.benchmark(scale=4))), 3)
        1.0
    """
    first, second = _prepare(sr, hr, protocol, least=_WINDOW)
    height, width = (n - _WINDOW + 1 for n in first.shape[-2:])
    # In bands: the map needs some ten copies of a picture.
    rows = max(1, _BAND_VALUES // width)
    total = first.new_zeros(first.shape[:-3])
    for top in range(0, height, rows):
        band = slice(top, min(top + rows, height) + _WINDOW - 1)
        total += _ssim_map(first[..., band, :], second[..., band, :]).sum(dim=(-3, -2, -1))
    return total / (first.shape[-3] * height * width)


def _ssim_map(first: Tensor, second: Tensor) -> Tensor:
    """[*batch, c, h, w] -> [*batch, c, h - 10, w - 10]"""
    mean_1, mean_2 = _blur(first), _blur(second)
    variance_1 = _blur(first * first) - mean_1.square()
    variance_2 = _blur(second * second) - mean_2.square()
    covariance = _blur(first * second) - mean_1 * mean_2
    c1, c2 = _K1**2, _K2**2
    numerator = (2 * mean_1 * mean_2 + c1) * (2 * covariance + c2)
    denominator = (mean_1.square() + mean_2.square() + c1) * (variance_1 + variance_2 + c2)
    return numerator / denominator


def _ceil_scale(scale: float) -> int:
    if not (math.isfinite(scale) and scale > 0):
        raise ScaleError(f"scale must be a positive number, got {scale}.")
    # A scale worked out as 0.1 * 30 is 3.0000000000000004 and still means 3.
    return math.ceil(round(scale, 6))


def _prepare(sr: Tensor, hr: Tensor, protocol: Protocol, *, least: int) -> tuple[Tensor, Tensor]:
    check_shape("sr", sr, "[*batch, 3, h, w]")
    check_shape("hr", hr, tuple(sr.shape))
    height, width = sr.shape[-2:]
    smallest = 2 * protocol.shave + least
    if min(height, width) < smallest:
        raise ShapeError(
            f"pictures must be at least {smallest} x {smallest} pixels for a shave of "
            f"{protocol.shave}, got {width} x {height}."
        )
    return _compared(sr, protocol), _compared(hr, protocol)


def _compared(rgb: Tensor, protocol: Protocol) -> Tensor:
    """The compared values as float64 [*batch, c, h - 2 * shave, w - 2 * shave]."""
    height, width = rgb.shape[-2:]
    shave = protocol.shave
    kept = rgb[..., shave : height - shave, shave : width - shave].to(torch.float64).clamp(0, 1)
    if protocol.rounding:
        kept = _eight_bit(kept)
    if protocol.channel == "rgb":
        return kept
    planes = luma(kept).unsqueeze(-3)
    return _eight_bit(planes) if protocol.luma_rounding else planes


def _eight_bit(values: Tensor) -> Tensor:
    return (values * 255).round() / 255


def _blur(planes: Tensor) -> Tensor:
    """Gaussian window over the valid region: [*batch, c, h, w] -> [*batch, c, h - 10, w - 10]."""
    return _blur_rows(_blur_rows(planes).mT).mT


def _blur_rows(planes: Tensor) -> Tensor:
    """[..., h, w] -> [..., h - 10, w]. Tap by tap, which in float64 beats a convolution."""
    weights = [math.exp(-((i - _WINDOW // 2) ** 2) / (2 * _SIGMA**2)) for i in range(_WINDOW)]
    length = planes.shape[-2] - _WINDOW + 1
    out = torch.zeros_like(planes[..., :length, :])
    for i, weight in enumerate(weights):
        out.add_(planes[..., i : i + length, :], alpha=weight / sum(weights))
    return out
