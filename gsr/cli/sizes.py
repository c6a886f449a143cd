"""The options for the size of a result."""

import typer

from gsr.base.errors import ConfigError
from gsr.base.output_size import Fit, Kind, OutputSize, parse_size


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
    fit: Fit | None = None,
) -> OutputSize:
    """The one request among the options.

    Raises:
        ConfigError: none or several are given, `size` is malformed, or `fit` stands without it.
        ScaleError: the scale cannot be rendered whatever the picture is.
    """
    options: dict[Kind, float | str | None] = {
        "scale": scale, "size": size, "width": width, "height": height, "longest": longest,
    }  # fmt: skip
    given = {kind: value for kind, value in options.items() if value is not None}
    if len(given) != 1:
        names = ", ".join(f"--{kind}" for kind in given) or "none"
        raise ConfigError(
            "give the output size with exactly one of --scale, --size, --width, "
            f"--height and --longest, got {names}."
        )
    ((kind, value),) = given.items()
    if isinstance(value, str):
        return OutputSize(kind, parse_size(value), fit or "inside")
    if fit is not None:
        raise ConfigError(f"--fit says how a picture fits --size, and --{kind} was given.")
    if kind == "scale":
        from gsr.base.coords import parse_scale

        parse_scale(value)
    return OutputSize(kind, value)
