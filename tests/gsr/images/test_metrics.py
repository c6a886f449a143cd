"""PSNR and SSIM against closed forms and scikit-image."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from gsr.base.errors import ConfigError, ScaleError, ShapeError
from gsr.images import metrics
from gsr.images.metrics import Protocol, luma, psnr, ssim

WHOLE = Protocol("rgb", 0)


def pictures(*shape: int, noise: float = 0.1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(7)
    hr = torch.rand(*shape, generator=generator)
    return (hr + noise * torch.randn(*shape, generator=generator)).clamp(0, 1), hr


def test_benchmark_protocol_is_luma_with_the_scale_shaved() -> None:
    assert Protocol.benchmark(4) == Protocol("luma", 4, False)
    assert Protocol.benchmark(3.7).shave == 4
    assert Protocol.benchmark(0.1 * 30).shave == 3
    assert Protocol.benchmark(2, rounding=True).rounding


def test_div2k_protocol_is_rgb_with_six_more_shaved() -> None:
    assert Protocol.div2k(4) == Protocol("rgb", 10, False)
    assert Protocol.div2k(2.5).shave == 9


@pytest.mark.parametrize("scale", [0.0, -2.0, math.nan, math.inf])
def test_scale_must_be_positive(scale: float) -> None:
    with pytest.raises(ScaleError, match=r"^scale must be a positive number, got .*\.$"):
        Protocol.benchmark(scale)


def test_protocol_refuses_unknown_channel_and_negative_shave() -> None:
    with pytest.raises(ConfigError, match=r'^channel must be "luma" or "rgb", got \'y\'\.$'):
        Protocol("y", 0)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"^shave must be 0 or more pixels, got -1\.$"):
        Protocol("rgb", -1)


@pytest.mark.parametrize(
    ("colour", "level"),
    [
        ((0.0, 0.0, 0.0), 16.0),
        ((1.0, 1.0, 1.0), 235.0),
        ((1.0, 0.0, 0.0), 16 + 65.481),
        ((0.0, 1.0, 0.0), 16 + 128.553),
        ((0.0, 0.0, 1.0), 16 + 24.966),
    ],
)
def test_luma_is_studio_range_bt601(colour: tuple[float, ...], level: float) -> None:
    plane = torch.tensor(colour, dtype=torch.float64).view(3, 1, 1).expand(3, 2, 5)
    value = luma(plane)
    assert value.shape == (2, 5)
    assert torch.allclose(value * 255, torch.full_like(value, level), atol=1e-3)


def test_luma_refuses_a_grey_picture() -> None:
    with pytest.raises(ShapeError, match=r"^rgb must have shape \[\*batch, 3, h, w\], got"):
        luma(torch.zeros(1, 4, 4))


def test_psnr_of_a_constant_error_is_the_closed_form() -> None:
    hr = torch.full((3, 8, 8), 0.5, dtype=torch.float64)
    assert psnr(hr + 0.1, hr, protocol=WHOLE).item() == pytest.approx(20.0, abs=1e-9)


def test_psnr_on_luma_weighs_the_channels() -> None:
    hr = torch.full((3, 8, 8), 0.5, dtype=torch.float64)
    sr = hr.clone()
    sr[0] += 0.1
    expected = -20 * math.log10(0.1 * 65.738 / 256)
    assert psnr(sr, hr, protocol=Protocol("luma", 0)).item() == pytest.approx(expected, abs=1e-9)


def test_identical_pictures() -> None:
    _, hr = pictures(2, 3, 16, 16)
    assert torch.isposinf(psnr(hr, hr, protocol=WHOLE)).all()
    assert torch.allclose(ssim(hr, hr, protocol=WHOLE), torch.ones(2, dtype=torch.float64))


def test_values_are_clamped_first() -> None:
    hr = torch.ones(3, 16, 16)
    assert torch.isposinf(psnr(hr + 0.5, hr, protocol=WHOLE))


def test_shave_leaves_out_exactly_the_border() -> None:
    hr = torch.zeros(3, 20, 24)
    sr = torch.ones(3, 20, 24)
    sr[:, 3:-3, 3:-3] = 0.0
    assert torch.isposinf(psnr(sr, hr, protocol=Protocol("rgb", 3)))
    assert torch.isfinite(psnr(sr, hr, protocol=Protocol("rgb", 2)))


def test_rounding_compares_eight_bit_values() -> None:
    hr = torch.full((3, 8, 8), 100 / 255)
    sr = hr + 0.4 / 255
    assert torch.isposinf(psnr(sr, hr, protocol=Protocol("rgb", 0, rounding=True)))
    assert psnr(sr, hr, protocol=WHOLE).item() == pytest.approx(56.09, abs=0.01)


def test_rounding_the_luma_too() -> None:
    """Blue one level apart is 0.098 levels of luma: rounded away, or a whole level."""
    protocol = Protocol("luma", 0, rounding=True, luma_rounding=True)
    hr = torch.zeros(3, 8, 8)
    sr = hr.clone()
    sr[2] = 4 / 255  # luma 16.39 rounds to 16, 16.49 too
    assert torch.isposinf(psnr(sr, hr, protocol=protocol))
    sr[2] = 6 / 255  # 16.59 rounds to 17
    assert psnr(sr, hr, protocol=protocol).item() == pytest.approx(20 * math.log10(255))
    assert psnr(sr, hr, protocol=Protocol("luma", 0, rounding=True)).item() > 52


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_bands_change_nothing(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sr, hr = pictures(2, 3, 40, 31)
    whole = ssim(sr, hr, protocol=WHOLE)
    monkeypatch.setattr(metrics, "_BAND_VALUES", rows * (31 - 10))
    torch.testing.assert_close(ssim(sr, hr, protocol=WHOLE), whole, rtol=1e-12, atol=0)


@pytest.mark.parametrize("batch", [(), (2,), (2, 3)])
def test_one_value_per_picture(batch: tuple[int, ...]) -> None:
    sr, hr = pictures(*batch, 3, 14, 15)
    for metric in (psnr, ssim):
        values = metric(sr, hr, protocol=WHOLE)
        assert values.shape == batch
        flat = zip(sr.reshape(-1, 3, 14, 15), hr.reshape(-1, 3, 14, 15), strict=True)
        single = torch.stack([metric(a, b, protocol=WHOLE) for a, b in flat])
        assert torch.allclose(values.reshape(-1), single, rtol=1e-12)


def reference_ssim(first: np.ndarray, second: np.ndarray) -> float:
    _, field = structural_similarity(
        first,
        second,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=1.0,
        full=True,
    )
    return float(field[5:-5, 5:-5].mean())


@pytest.mark.parametrize("channel", ["luma", "rgb"])
@pytest.mark.parametrize("shave", [0, 3])
def test_ssim_equals_scikit_image(channel: Literal["luma", "rgb"], shave: int) -> None:
    sr, hr = (picture.double() for picture in pictures(3, 33, 40))
    end_y, end_x = 33 - shave, 40 - shave
    planes = [
        (luma(picture)[None] if channel == "luma" else picture)[:, shave:end_y, shave:end_x].numpy()
        for picture in (sr, hr)
    ]
    expected = np.mean([reference_ssim(a, b) for a, b in zip(*planes, strict=True)])
    value = ssim(sr, hr, protocol=Protocol(channel, shave)).item()
    assert value == pytest.approx(float(expected), abs=1e-9)
    assert 0.1 < value < 0.999


def test_different_shapes_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"^hr must have shape \[3, 16, 16\], got \(3, 16, 17\)"):
        psnr(torch.zeros(3, 16, 16), torch.zeros(3, 16, 17), protocol=WHOLE)


def test_pictures_smaller_than_the_shave_are_refused() -> None:
    small = torch.zeros(3, 8, 20)
    with pytest.raises(ShapeError) as caught:
        psnr(small, small, protocol=Protocol.benchmark(4))
    assert str(caught.value) == (
        "pictures must be at least 9 x 9 pixels for a shave of 4, got 20 x 8."
    )
    with pytest.raises(ShapeError, match="at least 11 x 11 pixels"):
        ssim(small, small, protocol=WHOLE)
