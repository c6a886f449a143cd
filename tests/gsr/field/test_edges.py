"""Edges, kernels along them, and what one tells of the other."""

import math
from dataclasses import replace

import pytest
import torch

from gsr.base.errors import GsrError, ShapeError
from gsr.field import GaussianField
from gsr.field.edges import (
    DIRECTIONS,
    _circular,
    edge_agreement,
    edge_structure,
    joint_counts,
    mutual_information,
    structure_classes,
)
from gsr.network.kernels import ellipses


@pytest.mark.parametrize("degrees", [0, 15, 30, 45, 60, 75, 90, 120, 150, 170])
@pytest.mark.parametrize("steepness", [1.0, 3.0])
def test_edges_have_their_direction(degrees: float, steepness: float) -> None:
    along = math.radians(degrees)
    y, x = torch.meshgrid(torch.arange(33) - 16.0, torch.arange(33) - 16.0, indexing="ij")
    across = -math.sin(along) * x + math.cos(along) * y
    rgb = torch.sigmoid(across / steepness).expand(1, 3, -1, -1)
    angle, strength = edge_structure(rgb)
    on_edge = (across.abs() < 1) & (x.abs() < 10) & (y.abs() < 10)
    error = (angle[0] - along + math.pi / 2) % math.pi - math.pi / 2
    assert math.degrees(float(error[on_edge].abs().max())) < 3
    off_edge = across.abs() > 8
    assert steepness > 1 or strength[0][on_edge].min() > 10 * strength[0][off_edge].max()


def test_flat_pictures_have_no_edges() -> None:
    _, strength = edge_structure(torch.full((2, 3, 9, 8), 0.4))
    assert strength.shape == (2, 9, 8)
    assert strength.abs().max() < 1e-10


def test_a_corner_is_no_direction() -> None:
    """Equal gradients both ways: strong, but of no direction."""
    y, x = torch.meshgrid(torch.arange(33) - 16.0, torch.arange(33) - 16.0, indexing="ij")
    blob = torch.exp(-(x * x + y * y) / 18).expand(1, 3, -1, -1)
    _, strength = edge_structure(blob, sigma=3.0)
    assert strength[0, 16, 16] < 0.01 * strength.max()
    assert torch.isfinite(strength).all()


def test_agreement_is_one_along_edges_and_minus_one_across(tiny_field: GaussianField) -> None:
    stripes = torch.zeros(1, 3, 9, 11)
    stripes[..., 5:] = 1  # an upright edge
    field = replace(tiny_field, lr=stripes)
    shape = ellipses(field.bank.covariances())
    long = (shape.major / shape.minor) > 1.8
    upright = int((shape.angle.sin().abs() * long).argmax())
    lying = int((shape.angle.cos().abs() * long).argmax())
    assert edge_agreement(field.with_kernel(upright)).mean > 0.9
    assert edge_agreement(field.with_kernel(lying)).mean < -0.9


def test_circular_correlation_of_equal_and_of_opposite_angles() -> None:
    angle = torch.linspace(-1, 1, 50)
    assert _circular(angle, angle + 0.4) == pytest.approx(1, abs=1e-5)
    assert _circular(angle, -angle) == pytest.approx(-1, abs=1e-5)
    assert _circular(angle, torch.ones(50)) == 0


@pytest.mark.parametrize("part", [0, 1.5, float("nan")])
def test_agreement_of_no_pixels_is_refused(tiny_field: GaussianField, part: float) -> None:
    with pytest.raises(GsrError, match="strongest"):
        edge_agreement(tiny_field, part)


def test_information_by_hand() -> None:
    assert mutual_information(torch.eye(4, dtype=torch.long) * 7) == pytest.approx(2)
    assert mutual_information(torch.full((3, 5), 2)) == pytest.approx(0, abs=1e-12)
    # Half of the time the first says all of the second, else nothing.
    counts = torch.tensor([[2, 0], [0, 2], [2, 2]])
    assert mutual_information(counts) == pytest.approx(0.5)


def test_information_needs_counts() -> None:
    with pytest.raises(GsrError, match="counts"):
        mutual_information(torch.zeros(2, 3, dtype=torch.long))
    with pytest.raises(ShapeError, match="counts"):
        mutual_information(torch.ones(6, dtype=torch.long))


@pytest.mark.parametrize("step", range(DIRECTIONS))
def test_classes_name_direction_and_strength(step: int) -> None:
    angle = math.pi * step / DIRECTIONS
    y, x = torch.meshgrid(torch.arange(33) - 16.0, torch.arange(33) - 16.0, indexing="ij")
    across = -math.sin(angle) * x + math.cos(angle) * y
    edge = torch.sigmoid(across).expand(1, 3, -1, -1)
    found = {level: int(structure_classes(level * edge)[0, 16, 16]) for level in (0.08, 0.3, 1.0)}
    assert found == {0.08: 1 + step, 0.3: 1 + DIRECTIONS + step, 1.0: 1 + 2 * DIRECTIONS + step}
    assert not structure_classes(torch.full((1, 3, 9, 9), 0.4)).any()


def test_counts_pair_kernels_with_structure(tiny_field: GaussianField) -> None:
    counts = joint_counts(tiny_field)
    assert counts.shape == (100, 25)
    assert int(counts.sum()) == tiny_field.index.numel()
    used = torch.bincount(tiny_field.index.flatten(), minlength=100)
    assert torch.equal(counts.sum(1), used)
    assert int(joint_counts(replace(tiny_field.with_kernel(7)))[7].sum()) == int(counts.sum())
