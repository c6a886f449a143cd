"""Training samples, made in batches from images that lie on the device as uint8."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from gsr.base.errors import GsrError
from gsr_training.trainer.patterns import Pattern, Pixels, draw
from gsr_training.trainer.recipe import DataRecipe
from gsr_training.trainer.resize import reduce
from gsr_training.trainer.seeding import CROPS, DEGRADED, PATTERNS, generator_for, numbers_for

_TRIES = 4
"""Places that a crop is looked for in an image before a flat one is taken."""
_GLANCE = 12
"""A place is judged by this many pixels squared."""


@dataclass(frozen=True)
class Batch:
    """What one step trains on.

    Attributes:
        lr: Crops in [0, 1], in steps of 1 / 255 as a file would have. [b, 3, c, c]
        points: Queried HR pixel centres (x, y) in LR pixels. [b, n, 2]
        scale: Magnification (sy, sx) of each sample. [b, 2]
        rgb: HR colours at the points. [b, n, 3]
    """

    lr: Float[Tensor, "b 3 c c"]
    points: Float[Tensor, "b n 2"]
    scale: Float[Tensor, "b 2"]
    rgb: Float[Tensor, "b n 3"]


@dataclass(frozen=True)
class ImageStore:
    """Images of any sizes, one after another.

    Attributes:
        pixels: RGB, row by row. uint8 [pixels of all images, 3]
        start: First pixel of each image. [i]
        size: (height, width) of each image. [i, 2]
        chance: How often each is drawn, relative to others. On the CPU. [i]
    """

    pixels: Tensor
    start: Int[Tensor, " i"]
    size: Int[Tensor, "i 2"]
    chance: Float[Tensor, " i"]

    @classmethod
    def of(
        cls,
        images: Iterable[Tensor],
        rare: Sequence[bool] | None = None,
        device: torch.device | str = "cpu",
        *,
        alike: bool = False,
    ) -> "ImageStore":
        """Images uint8 [3, h, w]; one's chance is its number of pixels, halved where `rare`.

        Args:
            images: Taken one by one: an iterator that lets go of them needs memory for them once.
            alike: All images have the same chance, halved where `rare`.

        Raises:
            GsrError: when there is none.
        """
        pixels, sizes = bytearray(), []
        for image in images:
            sizes.append(tuple(image.shape[1:]))
            pixels += image.movedim(0, -1).flatten().numpy().data
        if not sizes:
            raise GsrError("no training image is large enough for the crop and scale asked for.")
        size = torch.tensor(sizes)
        count = size.prod(-1)
        halved = torch.tensor(rare) if rare else torch.zeros(len(sizes), dtype=torch.bool)
        chance = (torch.ones(len(sizes)) if alike else count).double()
        chance = chance * torch.where(halved, 0.5, 1.0)
        flat = torch.frombuffer(pixels, dtype=torch.uint8).unflatten(0, (-1, 3))
        return cls(flat.to(device), count.cumsum(0) - count, size, chance)

    def to(self, device: torch.device | str) -> "ImageStore":
        """The pixels on a device, and where they lie; draws are made on the CPU."""
        return replace(self, pixels=self.pixels.to(device))


@dataclass(frozen=True)
class _Plan:
    """Where samples come from. Drawn on the CPU, so that a seed means the same on any device.

    Attributes:
        start: First pixel of the image of each sample. [b]
        width: Of that image. [b]
        side: Of the HR crop. [b]
        corner: Candidates for the crop's (y, x). [b, tries, 2]
        turned: Flip y, flip x, transpose. [b, 3]
        query: Queried pixels of a crop, row by row. [b, n]
        number: Of each sample in the joint batch. [b]
    """

    start: Tensor
    width: Tensor
    side: Tensor
    corner: Tensor
    turned: Tensor
    query: Tensor
    number: Tensor

    def __getitem__(self, which: list[int]) -> "_Plan":
        return _Plan(*(value[which] for value in vars(self).values()))

    def to(self, device: torch.device) -> "_Plan":
        return _Plan(*(value.to(device, non_blocking=True) for value in vars(self).values()))


class Crops:
    """Draws batches.

    Args:
        store: The images.
        recipe: What a sample is.
        batch: Samples of a joint batch.
        seed: Batch `step` of a seed is always the same.
    """

    def __init__(self, store: ImageStore, recipe: DataRecipe, batch: int, seed: int = 0):
        self.store = store
        self.recipe = recipe
        self.far = round(recipe.far * batch)
        self.near = batch - self.far
        self.seed = seed

    def batch(self, step: int, part: int = 0, parts: int = 1) -> Batch:
        """One of `parts` equal shares of the joint batch of `step`; they never overlap."""
        generator = generator_for(self.seed, step, CROPS)
        recipe = self.recipe
        near = self._plan(0, self.near, recipe.scale_min, recipe.scale_max, generator)
        far = self._plan(self.near, self.far, recipe.scale_max, recipe.far_max, generator)
        own = range(part, self.near + self.far, parts)
        plans = (
            near[[i for i in own if i < self.near]],
            far[[i - self.near for i in own if i >= self.near]],
        )
        # Samples of one kind together: their crops are padded to the largest of them.
        cut = [self._cut(plan, step) for plan in plans if len(plan.side)]
        return Batch(*(torch.cat(column) for column in zip(*cut, strict=True)))

    def _plan(
        self, first: int, count: int, low: float, high: float, generator: torch.Generator
    ) -> _Plan:
        store, crop = self.store, self.recipe.crop
        which = torch.multinomial(
            store.chance, max(count, 1), replacement=True, generator=generator
        )[:count]
        size = store.size[which]
        wanted = low + (high - low) * torch.rand(count, generator=generator)
        side = torch.minimum((crop * wanted).round().long(), size.amin(-1))
        room = (size - side[:, None] + 1)[:, None]
        corner = (torch.rand((count, _TRIES, 2), generator=generator) * room).long()
        turned = torch.rand((count, 3), generator=generator) < 0.5
        return _Plan(
            store.start[which], size[:, 1], side, corner.minimum(room - 1), turned,
            _spread(side, self.recipe.queries, generator), torch.arange(first, first + count),
        )  # fmt: skip

    def _cut(self, plan: _Plan, step: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        longest, names = int(plan.side.max()), plan.number.tolist()
        plan = plan.to(self.store.pixels.device)
        corner = self._busiest(plan)
        hr = self._read(plan, corner, longest)  # [b, S, S, 3] in [0, 1]
        patterns = self._patterns(hr, plan.side.tolist(), names, step)
        for i, pattern in patterns.items():
            n = len(pattern.hr)
            hr[i, :n, :n] = _values(pattern.hr, hr)
        lr = reduce(hr.movedim(-1, 1), plan.side, self.recipe.crop)
        for i, pattern in patterns.items():
            if pattern.lr is not None:
                lr[i] = _values(pattern.lr, lr).movedim(-1, 0)
        self._degrade(lr, names, step)
        side = plan.side[:, None]
        y, x = plan.query // side, plan.query % side
        sample = torch.arange(len(hr), device=hr.device)[:, None]
        factor = (plan.side / self.recipe.crop).float()  # what the rounded side really is
        points = (torch.stack((x, y), -1) + 0.5) / factor[:, None, None]
        return lr, points, factor[:, None].expand(-1, 2), hr[sample, y, x]

    def _patterns(
        self, hr: Tensor, sides: list[int], names: list[int], step: int
    ) -> dict[int, Pattern]:
        """Pictures drawn instead of photos, by their place in `hr` [b, S, S, 3]."""
        found: dict[int, Pattern] = {}
        if not self.recipe.patterns:
            return found
        for i, (side, number) in enumerate(zip(sides, names, strict=True)):
            rng = numbers_for(self.seed, step, PATTERNS, number)
            if rng.random() < self.recipe.patterns:
                found[i] = draw(rng, _pixels(hr[i, :side, :side]), self.recipe.crop)
        return found

    def _degrade(self, lr: Tensor, names: list[int], step: int) -> None:
        """Make part of the samples worse, in place. [b, 3, c, c]"""
        for i, number in enumerate(names if self.recipe.degraded else ()):
            rng = numbers_for(self.seed, step, DEGRADED, number)
            if rng.random() < self.recipe.degraded:
                lr[i] = worse(rng, lr[i])

    def _busiest(self, plan: _Plan) -> Tensor:
        """The first candidate that is not flat, else the last. (y, x) [b, 2]"""
        at = (torch.arange(_GLANCE, device=plan.side.device) + 0.5) / _GLANCE
        inside = (at * plan.side[:, None]).long()[:, None]  # [b, 1, g]
        y, x = plan.corner[..., :1] + inside, plan.corner[..., 1:] + inside  # [b, t, g]
        place = plan.start[:, None, None, None] + (
            y[..., :, None] * plan.width[:, None, None, None] + x[..., None, :]
        )
        seen = self.store.pixels[place.flatten(2)].float() / 255  # [b, t, g * g, 3]
        good = seen.flatten(2).std(-1) >= self.recipe.min_contrast
        good[:, -1] = True
        first = good.int().argmax(1)
        return plan.corner[torch.arange(len(first), device=first.device), first]

    def _read(self, plan: _Plan, corner: Tensor, longest: int) -> Float[Tensor, "b n n 3"]:
        """Crops in [0, 1], turned; past a sample's own side its last pixels are repeated."""
        last = plan.side[:, None] - 1
        along = torch.arange(longest, device=last.device)[None].minimum(last)  # [b, S]
        flip_y, flip_x, transpose = plan.turned.unbind(-1)
        y = torch.where(flip_y[:, None], last - along, along) + corner[:, :1]
        x = torch.where(flip_x[:, None], last - along, along) + corner[:, 1:]
        row = plan.start[:, None] + y * plan.width[:, None]
        # Transposed, the first axis of the crop runs along x.
        first = torch.where(transpose[:, None], x, row)[:, :, None]
        second = torch.where(transpose[:, None], row, x)[:, None, :]
        return self.store.pixels[first + second].float() / 255


