"""Splatting back-ends with one contract, and the choice between them."""

from torch import Tensor

from gsr.splat import cpu, reference

BACKENDS = {"reference": reference.splat, "cpu": cpu.splat}


def splat(
    geometry: Tensor, channels: Tensor, points: Tensor, radius: int, backend: str = "auto"
) -> Tensor:
    """Weighted sums of `channels` at `points`; see `reference.splat` for shapes and formula.

    `auto` takes the compiled loop for float32 on the CPU and plain torch elsewhere.
    """
    if backend == "auto":
        compiled = geometry.device.type == "cpu" and channels.dtype != geometry.double().dtype
        backend = "cpu" if compiled else "reference"
    return BACKENDS[backend](geometry, channels, points, radius)


__all__ = ["BACKENDS", "cpu", "reference", "splat"]
