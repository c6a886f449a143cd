"""Antialiased bicubic reduction of a batch in which every sample has its own factor.

A resize is a matrix along each axis. With one matrix per sample a whole batch is two batched
matrix products, on any device.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

_A = -0.5
"""Keys' parameter, as Pillow and MATLAB have it."""


def bicubic_matrices(sides: Int[Tensor, " b"], out: int, longest: int) -> Float[Tensor, "b o n"]:
    """For each sample, the matrix that takes `sides[b]` pixels to `out` pixels.

    Keys' kernel widened by the factor, cut at the border and normalised, as Pillow does it.

    Args:
        sides: Lengths, each at least `out`.
        out: Length after the reduction.
        longest: Columns of the result; those past a sample's own side are 0.
    """
    factor = (sides.double() / out)[:, None, None]
    centre = (torch.arange(out, device=sides.device).double() + 0.5)[None, :, None] * factor
    pixel = torch.arange(longest, device=sides.device).double()[None, None] + 0.5
    weight = _keys((pixel - centre) / factor.clamp_min(1))
    weight = weight * (pixel < sides[:, None, None])
    return (weight / weight.sum(-1, keepdim=True)).float()


def _keys(x: Tensor) -> Tensor:
    x = x.abs()
    near = ((_A + 2) * x - (_A + 3)) * x * x + 1
    far = ((_A * x - 5 * _A) * x + 8 * _A) * x - 4 * _A
    return torch.where(x < 1, near, torch.where(x < 2, far, torch.zeros_like(x)))


def reduce(
    rgb: Float[Tensor, "b 3 n n"], sides: Int[Tensor, " b"], out: int
) -> Float[Tensor, "b 3 o o"]:
    """The upper left `sides[b]` squared pixels of each sample as `out` squared, in 8-bit steps.

    Within one grey level of Pillow's bicubic on the 8-bit crop.
    """
    matrix = bicubic_matrices(sides, out, rgb.shape[-1])[:, None]
    return _in_levels(matrix @ _in_levels(rgb @ matrix.mT))


def _in_levels(values: Tensor) -> Tensor:
    """Clipped and rounded to 8 bits, as Pillow does after each of its two passes."""
    return (values.clamp(0, 1) * 255).round() / 255
