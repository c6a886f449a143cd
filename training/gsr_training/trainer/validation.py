"""How good a network is on training images that were set aside."""

from collections.abc import Callable
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor

from gsr.images import downscale
from gsr.images.metrics import Protocol, psnr
from gsr.methods.weights import Trained
from gsr_training.trainer.data import worse
from gsr_training.trainer.seeding import DEGRADED, numbers_for

SIDE = 192
SCALES = (2, 4)
SHOWN = 4


Validate = Callable[[Trained], tuple[dict[str, float], Tensor]]
"""A network to its figures, and a picture [3, h, w] of what it makes of a few images."""


def split(paths: list[Path], held_out: int) -> tuple[list[Path], list[Path]]:
    """Images to train on and images set aside, one in `held_out`; 0 sets none aside.

    Benchmarks never choose anything.
    """
    aside = paths[held_out // 2 :: held_out] if held_out else []
    chosen = set(paths) - set(aside)
    return [p for p in paths if p in chosen], aside


def validator(
    images: list[Tensor], device: torch.device | str = "cpu", *, degraded: bool = False
) -> Validate | None:
    """Mean luma PSNR on the middle of uint8 images [3, h, w]; None when there are none.

    Args:
        images: What was set aside.
        device: Where they are judged.
        degraded: Judge them from degraded input as well, always the same.
    """
    crops = [_middle(image).to(device).float() / 255 for image in images]

    def validate(network: Trained) -> tuple[dict[str, float], Tensor]:
        found, shown = {}, []
        for kind in ("", "degraded_") if degraded else ("",):
            for scale in SCALES:
                scores = []
                for i, hr in enumerate(crops):
                    lr = _reduced(hr, scale)
                    if kind:
                        lr = worse(numbers_for(0, scale, DEGRADED, i), lr)
                    sr = network.encode(lr).render(size=(SIDE, SIDE))
                    scores.append(float(psnr(sr, hr, protocol=Protocol.benchmark(scale))))
                    shown.append(sr)
                found[f"val_{kind}x{scale}"] = fmean(scores)
        rows = [crops, *(shown[i : i + len(crops)] for i in range(0, len(shown), len(crops)))]
        return found, torch.cat([torch.cat(row[:SHOWN], -1) for row in rows], -2).cpu()

    return validate if crops else None


def _middle(image: Tensor) -> Tensor:
    top, left = ((n - SIDE) // 2 for n in image.shape[1:])
    return image[:, top : top + SIDE, left : left + SIDE]


def _reduced(hr: Tensor, scale: int) -> Tensor:
    small = (SIDE // scale, SIDE // scale)
    return (downscale(hr[None], small)[0] * 255).round() / 255
