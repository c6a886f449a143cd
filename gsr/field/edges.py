"""What a picture's edges look like, and whether kernels know of them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Int
from torch import Tensor

from gsr.base.errors import GsrError, check_shape, shown
from gsr.network.kernels import ellipses

if TYPE_CHECKING:
    from gsr.field import GaussianField

DIRECTIONS = 8
"""Bins of a half turn."""
STRENGTHS = (1e-4, 1e-3, 1e-2)
"""Limits between flat, weak, clear and strong structure, see `edge_structure`."""


def edge_structure(
    rgb: Float[Tensor, "b 3 h w"], sigma: float = 1.0
) -> tuple[Float[Tensor, "b h w"], Float[Tensor, "b h w"]]:
    """Direction of edges and their strength, from the structure tensor of the luma.

    Returns:
        Angle along the edge (not across it), radians from +x towards +y, modulo pi; and
        strength times coherence: the difference of the tensor's eigenvalues.
    """
    from gsr.images.metrics import luma

    y = torch.nn.functional.pad(luma(rgb)[:, None], (1, 1, 1, 1), mode="replicate")
    gx = (y[..., 1:-1, 2:] - y[..., 1:-1, :-2]) / 2
    gy = (y[..., 2:, 1:-1] - y[..., :-2, 1:-1]) / 2
    tensor = _blur(torch.cat((gx * gx, gx * gy, gy * gy), 1), sigma)
    xx, xy, yy = tensor.unbind(1)
    across = torch.atan2(2 * xy, xx - yy) / 2
    return across + torch.pi / 2, torch.sqrt((xx - yy) ** 2 + 4 * xy * xy)


def _blur(maps: Tensor, sigma: float) -> Tensor:
    reach = max(1, round(3 * sigma))
    taps = torch.arange(-reach, reach + 1, dtype=maps.dtype, device=maps.device)
    kernel = torch.exp(-(taps**2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).repeat(maps.shape[1], 1, 1, 1)
    pad = torch.nn.functional.pad(maps, (reach,) * 4, mode="replicate")
    rows = torch.nn.functional.conv2d(pad, kernel, groups=maps.shape[1])
    return torch.nn.functional.conv2d(rows, kernel.mT, groups=maps.shape[1])


@dataclass(frozen=True)
class Agreement:
    """Whether kernels lie along edges; directions in radians, modulo pi.

    Attributes:
        edge: Direction of the edge at each compared pixel. [n]
        kernel: Direction of the kernel's long axis there. [n]
        mean: Mean of cos 2 (kernel - edge): 1 along, 0 by chance, -1 across.
        correlation: Circular correlation of the doubled angles, from -1 to 1
            (Jammalamadaka and SenGupta, "Topics in Circular Statistics", 2001).
    """

    edge: Float[Tensor, " n"]
    kernel: Float[Tensor, " n"]
    mean: float
    correlation: float


def edge_agreement(field: "GaussianField", strongest: float = 0.1) -> Agreement:
    """Directions of kernels and of edges, on the pixels with the strongest edges.

    Args:
        field: Of one image or more.
        strongest: Fraction of the pixels, in (0, 1].

    Raises:
        GsrError: for another fraction.
    """
    if not 0 < strongest <= 1:
        raise GsrError(f"strongest must be above 0 and at most 1, got {shown(strongest)}.")
    along, strength = edge_structure(field.lr)
    order = strength.flatten().argsort(descending=True)
    chosen = order[: max(1, round(strongest * len(order)))]
    edge = along.flatten()[chosen].cpu()
    kernel = ellipses(field.kernels.covariances()).angle.flatten()[chosen].cpu()
    return Agreement(
        edge, kernel, float(torch.cos(2 * (kernel - edge)).mean()), _circular(2 * kernel, 2 * edge)
    )


def _circular(a: Tensor, b: Tensor) -> float:
    """Circular correlation of two angles; 0 where one of them does not vary."""
    first, second = (
        torch.sin(angle - torch.atan2(angle.sin().mean(), angle.cos().mean())) for angle in (a, b)
    )
    spread = (first.square().sum() * second.square().sum()).sqrt()
    return float((first * second).sum() / spread) if spread > 0 else 0.0


def structure_classes(rgb: Float[Tensor, "b 3 h w"]) -> Int[Tensor, "b h w"]:
    """What is at each pixel: 0 where it is flat, else a direction and a strength; 0 to 24."""
    along, strength = edge_structure(rgb)
    level = torch.bucketize(strength, strength.new_tensor(STRENGTHS))  # 0 is flat
    turn = torch.remainder(along, torch.pi) / torch.pi * DIRECTIONS
    direction = (turn.round().long()) % DIRECTIONS
    return torch.where(level > 0, 1 + (level - 1) * DIRECTIONS + direction, 0)


def joint_counts(field: "GaussianField") -> Int[Tensor, "n 25"]:
    """How often each kernel of the bank met each class of structure."""
    classes = 1 + len(STRENGTHS) * DIRECTIONS
    pairs = field.index * classes + structure_classes(field.lr)
    count = torch.bincount(pairs.flatten(), minlength=len(field.bank_raw) * classes)
    return count.reshape(-1, classes)


def mutual_information(counts: Int[Tensor, "n m"]) -> float:
    """Mutual information of two choices in bits, from how often they coincide.

    Raises:
        GsrError: when nothing was counted.
    """
    check_shape("counts", counts, "[n, m]")
    total = counts.sum()
    if not total:
        raise GsrError("counts must not all be 0.")
    joint = counts.double() / total
    apart = joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True)
    met = joint > 0
    return float((joint[met] * torch.log2(joint[met] / apart[met])).sum())
