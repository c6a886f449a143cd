"""The bank of kernels: raw numbers, physical ones, covariances.

A kernel is (sigma_x, sigma_y, rho, opacity). Raw numbers are what a network learns:
(log sigma_x, log sigma_y, atanh rho, logit opacity). `physical` is the one place where raw
becomes physical, and it runs in every forward pass.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

SIGMA_RANGE = (0.1, 4.0)
"""Standard deviations in LR pixels that a kernel may have."""
RHO_LIMIT = 0.98
"""|rho| stays below this, so that every covariance can be inverted in float32."""


@dataclass(frozen=True)
class Kernels:
    """Physical kernel parameters, any leading shape.

    Attributes:
        sigmas: Standard deviations along x and y, in LR pixels, > 0. [..., 2]
        rho: Correlation, strictly inside (-1, 1). [...]
        opacities: Weight, inside (0, 1). [...]
    """

    sigmas: Float[Tensor, "... 2"]
    rho: Float[Tensor, "..."]
    opacities: Float[Tensor, "..."]

    def covariances(self) -> Float[Tensor, "... 3"]:
        """(xx, xy, yy) in squared LR pixels. Source: arXiv:2407.18046, Eq. (4)."""
        sx, sy = self.sigmas.unbind(-1)
        return torch.stack((sx * sx, self.rho * sx * sy, sy * sy), dim=-1)

    def _repr_html_(self) -> str:
        """The first of them as ellipses, for notebooks."""
        from gsr.network.kernels_html import kernels_html

        return kernels_html(self)

    def __getitem__(self, index: Tensor) -> "Kernels":
        """The kernels a class map names."""
        return Kernels(self.sigmas[index], self.rho[index], self.opacities[index])


def physical(raw: Float[Tensor, "... 4"]) -> Kernels:
    """Raw parameters as physical ones, whatever the raw numbers are."""
    low, high = SIGMA_RANGE
    return Kernels(
        sigmas=raw[..., :2].clamp(math.log(low), math.log(high)).exp(),
        rho=RHO_LIMIT * torch.tanh(raw[..., 2]),
        # Bounded, so that float32 never rounds it to 0 or 1.
        opacities=torch.sigmoid(raw[..., 3].clamp(-15, 15)),
    )


def raw(kernels: Kernels) -> Float[Tensor, "... 4"]:
    """The raw parameters of physical ones inside the ranges: the inverse of `physical`."""
    return torch.cat(
        (
            kernels.sigmas.log(),
            torch.atanh(kernels.rho / RHO_LIMIT)[..., None],
            torch.logit(kernels.opacities)[..., None],
        ),
        dim=-1,
    )


def conics(covariances: Float[Tensor, "... 3"]) -> Float[Tensor, "... 3"]:
    """Inverse covariances (xx, xy, yy)."""
    xx, xy, yy = covariances.unbind(-1)
    return torch.stack((yy, -xy, xx), dim=-1) / (xx * yy - xy * xy).unsqueeze(-1)


@dataclass(frozen=True)
class Ellipses:
    """Kernels as people see them.

    Attributes:
        major, minor: One-sigma half axes in LR pixels. [...]
        angle: Direction of the major axis, radians from +x towards +y, in [-pi/2, pi/2]. [...]
    """

    major: Tensor
    minor: Tensor
    angle: Tensor


def ellipses(covariances: Float[Tensor, "... 3"]) -> Ellipses:
    """Half axes and direction of each covariance's one-sigma ellipse."""
    xx, xy, yy = covariances.unbind(-1)
    mean, half = (xx + yy) / 2, (xx - yy) / 2
    radius = torch.sqrt(half * half + xy * xy)
    return Ellipses(
        major=(mean + radius).sqrt(),
        minor=(mean - radius).clamp_min(0).sqrt(),
        angle=torch.atan2(xy, half) / 2,
    )


def grid_bank(num_kernels: int = 100) -> Float[Tensor, "n 4"]:
    """The paper's start: a square grid of sigmas from 0.2 to 3, rho 0, opacity sigmoid(1).

    Source: arXiv:2407.18046, section "Implementation details", and its public code.
    """
    side = math.isqrt(num_kernels)
    if side * side != num_kernels:
        raise ValueError(f"a grid bank needs a square number of kernels, got {num_kernels}.")
    steps = torch.linspace(0.2, 3.0, side).log()
    log_x, log_y = torch.meshgrid(steps, steps, indexing="xy")
    rest = torch.tensor((0.0, 1.0)).expand(num_kernels, 2)
    return torch.cat((torch.stack((log_x.reshape(-1), log_y.reshape(-1)), -1), rest), -1)


def oriented_bank(num_kernels: int = 100) -> Float[Tensor, "n 4"]:
    """Sizes x (one round kernel + 3 aspect ratios x 8 directions); 4 sizes make 100.

    Directions cover the half turn, because edges do; a grid of sigmas without rho knows
    only two of them.
    """
    aspects, directions = (1.5, 2.2, 3.2), 8
    per_size = 1 + len(aspects) * directions
    if num_kernels % per_size:
        raise ValueError(f"an oriented bank needs a multiple of {per_size}, got {num_kernels}.")
    shapes = [(1.0, 0.0)] + [
        (aspect, math.pi * k / directions) for aspect in aspects for k in range(directions)
    ]
    ends = math.log(0.34), math.log(0.8)
    # Needed as numbers, also where a network is laid out on a device that holds none.
    sizes = torch.linspace(*ends, num_kernels // per_size, device="cpu").exp().tolist()
    return torch.tensor([_raw_kernel(size, *shape) for size in sizes for shape in shapes])


def _raw_kernel(size: float, aspect: float, angle: float) -> tuple[float, float, float, float]:
    """Raw numbers of an ellipse; `size` is the geometric mean of its half axes."""
    major, minor = size * math.sqrt(aspect), size / math.sqrt(aspect)
    cos, sin = math.cos(angle), math.sin(angle)
    xx = (major * cos) ** 2 + (minor * sin) ** 2
    yy = (major * sin) ** 2 + (minor * cos) ** 2
    rho = (major**2 - minor**2) * cos * sin / math.sqrt(xx * yy)
    return math.log(xx) / 2, math.log(yy) / 2, math.atanh(rho / RHO_LIMIT), 0.0


BANK_STARTS = {"grid": grid_bank, "oriented": oriented_bank}


class KernelBank(nn.Module):
    """The learned kernels, raw. [n, 4]"""

    def __init__(self, num_kernels: int = 100, start: str = "oriented"):
        super().__init__()
        self.raw = nn.Parameter(BANK_STARTS[start](num_kernels))

    def forward(self) -> Kernels:
        """The bank in physical numbers."""
        return physical(self.raw.float())
