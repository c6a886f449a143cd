"""The classical methods, and what every sampled image does the same way."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from gsr import methods
from gsr.base.coords import View
from gsr.base.errors import ImageError, ScaleError
from gsr.field import render as rendering
from gsr.methods import classical
from gsr.methods.classical import Sinc, sinc_matrix

NAMES = ("bicubic", "lanczos", "nearest", "sinc", "sinc:bicubic")
Picture = Callable[..., Tensor]


# --- what they compute ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["bicubic", "lanczos", "nearest"])
@pytest.mark.parametrize("size", [(15, 24), (31, 17), (5, 6)])
def test_pillows_resampling(kind: str, size: tuple[int, int], picture: Picture) -> None:
    lr = picture(5, 6)
    planes = [
        np.asarray(
            Image.fromarray(plane.numpy()).resize(
                (size[1], size[0]), Image.Resampling[kind.upper()]
            )
        )
        for plane in lr
    ]
    expected = torch.from_numpy(np.stack(planes)).clamp(0, 1)
    found = methods.get(kind).encode(lr).render(size=size)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


def test_nearest_by_hand() -> None:
    lr = torch.tensor([[0.1, 0.9], [0.4, 0.6]]).expand(3, 2, 2)
    found = methods.get("nearest").encode(lr).render((1, 1.5))[0]
    assert torch.equal(found, torch.tensor([[0.1, 0.9, 0.9], [0.4, 0.6, 0.6]]))


def test_sinc_by_hand() -> None:
    """Two samples a, b are the mean and one half-wave: m + (a - b) / sqrt 2 * cos(pi x / 2)."""
    lr = torch.tensor([0.25, 0.75]).expand(3, 1, 2)
    found = methods.get("sinc").encode(lr).render((1, 4))[0, 0]
    x = (torch.arange(8) + 0.5) / 4
    expected = 0.5 - 0.5 / math.sqrt(2) * torch.cos(math.pi * x / 2)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("length", [1, 2, 5, 12])
def test_sinc_is_the_cosine_series(length: int) -> None:
    x = torch.linspace(0, length, 23).double()
    centres = torch.arange(length).double() + 0.5
    for terms in {1, (length + 1) // 2, length}:
        expected = torch.zeros(23, length, dtype=torch.float64)
        for k in range(terms):
            wave = torch.cos(math.pi * k * x / length)[:, None]
            expected += (2 if k else 1) / length * wave * torch.cos(math.pi * k * centres / length)
        torch.testing.assert_close(sinc_matrix(x, length, terms), expected, rtol=0, atol=1e-12)


def test_sinc_keeps_samples_and_waves(picture: Picture) -> None:
    lr = picture(6, 7)
    image = methods.get("sinc").encode(lr)
    torch.testing.assert_close(image.render(1), lr, rtol=0, atol=1e-6)
    torch.testing.assert_close(image.render(5)[:, 2::5, 2::5], lr, rtol=0, atol=1e-6)
    x = (torch.arange(8) + 0.5) * math.pi / 8
    wave = 0.5 + 0.3 * torch.cos(3 * x).expand(3, 4, 8)
    fine = 0.5 + 0.3 * torch.cos(3 * (torch.arange(24) + 0.5) * math.pi / 24).expand(3, 12, 24)
    found = methods.get("sinc").encode(wave).render(3)
    torch.testing.assert_close(found, fine, rtol=0, atol=1e-6)


def test_sinc_of_a_result_resamples_it(picture: Picture) -> None:
    lr = picture(6, 7)
    result = methods.get("bicubic").encode(lr).render(4)
    image = Sinc(methods.get("bicubic")).encode(lr)
    assert image.lr_size == (6, 7)
    torch.testing.assert_close(image.render(4), result, rtol=0, atol=1e-6)
    expected = methods.get("sinc").encode(result).render(2)
    torch.testing.assert_close(image.render(8), expected, rtol=0, atol=1e-5)


def test_sinc_of_a_result_does_not_alias() -> None:
    """At x2 the fixed x4 result is resampled to half: its finest waves must not fold back."""

    class Stripes(classical.Pillow):
        def read(self, lr: Tensor, maps: Tensor, view: View) -> Tensor:
            columns = torch.arange(view.size[1]) % 2
            return columns.float().expand(len(lr), 3, *view.size)

    found = Sinc(Stripes("nearest")).encode(torch.rand(3, 6, 6)).render(2)
    assert (found[:, :, 1:-1] - 0.5).abs().max() < 0.1


# --- one code path for all -----------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_bands_and_views_are_the_whole(
    name: str, picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = methods.get(name).encode(picture(9, 11))
    whole = image.render(3)
    view = View(3, 2, 5, 4, (12, 15))
    torch.testing.assert_close(image.render(view=view), whole[:, 6:18, 9:24], rtol=0, atol=1e-5)
    monkeypatch.setattr(rendering, "BAND_PIXELS", 70)
    monkeypatch.setattr(classical, "MATRIX", 90)
    torch.testing.assert_close(image.render(3), whole, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_batch_mates_do_not_show(name: str, picture: Picture) -> None:
    images = torch.stack([picture(6, 7, seed) for seed in range(3)])
    together = methods.get(name).encode(images.unflatten(0, (3, 1))).render(2.3)
    assert together.shape == (3, 1, 3, 14, 16)
    for out, image in zip(together, images, strict=True):
        alone = methods.get(name).encode(image).render(2.3)
        torch.testing.assert_close(out[0], alone, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("scale", [64, 1, 0.3, (0.5, 3)])
def test_one_colour_stays(name: str, scale: float | tuple[float, float]) -> None:
    for size in ((1, 1), (1, 5), (5, 1), (8, 8)):
        lr = torch.tensor((0.0, 0.4, 1.0))[:, None, None].expand(3, *size)
        out = methods.get(name).encode(lr).render(scale)
        torch.testing.assert_close(out, lr[:, :1, :1].expand_as(out), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_fine_checkerboard_becomes_grey(name: str) -> None:
    y, x = torch.meshgrid(torch.arange(32), torch.arange(32), indexing="ij")
    board = ((x + y) % 2).float().expand(3, -1, -1)
    out = methods.get(name).encode(board).render(0.25)
    assert (out[:, 1:-1, 1:-1] - 0.5).abs().max() < 0.06


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA"])
def test_pictures_come_back_in_their_mode(mode: str) -> None:
    pixels = np.random.default_rng(0).integers(1, 256, (6, 8, 4), dtype=np.uint8)
    image = Image.fromarray(pixels).convert(mode)
    for name in NAMES:
        out = methods.get(name).encode(image).render(2.5)
        assert out.mode == mode
        assert out.size == (20, 15)
    same = methods.get("nearest").encode(image).render(1)
    assert same.tobytes() == image.tobytes()


def test_layers_of_a_sampled_image(picture: Picture) -> None:
    lr = picture(4, 5)
    image = methods.get("bicubic").encode(lr)
    expected = lr.repeat_interleave(2, -2).repeat_interleave(2, -1)
    assert torch.equal(image.render(2, layer="lr"), expected)
    with pytest.raises(ScaleError, match=r"^layer must be one of result, lr, got 'gaussians'\.$"):
        image.render(2, layer="gaussians")


@pytest.mark.parametrize("name", NAMES)
def test_what_cannot_be_rendered(name: str, picture: Picture) -> None:
    image = methods.get(name).encode(picture(4, 5))
    for how in ({}, {"scale": 65}, {"size": (0, 3)}, {"view": (0, 0, 1, 1)}):
        with pytest.raises(ScaleError):
            image.render(**how)
    with pytest.raises(ImageError):
        methods.get(name).encode("nowhere.png")


def test_progress_of_encoding_and_rendering(picture: Picture) -> None:
    seen: list[tuple[int, int]] = []
    rgba = torch.cat((picture(4, 5), torch.rand(1, 4, 5)))
    image = methods.get("sinc").encode(rgba, progress=lambda *v: seen.append(v))
    assert seen == [(1, 2), (2, 2)]
    assert image.alpha is not None
    assert image.render(2, progress=lambda *v: seen.append(v)).shape == (4, 8, 10)
    assert seen[2:] == [(8, 8)]
