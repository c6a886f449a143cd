"""Splatting back-ends with one contract, and the choice between them."""

import torch
from torch import Tensor

from gsr.splat import cpu, cpu_grid, reference

BACKENDS = {"reference": reference.splat, "cpu": cpu.splat}


def splat(
    geometry: Tensor, channels: Tensor, points: Tensor, radius: int, backend: str = "auto"
) -> Tensor:
    """Weighted sums of `channels` at `points`; see `reference.splat` for shapes and formula.

    `auto` takes the compiled loop for float32 on the CPU and plain torch elsewhere.
    """
    if backend == "auto":
        backend = "cpu" if compiled(geometry, channels) else "reference"
    return BACKENDS[backend](geometry, channels, points, radius)


def splat_grid(geometry: Tensor, channels: Tensor, xs: Tensor, ys: Tensor, radius: int) -> Tensor:
    """`splat` at every point of the grid xs [W] x ys [H], row by row. No gradients."""
    if compiled(geometry, channels):
        return cpu_grid.splat_grid(geometry, channels, xs, ys, radius)
    points = grid_points(xs, ys).to(geometry.device).expand(len(geometry), -1, -1)
    return reference.splat(geometry, channels, points, radius)


def grid_points(xs: Tensor, ys: Tensor) -> Tensor:
    """(x, y) of every point of a grid, row by row. [1, H * W, 2]"""
    return torch.stack(torch.meshgrid(xs, ys, indexing="xy"), dim=-1).reshape(1, -1, 2)


def compiled(geometry: Tensor, channels: Tensor) -> bool:
    """Whether the compiled loops can take these."""
    return geometry.device.type == "cpu" and channels.dtype == geometry.dtype == torch.float32


__all__ = [
    "BACKENDS",
    "compiled",
    "cpu",
    "cpu_grid",
    "grid_points",
    "reference",
    "splat",
    "splat_grid",
]
