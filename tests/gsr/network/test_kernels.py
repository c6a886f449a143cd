"""Kernels: what raw numbers become, covariances, ellipses, and the two banks."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gsr.network.kernels import (
    RHO_LIMIT,
    SIGMA_RANGE,
    KernelBank,
    Kernels,
    conics,
    ellipses,
    grid_bank,
    oriented_bank,
    physical,
)

WILD = st.lists(st.floats(width=32, allow_nan=False, allow_infinity=True), min_size=4, max_size=4)


def one(sigma_x: float, sigma_y: float, rho: float, opacity: float = 0.5) -> Kernels:
    values = torch.tensor((sigma_x, sigma_y, rho, opacity), dtype=torch.float64)
    return Kernels(values[:2], values[2], values[3])


def test_covariance_by_hand() -> None:
    assert one(2.0, 0.5, 0.25).covariances().tolist() == [4.0, 0.25, 0.25]
    assert one(1.0, 3.0, -0.5).covariances().tolist() == [1.0, -1.5, 9.0]


def test_physical_by_hand() -> None:
    found = physical(torch.tensor((math.log(2.0), math.log(0.5), 0.0, 0.0)))
    assert found.sigmas.tolist() == pytest.approx([2.0, 0.5])
    assert float(found.rho) == 0.0
    assert float(found.opacities) == 0.5
    turned = physical(torch.tensor((0.0, 0.0, math.atanh(0.5), math.log(3.0))))
    assert float(turned.rho) == pytest.approx(0.5 * RHO_LIMIT)
    assert float(turned.opacities) == pytest.approx(0.75)


@settings(deadline=None)
@given(raw=WILD)
def test_physical_numbers_are_physical(raw: list[float]) -> None:
    found = physical(torch.tensor(raw))
    low, high = SIGMA_RANGE
    assert ((found.sigmas >= low * 0.9999) & (found.sigmas <= high * 1.0001)).all()
    assert abs(float(found.rho)) <= RHO_LIMIT + 1e-7 < 1  # float32 rounds
    assert 0 <= float(found.opacities) <= 1
    conic = conics(found.covariances())
    assert torch.isfinite(conic).all()
    xx, xy, yy = conic.tolist()
    assert xx > 0
    assert yy > 0
    assert xx * yy > xy * xy


@settings(deadline=None)
@given(sigmas=st.tuples(st.floats(0.1, 4), st.floats(0.1, 4)), rho=st.floats(-RHO_LIMIT, RHO_LIMIT))
def test_conics_are_inverses(sigmas: tuple[float, float], rho: float) -> None:
    covariance = one(*sigmas, rho).covariances()

    def matrix(v: Tensor) -> Tensor:
        return torch.stack((torch.stack((v[0], v[1])), torch.stack((v[1], v[2]))))

    product = matrix(covariance) @ matrix(conics(covariance))
    torch.testing.assert_close(product, torch.eye(2).double(), rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("covariance", "major", "minor", "angle"),
    [
        ((4.0, 0.0, 1.0), 2.0, 1.0, 0.0),
        ((1.0, 0.0, 9.0), 3.0, 1.0, math.pi / 2),
        # Half axes 3 and 1 turned by 45 degrees: (9 + 1) / 2 and (9 - 1) / 2.
        ((5.0, 4.0, 5.0), 3.0, 1.0, math.pi / 4),
        ((5.0, -4.0, 5.0), 3.0, 1.0, -math.pi / 4),
    ],
)
def test_ellipses_by_hand(
    covariance: tuple[float, float, float], major: float, minor: float, angle: float
) -> None:
    found = ellipses(torch.tensor(covariance))
    assert float(found.major) == pytest.approx(major, rel=1e-6)
    assert float(found.minor) == pytest.approx(minor, rel=1e-6)
    assert float(found.angle) == pytest.approx(angle, abs=1e-6)


@settings(deadline=None)
@given(major=st.floats(1.0, 4.0), ratio=st.floats(0.1, 0.9), angle=st.floats(-1.57, 1.57))
def test_ellipses_find_what_a_covariance_was_made_of(
    major: float, ratio: float, angle: float
) -> None:
    minor, cos, sin = major * ratio, math.cos(angle), math.sin(angle)
    covariance = (
        (major * cos) ** 2 + (minor * sin) ** 2,
        (major**2 - minor**2) * cos * sin,
        (major * sin) ** 2 + (minor * cos) ** 2,
    )
    found = ellipses(torch.tensor(covariance, dtype=torch.float64))
    assert float(found.major) == pytest.approx(major)
    assert float(found.minor) == pytest.approx(minor)
    assert float(found.angle) == pytest.approx(angle, abs=1e-6)


def test_a_round_kernel_has_equal_axes() -> None:
    found = ellipses(torch.tensor((0.25, 0.0, 0.25)))
    assert float(found.major) == float(found.minor) == 0.5


def test_a_class_map_picks_kernels() -> None:
    bank = KernelBank(25)()
    picked = bank[torch.tensor([[3, 0], [24, 3]])]
    assert picked.sigmas.shape == (2, 2, 2)
    assert torch.equal(picked.rho, bank.rho[[3, 0, 24, 3]].reshape(2, 2))
    assert torch.equal(picked.opacities[1, 0], bank.opacities[24])


def test_grid_bank_by_hand() -> None:
    bank = physical(grid_bank(100))
    steps = [0.2 + 2.8 * k / 9 for k in range(10)]
    expected = torch.tensor([(x, y) for y in steps for x in steps])
    torch.testing.assert_close(bank.sigmas, expected)
    assert (bank.rho == 0).all()
    torch.testing.assert_close(bank.opacities, torch.full((100,), 1 / (1 + math.exp(-1))))


def test_oriented_bank_has_the_shapes_it_promises() -> None:
    bank = physical(oriented_bank(100))
    shape = ellipses(bank.covariances())
    size = (shape.major * shape.minor).sqrt().reshape(4, 25)
    torch.testing.assert_close(size, size[:, :1].expand(4, 25), rtol=1e-4, atol=0)
    torch.testing.assert_close(size[[0, -1], 0], torch.tensor((0.34, 0.8)), rtol=1e-4, atol=0)
    aspect = (shape.major / shape.minor).reshape(4, 25)
    expected = torch.tensor([1.0] + [a for a in (1.5, 2.2, 3.2) for _ in range(8)])
    torch.testing.assert_close(aspect, expected.expand(4, 25), rtol=1e-3, atol=0)


def test_oriented_bank_has_eight_directions() -> None:
    shape = ellipses(physical(oriented_bank(100)).covariances())
    angle = shape.angle.reshape(4, 25)[:, 1:].reshape(4, 3, 8)
    expected = torch.arange(8) * math.pi / 8
    turn = (angle - expected + math.pi / 2) % math.pi - math.pi / 2  # axes, not arrows
    assert turn.abs().max() < 1e-3


def test_oriented_kernels_differ() -> None:
    raw = oriented_bank(100)
    apart = torch.cdist(raw, raw) + torch.eye(100)
    assert apart.min() > 0.05


@pytest.mark.parametrize("start", ["grid", "oriented"])
def test_banks_hold_a_hundred_kernels_inside_the_range(start: str) -> None:
    bank = KernelBank(start=start)
    assert bank.raw.shape == (100, 4)
    assert bank.raw.requires_grad
    kernels = bank()
    torch.testing.assert_close(kernels.sigmas, bank.raw[:, :2].exp())  # nothing is clipped
    assert (kernels.rho.abs() < RHO_LIMIT).all()


def test_bank_sizes_that_cannot_be() -> None:
    with pytest.raises(
        ValueError, match=r"^a grid bank needs a square number of kernels, got 99\.$"
    ):
        grid_bank(99)
    with pytest.raises(ValueError, match=r"^an oriented bank needs a multiple of 25, got 90\.$"):
        oriented_bank(90)


def test_gradients_reach_every_raw_number() -> None:
    bank = KernelBank()
    kernels = bank()
    (kernels.covariances().sum() + kernels.opacities.sum()).backward()
    assert (bank.raw.grad != 0).all(0).tolist() == [True] * 4
