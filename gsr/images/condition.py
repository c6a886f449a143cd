"""What a picture went through, measured on its pixels: noise, and the blocks of a JPEG."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import conv2d

LUMA = 0.299, 0.587, 0.114
BLOCK = 8
"""Side of a JPEG's blocks, and of those in which noise is looked for."""
CALM = 0.05
"""The calmest blocks, a share of all: what varies there is noise rather than the picture."""
CALMEST_OF_NOISE = 0.8
"""What the calmest blocks of noise vary by, for each unit of its standard deviation."""
DARK, BRIGHT = 12 / 255, 243 / 255
"""Means of blocks between which noise is not cut off."""
STILL = 0.05 / 255
DRAWN = 0.3
"""Where this many pixels do not deviate at all, a picture was drawn or cut off, without noise."""
MOST_STEP, OWN_STEP = 4 / 255, 16 / 255
"""A step between neighbours counts up to the first; from the second on it is the picture's own."""
PART = 512
MOST_PARTS = 16
"""Of a large picture, squares of this many pixels in this many places are measured."""
NOISY, BLOCKY = 4.0, 0.15
"""Levels from which a picture is called noisy or compressed. Of photos reduced to half their size,
three in fifty are; with noise of 5 levels all are, saved as a JPEG of quality 75 five in six. There
the weights `photo` begin to be nearer to the clean picture than `lite`: at 4 to 7 levels, the later
the more texture there is, and at a quality of 85.
"""


@dataclass(frozen=True)
class Condition:
    """Faults of a picture that enlarging would enlarge.

    Attributes:
        noise: Standard deviation of what looks like noise, levels of 255. Fine texture all over a
            picture is part of it: clean photos have 0 to 3.
        blocks: By how much neighbours differ more across the borders of a JPEG's blocks than
            anywhere else, levels of 255. Clean photos have 0 to 0.1; so have drawings, unless they
            are made of tiles of 8 pixels.
    """

    noise: float
    blocks: float

    @property
    def fault(self) -> str | None:
        """What is wrong, as the end of a sentence that begins with the picture; None if nothing."""
        found = []
        if self.noise >= NOISY:
            found.append(f"is noisy (about {self.noise:.0f} levels)")
        if self.blocks >= BLOCKY:
            found.append("shows the blocks of a strong JPEG compression")
        return " and ".join(found) or None


def condition(rgb: Float[Tensor, "3 h w"]) -> Condition:
    """The condition of a picture in [0, 1].

    Noise is what is left of the calmest blocks after smooth shades are taken away (the mask is that
    of J. Immerkær, "Fast Noise Variance Estimation", 1996); it is measured in each channel and the
    median taken. Too small a picture, or one without greys, has none.
    """
    variations, steps = [], torch.zeros(2, BLOCK, 2, dtype=torch.float64)
    for part in _parts(rgb):
        variations.append(_variations(part))
        steps += _steps(part)
    return Condition(_noise(torch.cat(variations, 1)), _blocks(steps))


def _parts(rgb: Tensor) -> Iterator[Tensor]:
    """The picture, or squares spread over it. Each begins on a multiple of the side of a block."""
    height, width = rgb.shape[-2:]
    places = [(top, left) for top in range(0, height, PART) for left in range(0, width, PART)]
    every = max(1, len(places) // MOST_PARTS)
    for top, left in places[every // 2 :: every]:
        yield rgb[:, top : top + PART, left : left + PART].float()


def _variations(part: Float[Tensor, "3 h w"]) -> Float[Tensor, "3 n 2"]:
    """Of each block and channel: the deviation from a smooth shade, NaN where light is cut off, and
    the share of pixels that do not deviate at all.
    """
    height, width = ((n - 2) // BLOCK * BLOCK for n in part.shape[-2:])
    if min(height, width) < BLOCK:
        return part.new_empty((3, 0, 2))
    along = part.new_tensor([1.0, -2.0, 1.0])
    mask = (along[:, None] * along / 6)[None, None]
    rest = _by_block(conv2d(part[:, None], mask)[:, 0, :height, :width])
    light = _by_block(part[:, 1 : height + 1, 1 : width + 1]).mean(-1)
    varied = rest.square().mean(-1).sqrt()
    seen = torch.where((light > DARK) & (light < BRIGHT), varied, torch.nan)
    return torch.stack((seen, (rest.abs() < STILL).float().mean(-1)), -1)


def _by_block(plane: Float[Tensor, "3 h w"]) -> Float[Tensor, "3 n 64"]:
    blocks = plane.unfold(1, BLOCK, BLOCK).unfold(2, BLOCK, BLOCK)
    return blocks.flatten(3).flatten(1, 2)


def _noise(variations: Float[Tensor, "3 n 2"]) -> float:
    deviation, still = variations.unbind(-1)
    if not still.numel() or still.mean() > DRAWN:
        return 0.0
    found = [of_channel[~of_channel.isnan()] for of_channel in deviation]
    calm = [float(v.kthvalue(1 + int(CALM * len(v))).values) for v in found if len(v)]
    return 255 * sorted(calm)[len(calm) // 2] / CALMEST_OF_NOISE if calm else 0.0


def _steps(part: Float[Tensor, "3 h w"]) -> Float[Tensor, "2 8 2"]:
    """Along each axis, for each of eight places of a border: by how much a step across it is larger
    than the two beside it, summed, and the number of steps.
    """
    luma = torch.einsum("c,chw->hw", part.new_tensor(LUMA), part)
    return torch.stack([_steps_along(plane) for plane in (luma, luma.T)])


def _steps_along(luma: Float[Tensor, "h w"]) -> Float[Tensor, "8 2"]:
    step = luma.diff(dim=1).abs()
    width = (step.shape[1] - 2) // BLOCK * BLOCK
    if width < BLOCK:
        return luma.new_zeros((BLOCK, 2), dtype=torch.float64)
    more = step[:, 1:-1] - (step[:, :-2] + step[:, 2:]) / 2
    more = torch.where(more.abs() < OWN_STEP, more.clamp(-MOST_STEP, MOST_STEP), 0.0)
    more = more[:, :width].double()
    by_place = more.unflatten(1, (-1, BLOCK)).sum((0, 1))
    return torch.stack((by_place, torch.full_like(by_place, more.numel() / BLOCK)), -1)


def _blocks(steps: Float[Tensor, "2 8 2"]) -> float:
    """The strongest place of a border against the next, mean of both axes."""
    if not steps[..., 1].all():
        return 0.0
    first, second = (steps[..., 0] / steps[..., 1]).topk(2, 1).values.unbind(1)
    return 255 * float((first - second).mean())
