"""A-LIIF: LIIF with a decoder that is mixed for each point from a few small ones.

Source: Li et al. 2022 (arXiv:2208.04318).
"""

from itertools import pairwise
from typing import cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from gsr.methods.corners import corners, take
from gsr.methods.cost import Cost, macs
from gsr.methods.layers import linear, sum_of, to_unit, unfolded
from gsr.methods.liif import HIDDEN
from gsr.methods.point_network import BaselineConfig, Cut, PointNetwork
from gsr.network.decoder import mlp

BASIS = 10
WIDTH = 16


class MixedLinear(nn.Module):
    """K linear layers, weighted per row.

    y = (sum_k c_k B_k) x + sum_k c_k b_k is published; sum_k c_k (B_k x + b_k) is the same and
    needs no matrix per row.
    """

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        bound = (inputs * outputs) ** -0.5  # the public code counts a whole matrix as fan-in
        self.weight = nn.Parameter(torch.empty(BASIS, outputs, inputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(BASIS, outputs).uniform_(-bound, bound))

    def forward(
        self, x: Float[Tensor, "n inputs"], shares: Float[Tensor, "n k"]
    ) -> Float[Tensor, "n outputs"]:
        return mixed(F.linear(x, self.weight.flatten(0, 1), self.bias.flatten()), shares)


def mixed(branches: Float[Tensor, "n branches"], shares: Float[Tensor, "n k"]) -> Tensor:
    """What the K layers gave, weighted. [n, outputs]"""
    return (shares[:, None] @ branches.unflatten(-1, (BASIS, -1)))[:, 0]


class ALIIF(PointNetwork):
    """Input as `LIIF`; one network makes shares of unit length, K others the colour."""

    label = "A-LIIF"
    about = "Adaptive local implicit functions (Li et al., 2021)"

    def __init__(self, config: BaselineConfig):
        super().__init__(config)
        self.window = 9 * config.encoder.channels
        self.layers = mlp((self.window + 4, *HIDDEN, BASIS), nn.ReLU)
        widths = (self.window + 4, WIDTH, WIDTH, WIDTH, WIDTH, 3)
        self.basis = nn.Sequential(*(MixedLinear(a, b) for a, b in pairwise(widths)))

    def colors(self, cut: Cut, points: Tensor, scale: Tensor) -> Tensor:
        """See `PointNetwork`."""
        weight, bias = self._first()
        of_feat, of_rel, of_cell = weight.split((self.window, 2, 2), 1)
        size = F.linear((2 / scale).to(weight), of_cell)[..., None, None]
        known = unfolded(cut.feat, of_feat, bias) + size  # [b, 256 + 160, h, w]
        seen = []
        for corner in corners(points, cut.size, known):
            x = torch.addmm(take(known, corner.index), corner.rel, of_rel.T)
            hidden, branches = x.split((HIDDEN[0], BASIS * WIDTH), 1)
            shares = self.layers[1:](hidden.contiguous()).float()  # for the squares of its norm
            shares = F.normalize(shares, dim=-1).to(branches)
            y = mixed(branches, shares)
            for layer in list(self.basis)[1:]:
                y = layer(F.relu(y), shares)
            seen.append(corner.weight * y)
        return to_unit(sum_of(seen)).unflatten(0, points.shape[:2])

    def _first(self) -> tuple[Tensor, Tensor]:
        """Weight and bias of both first layers, which read the same input."""
        first, basis = linear(self.layers, 0), cast(MixedLinear, self.basis[0])
        weight = torch.cat((first.weight, basis.weight.flatten(0, 1)))
        return weight, torch.cat((first.bias, basis.bias.flatten()))

    def cost(self) -> Cost:
        """See `PointNetwork`. Published: one matrix is mixed per point, and then applied."""
        sizes = {name: p.numel() for name, p in self.basis.named_parameters()}
        mixing = sum(sizes.values())
        matrices = sum(n for name, n in sizes.items() if name.endswith("weight"))
        outputs = mixing - matrices  # K of each, and each times its share
        applied = matrices // BASIS
        first = self._first()[0]
        per_lr, per_image = first[:, : self.window].numel(), first[:, -2:].numel()
        here = macs(self.layers) + matrices + outputs - per_lr - per_image
        return Cost(4 * (macs(self.layers) + mixing + applied), 4 * here, per_lr)
