"""Noise and JPEG blocks: measured as they were added, and not found where there are none."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn.functional import interpolate

from gsr.images import load
from gsr.images.condition import BLOCKY, NOISY, Condition, condition

DEMO = Path(__file__).parents[3] / "apps" / "gsr_apps" / "demo"
PHOTOS = sorted(DEMO.glob("*.jpg"))


def shades(side: int = 160, seed: int = 0) -> Tensor:
    """A smooth picture of many colours. [3, side, side]"""
    small = torch.rand((1, 3, 6, 6), generator=torch.Generator().manual_seed(seed))
    large = interpolate(small, (side, side), mode="bicubic", align_corners=False)[0]
    return 0.2 + 0.6 * large.clamp(0, 1)


def noisy(rgb: Tensor, levels: float, *, grey: bool = False) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    size = (1, *rgb.shape[1:]) if grey else rgb.shape
    grains = torch.randn(size, generator=generator)
    return ((rgb + levels / 255 * grains).clamp(0, 1) * 255).round() / 255


def saved(rgb: Tensor, quality: int, **options: int) -> Tensor:
    file = io.BytesIO()
    pixels = Image.fromarray((rgb * 255).round().byte().movedim(0, -1).numpy())
    pixels.save(file, "JPEG", quality=quality, **options)
    return load(file.getvalue()).rgb


def half(path: Path) -> Tensor:
    """A photo without the traces of its own compression."""
    image = Image.open(path).convert("RGB")
    small = image.resize((image.width // 2, image.height // 2), Image.Resampling.BICUBIC)
    return load(small).rgb


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("levels", [5, 8, 16, 25])
def test_noise_is_as_strong_as_it_was_added(levels: float, grey: bool) -> None:
    found = condition(noisy(shades(), levels, grey=grey))
    assert found.noise == pytest.approx(levels, rel=0.12)
    assert found.blocks < BLOCKY
    assert found.fault == f"is noisy (about {found.noise:.0f} levels)"


@pytest.mark.parametrize("path", PHOTOS, ids=lambda path: path.stem)
def test_photos(path: Path) -> None:
    """Clean, they have no fault; with noise of 8 levels, about that is found."""
    clean = half(path)
    assert condition(clean).fault is None
    assert condition(noisy(clean, 8)).noise == pytest.approx(8, rel=0.25)


@pytest.mark.parametrize("quality", [30, 50, 70])
def test_jpeg_shows(quality: int) -> None:
    found = [condition(saved(half(path), quality)) for path in PHOTOS]
    assert sum(c.blocks >= BLOCKY for c in found) >= len(found) - 1
    assert sum("JPEG" in (c.fault or "") for c in found) >= len(found) - 1


def test_stronger_compression_shows_more() -> None:
    photo = half(PHOTOS[0])
    found = [condition(saved(photo, quality)).blocks for quality in (30, 60, 90)]
    assert found == sorted(found, reverse=True)


@pytest.mark.parametrize("shift", [(3, 0), (0, 5), (7, 2)])
def test_blocks_may_begin_anywhere(shift: tuple[int, int]) -> None:
    photo = saved(half(PHOTOS[0]), 50)
    cut = photo[:, shift[0] :, shift[1] :]
    assert condition(cut).blocks == pytest.approx(condition(photo).blocks, rel=0.2)


def written(line: str) -> Tensor:
    image = Image.new("L", (128, 128), 255)
    for y in range(0, 128, 13):
        ImageDraw.Draw(image).text((-y, y), line, 0, ImageFont.load_default(12))
    return torch.from_numpy(np.asarray(image) / np.float32(255))


def drawings() -> dict[str, Tensor]:
    """Clean pictures that are anything but smooth."""
    x = torch.arange(128.0).expand(128, -1)
    cells = torch.rand((13, 13), generator=torch.Generator().manual_seed(3))
    return {
        "flat": torch.full((128, 128), 0.5),
        "black": torch.zeros(128, 128),
        "ramp": x / 128,
        "panels": cells.repeat_interleave(10, 0).repeat_interleave(10, 1),
        "lines on white": 1 - ((x % 16) < 1).float(),
        "text": written("The quick brown fox jumps over the lazy dog. " * 3),
    }


@pytest.mark.parametrize("name", [*drawings()])
def test_drawings_are_not_noisy(name: str) -> None:
    assert condition(drawings()[name].expand(3, -1, -1)).fault is None


@pytest.mark.parametrize("size", [(1, 1), (3, 90), (9, 9), (10, 12), (17, 640)])
def test_any_size(size: tuple[int, int]) -> None:
    found = condition(torch.rand((3, *size), generator=torch.Generator().manual_seed(2)))
    assert np.isfinite([found.noise, found.blocks]).all()


def test_large_pictures_are_measured_in_parts() -> None:
    large = noisy(shades(2400), 6)
    assert condition(large).noise == pytest.approx(6, rel=0.12)


def test_faults_in_words() -> None:
    assert Condition(NOISY - 0.1, BLOCKY - 0.01).fault is None
    both = Condition(7.6, 1.0).fault
    assert both == "is noisy (about 8 levels) and shows the blocks of a strong JPEG compression"
