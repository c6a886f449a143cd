"""Everything a caller can cause to go wrong, as one small family of exceptions.

Each message is a single sentence that says what was wrong and what is accepted. This module
imports nothing heavy, so a command line can catch these errors before PyTorch is loaded.
"""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from typing import Self


class GsrError(ValueError):
    """Base of every error that a caller can cause and a caller can put right."""

    def reworded(self, text: str) -> Self:
        """The same error with another sentence; what it knows besides stays."""
        other = type(self).__new__(type(self))
        other.args = (text,)
        vars(other).update(vars(self))
        return other


class ImageError(GsrError):
    """A picture could not be read, or its pixels are not what is accepted."""


class TooLargeError(ImageError):
    """A picture is fine but for its size.

    Attributes:
        width, height: Pixels.
        limit: Pixels that are accepted.
    """

    def __init__(self, name: str, width: int, height: int, limit: int):
        super().__init__(
            f"{name} is {width} x {height} pixels ({width * height / 1e6:.3g} megapixels), and "
            f"at most {limit / 1e6:.3g} megapixels are accepted."
        )
        self.width, self.height, self.limit = width, height, limit


class ShapeError(GsrError):
    """A tensor or array has the wrong shape."""


class ScaleError(GsrError):
    """A scale, a view or an output size is out of range."""


class WeightsError(GsrError):
    """A weights file is missing, damaged, or does not fit the model."""


class ConfigError(GsrError):
    """A setting is unknown or has a value that is not accepted."""


class OutputError(GsrError):
    """A result could not be written."""


def reason(error: Exception) -> str:
    """What an exception says, as the end of a sentence."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split()).rstrip(".")


def shown(value: object) -> str:
    """A refused value as a sentence can hold it: short, on one line, whatever it is."""
    try:
        text = " ".join(_SHORT.repr(value).split())
        return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."
    except ValueError:  # Python writes out no whole number of thousands of digits
        return "a number of thousands of digits"
    except Exception:
        return f"a value of type {type(value).__name__}"


_MAX_SHOWN = 200
_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxlong, _SHORT.maxstring, _SHORT.maxother = 3, 24, 60, 60


def out_of_memory(error: Exception) -> bool:
    """Whether it means that there was not enough memory; PyTorch says so in words only."""
    said = str(error)
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and ("allocate memory" in said or "out of memory" in said)
    )


class HasShape(Protocol):
    """Anything with a ``shape``: a PyTorch tensor, a NumPy array."""

    @property
    def shape(self) -> Sequence[int]: ...


def check_shape(
    name: str, tensor: HasShape, expected: str | tuple[str | int, ...]
) -> dict[str, int]:
    """Check the shape of ``tensor`` against a pattern.

    Args:
        name: what to call the tensor in the message.
        tensor: anything with a ``shape``.
        expected: a pattern such as ``"[*batch, n, 2]"`` or ``("*batch", "n", 2)``. A number
            must match exactly; a name matches any size, and the same size wherever the name
            returns; one starred name stands for any number of dimensions, none included.

    Returns:
        The size that each plain name matched, for example ``{"n": 4096}``.

    Raises:
        ShapeError: the shape does not match.
        ValueError: the pattern itself has more than one starred name.
    """
    pattern = _parse(expected)
    shape = tuple(int(size) for size in tensor.shape)
    sizes = _match(pattern, shape)
    if sizes is None:
        wanted = ", ".join(pattern)
        raise ShapeError(f"{name} must have shape [{wanted}], got {shape}.")
    return sizes


def _parse(expected: str | tuple[str | int, ...]) -> list[str]:
    if not isinstance(expected, str):
        return [str(entry) for entry in expected]
    entries = (entry.strip() for entry in expected.strip().strip("[]").split(","))
    return [entry for entry in entries if entry]


def _match(pattern: list[str], shape: tuple[int, ...]) -> dict[str, int] | None:
    stars = [index for index, entry in enumerate(pattern) if entry.startswith("*")]
    if len(stars) > 1:
        raise ValueError(f"a shape pattern takes one starred name, got {pattern}.")
    if stars:
        head, tail = pattern[: stars[0]], pattern[stars[0] + 1 :]
        if len(shape) < len(head) + len(tail):
            return None
        pattern = head + tail
        shape = shape[: len(head)] + shape[len(shape) - len(tail) :]
    if len(shape) != len(pattern):
        return None
    return _bind(pattern, shape)


def _bind(pattern: list[str], shape: tuple[int, ...]) -> dict[str, int] | None:
    sizes: dict[str, int] = {}
    for entry, size in zip(pattern, shape, strict=True):
        wanted = int(entry) if entry.isdigit() else sizes.setdefault(entry, size)
        if wanted != size:
            return None
    return sizes
