"""The colour of a field at points: splat, then decode. Training and rendering share it."""

import math
from dataclasses import dataclass
from typing import Annotated

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from gsr.base.coords import MAX_SCALE
from gsr.base.reading import Checked
from gsr.network.decoder import DECODERS, DecoderConfig, ResidualDecoder
from gsr.network.kernels import Kernels, conics
from gsr.network.splat import compiled, cpu_grid, grid_points, splat, splat_grid


@dataclass(frozen=True)
class SplatMaps:
    """Everything splatting reads, on the LR grid.

    Attributes:
        kernels: The kernel of each pixel. [b, h, w]
        offsets: Mean minus pixel centre, (x, y), LR pixels, within half a pixel. [b, h, w, 2]
        colors: RGB of each Gaussian at its mean, around [0, 1]. [b, h, w, 3]
        feat: Splatted features. [b, h, w, d]
        context: Channels that are interpolated, not splatted; may have none. [b, c, h, w]
        slopes: Change of the colour per LR pixel along x and y, away from the mean; None where
            a Gaussian has one colour. [b, h, w, 3, 2]
    """

    kernels: Kernels
    offsets: Float[Tensor, "b h w 2"]
    colors: Float[Tensor, "b h w 3"]
    feat: Float[Tensor, "b h w d"]
    context: Float[Tensor, "b c h w"]
    slopes: Float[Tensor, "b h w 3 2"] | None = None


@dataclass(frozen=True)
class Sample:
    """Two readings of the field at each point.

    Attributes:
        rgb: The result. [b, n, 3]
        colors: The Gaussians alone: splatted colour. [b, n, 3]
    """

    rgb: Float[Tensor, "b n 3"]
    colors: Float[Tensor, "b n 3"]


@dataclass(frozen=True)
class SamplerConfig(Checked):
    """How Gaussians become colour.

    Attributes:
        radius: The LR window around a point is 2 radius + 1 pixels wide.
        normalized: Divide splatted features by the sum of weights. The paper does not.
        finest: Magnification beyond which the decoder gets this one. It never saw finer
            output pixels; the Gaussians themselves are valid at any magnification.
        decoder: The network after the splat.
    """

    radius: Annotated[int, Field(ge=1, le=16)] = 2
    normalized: bool = True
    finest: Annotated[float, Field(ge=1, le=MAX_SCALE)] = 4.0
    decoder: DecoderConfig = DecoderConfig()


