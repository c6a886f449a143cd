"""Colours that are corrected while a picture is encoded: the result, reduced, is the picture."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

import gsr
from gsr.field import GaussianField
from gsr.images import downscale
from gsr.methods.gaussiansr import PRESETS, GaussianSR, ModelConfig
from gsr.network.correction import corrected, reach, reduced

Make = Callable[..., GaussianSR]
Picture = Callable[..., Tensor]


def error(field: GaussianField) -> float:
    """What the result at x2, reduced, misses of the picture: root mean square."""
    small = downscale(field.render(2).reshape(1, 3, *(2 * n for n in field.lr_size)), field.lr_size)
    return float((small - field.lr).square().mean().sqrt())


def photo() -> Tensor:
    """Part of a picture that comes with the package. [3, 96, 128]"""
    from gsr.images import load

    return load("apps/gsr_apps/demo/coffee.jpg").rgb[:, 60:156, 80:208]


@pytest.fixture(scope="module")
def shipped() -> GaussianSR:
    return gsr.load("lite")


def test_shipped_weights_give_the_picture_back(shipped: GaussianSR) -> None:
    lr = photo()
    before, after = (shipped.encode(lr, corrected=c) for c in (False, True))
    assert error(after) < 10 ** (-56 / 20) < error(before)
    assert error(after) < 0.6 * error(before)


def test_only_colours_change_and_scale_is_free(shipped: GaussianSR) -> None:
    before, after = (shipped.encode(photo(), corrected=c) for c in (False, True))
    for name in ("index", "evidence", "offsets", "feat", "slopes"):
        assert torch.equal(getattr(before, name), getattr(after, name)), name
    assert not torch.equal(before.colors, after.colors)


def test_one_step_by_hand(make_model: Make, picture: Picture) -> None:
    model = make_model("lite", corrected=True)
    lr = picture(9, 11)
    field = model.encode(lr, corrected=False)
    small = downscale(field.render(2)[None], (9, 11))[0]
    expected = field.colors[0] + 1.3 * (lr - small).movedim(0, -1)
    torch.testing.assert_close(model.encode(lr).colors[0], expected, rtol=0, atol=2e-5)


def test_an_explanation_stays_true(make_model: Make, picture: Picture) -> None:
    field = make_model("lite", corrected=True).encode(picture(9, 11))
    found = field.explain(4.3, 5.1, 3)
    for k in range(3):
        total = sum(part.share * part.color[k] for part in found.contributions)
        assert total == pytest.approx(found.splatted[k], abs=1e-5)
        assert found.splatted[k] + found.residual[k] == pytest.approx(found.rgb[k], abs=1e-6)


def test_gradients_are_those_of_the_formula(make_model: Make, picture: Picture) -> None:
    model = make_model("lite").double()
    field = model.encode(picture(5, 6).double(), corrected=False)
    maps, _ = field.splat_maps(torch.tensor([0.0, 6.0]), torch.tensor([0.0, 5.0]))

    def colors(own: Tensor, offsets: Tensor) -> Tensor:
        return corrected(replace(maps, colors=own, offsets=offsets), field.lr, model.sampler).colors

    leaves = [t.clone().requires_grad_() for t in (0.5 * maps.colors + 0.25, maps.offsets)]
    assert torch.autograd.gradcheck(colors, leaves, fast_mode=True)


@pytest.mark.parametrize("graph", [False, True])
def test_training_and_encoding_reduce_alike(
    make_model: Make, picture: Picture, graph: bool
) -> None:
    model = make_model("lite")
    field = model.encode(picture(8, 7))
    maps, _ = field.splat_maps(torch.tensor([0.0, 7.0]), torch.tensor([0.0, 8.0]))
    with torch.set_grad_enabled(graph):
        found = reduced(maps, model.sampler).detach()
    expected = downscale(field.render(2)[None], (8, 7))
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize("tile", [5, 7, 100])
@pytest.mark.parametrize("ensemble", [False, True])
def test_tiles_and_batch_mates_do_not_show(
    make_model: Make, picture: Picture, tile: int, ensemble: bool
) -> None:
    model = make_model("lite", corrected=True)
    pictures = torch.stack((picture(13, 16), picture(13, 16, seed=1)))
    whole = model.encode(pictures[1], ensemble=ensemble)
    field = model.encode(pictures, tile=tile, ensemble=ensemble)
    assert torch.equal(field.index[1:], whole.index)
    torch.testing.assert_close(field.colors[1:], whole.colors, rtol=0, atol=1e-5)


def test_the_halo_is_what_a_correction_reads(make_model: Make, picture: Picture) -> None:
    model = make_model("lite")
    field = model.encode(picture(21, 21))
    maps, _ = field.splat_maps(torch.tensor([0.0, 21.0]), torch.tensor([0.0, 21.0]))
    colors = maps.colors.clone().requires_grad_()
    reduced(replace(maps, colors=colors), model.sampler)[0, :, 10, 10].sum().backward()
    touched = colors.grad[0].abs().sum(-1).nonzero()
    assert int((touched - 10).abs().max()) <= reach(model.sampler)


def test_a_network_can_be_without() -> None:
    assert PRESETS["lite"].corrects
    assert not PRESETS["paper"].corrects  # its decoder makes every colour itself
    assert not ModelConfig("plain", corrected=False).corrects


def test_the_halo_of_a_tile_grows_with_it(make_model: Make) -> None:
    plain, more = make_model("lite"), make_model("lite", corrected=True)
    assert more.radius == plain.radius + reach(more.sampler)