def _pixels(values: Tensor) -> Pixels:
    """Values in [0, 1] as 8 bits on the CPU."""
    return np.asarray((values * 255).round().byte().cpu())


def _values(pixels: Pixels, like: Tensor) -> Tensor:
    """8 bits as values in [0, 1], where `like` lies."""
    return torch.from_numpy(pixels.copy()).to(like.device).float() / 255


def worse(rng: np.random.Generator, lr: Float[Tensor, "3 h w"]) -> Float[Tensor, "3 h w"]:
    """A picture in [0, 1] as `gsr_training.trainer.degrade.degraded` leaves it."""
    # It needs scipy, which recipes without degradation do without.
    from gsr_training.trainer.degrade import degraded

    return _values(degraded(rng, _pixels(lr.movedim(0, -1))), lr).movedim(-1, 0)


def _spread(side: Tensor, queries: int, generator: torch.Generator) -> Tensor:
    """Pixels of squares, one drawn from each of `queries` equal runs of a square's pixels.

    Every pixel is as likely as any other, hardly one comes twice, and a square with fewer pixels
    than queries is covered evenly. [b, queries]
    """
    jitter = torch.rand((len(side), queries), generator=generator, dtype=torch.float64)
    count = side[:, None] ** 2
    place = (torch.arange(queries) + jitter) * (count / queries)
    return place.long().minimum(count - 1)
