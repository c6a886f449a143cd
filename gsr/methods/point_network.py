"""What the networks share: an encoder, and a head that is asked for colours at points."""

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field, InstanceOf
from torch import Tensor, nn

from gsr.base.coords import View
from gsr.base.reading import Checked
from gsr.field.protocol import Prediction, Progress
from gsr.methods.cost import Cost
from gsr.methods.encode import encode_tiles
from gsr.methods.point_image import PointMethod, blocks
from gsr.network.encoders import AnyEncoderConfig, EncoderConfig, new_encoder
from gsr.network.fingerprint import fingerprint
from gsr.network.splat import grid_points

BLOCK = 9_216
"""Points a head is asked for at once on a CPU; 256 hidden numbers of each are 9 MB."""
GPU_BLOCK = 65_536
"""The same elsewhere, where starting a computation costs more than its memory."""
_MARGIN = 3
"""LR pixels around the points that a head may read: a corner, and the 3 x 3 window of one."""


@dataclass(frozen=True)
class BaselineConfig(Checked):
    """One network.

    Attributes:
        method: Which head, a key of `gsr.methods.baselines.BASELINES`.
        name: What the weights are called.
        encoder: Kind and size of the encoder, see `gsr.network.encoders`.
    """

    method: Annotated[str, Field(max_length=200)]
    name: Annotated[str, Field(max_length=200)]
    encoder: InstanceOf[AnyEncoderConfig] = EncoderConfig()


@dataclass(frozen=True)
class Cut:
    """A part of the LR grid that holds all a head reads for some points.

    Where it ends short of the image, there is a margin; so what is true at its border is true
    at the border of the image.

    Attributes:
        feat: Features of the encoder. [b, c, h, w]
        lr: The picture in [0, 1]. [b, 3, h, w]
        whole: (height, width) of the whole LR image.
    """

    feat: Float[Tensor, "b c h w"]
    lr: Float[Tensor, "b 3 h w"]
    whole: tuple[int, int]

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the part."""
        return self.lr.shape[-2], self.lr.shape[-1]


class PointNetwork(PointMethod, nn.Module):
    """Base of the six networks. One says what the colours at points are, in `colors`."""

    def __init__(self, config: BaselineConfig):
        super().__init__()
        self.config = config
        self.encoder = new_encoder(config.encoder)
        # The layout a CPU's convolutions are fastest in; torch's stubs miss this overload.
        self.encoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def name(self) -> str:
        """What the weights are called."""
        return self.config.name

    @property
    def weights(self) -> str:
        """See `PointMethod`."""
        return fingerprint(self)

    @abstractmethod
    def colors(
        self, cut: Cut, points: Float[Tensor, "b n 2"], scale: Float[Tensor, "b 2"]
    ) -> Float[Tensor, "b n 3"]:
        """Colours around [0, 1] at `points` (x, y in LR pixels of the cut) at (sy, sx)."""

    @abstractmethod
    def cost(self) -> Cost:
        """Multiply-accumulates of the head."""

    def grid(
        self, cut: Cut, xs: Float[Tensor, " W"], ys: Float[Tensor, " H"], scale: tuple[float, float]
    ) -> Float[Tensor, "b 3 H W"]:
        """As `colors` at every point of a grid."""
        count = len(cut.lr)
        points = grid_points(xs, ys).expand(count, -1, -1)
        rgb = self.colors(cut, points, xs.new_tensor(scale).expand(count, 2))
        return rgb.movedim(-1, 1).unflatten(-1, (len(ys), len(xs)))

    def forward(
        self,
        lr: Float[Tensor, "b 3 h w"],
        points: Float[Tensor, "b n 2"],
        scale: Float[Tensor, "b 2"],
        *,
        soft: bool = False,
        generator: torch.Generator | None = None,
    ) -> Prediction:
        """Training: colours at `points` (x, y in LR pixels) at `scale` (sy, sx).

        `soft` and `generator` belong to methods with choices and are not used.
        """
        feat, whole = self.encoder(lr), (lr.shape[-2], lr.shape[-1])
        # A few images at a time: larger intermediate results are slow to allocate.
        few = max(1, _block(lr) // points.shape[1])
        parts = zip(*(v.split(few) for v in (feat, lr, points, scale)), strict=True)
        return Prediction(torch.cat([self.colors(Cut(f, i, whole), p, s) for f, i, p, s in parts]))

    def maps(self, lr: Tensor, tile: int, progress: Progress | None) -> tuple[Tensor, Tensor]:
        """Features of the encoder, tile by tile."""
        lr = lr.to(next(self.parameters()))
        made = encode_tiles(lr, tile, self.encoder.radius, self._features, progress)
        return lr, made["feat"].movedim(-1, 1)

    def _features(self, lr: Float[Tensor, "1 3 h w"]) -> dict[str, Tensor]:
        lr = lr.contiguous(memory_format=torch.channels_last)
        return {"feat": self.encoder(lr).movedim(1, -1)}

    @torch.no_grad()
    def read(self, lr: Tensor, maps: Tensor, view: View) -> Tensor:
        """See `gsr.methods.point_image.Reader`. Blocks bound the memory and change nothing."""
        xs, ys = view.axes((lr.shape[-2], lr.shape[-1]))
        out = lr.new_empty((len(lr), 3, *view.size), dtype=torch.float32)
        side = max(1, math.isqrt(_block(lr) // len(lr)))
        for rows, columns in blocks(view.size, side, side):
            cut, (left, top) = _cut(lr, maps, xs[columns], ys[rows])
            out[:, :, rows, columns] = self.grid(
                cut, xs[columns] - left, ys[rows] - top, view.scale
            )
        return out


def _block(lr: Tensor) -> int:
    return BLOCK if lr.device.type == "cpu" else GPU_BLOCK


def _cut(lr: Tensor, feat: Tensor, xs: Tensor, ys: Tensor) -> tuple[Cut, tuple[int, int]]:
    """What a head reads for points with these x and y, and the LR corner (x, y) of it."""
    left, top = (max(0, int(v.min()) - _MARGIN) for v in (xs, ys))
    right, bottom = (int(v.max()) + _MARGIN + 1 for v in (xs, ys))
    rows, columns = slice(top, bottom), slice(left, right)
    whole = lr.shape[-2], lr.shape[-1]
    return Cut(feat[:, :, rows, columns], lr[:, :, rows, columns], whole), (left, top)
