"""`GaussianField`: frozen, checked when made, and what can be read off it."""

import copy
from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from gsr.base.errors import GsrError, ShapeError
from gsr.field import GaussianField
from gsr.methods.gaussiansr import GaussianSR
from gsr.network.classifier import choose


@pytest.mark.parametrize(
    ("name", "shape", "expected"),
    [
        ("lr", (1, 4, 9, 11), (1, 3, 9, 11)),
        ("bank_raw", (100, 3), (100, 4)),
        ("index", (1, 11, 9), (1, 9, 11)),
        ("offsets", (1, 9, 11, 3), (1, 9, 11, 2)),
        ("colors", (2, 9, 11, 3), (1, 9, 11, 3)),
        ("slopes", (1, 9, 11, 6), (1, 9, 11, 3, 2)),
        ("feat", (1, 9, 10, 5), (1, 9, 11, 5)),
        ("context", (1, 4, 9, 12), (1, 4, 9, 11)),
        ("evidence", (1, 3, 8, 11), (1, 3, 9, 11)),
    ],
)
def test_members_must_fit(
    tiny_field: GaussianField, name: str, shape: tuple, expected: tuple
) -> None:
    with pytest.raises(ShapeError) as caught:
        replace(tiny_field, **{name: torch.zeros(shape)})
    assert str(caught.value) == f"{name} must have shape {expected}, got {shape}."


def test_frozen(tiny_field: GaussianField) -> None:
    with pytest.raises(FrozenInstanceError):
        tiny_field.colors = tiny_field.lr


def test_repr_is_short(lite_field: GaussianField, make_model: Callable[..., GaussianSR]) -> None:
    assert repr(lite_field) == "GaussianField(24 x 20 Gaussians, model='lite')"
    batch = make_model("paper").encode(torch.rand(2, 1, 3, 4, 5))
    assert repr(batch) == "GaussianField(batch=(2, 1), 5 x 4 Gaussians, model='paper')"


def test_nbytes_by_hand(make_model: Callable[..., GaussianSR]) -> None:
    field = make_model("lite").encode(torch.rand(3, 4, 5))
    # lr 3, evidence 3, offsets 2, colours 3, their slopes 6, features 5 floats and one long index
    # per pixel.
    assert field.nbytes == 20 * (22 * 4 + 8) + 400 * 4
    clear = replace(field, alpha=field)
    assert clear.nbytes == 2 * field.nbytes


def test_to_a_device_is_another_equal_field(
    make_model: Callable[..., GaussianSR], device: torch.device
) -> None:
    picture = Image.fromarray(np.full((4, 5, 4), 200, np.uint8))
    field = make_model("lite").encode(picture)
    moved = field.to(device)
    assert moved is not field
    assert moved.sampler is not field.sampler
    assert moved.alpha is not None
    assert moved.info == field.info
    for value in (moved.lr, moved.bank_raw, moved.alpha.lr):
        assert value.device.type == device.type
    assert moved.render(2).tobytes() == field.render(2).tobytes()


def test_a_field_needs_no_gradients(lite_field: GaussianField) -> None:
    tensors = [v for v in vars(lite_field).values() if isinstance(v, Tensor)]
    assert len(tensors) == 9
    assert not any(t.requires_grad for t in tensors)


def test_kernels_follow_the_class_map(tiny_field: GaussianField) -> None:
    kernels = tiny_field.kernels
    assert kernels.sigmas.shape == (1, 9, 11, 2)
    chosen = int(tiny_field.index[0, 4, 7])
    assert torch.equal(kernels.sigmas[0, 4, 7], tiny_field.bank.sigmas[chosen])
    assert tiny_field.index.unique().numel() > 3  # the tests' fields are not all alike


def test_offsets_stay_within_half_a_pixel(make_model: Callable[..., GaussianSR]) -> None:
    field = make_model("lite", amount=3.0).encode(torch.rand(3, 8, 8))
    assert 0.4 < field.offsets.abs().max() <= 0.5


def test_choice_is_the_networks_even_after_an_edit(tiny_field: GaussianField) -> None:
    edited = tiny_field.with_kernel(0)
    choice = edited.choice_at()
    assert torch.equal(choice.index, tiny_field.index)
    part = tiny_field.choice_at(slice(2, 5), slice(7, 11))
    assert torch.equal(part.second, choice.second[:, 2:5, 7:])
    whole = choose(tiny_field.evidence, tiny_field.bank_raw, tiny_field.classifier)
    torch.testing.assert_close(part.confidence, whole.confidence[:, 2:5, 7:])


def test_a_cut_holds_the_window_and_no_more(make_model: Callable[..., GaussianSR]) -> None:
    field = make_model("lite").encode(torch.rand(3, 30, 40))
    xs, ys = torch.tensor((15.2, 17.9)).double(), torch.tensor((10.0, 10.4)).double()
    maps, (left, top) = field.splat_maps(xs, ys)
    height, width = maps.colors.shape[1:3]
    radius = field.sampler.config.radius
    assert left <= 15 - radius
    assert left + width > 17 + radius
    assert top <= 10 - radius
    assert top + height > 10 + radius
    assert height * width < 120  # 30 x 40 pixels are 1 200
    assert torch.equal(maps.colors[0, 0, 0], field.colors[0, top, left])
    assert torch.equal(maps.feat[0, -1, -1], field.feat[0, top + height - 1, left + width - 1])
    corner = field.splat_maps(torch.tensor([0.0, 40.0]), torch.tensor([0.0, 30.0]))
    assert corner[1] == (0, 0)
    assert torch.equal(corner[0].offsets, field.offsets)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16, torch.complex64])
@pytest.mark.parametrize(
    "name", ["lr", "bank_raw", "evidence", "offsets", "colors", "feat", "context", "sampler"]
)
def test_numbers_of_two_types_make_no_field(tiny_field, name, dtype):
    value = getattr(tiny_field, name)
    if name == "sampler":
        value = copy.deepcopy(value)
        value.raw_footprint.data = value.raw_footprint.data.to(dtype)
    else:
        value = value.to(dtype)
    with pytest.raises(GsrError, match="must all be of one type, float32 or float64, and"):
        replace(tiny_field, **{name: value})


def test_an_index_of_fractions_makes_no_field(tiny_field):
    with pytest.raises(GsrError, match="index must hold whole numbers"):
        replace(tiny_field, index=tiny_field.index.float())


def test_a_network_of_half_precision_makes_no_field(make_model, picture):
    with pytest.raises(GsrError, match="must all be of one type"):
        make_model("lite").half().encode(picture(8, 9).half())
