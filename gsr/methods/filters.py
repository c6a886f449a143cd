"""Filters made by a network for places within an LR pixel, and applied to features.

The last layer is linear in its hidden numbers h, and so is the colour it makes of a 3 x 3 window
of features u: rgb = (sum_k h_k F_k + F) u. Either the filters come first, where a few places
return in every LR pixel, as at magnifications like 4 or 2.5; or what each F_k finds in the
features, once per LR pixel, and then each point is 257 products. Both equal making a filter of
its own for every point.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from gsr.methods.corners import Axis, take
from gsr.methods.layers import linear, unfolded
from gsr.network.decoder import mlp

_SAME = 1e-9
"""Half LR pixels. Places nearer to each other are one that met rounding."""


@dataclass(frozen=True)
class Places:
    """Where the points of a grid lie.

    Attributes:
        rel: The distinct places (y, x) within an LR pixel. [p, 2]
        which: Place of each point. [H, W]
        where: LR pixel of each point, row by row. [H, W]
    """

    rel: Float[Tensor, "p 2"]
    which: Int[Tensor, "H W"]
    where: Int[Tensor, "H W"]


def places(rows: Axis, columns: Axis, width: int) -> Places:
    """The places of a grid, given per axis, over an LR image of this width."""
    down, row = ((rows.rel / _SAME).round() * _SAME).unique(return_inverse=True)
    across, column = ((columns.rel / _SAME).round() * _SAME).unique(return_inverse=True)
    return Places(
        rel=torch.cartesian_prod(down, across),
        which=row[:, None] * len(across) + column,
        where=rows.index[:, None] * width + columns.index,
    )


class FilterNet(nn.Module):
    """An MLP from a code to one 3 x 3 x `channels` filter for each colour."""

    def __init__(
        self, inputs: int, hidden: tuple[int, ...], channels: int, activation: type[nn.Module]
    ):
        super().__init__()
        self.window = 9 * channels
        self.layers = mlp((inputs, *hidden, 3 * self.window), activation)

    def hidden(self, code: Float[Tensor, "n i"]) -> Float[Tensor, "n k"]:
        """All layers but the last, and a one for its bias."""
        return F.pad(self.layers[:-1](code), (0, 1), value=1.0)

    def _filters(self) -> Float[Tensor, "k 3 window"]:
        """The last layer: what each hidden number, and the bias, adds to the filters."""
        last = linear(self.layers, -1)
        return torch.cat((last.weight.T, last.bias[None])).unflatten(1, (self.window, 3)).mT

    def found(self, feat: Float[Tensor, "b c h w"]) -> Float[Tensor, "b responses h w"]:
        """What each of these finds in every window of the features."""
        return unfolded(feat, self._filters().transpose(0, 1).flatten(0, 1))

    def at_points(
        self, found: Tensor, index: Int[Tensor, " n"], hidden: Float[Tensor, "n k"]
    ) -> Float[Tensor, "n 3"]:
        """Colours at points with hidden numbers of their own, from what was found."""
        return (take(found, index).unflatten(-1, (3, -1)) @ hidden[..., None])[..., 0]

    def on_grid(
        self, feat: Float[Tensor, "b c h w"], places: Places, hidden: Float[Tensor, "p k"]
    ) -> Float[Tensor, "b 3 H W"]:
        """Colours at every point of a grid, in the cheaper order."""
        which, where = (v.flatten().to(feat.device) for v in (places.which, places.where))
        if self._filters_first(len(hidden), feat[0, 0].numel(), len(which)):
            filters = torch.tensordot(hidden, self._filters(), 1)  # [p, 3, window]
            seen = unfolded(feat, filters.flatten(0, 1)).flatten(2)
            colour = 3 * which + torch.arange(3, device=which.device)[:, None]  # [3, H W]
            rgb = seen[:, colour, where]
        else:
            found = self.found(feat).split(1)
            rgb = torch.stack([self.at_points(f, where, hidden[which]).T for f in found])
        return rgb.unflatten(-1, places.which.shape)

    def _filters_first(self, num_places: int, num_pixels: int, num_points: int) -> bool:
        """Whether fewer multiplications are done that way."""
        hidden = linear(self.layers, -1).in_features + 1
        per_filter = 3 * self.window * (hidden + num_pixels)
        return num_places * per_filter < 3 * hidden * (self.window * num_pixels + num_points)
