"""Splatting in plain torch: this page is the formula.

With pixel centre c_i, offset o_i, inverse covariance Q_i and d = p - c_i - o_i:

    w_i(p) = opacity_i * exp(-min(d^T Q_i d / 2, 60)) * t(p_x - c_ix) * t(p_y - c_iy)

What a Gaussian brings to p is v_i, and, where it has a slope, v_i + G_i d.

t is 1 near its pixel and reaches 0, smoothly, at the edge of the LR window, so a Gaussian fades
out before it is dropped and the field has no seams. The bound of 60 keeps the largest weight
of every point a normal float32, hence shares that always sum to 1.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

MAX_EXPONENT = 60.0


def taper(distance: Tensor, radius: int) -> Tensor:
    """1 up to radius - 0.5 LR pixels from the pixel centre, 0 from radius + 0.5, C1 between."""
    u = (distance.abs() - (radius - 0.5)).clamp(0, 1)
    return 1 - u * u * (3 - 2 * u)


def window(
    points: Float[Tensor, "b n 2"], lr_size: tuple[int, int], radius: int
) -> tuple[Tensor, Tensor, Tensor]:
    """LR pixels that may reach each point.

    Returns:
        Flat LR indices [b, n, k], vectors p - c_i [b, n, k, 2], and which of them lie
        inside the image [b, n, k]; k = (2 radius + 1)^2.
    """
    height, width = lr_size
    limit = torch.tensor((width - 1, height - 1), device=points.device)
    cell = torch.minimum(points.floor().long().clamp_min(0), limit)  # [b, n, 2]
    taps = torch.arange(-radius, radius + 1, device=points.device)
    shift = torch.stack(torch.meshgrid(taps, taps, indexing="xy"), -1).reshape(-1, 2)
    pixel = cell.unsqueeze(2) + shift  # [b, n, k, 2]
    inside = ((pixel >= 0) & (pixel <= limit)).all(-1)
    x, y = pixel.clamp_min(0).minimum(limit).unbind(-1)
    return y * width + x, points.unsqueeze(2) - pixel - 0.5, inside


def weights(
    geometry: Float[Tensor, "b h w 6"], points: Float[Tensor, "b n 2"], radius: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Flat LR indices [b, n, k], weights [b, n, k] and vectors d to the means [b, n, k, 2]."""
    index, to_centre, inside = window(points, (geometry.shape[1], geometry.shape[2]), radius)
    near = torch.stack([g.reshape(-1, 6)[i] for g, i in zip(geometry, index, strict=True)])
    ox, oy, a, b, c, opacity = near.unbind(-1)  # [b, n, k]
    to_centre = to_centre.to(geometry.dtype)
    dx, dy = to_centre[..., 0] - ox, to_centre[..., 1] - oy
    exponent = (0.5 * (a * dx * dx + c * dy * dy) + b * dx * dy).clamp_max(MAX_EXPONENT)
    fade = taper(to_centre[..., 0], radius) * taper(to_centre[..., 1], radius)
    return index, opacity * torch.exp(-exponent) * fade * inside, torch.stack((dx, dy), -1)


def splat(
    geometry: Float[Tensor, "b h w 6"],
    channels: Float[Tensor, "b h w d"],
    points: Float[Tensor, "b n 2"],
    radius: int,
    slopes: Float[Tensor, "b h w s 2"] | None = None,
) -> Float[Tensor, "b n d+3"]:
    """Weighted sums at each point.

    Args:
        geometry: Per LR pixel (offset x, offset y, conic xx, xy, yy, opacity), LR pixels.
        channels: What is splatted.
        points: (x, y) inside the image, LR pixels.
        radius: The window is 2 radius + 1 LR pixels wide.
        slopes: Change of the first s channels per LR pixel along x and y, away from the mean.

    Returns:
        sum w (v + G d) [d], sum w d [2], sum w [1], in this order.
    """
    index, weight, vector = weights(geometry, points, radius)
    near = _gathered(channels, index)  # [b, n, k, d]
    if slopes is not None and slopes.shape[-2]:
        slope = _gathered(slopes.flatten(3), index).unflatten(-1, (-1, 2))  # [b, n, k, s, 2]
        change = (slope * vector.unsqueeze(-2)).sum(-1)
        near = near + F.pad(change, (0, near.shape[-1] - change.shape[-1]))
    near = torch.cat((near, vector, torch.ones_like(vector[..., :1])), -1)
    return torch.einsum("bnk,bnkd->bnd", weight, near)


def _gathered(maps: Float[Tensor, "b h w d"], index: Tensor) -> Tensor:
    """What maps hold at flat LR indices [b, n, k]. [b, n, k, d]"""
    flat = maps.reshape(len(maps), -1, maps.shape[-1])
    return torch.stack([f[i] for f, i in zip(flat, index, strict=True)])


def flat(channels: Float[Tensor, "b h w d"]) -> Float[Tensor, "b h w 0 2"]:
    """Slopes of channels that have none."""
    return channels.new_empty((*channels.shape[:3], 0, 2))
