"""EDSR without its upsampler.

Source: Lim et al. 2017 (arXiv:1707.02921), the baseline: 16 blocks of 64 channels, 1 220 416
parameters. Smaller ones suit a CPU.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, cast

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from gsr.network.encoders.base import AnyEncoderConfig, Encoder
from gsr.network.encoders.fused import can_fuse, conv_add_, conv_relu


@dataclass(frozen=True)
class EncoderConfig(AnyEncoderConfig):
    """Width and depth."""

    channels: Annotated[int, Field(ge=1, le=1024)] = 64
    blocks: Annotated[int, Field(ge=0, le=128)] = 16
    kind: Literal["edsr"] = "edsr"

    @property
    def radius(self) -> int:
        """One LR pixel per 3 x 3 convolution."""
        return 2 * self.blocks + 2

    @property
    def label(self) -> str:
        """Channels and blocks."""
        return f"EDSR {self.channels} x {self.blocks}"


class ResidualBlock(nn.Module):
    """Two convolutions and a skip connection; no norm, residual scale 1."""

    def __init__(self, channels: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)

    def add_to_(self, x: Tensor) -> None:
        """As `forward`, in place and fused; see `can_fuse`."""
        first, _, second = cast(tuple[nn.Conv2d, nn.Module, nn.Conv2d], tuple(self.body))
        conv_add_(second, conv_relu(first, x), to=x)


class EDSR(Encoder):
    """LR image in [0, 1] to features."""

    Config = EncoderConfig

    def __init__(self, config: EncoderConfig):
        super().__init__(config)
        channels = config.channels
        self.head = nn.Conv2d(3, channels, 3, padding=1)
        self.body = nn.Sequential(
            *(ResidualBlock(channels) for _ in range(config.blocks)),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, lr: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b c h w"]:
        x = self.head((lr - 0.5) / 0.5)
        if not can_fuse(x):
            return x + self.body(x)
        feat = x.clone()
        *blocks, last = self.body
        for block in blocks:
            cast(ResidualBlock, block).add_to_(feat)
        conv_add_(cast(nn.Conv2d, last), feat, to=x)
        return x

    def grown(self, given: Encoder) -> dict[str, Tensor]:
        """See `Encoder`: new blocks go behind the last one."""
        weights = super().grown(given)
        if not isinstance(given, EDSR) or len(self.body) <= len(given.body):
            return weights
        moved, to = (f"body.{len(body) - 1}." for body in (given.body, self.body))
        weights = {
            k.replace(moved, to) if k.startswith(moved) else k: v for k, v in weights.items()
        }
        for name, value in self.state_dict().items():
            if name not in weights:  # of a new block, whose second convolution begins at zero
                second = ".2." in name.rpartition("body")[2]
                weights[name] = torch.zeros_like(value) if second else value
        return weights
