"""ITSRN: filters for four LR pixels around a point, scored by place and fused by a network.

Source: Yang et al. 2021 (arXiv:2112.06174), written for screen content.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from gsr.methods.corners import Axis, nearest, place
from gsr.methods.cost import Cost, macs
from gsr.methods.filters import FilterNet, places
from gsr.methods.layers import linear, to_unit
from gsr.methods.point_network import BaselineConfig, Cut, PointNetwork
from gsr.network.decoder import mlp

HIDDEN = (256, 256, 256, 256)


class ITSRN(PointNetwork):
    """A filter from place and output pixel size; a score of the place is added to its colours."""

    label = "ITSRN"
    about = "An implicit transformer (Yang et al., NeurIPS 2021)"

    def __init__(self, config: BaselineConfig):
        super().__init__(config)
        self.filters = FilterNet(4, HIDDEN, config.encoder.channels, nn.GELU)
        self.score = mlp((2, 256, 1), nn.GELU)
        self.fusion = mlp((4, 256, 1), nn.GELU)

    def colors(self, cut: Cut, points: Tensor, scale: Tensor) -> Tensor:
        """See `PointNetwork`."""
        found = self.filters.found(cut.feat)
        token = (1 / scale).to(found).repeat_interleave(points.shape[1], 0)
        x, y = points.unbind(-1)
        seen = []
        for rows in sides(y, cut.size[0], cut.whole[0], scale[:, :1]):
            for columns in sides(x, cut.size[1], cut.whole[1], scale[:, 1:]):
                index, rel = place(rows, columns, cut.size, found)
                hidden = self.filters.hidden(torch.cat((rel, token), -1))
                seen.append(self.filters.at_points(found, index, hidden) + self.score(rel))
        rgb = self.fusion(torch.stack(seen, -1))[..., 0]
        return to_unit(rgb).unflatten(0, points.shape[:2])

    def grid(self, cut: Cut, xs: Tensor, ys: Tensor, scale: tuple[float, float]) -> Tensor:
        """See `PointNetwork`."""
        size = xs.new_tensor(scale)
        token = (1 / size).to(cut.feat)
        seen = []
        for rows in sides(ys, cut.size[0], cut.whole[0], size[0]):
            for columns in sides(xs, cut.size[1], cut.whole[1], size[1]):
                at = places(rows, columns, cut.size[1])
                rel = at.rel.to(cut.feat)
                hidden = self.filters.hidden(torch.cat((rel, token.expand(len(rel), 2)), -1))
                score = self.score(rel)[at.which.to(rel.device), 0]
                seen.append(self.filters.on_grid(cut.feat, at, hidden) + score)
        return to_unit(self.fusion(torch.stack(seen, -1))[..., 0])

    def cost(self) -> Cost:
        """See `PointNetwork`. Here: at any magnification; see `gsr.methods.filters`."""
        last = linear(self.filters.layers, -1)
        hidden = last.in_features + 1
        own, fusion = macs(self.filters) + macs(self.score), 3 * macs(self.fusion)
        here = 4 * (own - last.weight.numel() + 3 * hidden) + fusion
        return Cost(4 * (own + last.out_features) + fusion, here, hidden * last.out_features)


def sides(x: Tensor, length: int, whole: int, scale: Tensor) -> Iterator[Axis]:
    """The LR pixels before and after x on one axis.

    The shift is the public code's: half a pixel of a grid whose outermost samples lie on the
    border, less half an output pixel. So it depends on the `whole` length of the LR image, of
    which only `length` may be at hand. One LR pixel has no such grid, and no other pixel.

    Args:
        x: In LR pixels.
        length: LR pixels at hand.
        whole: LR pixels of the image.
        scale: Output pixels per LR pixel.
    """
    shift = 0.5 * whole * (1 - 1 / (whole * scale)) / max(1, whole - 1)
    yield nearest(x, length, -shift)
    yield nearest(x, length, shift)
