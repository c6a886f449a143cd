"""Training samples: random crops at random scales, made from images kept in memory as uint8."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from gsr.errors import GsrError
from gsr.images import downscale, load
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


def read_images(paths: list[Path], smallest: int) -> dict[Path, Tensor]:
    """Images as uint8 [3, h, w]; those with a side below `smallest` are left out.

    Raises:
        ImageError: for a file that is not an image.
    """
    images = {}
    for path in paths:
        rgb = load(path).rgb
        if min(rgb.shape[1:]) >= smallest:
            images[path] = (rgb * 255).round().byte()
    return images


class Crops:
    """Draws batches. All randomness comes from the generator that is passed in.

    An image's chance is its number of pixels, halved where `rare` says so.
    """

    def __init__(self, images: list[Tensor], recipe: Recipe, rare: list[bool] | None = None):
        if not images:
            raise GsrError("no training image is large enough for the crop and scale asked for.")
        self.images = images
        self.recipe = recipe
        pixels = [image[0].numel() for image in images]
        halves = rare or [False] * len(images)
        chances = [n / 2 if half else n for n, half in zip(pixels, halves, strict=True)]
        self.weights = torch.tensor(chances, dtype=torch.float64)

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
