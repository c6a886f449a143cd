"""Rendering: views, bands, layers, reduction, and what comes back."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from gsr.base.coords import View
from gsr.base.errors import ScaleError
from gsr.field import GaussianField
from gsr.field import render as module
from gsr.field.render import LAYERS, RESIDUAL_GAIN, render, render_bands
from gsr.images import downscale, to_pil
from gsr.methods.gaussiansr import GaussianSR

Make = Callable[..., GaussianSR]


def even(make_model: Make, lr: Tensor) -> GaussianField:
    """LR colours under equal round kernels, nothing added: a picture with nothing to learn."""
    return make_model("lite", amount=0.0).encode(lr).with_kernel(0)


@pytest.mark.parametrize("layer", ["result", "gaussians"])
@pytest.mark.parametrize("scale", [1.0, (2.0, 3.3)])
def test_pixels_are_the_field_at_their_centres(
    layer: str, scale: float | tuple, tiny_field: GaussianField, read: Callable[..., Tensor]
) -> None:
    out = tiny_field.render(scale, layer=layer)
    height, width = out.shape[-2:]
    ys, xs = ((torch.arange(n).double() + 0.5) * (e / n) for n, e in ((height, 9), (width, 11)))
    points = torch.stack(torch.meshgrid(xs, ys, indexing="xy"), -1).reshape(-1, 2)
    expected = read(tiny_field, points, (height / 9, width / 11), layer, "reference").clamp(0, 1)
    assert expected.std() > 0.02  # not clamped away
    torch.testing.assert_close(out.flatten(1).T, expected[0], rtol=0, atol=2e-5)


def test_layers_add_up(tiny_field: GaussianField) -> None:
    layers = {layer: tiny_field.render(3, layer=layer) for layer in LAYERS}
    difference = RESIDUAL_GAIN * (layers["result"] - layers["gaussians"]) + 0.5
    inside = ((layers["result"] > 0) & (layers["result"] < 1)) & (
        (layers["gaussians"] > 0) & (layers["gaussians"] < 1)
    )
    assert inside.float().mean() > 0.2
    error = (difference.clamp(0, 1) - layers["residual"])[inside].abs().max()
    assert error < 1e-5


def test_the_lr_layer_is_the_pixels_put_in(tiny_field: GaussianField) -> None:
    expected = tiny_field.lr[0].repeat_interleave(3, -2).repeat_interleave(2, -1)
    assert torch.equal(tiny_field.render((3, 2), layer="lr"), expected)


def test_unknown_layer(tiny_field: GaussianField) -> None:
    expected = r"^layer must be one of result, gaussians, residual, lr, got 'depth'\.$"
    with pytest.raises(ScaleError, match=expected):
        tiny_field.render(2, layer="depth")


@pytest.mark.parametrize("how", [{}, {"scale": 2, "size": (4, 4)}])
def test_render_takes_one_way(tiny_field: GaussianField, how: dict) -> None:
    with pytest.raises(ScaleError, match=r"^give exactly one of scale, size and view"):
        tiny_field.render(**how)


@pytest.mark.parametrize("pixels", [1, 100, 333])
def test_bands_are_the_whole(
    tiny_field: GaussianField, monkeypatch: pytest.MonkeyPatch, pixels: int
) -> None:
    whole = tiny_field.render(3.7)
    monkeypatch.setattr(module, "BAND_PIXELS", pixels)
    torch.testing.assert_close(tiny_field.render(3.7), whole, rtol=0, atol=1e-6)


def test_bands_come_from_top_to_bottom(
    tiny_field: GaussianField, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BAND_PIXELS", 100)
    view = View.whole((9, 11), (20, 22))
    found = list(render_bands(tiny_field, view))
    assert [(a, b) for a, b, _ in found] == [(i, i + 4) for i in range(0, 20, 4)]
    together = torch.cat([band for *_, band in found], 2)[0]
    whole = tiny_field.render(size=(20, 22))
    torch.testing.assert_close(together, whole, rtol=0, atol=1e-6)


def test_progress_counts_rows(tiny_field: GaussianField, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BAND_PIXELS", 100)
    seen: list[tuple[int, int]] = []
    tiny_field.render(2, progress=lambda *v: seen.append(v))
    assert seen == [(i, 18) for i in (4, 8, 12, 16, 18)]


@pytest.mark.parametrize("scale", [2, 5])
def test_a_view_is_a_crop(tiny_field: GaussianField, scale: int) -> None:
    whole = tiny_field.render(scale)
    view = View(3, 2, 5, 4, (4 * scale, 5 * scale))
    crop = whole[:, 2 * scale : 6 * scale, 3 * scale : 8 * scale]
    torch.testing.assert_close(tiny_field.render(view=view), crop, rtol=0, atol=2e-5)


@settings(max_examples=20, deadline=None)
@given(
    rows=st.tuples(st.integers(0, 26), st.integers(1, 10)),
    columns=st.tuples(st.integers(0, 32), st.integers(1, 10)),
)
def test_any_view_is_a_crop(
    tiny_field: GaussianField, rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    (top, height), (left, width) = rows, columns
    height, width = min(height, 27 - top), min(width, 33 - left)
    view = View(left / 3, top / 3, width / 3, height / 3, (height, width))
    crop = tiny_field.render(3)[:, top : top + height, left : left + width]
    torch.testing.assert_close(tiny_field.render(view=view), crop, rtol=0, atol=2e-5)


def test_outside_the_border_continues(lite_field: GaussianField) -> None:
    out = lite_field.render(view=View(-3, 2, 3, 1, (4, 12)))
    torch.testing.assert_close(out, out[..., :1].expand_as(out))


def test_every_border_continues(tiny_field: GaussianField, read: Callable[..., Tensor]) -> None:
    """Beyond the last pixels all is as at their edge, on each of the four sides."""
    height, width = tiny_field.lr_size
    sides = [((-2, 2), (1e-4, 2.5)), ((width, 2), (width - 1e-4, 2.5))]
    sides += [((2, -2), (2.5, 1e-4)), ((2, height), (2.5, height - 1e-4))]
    for (x, y), edge in sides:
        out = tiny_field.render(view=View(x, y, 2, 2, (2, 2)))
        near = read(tiny_field, torch.tensor([[edge]], dtype=torch.float64), 1.0)[0, 0]
        torch.testing.assert_close(out[:, 0, 0], near.clamp(0, 1), rtol=0, atol=2e-3)


def test_scale_one_keeps_geometry(make_model: Make) -> None:
    """A single bright pixel stays where it is, brightest at its own centre."""
    lr = torch.zeros(3, 7, 9)
    lr[:, 4, 2] = 1
    out = even(make_model, lr).render(1)
    assert out.shape == (3, 7, 9)
    assert int(out[0].argmax()) == 4 * 9 + 2
    torch.testing.assert_close(out[0, 4, 1], out[0, 4, 3], rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(out[0, 3, 2], out[0, 5, 2], rtol=1e-3, atol=1e-3)


def test_scales_per_axis(tiny_field: GaussianField) -> None:
    assert tiny_field.render((2, 3)).shape == (3, 18, 33)
    assert tiny_field.render(size=(20, 7)).shape == (3, 20, 7)
    turned = tiny_field.render((3, 2))
    assert turned.shape == (3, 27, 22)


def test_size_and_scale_are_one(tiny_field: GaussianField) -> None:
    assert torch.equal(tiny_field.render(3), tiny_field.render(size=(27, 33)))


# --- below magnification 1 -----------------------------------------------------------------------


@pytest.mark.parametrize("scale", [0.5, 0.25, (0.25, 1.0), (1.0, 0.3), 1 / 16])
def test_a_fine_checkerboard_becomes_grey(make_model: Make, scale: float | tuple) -> None:
    y, x = torch.meshgrid(torch.arange(32), torch.arange(32), indexing="ij")
    board = ((x + y) % 2).float().expand(3, -1, -1)
    out = even(make_model, board).render(scale)
    assert abs(float(out.mean()) - 0.5) < 1e-3
    # The border pixels have neighbours on one side only.
    inside = out[:, 1:-1, 1:-1] if min(out.shape[1:]) > 2 else out
    assert (inside - 0.5).abs().max() < 0.03


@pytest.mark.parametrize("scale", [0.3, 0.5, (0.4, 2.0)])
def test_reduction_keeps_the_mean(
    make_model: Make, picture: Callable[..., Tensor], scale: float | tuple
) -> None:
    lr = picture(30, 40)
    out = even(make_model, lr).render(scale)
    torch.testing.assert_close(out.mean((1, 2)), lr.mean((1, 2)), rtol=0, atol=0.01)


def test_reduction_looks_like_a_reduction(make_model: Make, picture: Callable[..., Tensor]) -> None:
    lr = picture(32, 32)
    out = even(make_model, lr).render(0.25)
    expected = downscale(lr, (8, 8))
    assert (out - expected).abs().mean() < 0.02


def test_a_reduced_view_is_near_the_crop_of_the_reduced_whole(
    make_model: Make, picture: Callable[..., Tensor]
) -> None:
    field = even(make_model, picture(32, 32))
    whole = field.render(0.5)
    part = field.render(view=View(8, 8, 16, 16, (8, 8)))
    torch.testing.assert_close(part[:, 2:-2, 2:-2], whole[:, 6:10, 6:10], rtol=0, atol=1e-4)


# --- extremes and repetition ---------------------------------------------------------------------


@pytest.mark.parametrize("preset", ["lite", "paper"])
@pytest.mark.parametrize("scale", [1.0, 7.3, 64.0, 0.5])
def test_one_pixel_renders_anywhere(preset: str, scale: float, make_model: Make) -> None:
    field = make_model(preset).encode(torch.tensor((0.2, 0.5, 0.8))[:, None, None])
    out = field.render(scale)
    side = max(1, round(scale))
    assert out.shape == (3, side, side)
    one_color = replace(field, slopes=None)
    splatted = one_color.render(scale, layer="gaussians")
    color = field.colors[0, 0, 0].clamp(0, 1)[:, None, None]
    torch.testing.assert_close(splatted, color.expand_as(splatted), rtol=0, atol=1e-6)


@pytest.mark.parametrize("size", [(1, 6), (6, 1), (2, 2)])
def test_thin_images(size: tuple[int, int], tiny_model: GaussianSR) -> None:
    field = tiny_model.encode(torch.rand(3, *size, generator=torch.Generator().manual_seed(0)))
    out = field.render(64)
    assert out.shape == (3, size[0] * 64, size[1] * 64)
    assert torch.isfinite(out).all()
    part = field.render(view=View(0, 0, 1, 1, (64, 64)))
    torch.testing.assert_close(part, out[:, :64, :64], rtol=0, atol=2e-5)


def test_two_renders_are_equal_bit_for_bit(tiny_field: GaussianField) -> None:
    torch.manual_seed(1)
    state = torch.random.get_rng_state()
    first = tiny_field.render(5.3)
    assert torch.equal(torch.random.get_rng_state(), state)  # nothing was drawn
    torch.manual_seed(2)
    assert torch.equal(first, tiny_field.render(5.3))


def test_batch_mates_do_not_show(tiny_model: GaussianSR, picture: Callable[..., Tensor]) -> None:
    images = [picture(6, 7, seed) for seed in range(3)]
    together = tiny_model.encode(torch.stack(images)).render(3.3)
    for out, image in zip(together, images, strict=True):
        torch.testing.assert_close(out, tiny_model.encode(image).render(3.3), rtol=0, atol=1e-6)


def test_a_far_corner_is_as_exact_as_a_near_one(make_model: Make) -> None:
    """At magnification 64 a float32 coordinate would be off by a fraction of an output pixel."""
    tile = torch.rand(3, 4, 4, generator=torch.Generator().manual_seed(0))
    model = make_model("lite")
    near, far = (model.encode(tile.repeat(1, 3, n)) for n in (8, 512))
    left = near.render(view=View(13, 5, 1, 1, (64, 64)), layer="gaussians")
    right = far.render(view=View(2013, 5, 1, 1, (64, 64)), layer="gaussians")
    torch.testing.assert_close(right, left, rtol=0, atol=1e-5)


# --- what comes back -----------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA"])
@pytest.mark.parametrize("scale", [2.5, 0.5])
def test_pictures_come_back_in_their_mode(make_model: Make, mode: str, scale: float) -> None:
    pixels = np.random.default_rng(0).integers(1, 256, (6, 8, 4), dtype=np.uint8)
    image = Image.fromarray(pixels).convert(mode)
    out = make_model("lite").encode(image).render(scale)
    assert isinstance(out, Image.Image)
    assert out.mode == mode
    assert out.size == (round(8 * scale), round(6 * scale))


def test_transparency_is_rendered(make_model: Make) -> None:
    pixels = np.full((8, 8, 4), 120, np.uint8)
    pixels[:, 4:, 3] = 255
    pixels[:, :4, 3] = 0
    out = np.asarray(make_model("lite", amount=0.0).encode(Image.fromarray(pixels)).render(4))
    assert (out[:, :6, 3] == 0).all()
    assert (out[:, -6:, 3] == 255).all()
    middle = out[16, 13:19, 3].astype(int)
    assert (np.diff(middle) >= 0).all()  # it rises once, from left to right
    assert 0 < middle[2] < 255


@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_of_a_picture_is_a_picture(make_model: Make, layer: str) -> None:
    image = Image.fromarray(np.full((4, 4, 4), 90, np.uint8))
    assert make_model("lite").encode(image).render(2, layer=layer).mode == "RGBA"


def test_functions_render_batches(tiny_field: GaussianField) -> None:
    out = render(tiny_field, 2)
    assert out.shape == (1, 3, 18, 22)
    assert torch.equal(out[0], tiny_field.render(2))
    assert out.min() >= 0
    assert out.max() <= 1


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_an_opaque_channel_costs_nothing_and_comes_back(mode: str, make_model: Make) -> None:
    field = make_model("lite").encode(Image.effect_noise((12, 9), 60).convert(mode))
    assert field.alpha is None
    got = field.render(2)
    assert got.mode == mode
    assert got.getchannel("A").getextrema() == (255, 255)


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "LA"])
def test_pictures_are_the_quantised_tensors(
    mode: str, make_model: Make, picture: Callable[..., Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BAND_PIXELS", 64)  # several bands
    pixels = (picture(9, 12) * 255).byte().permute(1, 2, 0).numpy()
    image = Image.fromarray(pixels).convert(mode)
    if mode.endswith("A"):
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    field = make_model("lite").encode(image)
    got = field.render(2.5)
    alpha = None if field.alpha is None else render(field.alpha, 2.5)[0].mean(0)
    expected = to_pil(render(field, 2.5)[0], alpha, field.info.mode if field.info else "rgb")
    assert got.mode == expected.mode == mode
    assert got.tobytes() == expected.tobytes()


def test_a_view_too_wide_to_reduce(tiny_field: GaussianField) -> None:
    with pytest.raises(ScaleError, match=r"is too wide to reduce to 4000 x 8 pixels\.$"):
        tiny_field.render(view=View(0, 0, 256_000, 512, (8, 4000)))


def test_views_below_one_make_the_whole(tiny_field: GaussianField) -> None:
    whole = tiny_field.render(view=View(-2, -2, 24, 18, (9, 12)))
    left = tiny_field.render(view=View(-2, -2, 10, 18, (9, 5)))
    right = tiny_field.render(view=View(8, -2, 14, 18, (9, 7)))
    torch.testing.assert_close(torch.cat((left, right), -1), whole, rtol=0, atol=1e-5)


def test_one_that_met_rounding_is_one(tiny_field: GaussianField) -> None:
    exact = tiny_field.render(view=View(1, 1, 6.0, 6, (6, 6)))
    rounded = tiny_field.render(view=View(1, 1, 6.000000000000002, 6, (6, 6)))
    torch.testing.assert_close(rounded, exact, rtol=0, atol=1e-5)


def test_transparency_of_a_tensor_comes_back(make_model: Make) -> None:
    rgba = torch.rand(4, 8, 7, generator=torch.Generator().manual_seed(1))
    out = make_model().encode(rgba).render(2)
    assert out.shape == (4, 16, 14)
    assert out[3].std() > 0.01


def test_a_view_must_be_one(tiny_field: GaussianField) -> None:
    with pytest.raises(ScaleError, match=r"^view must be a gsr\.View, got \(0, 0, 1, 1\)\.$"):
        tiny_field.render(view=(0, 0, 1, 1))
