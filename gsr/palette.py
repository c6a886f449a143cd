"""Colours with a meaning, for drawings of Gaussians; viewer, plots and files take them from here.

A kernel's colour tells its shape: hue is direction, saturation is elongation, lightness is size.
"""

import colorsys
import math

from torch import Tensor

from gsr.kernels import Ellipses, ellipses, physical

LONGEST = 2.5
"""Ratio of half axes at which a colour is fully saturated."""


def kernel_color(major: float, minor: float, angle: float) -> str:
    """`#rrggbb` of a kernel.

    Args:
        major, minor: One-sigma half axes in LR pixels.
        angle: Direction of the major axis, radians; a half turn is the whole colour circle.
    """
    elongation = min(max((major / max(minor, 1e-6) - 1) / (LONGEST - 1), 0.0), 1.0)
    size = math.sqrt(max(major * minor, 1e-6))
    # Small kernels are lighter: from half axes of 0.3 to 1 LR pixels, 0.76 to 0.52.
    lightness = 0.76 - 0.24 * min(max(math.log(size / 0.3) / math.log(1 / 0.3), 0.0), 1.0)
    hue = (angle % math.pi) / math.pi
    return _hex(hue, lightness, elongation**0.5)


def bank_ellipses(bank_raw: Tensor) -> Ellipses:
    """The kernels of a raw bank [n, 4] as ellipses, on the CPU."""
    return ellipses(physical(bank_raw.detach().cpu().float()).covariances())


def bank_colors(bank_raw: Tensor) -> list[str]:
    """`#rrggbb` of every kernel of a raw bank [n, 4]."""
    shape = bank_ellipses(bank_raw)
    rows = zip(shape.major.tolist(), shape.minor.tolist(), shape.angle.tolist(), strict=True)
    return [kernel_color(*row) for row in rows]


def distinct_color(number: int) -> str:
    """`#rrggbb` that tells a number from its neighbours; turns by the golden ratio."""
    return _hex(number * 0.618034 % 1, 0.62, 0.75)


def ramp_color(value: float) -> str:
    """`#rrggbb` of a number in [0, 1], from dark violet over green to light yellow."""
    value = min(max(value, 0.0), 1.0)
    return _hex((270 - 215 * value) / 360, 0.3 + 0.35 * value, 0.7)


def _hex(hue: float, lightness: float, saturation: float) -> str:
    rgb = colorsys.hls_to_rgb(hue, lightness, saturation)
    return "#" + "".join(f"{round(255 * value):02x}" for value in rgb)
