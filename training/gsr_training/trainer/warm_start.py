"""Smaller weights as the start of a larger network that draws the same picture."""

import torch
from torch import Tensor

from gsr.methods.gaussiansr import HEADS_BEFORE_SLOPES, SLOPES, GaussianSR
from gsr.methods.weights import Trained
from gsr.network.encoders import EDSR


def grown(given: Trained, network: Trained) -> dict[str, Tensor]:
    """Weights of `given` with what `network` has more of: slopes, blocks of the encoder.

    What is added gives zero at first, so the picture stays the same. Weights that differ in
    another way come back as they are.
    """
    weights = given.state_dict()
    if _lacks_slopes(given) and not _lacks_slopes(network):
        weights = {k: _with_flat_slopes(v) if k[:6] == "heads." else v for k, v in weights.items()}
    if isinstance(given.encoder, EDSR) and isinstance(network.encoder, EDSR):
        return _with_blocks(weights, given.encoder, network.encoder)
    return weights


def _lacks_slopes(network: Trained) -> bool:
    return isinstance(network, GaussianSR) and not network.config.sloped


def _with_flat_slopes(heads: Tensor) -> Tensor:
    """Rows of the heads with those of slopes added."""
    before, after = sum(HEADS_BEFORE_SLOPES), len(heads) - sum(HEADS_BEFORE_SLOPES)
    first, rest = heads.split((before, after))
    return torch.cat((first, heads.new_zeros((SLOPES, *heads.shape[1:])), rest))


def _with_blocks(weights: dict[str, Tensor], given: EDSR, network: EDSR) -> dict[str, Tensor]:
    """Weights with new blocks behind the last one."""
    last, new_last = len(given.body) - 1, len(network.body) - 1
    if new_last <= last:
        return weights
    moved, to = f"encoder.body.{last}.", f"encoder.body.{new_last}."
    weights = {k.replace(moved, to) if k.startswith(moved) else k: v for k, v in weights.items()}
    for name, value in network.state_dict(prefix="encoder.").items():
        if name not in weights:  # of a new block, whose second convolution begins at zero
            second = ".2." in name.rpartition("body")[2]
            weights[name] = torch.zeros_like(value) if second else value
    return weights
