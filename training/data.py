"""Training samples: random crops at random scales, made from images kept in memory as uint8."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gsr.errors import GsrError
from gsr.images import downscale
from training.recipe import Recipe

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}


@dataclass(frozen=True)
class Batch:
    """What one step trains on.

    Attributes:
        lr: Crops in [0, 1], rounded to 8 bit as a file would be. [b, 3, c, c]
        points: Queried HR pixel centres (x, y) in LR pixels. [b, n, 2]
        scale: Magnification (sy, sx) of each sample. [b, 2]
        rgb: HR colours at the points. [b, n, 3]
    """

    lr: Tensor
    points: Tensor
    scale: Tensor
    rgb: Tensor


def list_images(folder: Path, names: Iterable[str] | None = None) -> list[Path]:
    """Image files below `folder`, sorted; only those in `names` (relative) if given."""
    if names is not None:
        return [folder / name for name in names]
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    if not found:
        raise GsrError(f"{folder} holds no image; accepted are {', '.join(sorted(SUFFIXES))}.")
    return found


def read_images(paths: list[Path], smallest: int) -> list[Tensor]:
    """Images as uint8 [3, h, w]; those with a side below `smallest` are left out."""
    images = []
    for path in paths:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
        if min(pixels.shape[:2]) >= smallest:
            images.append(torch.from_numpy(pixels.transpose(2, 0, 1).copy()))
    return images


def sampling_weights(paths: list[Path], folder: Path) -> Tensor:
    """Chance of each image, by its number of pixels; visibly compressed sets count half.

    The manifest beside the images, when there is one, says how large they are.
    """
    manifest = folder / "manifest.csv"
    sizes: dict[str, float] = {}
    if manifest.exists():
        with manifest.open(encoding="utf-8", newline="") as file:
            sizes = {r["file"]: int(r["w"]) * int(r["h"]) for r in csv.DictReader(file)}
    weights = []
    for path in paths:
        name = path.relative_to(folder).as_posix()
        half = 0.5 if name.startswith("bsds500/") else 1.0
        weights.append(half * sizes.get(name, 1.0))
    return torch.tensor(weights, dtype=torch.float64)


class Crops:
    """Draws batches. All randomness comes from the generator that is passed in."""

    def __init__(self, images: list[Tensor], recipe: Recipe, weights: Tensor | None = None):
        if not images:
            raise GsrError("no training image is large enough for the crop and scale asked for.")
        self.images = images
        self.recipe = recipe
        self.weights = torch.ones(len(images)) if weights is None else weights

    def batch(self, generator: torch.Generator) -> Batch:
        samples = [self._sample(generator) for _ in range(self.recipe.batch)]
        return Batch(*(torch.stack(column) for column in zip(*samples, strict=True)))

    def _sample(self, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        recipe = self.recipe
        span = recipe.scale_max - recipe.scale_min
        wanted = recipe.scale_min + span * torch.rand((), generator=generator).item()
        side = round(recipe.crop * wanted)
        hr = _turned(self._crop(side, generator), generator)
        lr = downscale(hr[None], (recipe.crop, recipe.crop))[0]
        lr = (lr * 255).round() / 255
        scale = side / recipe.crop  # what the rounded crop really is
        queries = min(recipe.queries, side * side)
        pixel = torch.randperm(side * side, generator=generator)[:queries]
        if queries < recipe.queries:  # near scale 1 a crop may have fewer pixels than queries
            pixel = pixel.repeat(-(-recipe.queries // queries))[: recipe.queries]
        y, x = pixel // side, pixel % side
        points = (torch.stack((x, y), -1) + 0.5) / scale
        return lr, points, torch.tensor((scale, scale)), hr[:, y, x].T

    def _crop(self, side: int, generator: torch.Generator) -> Tensor:
        """An HR crop in [0, 1]; flat ones are drawn again, a few times."""
        for _ in range(5):
            which = int(torch.multinomial(self.weights, 1, generator=generator))
            image = self.images[which]
            y = _below(image.shape[1] - side + 1, generator)
            x = _below(image.shape[2] - side + 1, generator)
            crop = image[:, y : y + side, x : x + side].float() / 255
            if crop.std() >= self.recipe.min_contrast:
                break
        return crop


def _below(limit: int, generator: torch.Generator) -> int:
    return int(torch.randint(limit, (), generator=generator))


def _turned(crop: Tensor, generator: torch.Generator) -> Tensor:
    """One of the eight flips and transposes of a square."""
    flip_x, flip_y, transpose = (torch.rand(3, generator=generator) < 0.5).tolist()
    crop = crop.flip(-1) if flip_x else crop
    crop = crop.flip(-2) if flip_y else crop
    return crop.transpose(-1, -2) if transpose else crop
