"""The colour of a field at points: footprints, continuity, flips, both decoders."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gsr.base.coords import View
from gsr.field import GaussianField
from gsr.methods.gaussiansr import GaussianSR
from gsr.network.decoder import DecoderConfig, FourierDecoder, ResidualDecoder
from gsr.network.kernels import Kernels
from gsr.network.sampler import Sampler, SamplerConfig, SplatMaps, interpolate
from gsr.network.splat import grid_points

Read = Callable[..., Tensor]


def one_kernel_maps(sigma_x: float, sigma_y: float, rho: float, size: int = 3) -> SplatMaps:
    kernels = Kernels(
        sigmas=torch.tensor((sigma_x, sigma_y)).expand(1, size, size, 2),
        rho=torch.full((1, size, size), rho),
        opacities=torch.full((1, size, size), 0.5),
    )
    zeros = torch.zeros(1, size, size, 3)
    return SplatMaps(kernels, zeros[..., :2], zeros, zeros[..., :0], torch.zeros(1, 0, size, size))


@pytest.mark.parametrize("scale", [(1.0, 1.0), (2.0, 8.0), (64.0, 0.25)])
def test_the_footprint_of_a_pixel_widens_exactly(scale: tuple[float, float]) -> None:
    sampler = Sampler(0, SamplerConfig())
    geometry = sampler.geometry(one_kernel_maps(0.5, 0.7, 0.6), torch.tensor([scale]))
    a, b, c = geometry[0, 1, 1, 2:5].double()
    determinant = a * c - b * b
    covariance = torch.stack((c, -b, a)) / determinant
    footprint = 0.3  # sigma_p at the start
    expected = (
        0.5**2 + (footprint / scale[1]) ** 2,
        0.6 * 0.5 * 0.7,
        0.7**2 + (footprint / scale[0]) ** 2,
    )
    assert covariance.tolist() == pytest.approx(expected, rel=1e-5)
    assert geometry[0, 1, 1, [0, 1, 5]].tolist() == [0.0, 0.0, 0.5]


def test_each_sample_of_a_batch_has_its_own_footprint() -> None:
    one = one_kernel_maps(0.5, 0.5, 0.0)
    kernels = Kernels(*(torch.cat((v, v)) for v in vars(one.kernels).values()))
    both = replace(one, kernels=kernels, offsets=one.offsets.expand(2, -1, -1, -1))
    sampler = Sampler(0, SamplerConfig())
    found = sampler.geometry(both, torch.tensor([(1.0, 1.0), (4.0, 2.0)]))
    second = sampler.geometry(one, torch.tensor([(4.0, 2.0)]))
    assert torch.equal(found[1], second[0])
    assert not torch.equal(found[0], second[0])


class Spy(torch.nn.Module):
    """Stands in for the decoder and keeps what it is told."""

    def forward(self, feat: Tensor, cell: Tensor) -> Tensor:
        self.feat, self.cell = feat, cell
        return feat.new_zeros((*feat.shape[:2], 3))


@pytest.mark.parametrize(
    ("scale", "cell"),
    [
        ((2.0, 4.0), (0.25, 0.5)),
        ((8.0, 3.0), (1 / 3, 0.25)),  # finer than it ever saw: told the finest
        ((64.0, 64.0), (0.25, 0.25)),
    ],
)
def test_the_decoder_is_told_a_cell_it_knows(
    scale: tuple[float, float], cell: tuple[float, float]
) -> None:
    sampler = Sampler(0, SamplerConfig(finest=4.0))
    sampler.decoder = Spy()
    sampler(one_kernel_maps(0.5, 0.5, 0.0), torch.tensor([[[1.5, 1.5]]]), torch.tensor([scale]))
    assert sampler.decoder.cell[0].tolist() == pytest.approx(cell)


def test_the_mean_offset_of_one_gaussian_is_the_way_to_it() -> None:
    maps = replace(one_kernel_maps(0.5, 0.5, 0.0, 1), offsets=torch.tensor([[[[0.25, -0.125]]]]))
    sampler = Sampler(0, SamplerConfig())
    sampler.decoder = Spy()
    sampler(maps, torch.tensor([[[0.5, 0.75]]]), torch.tensor([(2.0, 2.0)]))
    assert sampler.decoder.feat[0, 0].tolist() == pytest.approx([-0.25, 0.375])


@pytest.mark.parametrize("preset", ["lite", "base"])
@pytest.mark.parametrize("scale", [1.0, 2.7, (3.0, 1.5), 64.0])
def test_constants_stay_constant(
    preset: str,
    scale: float | tuple,
    make_model: Callable[..., GaussianSR],
    picture: Read,
    read: Read,
) -> None:
    field = make_model(preset, tiny=preset == "lite").encode(picture(6, 5))
    points = torch.rand(200, 2, generator=torch.Generator().manual_seed(0)).double()
    points = points * torch.tensor((5.0, 6.0))
    color = torch.tensor((0.2, 0.5, 0.9))
    flat = {
        "colors": color.expand_as(field.colors),
        "feat": torch.linspace(-1, 1, field.feat.shape[-1]).expand_as(field.feat),
        "slopes": None,
    }
    splatted = read(field, points, scale, "gaussians", **flat)[0]
    torch.testing.assert_close(splatted, color.expand_as(splatted), rtol=0, atol=2e-6)
    spy = replace(field, sampler=Sampler(field.feat.shape[-1], field.sampler.config))
    spy.sampler.decoder = Spy()
    read(spy, points, scale, **flat)
    told = spy.sampler.decoder.feat[0, :, :-2]  # the last two are the mean offset
    torch.testing.assert_close(told, flat["feat"][0, 0, 0].expand_as(told), rtol=0, atol=5e-6)


def border_pairs(height: int, width: int, step: float) -> tuple[Tensor, Tensor]:
    """Points just before and just after every border between LR pixels, along both axes."""
    g = torch.Generator().manual_seed(3)
    before, after = [], []
    for axis, (length, other) in enumerate(((width, height), (height, width))):
        border = torch.arange(1, length).double().repeat_interleave(40)
        along = torch.rand(len(border), generator=g).double() * other
        for side, into in ((-step, before), (step, after)):
            point = torch.stack((border + side, along), -1)
            into.append(point if axis == 0 else point.flip(-1))
    return torch.cat(before), torch.cat(after)


def largest_jump(read: Read, field: GaussianField, layer: str, scale: float = 64.0) -> float:
    before, after = border_pairs(*field.lr_size, 1e-7)
    values = [read(field, points, scale, layer)[0] for points in (before, after)]
    return float((values[0] - values[1]).abs().max())


@pytest.mark.parametrize("preset", ["lite", "base", "paper"])
def test_the_splat_has_no_seams(
    preset: str, make_model: Callable[..., GaussianSR], picture: Read, read: Read
) -> None:
    field = make_model(preset, tiny=preset == "lite").encode(picture(9, 10))
    assert largest_jump(read, field, "gaussians") < 1e-3


@pytest.mark.parametrize("preset", ["lite", "base"])
def test_the_result_has_no_seams(
    preset: str, make_model: Callable[..., GaussianSR], picture: Read, read: Read
) -> None:
    field = make_model(preset, tiny=preset == "lite", amount=0.3).encode(picture(9, 10))
    assert read(field, torch.rand(500, 2).double() * 9).std() > 0.05  # something could jump
    assert largest_jump(read, field, "result") < 1e-3


def test_very_wide_kernels_leave_no_seams_either(
    make_model: Callable[..., GaussianSR], picture: Read, read: Read
) -> None:
    field = make_model("lite").encode(picture(9, 10))
    wide = field.with_bank(torch.tensor((1.3, 1.3, 0.3, 0.0)).expand(100, 4))
    assert largest_jump(read, wide, "result") < 1e-3


def test_the_paper_jumps_where_the_nearest_centre_changes(
    make_model: Callable[..., GaussianSR], picture: Read, read: Read
) -> None:
    """Recorded, not wished for: its decoder is told the distance to the nearest LR centre."""
    field = make_model("paper", amount=0.3).encode(picture(9, 10))
    assert largest_jump(read, field, "result") > 1e-3


@pytest.mark.parametrize("axis", ["x", "y"])
@pytest.mark.parametrize("preset", ["lite", "paper"])
def test_flips_commute_with_splatting(
    axis: str, preset: str, make_model: Callable[..., GaussianSR], picture: Read
) -> None:
    field = make_model(preset).encode(picture(7, 6))
    along = 2 if axis == "x" else 1  # of [b, h, w, ...]
    signs = torch.tensor((-1.0, 1.0) if axis == "x" else (1.0, -1.0))
    mirrored = replace(
        field,
        bank_raw=field.bank_raw * torch.tensor((1.0, 1.0, -1.0, 1.0)),  # the sign of rho
        index=field.index.flip(along),
        offsets=(field.offsets * signs).flip(along),
        colors=field.colors.flip(along),
        feat=field.feat.flip(along),
        context=field.context.flip(along + 1),
        slopes=None if field.slopes is None else (field.slopes * signs).flip(along),
    )
    there = field.render(3.3, layer="gaussians")
    back = mirrored.render(3.3, layer="gaussians").flip(-1 if axis == "x" else -2)
    torch.testing.assert_close(back, there, rtol=0, atol=1e-5)


def test_a_flip_without_the_sign_of_rho_would_show(
    make_model: Callable[..., GaussianSR], picture: Read
) -> None:
    field = make_model("lite").encode(picture(7, 6))
    other = field.with_bank(field.bank_raw * torch.tensor((1.0, 1.0, -1.0, 1.0)))
    apart = field.render(3, layer="gaussians") - other.render(3, layer="gaussians")
    assert apart.abs().max() > 1e-2


def test_a_grid_reads_what_points_read(tiny_field: GaussianField, read: Read) -> None:
    xs = torch.linspace(0, 11, 19, dtype=torch.float64)
    ys = torch.linspace(0, 9, 14, dtype=torch.float64)
    maps, corner = tiny_field.splat_maps(xs, ys)
    seen = torch.tensor([(2.0, 3.0)])
    grid = tiny_field.sampler.grid(maps, xs - corner[0], ys - corner[1], seen)
    points = torch.stack(torch.meshgrid(xs, ys, indexing="xy"), -1).reshape(-1, 2)
    for layer, found in (("result", grid.rgb), ("gaussians", grid.colors)):
        expected = read(tiny_field, points, (2.0, 3.0), layer, "reference")
        torch.testing.assert_close(found.detach(), expected, rtol=0, atol=1e-5)
    plain = tiny_field.sampler.grid(maps, xs - corner[0], ys - corner[1], seen, decoded=False)
    assert torch.equal(plain.rgb, plain.colors)
    torch.testing.assert_close(plain.colors, grid.colors, rtol=0, atol=1e-6)


@pytest.mark.parametrize("hidden", [(6,), (7, 13), (5, 9, 12)])
def test_fused_rendering_is_the_decoder(
    hidden: tuple[int, ...], make_model: Callable[..., GaussianSR], picture: Read
) -> None:
    decoder = DecoderConfig(hidden=hidden)
    model = make_model("lite", sampler=SamplerConfig(decoder=decoder))
    field = model.encode(picture(8, 9))
    view = View(1.2, 0.4, 6.0, 5.0, (41, 53))
    xs, ys = view.axes(field.lr_size)
    maps, (left, top) = field.splat_maps(xs, ys)
    seen = field.lr.new_tensor(view.scale)[None]
    points = grid_points(xs - left, ys - top)
    expected = field.sampler(maps, points, seen, "reference")
    got = field.sampler.grid(maps, xs - left, ys - top, seen)
    assert (expected.rgb - expected.colors).abs().mean() > 1e-3  # the MLP does something
    torch.testing.assert_close(got.rgb, expected.rgb.detach(), rtol=0, atol=2e-5)


# --- interpolation -------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_interpolation_is_torchs_bicubic(scale: int) -> None:
    context = torch.randn(2, 4, 5, 7, generator=torch.Generator().manual_seed(0))
    height, width = 5 * scale, 7 * scale
    ys, xs = ((torch.arange(n).double() + 0.5) / scale for n in (height, width))
    points = torch.stack(torch.meshgrid(xs, ys, indexing="xy"), -1).reshape(1, -1, 2)
    found = interpolate(context, points.expand(2, -1, -1))
    expected = F.interpolate(context, (height, width), mode="bicubic", align_corners=False)
    torch.testing.assert_close(
        found.movedim(-1, 1).reshape_as(expected), expected, rtol=0, atol=1e-5
    )


def test_interpolation_at_a_pixel_centre_is_the_pixel() -> None:
    context = torch.randn(1, 2, 4, 6, generator=torch.Generator().manual_seed(0))
    found = interpolate(context, torch.tensor([[(2.5, 1.5), (0.5, 3.5)]], dtype=torch.float64))
    torch.testing.assert_close(found[0, 0], context[0, :, 1, 2], rtol=0, atol=1e-5)
    torch.testing.assert_close(found[0, 1], context[0, :, 3, 0], rtol=0, atol=1e-5)


def test_no_context_is_no_channels() -> None:
    found = interpolate(torch.zeros(1, 0, 3, 3), torch.tensor([[(1.0, 1.0)]]))
    assert found.shape == (1, 1, 0)


# --- decoders ------------------------------------------------------------------------------------


def test_the_residual_starts_at_nothing() -> None:
    decoder = ResidualDecoder(4, DecoderConfig())
    out = decoder(torch.randn(2, 5, 4), torch.rand(2, 2))
    assert torch.equal(out, torch.zeros(2, 5, 3))


def test_residual_decoder_by_hand() -> None:
    decoder = ResidualDecoder(3, DecoderConfig(hidden=(2,)))  # a feature and the mean offset
    first, last = decoder.layers[0], decoder.layers[2]
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[1.0, 1, 0, 0, 0], [-1.0, 0, 0, 0, 1]]))
        first.bias.copy_(torch.tensor((0.5, 0.0)))
        last.weight.copy_(torch.tensor([[1.0, 0], [0, 1], [2, 2]]))
    feat, cell = torch.tensor([[[1.0, 2.0, 3.0]]]), torch.tensor([[0.25, 0.5]])
    # Hidden: 1 + 2 + 0.5, and -1 + 0.5, which ReLU cuts.
    assert decoder(feat, cell)[0, 0].tolist() == [3.5, 0.0, 7.0]
    # The cell is one pair per image; in a batch each image has its own.
    two = decoder(feat.expand(2, 1, 3), torch.tensor([[0.25, 0.5], [0.25, 2.0]]))
    assert two[:, 0].tolist() == [[3.5, 0.0, 7.0], [3.5, 1.0, 9.0]]


def test_fourier_decoder_by_hand() -> None:
    decoder = FourierDecoder(1, DecoderConfig("fourier", (2,)))
    decoder.layers = torch.nn.Identity()
    with torch.no_grad():
        decoder.coef.weight.copy_(torch.tensor([[1.0], [2.0]]))
        decoder.freq.weight.copy_(torch.tensor([[0.5], [1.0]]))
        decoder.phase.weight.copy_(torch.tensor([[0.25, 0.5]]))
        decoder.coef.bias.zero_()
        decoder.freq.bias.zero_()
    feat, rel = torch.tensor([[[3.0]]]), torch.tensor([[[0.1, -0.2]]])
    cell = torch.tensor([[0.5, 0.25]])
    # Frequencies (1.5, 3) over 2 * rel, and the phase over 2 * cell.
    wave = math.pi * (1.5 * 0.2 + 3.0 * -0.4 + 0.25 * 1.0 + 0.5 * 0.5)
    expected = [0.5 + 0.5 * 3 * math.cos(wave), 0.5 + 0.5 * 6 * math.sin(wave)]
    assert decoder(feat, rel, cell)[0, 0].tolist() == pytest.approx(expected, rel=1e-5)


def test_decoders_read_each_point_alone(tiny_field: GaussianField, read: Read) -> None:
    points = torch.rand(30, 2, generator=torch.Generator().manual_seed(1)).double() * 9
    together = read(tiny_field, points)[0]
    order = torch.randperm(30, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(read(tiny_field, points[order])[0], together[order])
    torch.testing.assert_close(read(tiny_field, points[:1])[0], together[:1])


@settings(max_examples=10, deadline=None)
@given(opacity=st.floats(-4, 4))
def test_one_opacity_for_all_changes_nothing_when_normalised(
    plain_field: GaussianField, read: Read, opacity: float
) -> None:
    bank = plain_field.bank_raw.clone()
    bank[:, 3] = opacity
    points = torch.rand(40, 2, generator=torch.Generator().manual_seed(1)).double() * 8
    expected = read(plain_field, points)
    torch.testing.assert_close(read(plain_field.with_bank(bank), points), expected)


def test_a_grid_of_points_is_made_once_where_loops_are_not_compiled(
    make_model: Callable[..., GaussianSR], picture: Callable[..., Tensor], monkeypatch
) -> None:
    import gsr.network.sampler
    import gsr.network.splat

    made, make = [], gsr.network.splat.grid_points

    def counted(xs: Tensor, ys: Tensor) -> Tensor:
        made.append((xs.device, ys.device))
        return make(xs, ys)

    for module in (gsr.network.sampler, gsr.network.splat):
        monkeypatch.setattr(module, "grid_points", counted)
    make_model("lite").double().encode(picture(5, 6)).render(3)
    assert len(made) == 1
