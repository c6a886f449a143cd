"""GaussianSR: the presets, and that encoding does not depend on batch, tile or chance."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from gsr.base.errors import ConfigError, GsrError, ImageError
from gsr.field import GaussianField
from gsr.methods.gaussiansr import PRESETS, GaussianSR
from gsr.network.encoders import EDSR, EncoderConfig

Make = Callable[..., GaussianSR]
MAPS = ("lr", "bank_raw", "index", "evidence", "offsets", "colors", "feat", "context")


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def assert_same_maps(a: GaussianField, b: GaussianField, tolerance: float = 0.0) -> None:
    for name in MAPS:
        left, right = getattr(a, name), getattr(b, name)
        if tolerance and left.is_floating_point():
            torch.testing.assert_close(left, right, rtol=0, atol=tolerance, msg=name)
        else:
            assert torch.equal(left, right), name


# --- sizes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", ["base", "paper"])
def test_the_baseline_encoder_has_its_published_size(preset: str) -> None:
    assert count(EDSR(PRESETS[preset].encoder)) == 1_220_416


def test_lite_is_light(lite: GaussianSR) -> None:
    assert count(lite) <= 450_000


@pytest.mark.parametrize("preset", ["lite", "base"])
def test_the_live_decoder_is_cheap(preset: str, make_model: Make) -> None:
    decoder = make_model(preset, tiny=False).sampler.decoder
    products = sum(m.weight.numel() for m in decoder.modules() if isinstance(m, nn.Linear))
    assert products <= 8_000


def test_presets_carry_their_own_name() -> None:
    assert {name: config.name for name, config in PRESETS.items()} == {n: n for n in PRESETS}
    assert set(PRESETS) >= {"lite", "base", "paper"}


@pytest.mark.parametrize("preset", ["lite", "base", "paper"])
def test_presets_as_the_design_has_them(preset: str) -> None:
    config = asdict(PRESETS[preset])
    ours = preset != "paper"
    assert config["num_kernels"] == 100
    assert config["classifier"] == ("prototype" if ours else "logits")
    assert config["bank"] == ("oriented" if ours else "grid")
    assert config["predicted"] is ours
    assert config["sampler"]["normalized"] is ours
    assert config["sampler"]["radius"] == 2
    assert config["sampler"]["decoder"]["kind"] == ("residual" if ours else "fourier")
    if not ours:
        assert config["splatted"] == 8
        assert config["sampler"]["decoder"]["hidden"] == (256, 256, 256, 256)


@pytest.mark.parametrize("blocks", [1, 3])
def test_the_halo_is_the_receptive_field(blocks: int) -> None:
    config = EncoderConfig(4, blocks)
    encoder = EDSR(config)
    side = 2 * config.radius + 5
    lr = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0)).requires_grad_()
    middle = side // 2
    encoder(lr)[0, :, middle, middle].sum().backward()
    touched = lr.grad[0].abs().sum(0).nonzero()
    assert int((touched - middle).abs().max()) <= config.radius
    assert config.radius == 2 * blocks + 2


# --- fields --------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", ["lite", "base", "paper"])
def test_shapes_of_a_field(preset: str, make_model: Make, picture: Callable[..., Tensor]) -> None:
    model = make_model(preset, tiny=False)
    field = model.encode(picture(7, 9))
    paper = preset == "paper"
    assert field.lr_size == (7, 9)
    assert field.evidence.shape == (1, 100 if paper else 3, 7, 9)
    assert field.feat.shape == (1, 7, 9, 8 if paper else 29)
    assert field.context.shape == (1, 56 if paper else 0, 7, 9)
    assert field.model == preset
    assert field.render(2).shape == (3, 14, 18)


def test_the_paper_keeps_centres_and_colours(
    make_model: Make, picture: Callable[..., Tensor]
) -> None:
    field = make_model("paper").encode(picture(6, 7))
    assert (field.offsets == 0).all()
    assert torch.equal(field.colors, field.lr.movedim(1, -1))


def test_training_starts_from_the_lr_colours(plain_field: GaussianField) -> None:
    assert (plain_field.offsets == 0).all()
    assert torch.equal(plain_field.colors, plain_field.lr.movedim(1, -1))
    gaussians = plain_field.render(3, layer="gaussians")
    torch.testing.assert_close(plain_field.render(3), gaussians, rtol=0, atol=1e-6)


def test_the_chosen_kernel_is_the_classifiers(tiny_field: GaussianField) -> None:
    assert torch.equal(tiny_field.index, tiny_field.choice_at().index)


def test_training_and_inference_are_one_formula(
    make_model: Make, picture: Callable[..., Tensor], read: Callable[..., Tensor]
) -> None:
    model = make_model("lite")
    lr = picture(8, 9)
    points = torch.rand(1, 60, 2, generator=torch.Generator().manual_seed(0)).double() * 8
    with torch.no_grad():
        found = model(lr[None], points, torch.tensor([(3.0, 2.0)]))
    field = model.encode(lr)
    expected = read(field, points[0], (3.0, 2.0))
    torch.testing.assert_close(found.rgb, expected, rtol=0, atol=2e-5)
    splatted = read(field, points[0], (3.0, 2.0), "gaussians")
    torch.testing.assert_close(found.colors, splatted, rtol=0, atol=2e-5)


@pytest.mark.parametrize("preset", ["lite", "paper"])
@pytest.mark.parametrize("soft", [False, True])
def test_gradients_reach_every_parameter(
    preset: str, soft: bool, make_model: Make, picture: Callable[..., Tensor]
) -> None:
    model = make_model(preset).requires_grad_(True)
    points = torch.rand(2, 50, 2, generator=torch.Generator().manual_seed(0)).double() * 8
    lr = torch.stack((picture(8, 8), picture(8, 8, 1)))
    found = model(
        lr,
        points,
        torch.full((2, 2), 3.0),
        soft=soft,
        generator=torch.Generator().manual_seed(0),
    )
    (found.rgb.square().sum() + found.colors.square().sum() + found.commitment).backward()
    idle = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert idle == []


@pytest.mark.parametrize("preset", ["lite", "paper"])
def test_back_ends_train_alike(
    preset: str, make_model: Make, picture: Callable[..., Tensor]
) -> None:
    gradients = []
    for backend in ("cpu", "reference"):
        model = make_model(preset).requires_grad_(True)
        points = torch.rand(1, 60, 2, generator=torch.Generator().manual_seed(0)).double() * 6
        generator = torch.Generator().manual_seed(1)
        found = model(
            picture(6, 6)[None],
            points,
            torch.full((1, 2), 2.5),
            generator=generator,
            backend=backend,
        )
        (found.rgb.square().mean() + found.colors.square().mean()).backward()
        gradients.append({n: p.grad for n, p in model.named_parameters()})
    for name, gradient in gradients[0].items():
        largest = float(gradients[1][name].abs().max())
        error = float((gradient - gradients[1][name]).abs().max())
        assert error <= 1e-4 * largest + 1e-7, name


# --- laws of encoding ----------------------------------------------------------------------------


def test_alone_or_in_a_batch(tiny_model: GaussianSR, picture: Callable[..., Tensor]) -> None:
    images = [picture(7, 8, seed) for seed in range(3)]
    together = tiny_model.encode(torch.stack(images))
    for i, image in enumerate(images):
        alone = tiny_model.encode(image)
        for name in set(MAPS) - {"bank_raw"}:
            assert torch.equal(getattr(together, name)[i], getattr(alone, name)[0]), name


@pytest.mark.parametrize("batch", [(), (1,), (2,), (1, 2), (2, 1, 1)])
def test_leading_dimensions_come_back(
    batch: tuple[int, ...], make_model: Make, picture: Callable[..., Tensor]
) -> None:
    model = make_model("lite")
    image = picture(4, 5)
    field = model.encode(image.expand(*batch, 3, 4, 5))
    assert field.batch_shape == batch
    out = field.render((2.0, 3.0))
    assert out.shape == (*batch, 3, 8, 15)
    expected = model.encode(image).render((2.0, 3.0)).expand_as(out)
    torch.testing.assert_close(out, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("preset", ["lite", "paper"])
def test_tiles_are_the_whole(preset: str, picture: Callable[..., Tensor], make_model: Make) -> None:
    model = make_model(preset)
    lr = picture(60, 50)
    whole, tiled = model.encode(lr, tile=1000), model.encode(lr, tile=24)
    assert_same_maps(whole, tiled, 1e-5)


def test_tiles_of_the_real_lite_are_the_whole(
    lite: GaussianSR, picture: Callable[..., Tensor]
) -> None:
    lr = picture(60, 50)
    assert_same_maps(lite.encode(lr, tile=1000), lite.encode(lr, tile=24), 1e-5)


def test_encoding_is_deterministic(tiny_model: GaussianSR, picture: Callable[..., Tensor]) -> None:
    lr = picture(9, 8)
    torch.manual_seed(1)
    state = torch.random.get_rng_state()
    first = tiny_model.encode(lr)
    assert torch.equal(torch.random.get_rng_state(), state)  # nothing was drawn
    torch.manual_seed(2)
    assert_same_maps(first, tiny_model.encode(lr))


def test_training_mode_does_not_matter(make_model: Make, picture: Callable[..., Tensor]) -> None:
    model = make_model("paper")
    expected = model.encode(picture(6, 6))
    assert_same_maps(expected, model.train().encode(picture(6, 6)))


def test_a_field_outlives_changes_of_the_bank(
    make_model: Make, picture: Callable[..., Tensor]
) -> None:
    model = make_model("lite")
    field = model.encode(picture(5, 5))
    before = field.bank_raw.clone()
    with torch.no_grad():
        model.bank.raw.zero_()
    assert torch.equal(field.bank_raw, before)


def test_progress_counts_tiles(make_model: Make, picture: Callable[..., Tensor]) -> None:
    seen: list[tuple[int, int]] = []
    lr = torch.stack((picture(8, 10), picture(8, 10, 1)))
    make_model("lite").encode(lr, tile=5, progress=lambda *v: seen.append(v))
    assert seen == [(i, 8) for i in range(1, 9)]


def test_progress_may_cancel(make_model: Make, picture: Callable[..., Tensor]) -> None:
    def stop(_done: int, _of: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        make_model("lite").encode(picture(8, 10), progress=stop)


# --- sources -------------------------------------------------------------------------------------


def test_files_arrays_and_tensors_are_one_image(make_model: Make, tmp_path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    tensor = torch.from_numpy(pixels).movedim(-1, 0).float() / 255
    model = make_model("lite")
    expected = model.encode(tensor)
    for source in (tmp_path / "a.png", str(tmp_path / "a.png"), Image.fromarray(pixels), pixels):
        field = model.encode(source)
        assert_same_maps(expected, field)
        assert isinstance(field.render(1.5), Image.Image)
    assert isinstance(expected.render(1.5), Tensor)


def test_transparency_is_of_the_same_gaussians(make_model: Make) -> None:
    pixels = np.random.default_rng(0).integers(1, 256, (5, 6, 4), dtype=np.uint8)
    model = make_model("lite")
    field = model.encode(Image.fromarray(pixels))
    assert field.alpha is not None
    for name in ("index", "offsets", "bank_raw", "evidence"):
        assert torch.equal(getattr(field.alpha, name), getattr(field, name))
    alpha = torch.from_numpy(pixels[..., 3]).float() / 255
    assert torch.equal(field.alpha.lr, alpha.expand(1, 3, -1, -1))
    assert model.encode(Image.fromarray(pixels[..., :3])).alpha is None


def test_what_is_no_image(make_model: Make, tmp_path) -> None:
    with pytest.raises(ImageError):
        make_model("lite").encode(tmp_path / "none.png")


NO_IMAGES = {
    "two channels": torch.rand(2, 5, 5),
    "seven channels": torch.rand(7, 5, 5),
    "no rows": torch.rand(3, 0, 5),
    "not a number": torch.full((3, 5, 5), torch.nan),
    "above one": torch.full((3, 5, 5), 200.0),
}


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("what", NO_IMAGES)
def test_tensors_that_are_no_images(make_model: Make, what: str, batched: bool) -> None:
    tensor = NO_IMAGES[what]
    with pytest.raises(GsrError):
        make_model("lite").encode(torch.stack((tensor, tensor)) if batched else tensor)


@pytest.mark.parametrize("tile", [0, -1, 1.5, None, "64", float("nan")])
def test_a_tile_has_pixels(tile: Any, make_model: Make) -> None:
    with pytest.raises(GsrError, match=r"^tile must be at least 1 pixel"):
        make_model().encode(torch.rand(3, 8, 8), tile=tile)


def test_slopes_need_predicted_colours(make_model: Make) -> None:
    with pytest.raises(ConfigError, match="sloped needs predicted"):
        make_model("lite", predicted=False)


def test_what_becomes_of_a_batch_later_does_not_matter(make_model: Make) -> None:
    batch = torch.rand(2, 3, 5, 6)
    field = make_model("lite").encode(batch)
    kept = field.lr.clone()
    batch.zero_()
    assert torch.equal(field.lr, kept)
