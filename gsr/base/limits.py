"""Bounds and the rule of rounding that several layers share."""

import math

MAX_SIDE = 2**30
"""Pixels along one side of a result: more than any that can be rendered."""


def whole_pixels(extent: float) -> int:
    """An extent as a number of pixels: the nearest one, halves up, at least 1.

    Millionths are rounded away first, so that 25 * 0.58 is the 14.5 it stands for.
    """
    return max(1, math.floor(round(extent, 6) + 0.5))
