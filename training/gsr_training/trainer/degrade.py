"""What happens to pictures before they are enlarged: blur, noise, resampling, sharpening, JPEG.

Each is drawn with its strength for one sample, from that sample's own generator.
"""

import io
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import convolve, gaussian_filter

Pixels: TypeAlias = npt.NDArray[np.uint8]
Values: TypeAlias = npt.NDArray[np.float64]
"""[h, w, 3] in [0, 1]; in between, values may leave it a little."""

MARGIN = 16
"""Mirrored pixels around a crop while it is worked on: no border is blurred in, and the blocks of
a JPEG, of 16 pixels with 4:2:0, begin anywhere in the crop."""
QUALITY = 40, 95
SUBSAMPLINGS = "4:4:4", "4:2:0"


def degraded(rng: np.random.Generator, rgb: Pixels) -> Pixels:
    """A picture as a phone or the web may have left it. [h, w, 3] as `rgb`

    Args:
        rng: All that is random comes from it.
        rgb: A clean picture.
    """
    before = rng.integers(0, MARGIN, 2)
    around = [(int(b), 2 * MARGIN - int(b)) for b in before]
    values = np.pad(rgb, [*around, (0, 0)], mode="symmetric") / 255.0
    for change in _chosen(rng):
        values = change(rng, values).clip(0, 1)
    height, width = rgb.shape[:2]
    top, left = before
    return _levels(values[top : top + height, left : left + width])


Change: TypeAlias = Callable[[np.random.Generator, Values], Values]


def _chosen(rng: np.random.Generator) -> list[Change]:
    """At least one change, in any order; most pictures are saved as a JPEG at the end.

    Cameras and apps like to sharpen last, noise and all.
    """
    while True:
        found = [change for change, chance in CHANGES.items() if rng.random() < chance]
        found = [found[i] for i in rng.permutation(len(found))]
        if rng.random() < SHARPENED_LAST:
            found.sort(key=lambda change: change is sharpen)
        if rng.random() < SAVED:
            found.append(jpeg)
        if found:
            return found


def blur(rng: np.random.Generator, values: Values) -> Values:
    """By a Gaussian, round or not, of 0.3 to 1.5 pixels."""
    long, ratio = rng.uniform(0.3, 1.5), rng.uniform(0.4, 1.0) if rng.random() < 0.4 else 1.0
    turn = rng.uniform(0, np.pi)
    at = np.arange(-5, 6)
    x, y = at[None], at[:, None]
    along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    kernel = np.exp(-0.5 * ((along / long) ** 2 + (across / (long * ratio)) ** 2))
    return convolve(values, (kernel / kernel.sum())[..., None], mode="nearest")


def noise(rng: np.random.Generator, values: Values) -> Values:
    """Of a sensor: a part that grows with the light, and a part that does not.

    Channels share some of it, and demosaicing has smoothed it a little in some pictures.
    """
    strength = rng.triangular(1, 3, 18) / 255  # standard deviation at middle grey
    shot = rng.random()
    deviation = strength * np.sqrt(1 - shot + shot * 2 * values)
    common = rng.uniform(0, 0.8)
    grains = rng.standard_normal(values.shape)
    grey = rng.standard_normal((*values.shape[:2], 1))
    field = np.sqrt(1 - common) * grains + np.sqrt(common) * grey
    if rng.random() < 0.4:
        field = gaussian_filter(field, (*(rng.uniform(0.3, 0.8),) * 2, 0))
        field /= field.std()
    return values + deviation * field


def resample(rng: np.random.Generator, values: Values) -> Values:
    """Smaller or larger and back, by filters of any two kinds."""
    height, width = values.shape[:2]
    factor = rng.uniform(0.6, 1.6)
    size = round(width * factor), round(height * factor)
    kinds = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)
    there, back = (kinds[i] for i in rng.integers(0, len(kinds), 2))
    image = Image.fromarray(_levels(values))
    return np.asarray(image.resize(size, there).resize((width, height), back)) / 255.0


def sharpen(rng: np.random.Generator, values: Values) -> Values:
    """By an unsharp mask."""
    radius, amount = rng.uniform(0.5, 1.5), rng.uniform(0.2, 1.2)
    return values + amount * (values - gaussian_filter(values, (radius, radius, 0)))


def jpeg(rng: np.random.Generator, values: Values) -> Values:
    """Saved and read again."""
    file = io.BytesIO()
    quality = int(rng.integers(QUALITY[0], QUALITY[1] + 1))
    subsampling = SUBSAMPLINGS[rng.integers(len(SUBSAMPLINGS))]
    Image.fromarray(_levels(values)).save(file, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(file)) / 255.0


CHANGES: dict[Change, float] = {blur: 0.5, noise: 0.6, resample: 0.3, sharpen: 0.4}
"""Chance of each."""
SHARPENED_LAST = 0.5
"""Chance that sharpening, where there is some, comes after all else but the JPEG."""
SAVED = 0.7
"""Chance of a JPEG at the end."""


def _levels(values: Values) -> Pixels:
    return (values.clip(0, 1) * 255).round().astype(np.uint8)
