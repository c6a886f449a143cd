"""Splatting back-ends with one contract, and the choice between them."""

import warnings
from contextlib import nullcontext
from functools import cache
from importlib.util import find_spec

import torch
from torch import Tensor

from gsr.base.errors import ShapeError
from gsr.network.splat import cpu, cpu_grid, reference
from gsr.network.splat.jit import ENABLED
from gsr.network.splat.reference import flat


def _cuda(
    geometry: Tensor, channels: Tensor, points: Tensor, radius: int, slopes: Tensor | None = None
) -> Tensor:
    from gsr.network.splat import cuda  # imports Triton, which not every machine has

    return cuda.splat(geometry, channels, points, radius, slopes)


BACKENDS = {"reference": reference.splat, "cpu": cpu.splat, "cuda": _cuda}


def splat(
    geometry: Tensor,
    channels: Tensor,
    points: Tensor,
    radius: int,
    backend: str = "auto",
    slopes: Tensor | None = None,
) -> Tensor:
    """Weighted sums of `channels` at `points`; see `reference.splat` for shapes and formula.

    `auto` takes the compiled loop for float32 on the CPU, Triton on a GPU that has it, and
    plain torch elsewhere and for double precision.
    """
    _check_slopes(channels, slopes)
    if backend == "auto":
        backend = _best(geometry, channels)
    return BACKENDS[backend](geometry, channels, points, radius, slopes)


def splat_grid(
    geometry: Tensor,
    channels: Tensor,
    xs: Tensor,
    ys: Tensor,
    radius: int,
    slopes: Tensor | None = None,
) -> Tensor:
    """`splat` at every point of the grid xs [W] x ys [H], row by row. No gradients."""
    _check_slopes(channels, slopes)
    if compiled(geometry, channels):
        return cpu_grid.splat_grid(geometry, channels, xs, ys, radius, slopes)
    # On the device from the start: a grid of a million points is long in coming there.
    points = grid_points(xs.to(geometry.device), ys.to(geometry.device))
    points = points.expand(len(geometry), -1, -1)
    return splat(geometry, channels, points, radius, slopes=slopes)


def _check_slopes(channels: Tensor, slopes: Tensor | None) -> None:
    """Compiled loops would write beyond what is theirs."""
    if slopes is not None and not 0 <= slopes.shape[-2] <= channels.shape[-1]:
        raise ShapeError(
            f"slopes must be of at most {channels.shape[-1]} channels, got {slopes.shape[-2]}."
        )


def grid_points(xs: Tensor, ys: Tensor) -> Tensor:
    """(x, y) of every point of a grid, row by row. [1, H * W, 2]"""
    return torch.stack(torch.meshgrid(xs, ys, indexing="xy"), dim=-1).reshape(1, -1, 2)


def compiled(geometry: Tensor, channels: Tensor) -> bool:
    """Whether the compiled loops can take these."""
    on_cpu = geometry.device.type == "cpu"
    return ENABLED and on_cpu and channels.dtype == geometry.dtype == torch.float32


def _best(geometry: Tensor, channels: Tensor) -> str:
    if compiled(geometry, channels):
        return "cpu"
    double = torch.float64 in (geometry.dtype, channels.dtype)
    if not geometry.is_cuda or double:
        return "reference"
    return "cuda" if _has_triton(geometry.device) else "reference"


@cache
def _has_triton(device: torch.device | None = None) -> bool:
    """Whether Triton's kernels run on a device, None for the current one.

    They are compiled at their first use, which can fail, and differs from card to card.
    """
    if find_spec("triton") is None:
        return False
    try:
        with torch.cuda.device(device) if device else nullcontext():
            _try_triton()
    except Exception as error:  # whatever a compiler, a driver or a missing header may say
        warnings.warn(
            f"Triton cannot compile its kernels here, so Gaussians are splatted by plain torch, "
            f"which is slower: {error}",
            stacklevel=2,
        )
        return False
    return True


@torch.enable_grad()
def _try_triton(device: str = "cuda") -> None:
    """Both kernels in the shape that models use: the one that goes back is not tried later, when
    an hour of training hangs on it.
    """
    from gsr.network.splat import cuda

    geometry, channels, slopes = (
        torch.ones((1, 2, 2, *rest), device=device, requires_grad=True)
        for rest in ((6,), (32,), (3, 2))
    )
    cuda.splat(geometry, channels, torch.ones((1, 4, 2), device=device), 2, slopes).sum().backward()


__all__ = [
    "BACKENDS",
    "compiled",
    "cpu",
    "cpu_grid",
    "flat",
    "grid_points",
    "reference",
    "splat",
    "splat_grid",
]
