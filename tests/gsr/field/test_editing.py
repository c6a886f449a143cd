"""Edits make other fields, and change what they say they change."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from gsr.base.errors import GsrError, ShapeError
from gsr.field import GaussianField
from gsr.field.editing import (
    mean_kernel,
    shuffled,
    soft,
    with_bank,
    with_index,
    with_kernel,
    without,
)
from gsr.methods.gaussiansr import GaussianSR, ModelConfig
from gsr.network.encoders import EncoderConfig


def test_one_kernel_for_all(tiny_field: GaussianField) -> None:
    before = tiny_field.index.clone()
    edited = with_kernel(tiny_field, 42)
    assert (edited.index == 42).all()
    assert torch.equal(tiny_field.index, before)
    assert edited.colors is tiny_field.colors


def test_one_kernel_for_marked_pixels(tiny_field: GaussianField) -> None:
    marked = torch.zeros(tiny_field.index.shape, dtype=torch.bool)
    marked[0, 2:4, 5] = True
    edited = tiny_field.with_kernel(99, marked)
    assert (edited.index[marked] == 99).all()
    assert torch.equal(edited.index[~marked], tiny_field.index[~marked])


@pytest.mark.parametrize("kernel", [-1, 100])
def test_kernels_the_bank_does_not_have(tiny_field: GaussianField, kernel: int) -> None:
    with pytest.raises(GsrError, match=r"^a kernel's number must be from 0 to 99, got -?\d+\.$"):
        with_kernel(tiny_field, kernel)


def test_one_bad_class_among_good_ones(tiny_field: GaussianField) -> None:
    index = tiny_field.index.clone()
    index[0, 3, 3] = 100
    with pytest.raises(GsrError, match="from 0 to 99"):
        with_index(tiny_field, index)


def test_class_maps_of_another_shape(tiny_field: GaussianField) -> None:
    with pytest.raises(
        ShapeError, match=r"^index must have shape \[1, 9, 11\], got \(1, 11, 9\)\.$"
    ):
        with_index(tiny_field, tiny_field.index.mT)


def test_class_maps_may_be_of_any_integer_type(tiny_field: GaussianField) -> None:
    edited = with_index(tiny_field, tiny_field.index.to(torch.uint8))
    assert torch.equal(edited.index, tiny_field.index)
    assert edited.index.dtype == tiny_field.index.dtype


def test_another_bank(tiny_field: GaussianField) -> None:
    bank = tiny_field.bank_raw + 0.5
    edited = tiny_field.with_bank(bank)
    assert torch.equal(edited.bank_raw, bank)
    assert torch.equal(edited.index, tiny_field.index)
    assert not torch.equal(
        edited.render(2, layer="gaussians"), tiny_field.render(2, layer="gaussians")
    )


def test_banks_of_another_shape(tiny_field: GaussianField) -> None:
    with pytest.raises(ShapeError, match=r"^bank_raw must have shape \[100, 4\], got \(99, 4\)\.$"):
        with_bank(tiny_field, tiny_field.bank_raw[1:])


def test_shuffling_keeps_counts_and_changes_places(tiny_field: GaussianField) -> None:
    edited = shuffled(tiny_field, torch.Generator().manual_seed(0))
    assert torch.equal(edited.index.flatten().bincount(), tiny_field.index.flatten().bincount())
    assert not torch.equal(edited.index, tiny_field.index)


def test_shuffling_follows_its_generator(tiny_field: GaussianField) -> None:
    maps = [shuffled(tiny_field, torch.Generator().manual_seed(s)).index for s in (1, 1, 2)]
    assert torch.equal(maps[0], maps[1])
    assert not torch.equal(maps[0], maps[2])


def test_an_edit_shows_only_where_it_reaches(
    tiny_field: GaussianField, read: Callable[..., torch.Tensor]
) -> None:
    marked = torch.zeros(tiny_field.index.shape, dtype=torch.bool)
    marked[0, 4, 5] = True
    other = (int(tiny_field.index[0, 4, 5]) + 50) % 100
    edited = tiny_field.with_kernel(other, marked)
    points = torch.rand(800, 2, generator=torch.Generator().manual_seed(0)).double()
    points = points * torch.tensor((11.0, 9.0))
    apart = (read(edited, points) - read(tiny_field, points))[0].abs().amax(-1)
    far = (points - torch.tensor((5.5, 4.5))).abs().amax(-1) >= 2.5
    assert (apart[far] == 0).all()
    assert apart[~far].max() > 0


def test_masks_and_numbers_are_checked(tiny_field: GaussianField) -> None:
    shape = tiny_field.index.shape
    with pytest.raises(ShapeError, match=r"^pixels must have shape"):
        with_kernel(tiny_field, 3, torch.ones(shape[-1], shape[-2], dtype=torch.bool))
    with pytest.raises(GsrError, match=r"^pixels must be a mask of truth values, got torch.int64"):
        with_kernel(tiny_field, 3, torch.ones(shape, dtype=torch.int64))
    with pytest.raises(GsrError, match=r"^a kernel's number must be whole, got 3\.7\.$"):
        with_kernel(tiny_field, 3.7)
    assert (with_kernel(tiny_field, np.int64(3)).index == 3).all()
    of_numpy = with_kernel(tiny_field, 3, np.ones(shape, dtype=bool))
    assert (of_numpy.index == 3).all()


def test_a_bank_without_opacity_still_renders(tiny_field: GaussianField) -> None:
    raw = tiny_field.bank_raw.clone()
    raw[:, 3] = -200
    assert tiny_field.with_bank(raw).render(2).isfinite().all()


def test_pictures_of_a_batch_do_not_meet() -> None:
    torch.manual_seed(0)
    pictures = torch.rand(2, 3, 9, 11)
    model = GaussianSR(ModelConfig("tiny", EncoderConfig(channels=8, blocks=1))).eval()
    both, alone = model.encode(pictures), model.encode(pictures[:1])
    apart = torch.Generator().manual_seed(1), torch.Generator().manual_seed(1)
    together, one = shuffled(both, apart[0]), shuffled(alone, apart[1])
    assert torch.equal(together.index[:1], one.index)
    assert torch.equal(together.index[1].flatten().bincount(), both.index[1].flatten().bincount())
    torch.testing.assert_close(mean_kernel(both).mixed[:1], mean_kernel(alone).mixed)


def test_a_large_picture_is_edited_band_by_band(
    tiny_field: GaussianField, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = without(tiny_field, (3, 50)).index, soft(tiny_field, 4).mixed, tiny_field.choice_at()
    monkeypatch.setattr("gsr.network.classifier.BAND", 2 * tiny_field.index.shape[2])  # two rows
    assert torch.equal(without(tiny_field, (3, 50)).index, whole[0])
    torch.testing.assert_close(soft(tiny_field, 4).mixed, whole[1])
    for name, value in vars(tiny_field.choice_at()).items():
        torch.testing.assert_close(value, getattr(whole[2], name))
