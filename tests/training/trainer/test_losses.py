"""What training makes small."""

import math
from dataclasses import replace

import pytest
import torch
from gsr_training.trainer.losses import misdirection, root_mean_square

from gsr.network.kernels import Kernels


def ramp(angle: float, side: int = 24) -> torch.Tensor:
    """A soft edge through the middle, along `angle`. [1, 3, side, side]"""
    at = torch.arange(side) + 0.5 - side / 2
    y, x = torch.meshgrid(at, at, indexing="ij")
    across = -x * math.sin(angle) + y * math.cos(angle)
    return torch.sigmoid(across).expand(1, 3, -1, -1)


def needles(angle: float, side: int = 24, major: float = 1.0, minor: float = 0.25) -> Kernels:
    cos, sin = math.cos(angle), math.sin(angle)
    xx, yy = (major * cos) ** 2 + (minor * sin) ** 2, (major * sin) ** 2 + (minor * cos) ** 2
    xy = (major**2 - minor**2) * cos * sin
    sigmas = torch.tensor((xx, yy)).sqrt().expand(1, side, side, 2)
    rho = torch.full((1, side, side), xy / math.sqrt(xx * yy))
    return Kernels(sigmas, rho, torch.ones(1, side, side))


LYING = (1.0 - 0.0625) / (1.0 + 0.0625)  # how far a needle of 1 by 0.25 is from round


@pytest.mark.parametrize("angle", [0.0, 0.4, math.pi / 4, 2.0, -1.2])
@pytest.mark.parametrize(("turn", "expected"), [(0, 1 - LYING), (45, 1.0), (90, 1 + LYING)])
def test_a_needle_along_across_and_between(angle: float, turn: float, expected: float) -> None:
    found = misdirection(needles(angle + math.radians(turn)), ramp(angle))
    # Weak edges count too: far from the middle the ramp is all but flat.
    assert float(found) == pytest.approx(expected, abs=0.03)


def test_a_round_kernel_is_in_the_middle() -> None:
    round_ones = needles(0.3, major=0.5, minor=0.5)
    assert float(misdirection(round_ones, ramp(1.0))) == pytest.approx(1.0, abs=1e-5)


def test_flat_pictures_pull_at_nothing() -> None:
    assert float(misdirection(needles(0.3), torch.full((1, 3, 24, 24), 0.5))) < 1e-6


def test_the_gradient_turns_a_needle_towards_the_edge() -> None:
    kernels = needles(0.0)
    rho = kernels.rho.clone().requires_grad_()
    misdirection(replace(kernels, rho=rho), ramp(0.5)).backward()
    assert float(rho.grad.sum()) < 0  # a positive rho leans towards positive angles


def test_root_mean_square_is_of_each_image() -> None:
    true = torch.zeros(2, 4, 3)
    found = torch.tensor((0.1, 0.3))[:, None, None].expand(-1, 4, 3).clone().requires_grad_()
    error = root_mean_square(found, true)
    assert float(error.detach()) == pytest.approx(0.2, abs=1e-6)
    error.backward()  # an image that is worse says no more than another
    torch.testing.assert_close(found.grad[0], found.grad[1], rtol=1e-4, atol=0)


def test_root_mean_square_can_be_learned_from_where_it_is_zero() -> None:
    found = torch.zeros(1, 4, 3, requires_grad=True)
    root_mean_square(found, torch.zeros(1, 4, 3)).backward()
    assert torch.isfinite(found.grad).all()
