"""LPIPS, where the `lpips` package happens to be installed.

It is neither a dependency nor an extra of gsr: the package needs torchvision, and downloads a
network when it is first used.
"""

import importlib
from collections.abc import Callable

import torch
from torch import Tensor

from gsr.base.errors import ConfigError, reason
from gsr.images.metrics import Protocol

NAME = "LPIPS of AlexNet, version 0.1, on RGB inside the shave"

Lpips = Callable[[Tensor, Tensor, Protocol], float]
"""Takes SR and HR [3, h, w] in [0, 1], and of the protocol shave and rounding."""


def load_lpips(device: str | torch.device = "cpu") -> Lpips:
    """The metric.

    Raises:
        ConfigError: the package is not installed, or cannot make its network.
    """
    try:
        network = importlib.import_module("lpips").LPIPS(net="alex", verbose=False).to(device)
    except ImportError as error:
        raise ConfigError(
            f"LPIPS is left out: it needs the package {error.name or 'lpips'}, which gsr does not "
            "install because torchvision comes with it."
        ) from error
    except Exception as error:
        # The package downloads; anything from a cut connection to a damaged file may come up.
        raise ConfigError(f"LPIPS is left out, its network failed: {reason(error)}.") from error

    @torch.no_grad()
    def measure(sr: Tensor, hr: Tensor, protocol: Protocol) -> float:
        first, second = (_prepared(rgb.to(device), protocol) for rgb in (sr, hr))
        return float(network(first, second))

    return measure


def _prepared(rgb: Tensor, protocol: Protocol) -> Tensor:
    """[3, h, w] in [0, 1] as [1, 3, h, w] in [-1, 1], as far as the protocol compares it."""
    height, width = rgb.shape[-2:]
    shave = protocol.shave
    kept = rgb[:, shave : height - shave, shave : width - shave].float().clamp(0, 1)
    if protocol.rounding:
        kept = (kept * 255).round() / 255
    return kept[None] * 2 - 1
