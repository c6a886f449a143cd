"""LTE: LIIF on amplitudes and phases of waves whose frequencies come from the features.

Source: Lee & Jin 2022 (arXiv:2111.08918).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsr.methods.corners import corners, take
from gsr.methods.cost import Cost, macs
from gsr.methods.layers import sum_of, to_unit
from gsr.methods.point_network import BaselineConfig, Cut, PointNetwork
from gsr.network.decoder import mlp

WIDTH = 256
FINEST = 4.0
"""Magnification beyond which the network gets this one: it never saw smaller pixels."""


class LTE(PointNetwork):
    """Amplitudes and frequencies per LR pixel, a phase from the size of an output pixel."""

    label = "LTE"
    about = "Local texture estimator (Lee & Jin, CVPR 2022)"

    def __init__(self, config: BaselineConfig):
        super().__init__(config)
        channels = config.encoder.channels
        self.coef = nn.Conv2d(channels, WIDTH, 3, padding=1)
        self.freq = nn.Conv2d(channels, WIDTH, 3, padding=1)
        self.phase = nn.Linear(2, WIDTH // 2, bias=False)
        self.layers = mlp((WIDTH, WIDTH, WIDTH, WIDTH, 3), nn.ReLU)

    def colors(self, cut: Cut, points: Tensor, scale: Tensor) -> Tensor:
        """See `PointNetwork`. To the waves' colour comes the bilinear interpolation of the LR."""
        coef, freq = self.coef(cut.feat), self.freq(cut.feat).float()
        phase = F.linear((2 / scale.clamp_max(FINEST)).to(self.phase.weight), self.phase.weight)
        phase = phase.float().repeat_interleave(points.shape[1], 0)  # [b n, 128]
        waves, bilinear = [], []
        for corner in corners(points, cut.size, freq):
            # Neighbouring channels are the frequencies along y and x of one wave. In float32:
            # a phase of many turns has no digits left in half precision.
            pairs = take(freq, corner.index).unflatten(-1, (-1, 2))
            angle = torch.pi * ((pairs @ corner.rel[..., None])[..., 0] + phase)
            basis = torch.cat((angle.cos(), angle.sin()), -1).to(coef)
            waves.append(corner.weight * self.layers(take(coef, corner.index) * basis).float())
            bilinear.append(corner.weight * take(cut.lr, corner.index).float())
        rgb = to_unit(sum_of(waves)) - 0.5 + sum_of(bilinear)
        return rgb.unflatten(0, points.shape[:2])

    def cost(self) -> Cost:
        """See `PointNetwork`."""
        waves = 2 * (WIDTH // 2) + WIDTH  # frequencies times places, waves times amplitudes
        of_phase = macs(self.phase)
        here = macs(self.layers) + waves
        return Cost(4 * (here + of_phase), 4 * here, macs(self.coef) + macs(self.freq))
