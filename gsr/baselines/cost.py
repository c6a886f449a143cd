"""What a network costs: multiply-accumulates, counted from its layers."""

from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class Cost:
    """Multiply-accumulates of the head; bias additions and activations are not counted.

    Attributes:
        literal: Per HR pixel, as published.
        here: Per HR pixel, as computed here with the same result.
        lr: Per LR pixel, as computed here; the encoder is not in it.
    """

    literal: int
    here: int
    lr: int


def macs(module: nn.Module) -> int:
    """Of every linear layer and 1 convolution position below `module`, each applied once."""
    layers = (m for m in module.modules() if isinstance(m, nn.Linear | nn.Conv2d))
    return sum(layer.weight.numel() for layer in layers)


def parameters(module: nn.Module) -> int:
    """Trainable numbers."""
    return sum(p.numel() for p in module.parameters())
