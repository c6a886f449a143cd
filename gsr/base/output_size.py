"""How large a result is asked to be: a scale, or pixels in one of four ways."""

import re
from dataclasses import dataclass
from typing import Literal

from gsr.base.errors import ConfigError, ScaleError, shown
from gsr.base.limits import MAX_SIDE

Kind = Literal["scale", "size", "width", "height", "longest"]
_LABELS: dict[Kind, str] = {"scale": "x", "size": "", "width": "w", "height": "h", "longest": "max"}


@dataclass(frozen=True)
class OutputSize:
    """A request for a size.

    Attributes:
        kind: `scale` and the sides keep the proportions of the picture; `size` sets both.
        value: The scale, or pixels; (width, height) for `size`.

    Raises:
        ScaleError: a side that no picture has.
    """

    kind: Kind
    value: float | tuple[int, int]

    def __post_init__(self) -> None:
        if self.kind in ("width", "height", "longest") and not _is_side(self.value):
            raise ScaleError(
                f"{self.kind} must be from 1 to {MAX_SIDE:,} pixels, got {shown(self.value)}."
            )

    @property
    def label(self) -> str:
        """For names of files: x3.7, w1920, 800x600."""
        if isinstance(self.value, tuple):
            return f"{self.value[0]}x{self.value[1]}"
        return f"{_LABELS[self.kind]}{self.value:.6g}"

    def for_picture(self, lr_size: tuple[int, int]) -> tuple[int, int]:
        """Output (height, width) for a picture of `lr_size` (height, width).

        Raises:
            ScaleError: it cannot be rendered.
        """
        # Not before a picture is there: coordinates need torch, and a mistake in a size does not.
        from gsr.base.coords import resolve_view, scaled_size

        if isinstance(self.value, tuple):
            size = self.value[1], self.value[0]
        elif self.kind == "scale":
            size = scaled_size(lr_size, self.value)
        else:
            size = self._from_side(lr_size)
        return resolve_view(lr_size, size=size).size

    def _from_side(self, lr_size: tuple[int, int]) -> tuple[int, int]:
        assert isinstance(self.value, int)
        height, width = lr_size
        by_width = self.kind == "width" or (self.kind == "longest" and width >= height)
        if by_width:
            return max(1, round(height * self.value / width)), self.value
        return self.value, max(1, round(width * self.value / height))


def _is_side(value: object) -> bool:
    return isinstance(value, int) and 1 <= value <= MAX_SIDE


def parse_size(text: str) -> tuple[int, int]:
    """(width, height) in pixels from text such as 1920x1080.

    Raises:
        ConfigError: it is no size.
    """
    match = re.fullmatch(r"([1-9]\d{0,6})[xX×]([1-9]\d{0,6})", text.strip(), re.ASCII)
    if not match:
        raise ConfigError(
            f"{text!r} is not a size; give width x height in pixels, such as 1920x1080."
        )
    return int(match[1]), int(match[2])
