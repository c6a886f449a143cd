"""Smaller weights as the start of a larger network that draws the same picture."""

import torch
from torch import Tensor

from gsr.methods.gaussiansr import HEADS_BEFORE_SLOPES, SLOPES, GaussianSR
from gsr.methods.weights import Trained


def grown(given: Trained, network: Trained) -> dict[str, Tensor]:
    """Weights of `given` with what `network` has more of: slopes, parts of the encoder.

    What is added gives zero at first, so the picture stays the same. Weights that differ in
    another way come back as they are.
    """
    weights = given.state_dict()
    if _lacks_slopes(given) and not _lacks_slopes(network):
        weights = {k: _with_flat_slopes(v) if k[:6] == "heads." else v for k, v in weights.items()}
    rest = {k: v for k, v in weights.items() if not k.startswith("encoder.")}
    encoder = network.encoder.grown(given.encoder)
    return rest | {f"encoder.{name}": value for name, value in encoder.items()}


def _lacks_slopes(network: Trained) -> bool:
    return isinstance(network, GaussianSR) and not network.config.sloped


def _with_flat_slopes(heads: Tensor) -> Tensor:
    """Rows of the heads with those of slopes added."""
    before, after = sum(HEADS_BEFORE_SLOPES), len(heads) - sum(HEADS_BEFORE_SLOPES)
    first, rest = heads.split((before, after))
    return torch.cat((first, heads.new_zeros((SLOPES, *heads.shape[1:])), rest))
