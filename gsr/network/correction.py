"""Colours that keep what is known: the field, reduced, gives back the picture it was made from."""

from dataclasses import replace

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from gsr.network.sampler import Sampler, SplatMaps
from gsr.network.splat import grid_points

FACTOR = 2
"""The magnification that is rendered and reduced again."""
GAIN = 1.3
"""How much of what is missing is added: one step of 1.3 does nearly as well as two of 1."""
_BICUBIC = 2
"""LR pixels that the reduction reads on either side of one."""


def corrected(maps: SplatMaps, lr: Float[Tensor, "b 3 h w"], sampler: Sampler) -> SplatMaps:
    """Maps whose Gaussians have the colour added that the reduced result misses of the picture.

    One step of back-projection (Irani and Peleg 1991), inside the field: the result stays a sum
    of Gaussians and costs the same to render. Differentiable, in everything but the picture.

    Args:
        maps: Of the whole picture, or of a part with a margin of `reach` pixels.
        lr: The same part of the picture, in [0, 1].
        sampler: What renders the maps.
    """
    missing = lr - reduced(maps, sampler)
    return replace(maps, colors=maps.colors + GAIN * missing.movedim(1, -1))


def reach(sampler: Sampler) -> int:
    """LR pixels around one that its correction depends on."""
    return sampler.config.radius + _BICUBIC


def reduced(maps: SplatMaps, sampler: Sampler) -> Float[Tensor, "b 3 h w"]:
    """The result at magnification `FACTOR`, reduced with an anti-aliased bicubic."""
    images, height, width = maps.colors.shape[:3]
    tall, wide = FACTOR * height, FACTOR * width
    xs, ys = ((torch.arange(n, device=maps.colors.device) + 0.5) / FACTOR for n in (wide, tall))
    scale = maps.colors.new_full((images, 2), float(FACTOR))
    if torch.is_grad_enabled():
        points = grid_points(xs, ys).expand(images, -1, -1)
        rgb = sampler(maps, points, scale).rgb
    else:
        rgb = sampler.grid(maps, xs.double(), ys.double(), scale).rgb
    planes = rgb.movedim(-1, 1).unflatten(-1, (tall, wide)).clamp(0, 1)
    small = F.interpolate(planes.contiguous(), (height, width), mode="bicubic", antialias=True)
    return small.clamp(0, 1)  # as a picture is that was reduced
