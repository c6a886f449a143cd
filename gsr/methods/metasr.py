"""Meta-SR: a network makes the filter that an output pixel applies to the features.

Source: Hu et al. 2019 (arXiv:1903.00875), in the form that LIIF's authors compare with.
"""

import torch
from torch import Tensor, nn

from gsr.methods.corners import Axis, nearest, place
from gsr.methods.cost import Cost, macs
from gsr.methods.filters import FilterNet, places
from gsr.methods.layers import linear, to_unit
from gsr.methods.point_network import BaselineConfig, Cut, PointNetwork

HIDDEN = (256,)


class MetaSR(PointNetwork):
    """A filter from the place of the output pixel within its LR pixel, and its size.

    Places are of upper left corners. The size is one number in the paper; at a magnification
    that differs between the axes it is the geometric mean.
    """

    label = "Meta-SR"
    about = "Filters predicted for each position (Hu et al., CVPR 2019)"

    def __init__(self, config: BaselineConfig):
        super().__init__(config)
        self.filters = FilterNet(3, HIDDEN, config.encoder.channels, nn.ReLU)

    def colors(self, cut: Cut, points: Tensor, scale: Tensor) -> Tensor:
        """See `PointNetwork`."""
        x, y = points.unbind(-1)
        rows = corner_of(y, scale[:, :1], cut.size[0])
        columns = corner_of(x, scale[:, 1:], cut.size[1])
        index, rel = place(rows, columns, cut.size, cut.feat)
        hidden = self.filters.hidden(_code(rel, scale.repeat_interleave(points.shape[1], 0)))
        rgb = self.filters.at_points(self.filters.found(cut.feat), index, hidden)
        return to_unit(rgb).unflatten(0, points.shape[:2])

    def grid(self, cut: Cut, xs: Tensor, ys: Tensor, scale: tuple[float, float]) -> Tensor:
        """See `PointNetwork`."""
        size = xs.new_tensor(scale)
        rows, columns = corner_of(ys, size[0], cut.size[0]), corner_of(xs, size[1], cut.size[1])
        at = places(rows, columns, cut.size[1])
        hidden = self.filters.hidden(_code(at.rel.to(cut.feat), size.expand(len(at.rel), 2)))
        return to_unit(self.filters.on_grid(cut.feat, at, hidden))

    def cost(self) -> Cost:
        """See `PointNetwork`. Here: at any magnification; see `gsr.methods.filters`."""
        last = linear(self.filters.layers, -1)
        hidden = last.in_features + 1
        here = macs(self.filters) - last.weight.numel() + 3 * hidden
        return Cost(macs(self.filters) + last.out_features, here, hidden * last.out_features)


def corner_of(x: Tensor, scale: Tensor, length: int) -> Axis:
    """LR pixel of the upper left corner of output pixels, and its place there, 0 to 1."""
    corner = x.double() - 0.5 / scale
    axis = nearest(corner, length)
    return Axis(axis.index, corner - axis.index)


def _code(rel: Tensor, scale: Tensor) -> Tensor:
    """Input of the filter network: (y, x) from the corner of the LR pixel, 1 / magnification."""
    return torch.cat((rel, scale.prod(-1, keepdim=True).rsqrt().to(rel)), -1)
