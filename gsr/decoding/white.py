"""Which value is white in a picture whose pixels are numbers and not levels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from gsr.base.errors import ImageError

ROUNDING = 1e-3
"""Part of white by which values may pass black and white: resampling and rounding leave it."""
_BYTE, _WORD = 255.0, 65535.0


def check_white(white: float | None) -> None:
    """Refuse what cannot be white; ImageError."""
    if white is not None and not (math.isfinite(white) and white > 0):
        raise ImageError(f"white must be a number above 0, such as 255, got {white!r}.")


def is_unit(low: float, high: float) -> bool:
    """Whether values lie in [0, 1], but for rounding."""
    return low >= -ROUNDING and high <= 1 + ROUNDING


def find_white(
    values: npt.NDArray[Any], label: str, notes: list[str], white: float | None = None
) -> float:
    """The value that stands for white, as `white` says or as the values clearly do.

    Floats say 1 where none is above it, and 255 or 65535 where the largest is in the upper half of
    that range and the picture is not that of a few lights on a scale of 1. Whole numbers have 255
    or 65535.

    Raises:
        ImageError: they do not say it, or go beyond.
    """
    low, high = float(values.min()), float(values.max())
    found = white or _clear_white(values, high)
    if found is None or not is_unit(low / found, high / found):
        raise ImageError(_refusal(label, low, high, white))
    if found == 1 and values.dtype.kind == "f":
        notes.append("Floating-point values were taken as they are: 1 is white.")
    elif white is None:
        notes.append(f"The largest grey value is {high:g}, so {found:g} was taken as white.")
    return found


def _clear_white(values: npt.NDArray[Any], high: float) -> float | None:
    whole = values.dtype.kind != "f"
    if not whole and high <= 1 + ROUNDING:
        return 1.0
    for white in (_BYTE, _WORD):
        if high <= white * (1 + ROUNDING) and (whole or (high >= white / 2 and _is_coded(values))):
            return white
    return None


def _is_coded(values: npt.NDArray[Any]) -> bool:
    """Whether floats are levels: whole numbers, or most of them above 1."""
    return bool(np.median(values) > 1) or bool((values == np.floor(values)).all())


def _refusal(label: str, low: float, high: float, white: float | None) -> str:
    span = f"{label} has grey values from {low:g} to {high:g}"
    if white is not None:
        return f"{span}; accepted with a white of {white:g}: 0 to {white:g}."
    if low >= -ROUNDING and high <= _WORD:
        return (
            f"{span}, which do not tell whether 1, 255 or 65535 is white; say it, as --white 255 "
            "on the command line or white=255 in Python."
        )
    return f"{span}; accepted: 0 to 1, 0 to 255 or 0 to 65535."
