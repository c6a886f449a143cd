"""Small things that the heads share."""

from typing import cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


def unfolded(
    feat: Float[Tensor, "b c h w"], weight: Float[Tensor, "k window"], bias: Tensor | None = None
) -> Float[Tensor, "b k h w"]:
    """A linear layer on the 3 x 3 windows of `feat`, zero outside; inputs ordered channel, tap.

    That is a convolution: done once per LR pixel instead of at every point that reads it.
    """
    return F.conv2d(feat, weight.unflatten(1, (feat.shape[1], 3, 3)), bias, padding=1)


def linear(layers: nn.Module, i: int) -> nn.Linear:
    """Layer `i` of a sequence or list of layers, which is linear."""
    return cast(nn.Linear, cast(nn.Sequential, layers)[i])


def to_unit(rgb: Tensor) -> Tensor:
    """Colours that a head makes around 0, of range [-1, 1], as colours in [0, 1]."""
    return 0.5 + 0.5 * rgb.float()


def sum_of(parts: list[Tensor]) -> Tensor:
    """Their sum, as one tensor."""
    return torch.stack(parts).sum(0)
