"""LIIF: an MLP on the features of each of four LR pixels, and the place between them.

Source: Chen et al. 2021 (arXiv:2012.09161).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsr.methods.corners import corners, take
from gsr.methods.cost import Cost, macs
from gsr.methods.layers import linear, sum_of, to_unit, unfolded
from gsr.methods.point_network import BaselineConfig, Cut, PointNetwork
from gsr.network.decoder import mlp

HIDDEN = (256, 256, 256, 256)


class LIIF(PointNetwork):
    """Input of the MLP: 3 x 3 window of features, (y, x) from the LR pixel, output pixel size."""

    label = "LIIF"
    about = "A network asked for each colour (Chen et al., CVPR 2021)"

    def __init__(self, config: BaselineConfig):
        super().__init__(config)
        self.window = 9 * config.encoder.channels
        self.layers = mlp((self.window + 4, *HIDDEN, 3), nn.ReLU)

    def colors(self, cut: Cut, points: Tensor, scale: Tensor) -> Tensor:
        """See `PointNetwork`."""
        first = linear(self.layers, 0)
        of_feat, of_rel, of_cell = first.weight.split((self.window, 2, 2), 1)
        size = F.linear((2 / scale).to(of_cell), of_cell)[..., None, None]
        known = unfolded(cut.feat, of_feat, first.bias) + size  # [b, 256, h, w]
        seen = []
        for corner in corners(points, cut.size, known):
            x = torch.addmm(take(known, corner.index), corner.rel, of_rel.T)
            seen.append(corner.weight * self.layers[1:](x))
        return to_unit(sum_of(seen)).unflatten(0, points.shape[:2])

    def cost(self) -> Cost:
        """See `PointNetwork`."""
        per_lr = linear(self.layers, 0).weight[:, : self.window].numel()
        per_image = linear(self.layers, 0).weight[:, -2:].numel()
        whole = macs(self.layers)
        return Cost(4 * whole, 4 * (whole - per_lr - per_image), per_lr)
