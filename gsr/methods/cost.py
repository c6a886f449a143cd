"""What a network costs: multiply-accumulates, counted from its layers."""

from dataclasses import dataclass

from torch import nn

CUBIC_TAPS = 16
QUADRATIC_FORM = 6
"""Of the exponent of a Gaussian, in two dimensions."""


@dataclass(frozen=True)
class Cost:
    """Multiply-accumulates of the head; bias additions and activations are not counted.

    Attributes:
        literal: Per HR pixel, as published; None where nothing else was published.
        here: Per HR pixel, as computed here with the same result.
        lr: Per LR pixel, as computed here; the encoder is not in it.
    """

    literal: int | None
    here: int
    lr: int


def macs(module: nn.Module) -> int:
    """Of every linear layer and 1 position of every convolution below `module`, once each."""
    layers = (m for m in module.modules() if isinstance(m, nn.Linear | nn.Conv2d))
    return sum(layer.weight.numel() for layer in layers)


def parameters(module: nn.Module) -> int:
    """Trainable numbers, also of a module whose training is over."""
    return sum(p.numel() for p in module.parameters())
