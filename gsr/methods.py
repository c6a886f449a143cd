"""Every method by name: the classical ones, and networks with their weights."""

from pathlib import Path

import torch

from gsr.baselines.classical import Pillow, Sinc
from gsr.continuous import Method
from gsr.errors import ConfigError
from gsr.weights import load, manifest

CLASSICAL = ("bicubic", "lanczos", "nearest", "sinc")
ON_RESULT = "sinc:"
"""Before the name of a network: sinc resampling of its fixed x4 result."""


def names() -> list[str]:
    """What `get` knows without a file: the classical methods, then the bundled weights."""
    return [*CLASSICAL, *manifest()]


def get(name: str | Path, *, device: str | torch.device = "cpu") -> Method:
    """A method ready to encode.

    Args:
        name: One of `names()`, the path of a weights file, or `sinc:` and one of them for the
            sinc resampling of its fixed x4 result.
        device: Where it computes.

    Raises:
        ConfigError: for an unknown name.
        WeightsError: for a damaged or foreign file.
    """
    text = str(name)
    if text == "sinc":
        return Sinc(device=device)
    if text in ("bicubic", "lanczos", "nearest"):
        return Pillow(text, device)  # type: ignore[arg-type]
    if text.startswith(ON_RESULT):
        return Sinc(get(text.removeprefix(ON_RESULT), device=device), device)
    if text in manifest() or Path(text).is_file():
        return load(text, device=device)
    raise ConfigError(
        f"there is no method called {text!r}: known are {', '.join(names())}, the path of a "
        f"weights file, and {ON_RESULT} before one of them."
    )
