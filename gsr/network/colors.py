"""Colours with a meaning, for drawings of Gaussians; viewer, plots and files take them from here.

`TABLE` holds every number. The viewer has it as a module, `palette.js`, and computes the
same colours from it in `colors.js`.
"""

import colorsys
import math
from typing import Any

from torch import Tensor

from gsr.network.kernels import Ellipses, ellipses, physical

TABLE: dict[str, Any] = {
    # From dark violet over green to light yellow, lighter all the way; RGB, 0 to 255.
    "ramp": (
        (68, 24, 92),
        (62, 74, 137),
        (38, 130, 142),
        (53, 183, 121),
        (170, 220, 50),
        (253, 231, 60),
    ),
    # Steps of the ramp in drawings, where ellipses of one colour share a path.
    "ramp_steps": 64,
    # A kernel's shape. Ratio of half axes at which a colour is fully saturated; half axes (LR
    # pixels) between which its lightness goes from `light` down by `darker`.
    "longest": 2.5,
    "small": 0.3,
    "large": 1.0,
    "light": 0.76,
    "darker": 0.24,
    # Direction alone; below this ratio of half axes there is none.
    "direction": {"lightness": 0.62, "saturation": 0.85, "steps": 360},
    "round_below": 1.15,
    "round": "#d8d8d8",
    # Size alone: the mean half axis (LR pixels) where the ramp begins, and its octaves.
    "size_from": 0.25,
    "size_octaves": 2.6,
    # Neighbouring numbers get distinct colours: hue turns by the golden ratio.
    "number": {"turn": 0.618034, "lightness": 0.62, "saturation": 0.75},
}
LONGEST: float = TABLE["longest"]
"""Ratio of half axes at which a colour is fully saturated."""


def kernel_color(major: float, minor: float, angle: float) -> str:
    """`#rrggbb` of a kernel: hue is direction, saturation is elongation, lightness is size.

    Args:
        major, minor: One-sigma half axes in LR pixels.
        angle: Direction of the major axis, radians; a half turn is the whole colour circle.
    """
    elongation = _part((major / max(minor, 1e-6) - 1) / (LONGEST - 1))
    size = math.sqrt(max(major * minor, 1e-6))
    small, large = TABLE["small"], TABLE["large"]
    lightness = TABLE["light"] - TABLE["darker"] * _part(
        math.log(size / small) / math.log(large / small)
    )
    return _hex(_half_turns(angle), lightness, math.sqrt(elongation))


def direction_color(major: float, minor: float, angle: float) -> str:
    """`#rrggbb` of a kernel's direction alone, in whole degrees of hue; round ones are grey."""
    if major / max(minor, 1e-6) < TABLE["round_below"]:
        return str(TABLE["round"])
    how = TABLE["direction"]
    step = math.floor(_half_turns(angle) * how["steps"] + 0.5) % how["steps"]
    return _hex(step / how["steps"], how["lightness"], how["saturation"])


def size_color(major: float, minor: float) -> str:
    """`#rrggbb` of a kernel's size, on the ramp."""
    mean = math.sqrt(max(major * minor, 1e-12))
    return ramp_color(math.log2(mean / TABLE["size_from"]) / TABLE["size_octaves"])


def bank_ellipses(bank_raw: Tensor) -> Ellipses:
    """The kernels of a raw bank [n, 4] as ellipses, on the CPU."""
    return ellipses(physical(bank_raw.detach().cpu().float()).covariances())


def bank_colors(bank_raw: Tensor) -> list[str]:
    """`#rrggbb` of every kernel of a raw bank [n, 4]."""
    shape = bank_ellipses(bank_raw)
    rows = zip(shape.major.tolist(), shape.minor.tolist(), shape.angle.tolist(), strict=True)
    return [kernel_color(*row) for row in rows]


def distinct_color(number: int) -> str:
    """`#rrggbb` distinct from those of neighbouring numbers."""
    how = TABLE["number"]
    return _hex(number * how["turn"] % 1, how["lightness"], how["saturation"])


def ramp(value: float) -> tuple[int, int, int]:
    """RGB, 0 to 255, of a number in [0, 1] on the ramp; what lies outside is as at its ends."""
    stops = TABLE["ramp"]
    place = _part(value) * (len(stops) - 1)
    first = min(len(stops) - 2, math.floor(place))
    pairs = zip(stops[first], stops[first + 1], strict=True)
    red, green, blue = (math.floor(a + (place - first) * (b - a) + 0.5) for a, b in pairs)
    return red, green, blue


def ramp_color(value: float) -> str:
    """`#rrggbb` of a number in [0, 1], to the next of the ramp's steps."""
    last = TABLE["ramp_steps"] - 1
    return "#" + bytes(ramp(math.floor(_part(value) * last + 0.5) / last)).hex()


def _part(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _half_turns(angle: float) -> float:
    return (angle % math.pi) / math.pi


def _hex(hue: float, lightness: float, saturation: float) -> str:
    rgb = colorsys.hls_to_rgb(hue, lightness, saturation)
    return "#" + bytes(math.floor(255 * value + 0.5) for value in rgb).hex()
