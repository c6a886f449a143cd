"""How large a result is asked to be: a scale, or pixels in one of four ways."""

import re
from dataclasses import dataclass
from typing import Literal

import typer

from gsr.errors import ConfigError

Kind = Literal["scale", "size", "width", "height", "longest"]
_LABELS: dict[Kind, str] = {"scale": "x", "size": "", "width": "w", "height": "h", "longest": "max"}


@dataclass(frozen=True)
class Wanted:
    """A request for a size.

    Attributes:
        kind: `scale` and the sides keep the proportions of the picture; `size` sets both.
        value: The scale, or pixels; (width, height) for `size`.
    """

    kind: Kind
    value: float | tuple[int, int]

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
        from gsr.coords import scaled_size
        from gsr.render import resolve_view

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


def number(text: str) -> float:
    """A number on the command line."""
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a number.") from None


def wanted_size(
    scale: float | None,
    size: str | None,
    width: int | None,
    height: int | None,
    longest: int | None,
) -> Wanted:
    """The one request among the options.

    Raises:
        ConfigError: none or several are given.
        BadParameter: `size` is malformed.
        ScaleError: the scale cannot be rendered whatever the picture is.
    """
    options: dict[Kind, float | str | None] = {
        "scale": scale, "size": size, "width": width, "height": height, "longest": longest,
    }  # fmt: skip
    given = {kind: value for kind, value in options.items() if value is not None}
    if len(given) != 1:
        names = ", ".join(f"--{kind}" for kind in given) or "none"
        raise ConfigError(
            "say how large the result shall be with exactly one of --scale, --size, --width, "
            f"--height and --longest, got {names}."
        )
    ((kind, value),) = given.items()
    if isinstance(value, str):
        return Wanted(kind, _parse_size(value))
    if kind == "scale":
        from gsr.coords import parse_scale

        parse_scale(value)
    return Wanted(kind, value)


def _parse_size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([1-9]\d{0,6})[xX×]([1-9]\d{0,6})", text.strip(), re.ASCII)
    if not match:
        raise typer.BadParameter(
            f"{text!r} is not a size; give width x height in pixels, such as 1920x1080.",
            param_hint="'--size'",
        )
    return int(match[1]), int(match[2])