class Sampler(nn.Module):
    """Splats colours and features at points and decodes them."""

    def __init__(self, channels: int, config: SamplerConfig):
        super().__init__()
        self.config = config
        self.raw_footprint = nn.Parameter(torch.tensor(math.log(0.3)))
        extra = 2 if config.decoder.kind == "residual" else 0  # the mean offset
        self.decoder = DECODERS[config.decoder.kind](channels + extra, config.decoder)

    def geometry(self, maps: SplatMaps, scale: Float[Tensor, "b 2"]) -> Float[Tensor, "b h w 6"]:
        """(offset, conic, opacity) per pixel at magnification (sy, sx).

        An output pixel is not a point: its footprint, sigma_p / scale wide, widens every
        Gaussian, as the convolution of two Gaussians is one, but each keeps its peak: the factor
        that a convolution would take it by is left to the opacities, which are learned.
        """
        footprint = (self.raw_footprint.exp() / scale).square()[:, None, None]  # [b, 1, 1, 2]
        pad = torch.stack(
            (footprint[..., 1], torch.zeros_like(footprint[..., 0]), footprint[..., 0]), -1
        )
        conic = conics(maps.kernels.covariances() + pad)
        return torch.cat((maps.offsets, conic, maps.kernels.opacities.unsqueeze(-1)), -1)

    def forward(
        self,
        maps: SplatMaps,
        points: Float[Tensor, "b n 2"],
        scale: Float[Tensor, "b 2"],
        backend: str = "auto",
    ) -> Sample:
        """Result and splatted colour at `points` (x, y in LR pixels) seen at `scale` (sy, sx)."""
        channels = torch.cat((maps.colors, maps.feat), -1)
        geometry, radius = self.geometry(maps, scale), self.config.radius
        sums = splat(geometry, channels, points, radius, backend, maps.slopes)
        return self.decode(sums.to(channels.dtype), maps, points, scale)

    def grid(
        self,
        maps: SplatMaps,
        xs: Float[Tensor, " W"],
        ys: Float[Tensor, " H"],
        scale: Float[Tensor, "b 2"],
        decoded: bool = True,
    ) -> Sample:
        """As `forward` at every point of a grid, row by row, without gradients.

        Without `decoded`, `rgb` is the splatted colour and the decoder does not run.
        """
        channels = torch.cat((maps.colors, maps.feat), -1)
        geometry, radius = self.geometry(maps, scale), self.config.radius
        if isinstance(self.decoder, ResidualDecoder) and decoded and compiled(geometry, channels):
            layers = self.decoder.dense(self._cell(scale))
            shaded = cpu_grid.shade_grid(geometry, channels, xs, ys, radius, layers, maps.slopes)
            return Sample(shaded[:, :3].mT, shaded[:, 3:].mT)
        if not decoded:
            sums = splat_grid(geometry, maps.colors, xs, ys, radius, maps.slopes)
            colors = sums[..., :3] / sums[..., -1:]
            return Sample(colors, colors)
        # Made on the device, once: the splat and the interpolation of the context need them.
        points = grid_points(xs.to(geometry.device), ys.to(geometry.device))
        points = points.expand(len(geometry), -1, -1)
        if compiled(geometry, channels):
            sums = splat_grid(geometry, channels, xs, ys, radius, maps.slopes)
        else:
            sums = splat(geometry, channels, points, radius, slopes=maps.slopes)
        return self.decode(sums.to(channels.dtype), maps, points, scale)

    def _cell(self, scale: Float[Tensor, "b 2"]) -> Float[Tensor, "b 2"]:
        """Size (x, y) of an output pixel in LR pixels, as the decoder gets it."""
        return 1 / scale.flip(-1).clamp_max(self.config.finest)

    def decode(
        self,
        sums: Float[Tensor, "b n d"],
        maps: SplatMaps,
        points: Float[Tensor, "b n 2"],
        scale: Float[Tensor, "b 2"],
    ) -> Sample:
        """Colours from the weighted sums that `splat` returns."""
        # sums: w rgb (3), w v (d), w (x, y) (2), w (1)
        mean = sums[..., :-1] / sums[..., -1:]
        colors = mean[..., :3]
        cell = self._cell(scale).to(sums.dtype)
        if self.config.decoder.kind == "residual":
            return Sample(colors + self.decoder(mean[..., 3:], cell), colors)
        own = mean if self.config.normalized else sums
        feat = torch.cat(
            (own[..., 3 : 3 + maps.feat.shape[-1]], interpolate(maps.context, points)), -1
        )
        nearest = points - _centres(points, maps.feat.shape[1:3])
        return Sample(self.decoder(feat, nearest.to(sums.dtype), cell), colors)


def _centres(points: Float[Tensor, "b n 2"], size: tuple[int, ...]) -> Float[Tensor, "b n 2"]:
    """Centre of the pixel that each point lies in; the far borders belong to the last ones."""
    (height, width), (x, y) = size, points.floor().unbind(-1)
    return torch.stack((x.clamp_max(width - 1), y.clamp_max(height - 1)), -1) + 0.5


def interpolate(
    context: Float[Tensor, "b c h w"], points: Float[Tensor, "b n 2"]
) -> Float[Tensor, "b n c"]:
    """Bicubic reading of LR maps at points, borders continued."""
    height, width = context.shape[-2:]
    x, y = points.unbind(-1)
    grid = torch.stack((2 * x / width - 1, 2 * y / height - 1), -1)
    grid = grid.to(context.dtype).unsqueeze(1)  # [b, 1, n, 2]
    read = F.grid_sample(context, grid, mode="bicubic", padding_mode="border", align_corners=False)
    return read.squeeze(2).movedim(1, -1)
