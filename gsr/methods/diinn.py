"""DIINN: a content branch and a position branch that modulate each other.

Source: Nguyen & Beksi 2023 (arXiv:2210.12593), mode 3 without initial modulation.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsr.methods.corners import nearest, place, take
from gsr.methods.cost import Cost, macs
from gsr.methods.layers import linear, to_unit, unfolded
from gsr.methods.point_network import BaselineConfig, Cut, PointNetwork

WIDTH = 256
LAYERS = 4


class DIINN(PointNetwork):
    """Content: 3 x 3 window of the nearest features; position: place and output pixel's area."""

    label = "DIINN"
    about = "Dual interactive implicit network (Nguyen & Beksi, WACV 2023)"

    def __init__(self, config: BaselineConfig):
        super().__init__(config)
        self.window = 9 * config.encoder.channels
        inputs = [0] + [WIDTH] * (LAYERS - 1)
        self.content = nn.ModuleList(nn.Linear(n + self.window, WIDTH) for n in inputs)
        self.position = nn.ModuleList(nn.Linear(n or 3, WIDTH) for n in inputs)
        self.last = nn.Linear(WIDTH, 3)

    def colors(self, cut: Cut, points: Tensor, scale: Tensor) -> Tensor:
        """See `PointNetwork`."""
        x, y = points.unbind(-1)
        rows, columns = nearest(y, cut.size[0]), nearest(x, cut.size[1])
        index, rel = place(rows, columns, cut.size, cut.feat)
        area = (1 / scale.prod(-1)).to(rel).repeat_interleave(points.shape[1], 0)
        q = torch.cat((rel, area[:, None]), -1)
        for i, position in enumerate(self.position):
            # The window enters every layer and is constant within an LR pixel.
            content = linear(self.content, i)
            own, window = content.weight.split((content.in_features - self.window, self.window), 1)
            k = take(unfolded(cut.feat, window, content.bias), index)
            if i:
                k = torch.addmm(k, q, own.T)
            q = F.relu(k) * position(q).sin()
        return to_unit(self.last(q)).unflatten(0, points.shape[:2])

    def cost(self) -> Cost:
        """See `PointNetwork`."""
        products = LAYERS * WIDTH  # of content and position
        whole = macs(self.content) + macs(self.position) + macs(self.last) + products
        per_lr = LAYERS * WIDTH * self.window
        return Cost(whole, whole - per_lr, per_lr)
