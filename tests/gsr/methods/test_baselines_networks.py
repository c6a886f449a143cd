"""Laws that hold for every compared network."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from gsr.base.coords import View
from gsr.base.errors import GsrError, ScaleError
from gsr.field import render as rendering
from gsr.field.protocol import ContinuousImage, Method
from gsr.methods import get, new_network
from gsr.methods import point_network as module
from gsr.methods.baselines import BASELINES, PointNetwork
from gsr.methods.weights import save_weights
from gsr.network.encoders import EncoderConfig

Picture = Callable[..., Tensor]

pytestmark = pytest.mark.parametrize("name", BASELINES)


@cache
def network(name: str) -> PointNetwork:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        found = new_network(name, EncoderConfig(channels=8, blocks=1))
        with torch.no_grad():  # colours that differ by more than rounding
            for parameter in found.parameters():
                parameter.mul_(1.5)
    return found.eval().requires_grad_(False)


def same(found: Tensor, expected: Tensor, atol: float = 2e-5) -> None:
    assert expected.std() > 0.01  # neither flat nor clamped away
    torch.testing.assert_close(found, expected, rtol=0, atol=atol)


def test_one_protocol(name: str, picture: Picture) -> None:
    method = network(name)
    assert isinstance(method, Method)
    assert method.name == name
    image = method.encode(picture(4, 5))
    assert isinstance(image, ContinuousImage)
    assert repr(image) == f"SampledImage(5 x 4 pixels, method='{name}')"


def test_training_and_rendering_are_one_formula(name: str, picture: Picture) -> None:
    lr = picture(8, 9)
    view = View.whole((8, 9), (20, 27))
    xs, ys = view.axes((8, 9))
    points = torch.stack(torch.meshgrid(xs, ys, indexing="xy"), -1).reshape(1, -1, 2).float()
    found = network(name)(lr[None], points, torch.tensor([view.scale]))
    assert found.colors is None
    assert found.commitment is None
    image = network(name).encode(lr).read(view)
    same(found.rgb[0].T.unflatten(-1, view.size), image[0])


def test_gradients_reach_every_parameter(name: str, picture: Picture) -> None:
    net = new_network(name, EncoderConfig(channels=8, blocks=1))
    points = 8 * torch.rand(2, 60, 2, generator=torch.Generator().manual_seed(0))
    lr = torch.stack((picture(8, 8), picture(8, 8, 1)))
    net(lr, points, torch.tensor(((2.0, 2.0), (3.0, 3.5)))).rgb.square().sum().backward()
    idle = [n for n, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert idle == []


def test_training_batch_mates_do_not_show(name: str, picture: Picture) -> None:
    lr = torch.stack([picture(6, 7, seed) for seed in range(3)])
    points = 6 * torch.rand(3, 40, 2, generator=torch.Generator().manual_seed(0))
    scale = torch.tensor(((2.0, 2.0), (3.0, 3.5), (1.0, 4.0)))
    together = network(name)(lr, points, scale).rgb
    for i in range(3):
        alone = network(name)(lr[i : i + 1], points[i : i + 1], scale[i : i + 1]).rgb
        same(together[i : i + 1], alone)


def test_training_in_pieces(name: str, picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    lr = torch.stack([picture(6, 7, seed) for seed in range(3)])
    points = 6 * torch.rand(3, 40, 2, generator=torch.Generator().manual_seed(0))
    scale = torch.tensor(((2.0, 2.0), (3.0, 3.5), (1.0, 4.0)))
    whole = network(name)(lr, points, scale).rgb
    monkeypatch.setattr(module, "BLOCK", 50)
    same(network(name)(lr, points, scale).rgb, whole)


def test_batch_mates_do_not_show(name: str, picture: Picture) -> None:
    images = torch.stack([picture(6, 7, seed) for seed in range(2)])
    together = network(name).encode(images.unflatten(0, (1, 2))).render(2.3)
    assert together.shape == (1, 2, 3, 14, 16)
    for out, image in zip(together[0], images, strict=True):
        same(out, network(name).encode(image).render(2.3))


@pytest.mark.parametrize("scale", [3, (2.5, 3.1)])
def test_tiles_bands_and_blocks_are_the_whole(
    name: str, scale: float | tuple[float, float], picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    lr = picture(11, 13)
    whole = network(name).encode(lr).render(scale)
    tiled = network(name).encode(lr, tile=5)
    monkeypatch.setattr(rendering, "BAND_PIXELS", 500)
    monkeypatch.setattr(module, "BLOCK", 300)
    same(tiled.render(scale), whole)


def test_views_are_crops(name: str, picture: Picture) -> None:
    image = network(name).encode(picture(6, 8))
    whole = image.render(3)
    for x, y, w, h in ((3, 2, 4, 3), (0, 0, 1, 1), (8 / 3, 5 / 3, 7 / 3, 4 / 3)):
        left, top, width, height = (round(3 * v) for v in (x, y, w, h))
        crop = whole[:, top : top + height, left : left + width]
        found = image.render(view=View(x, y, w, h, (height, width)))
        torch.testing.assert_close(found, crop, rtol=0, atol=2e-5)


def test_renders_repeat_bit_for_bit(name: str, picture: Picture) -> None:
    lr = picture(6, 7)
    torch.manual_seed(1)
    state = torch.random.get_rng_state()
    first = network(name).encode(lr).render(2.6)
    assert torch.equal(torch.random.get_rng_state(), state)  # nothing was drawn
    assert torch.equal(network(name).encode(lr).render(2.6), first)


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (5, 1), (2, 2)])
def test_small_images(name: str, size: tuple[int, int]) -> None:
    lr = torch.rand(3, *size, generator=torch.Generator().manual_seed(0))
    image = network(name).encode(lr)
    for scale in (1, 2.7, 0.3, *([64] if size == (1, 1) else [])):
        out = image.render(scale)
        assert out.shape == (3, *(max(1, round(n * scale)) for n in size))
        assert torch.isfinite(out).all()
    assert image.render((1, 8)).shape == (3, size[0], 8 * size[1])
    assert image.render(size=(7, 3)).shape == (3, 7, 3)
    beyond = image.render(view=View(-3, -3, 2, 2, (2, 2)))
    torch.testing.assert_close(beyond, beyond[:, :1, :1].expand(3, 2, 2))


def test_reduction_is_smooth(name: str, picture: Picture) -> None:
    """Below magnification 1 the picture at 1 or more is reduced, not sampled."""
    image = network(name).encode(picture(8, 8))
    fine = image.render(1)
    small = image.render(0.25)
    torch.testing.assert_close(small.mean((1, 2)), fine.mean((1, 2)), rtol=0, atol=0.03)


def test_nothing_is_left_on_another_device(name: str) -> None:
    """PyTorch refuses to mix devices, this one among them, on which nothing is computed."""
    net = new_network(name, EncoderConfig(channels=8, blocks=1)).to("meta")
    lr = torch.empty(2, 3, 9, 11, device="meta")
    for size in ((27, 33), (20, 35)):
        out = net.read(lr, net.encoder(lr), View.whole((9, 11), size))
        assert (out.shape, out.device) == ((2, 3, *size), lr.device)
    points, scale = (torch.empty(2, n, 2, device="meta") for n in (20, 1))
    assert net(lr, points, scale[:, 0]).rgb.device == lr.device


def test_large_outputs_are_read_in_pieces(
    name: str, picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = network(name)
    sizes = []

    def grid(self: PointNetwork, cut: module.Cut, xs: Tensor, ys: Tensor, scale: object) -> Tensor:
        sizes.append((len(xs) * len(ys), cut.lr[0, 0].numel(), cut.feat[0, 0].numel()))
        return cut.lr.new_zeros((1, 3, len(ys), len(xs)))

    monkeypatch.setattr(type(net), "grid", grid)
    for lr_size, size in (((3, 900), (1, 9000)), ((900, 3), (9000, 3)), ((300, 300), (600, 600))):
        net.encode(torch.rand(3, *lr_size)).render(size=size)
    points, pixels, features = (max(column) for column in zip(*sizes, strict=True))
    assert points <= module.BLOCK
    assert pixels == features <= (96 + 7) ** 2


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision(name: str, dtype: torch.dtype, picture: Picture) -> None:
    """Places stay exact: a wide image would otherwise lose them in any half type."""
    net = new_network(name, EncoderConfig(channels=8, blocks=1)).requires_grad_(False)
    net.load_state_dict(network(name).state_dict())
    lr = picture(3, 600)
    view = View(590, 0, 10, 3, (12, 40))
    exact = net.encode(lr).render(view=view)
    found = net.to(dtype).encode(lr).render(view=view)
    assert found.dtype == torch.float32
    assert (found - exact).abs().mean() < (0.02 if dtype == torch.bfloat16 else 0.003)
    assert found.std() > 0.01


def test_autocast_trains(name: str, picture: Picture) -> None:
    lr, points = picture(8, 8)[None], 8 * torch.rand(1, 40, 2)
    exact = network(name)(lr, points, torch.full((1, 2), 3.0)).rgb
    with torch.autocast("cpu", torch.bfloat16):
        found = network(name)(lr, points, torch.full((1, 2), 3.0)).rgb
    assert found.dtype == torch.float32
    assert (found - exact).abs().mean() < 0.02


def test_pictures_come_back_as_pictures(name: str) -> None:
    pixels = np.random.default_rng(0).integers(1, 256, (5, 6, 4), dtype=np.uint8)
    out = network(name).encode(Image.fromarray(pixels)).render(2)
    assert out.mode == "RGBA"
    assert out.size == (12, 10)


def test_progress_counts_tiles_of_all_planes(name: str, picture: Picture) -> None:
    seen: list[tuple[int, int]] = []
    rgba = torch.cat((picture(8, 10), torch.rand(1, 8, 10)))
    network(name).encode(rgba, tile=5, progress=lambda *v: seen.append(v))
    assert seen == [(i, 8) for i in range(1, 9)]


def test_weights_come_back(name: str, tmp_path: Path, picture: Picture) -> None:
    path = save_weights(network(name), tmp_path / "a.safetensors")
    back = get(path)
    assert back.config == network(name).config
    lr = picture(5, 6)
    assert torch.equal(back.encode(lr).render(2.5), network(name).encode(lr).render(2.5))


def test_what_cannot_be_done(name: str, picture: Picture) -> None:
    image = network(name).encode(picture(4, 5))
    for how in ({}, {"scale": 65}, {"scale": -1}, {"size": (0, 3)}, {"view": (0, 0, 1, 1)}):
        with pytest.raises(ScaleError):
            image.render(**how)
    for source in ("nowhere.png", torch.rand(1, 4, 5, 5)):
        with pytest.raises(GsrError):
            network(name).encode(source)
    with pytest.raises(GsrError, match=r"^tile must be at least 1 pixel"):
        network(name).encode(picture(4, 5), tile=0)
