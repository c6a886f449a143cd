"""One picture, one method, one protocol: the numbers."""

import torch

from gsr.images.metrics import Protocol, psnr, ssim
from gsr.tasks.evaluation.contenders import Contender
from gsr.tasks.evaluation.pairs import Pair
from gsr.tasks.evaluation.perceptual import Lpips
from gsr.tasks.evaluation.results import Scores

DECIMALS = 6
"""Of the numbers: what is kept in a file is what is counted with, resumed or not."""


@torch.no_grad()
def measure(
    contender: Contender, pair: Pair, protocol: Protocol, lpips: Lpips | None = None
) -> Scores:
    """Encode LR, render it at the size of HR, compare.

    Args:
        contender: Which method.
        pair: Which picture.
        protocol: What is compared.
        lpips: The metric, where it is wanted.
    """
    height, width = pair.hr.shape[-2:]
    sr = contender.method.encode(pair.lr).render(size=(height, width)).cpu()
    return Scores(
        lr_height=pair.lr.shape[-2],
        lr_width=pair.lr.shape[-1],
        height=height,
        width=width,
        psnr=round(float(psnr(sr, pair.hr, protocol=protocol)), DECIMALS),
        ssim=round(float(ssim(sr, pair.hr, protocol=protocol)), DECIMALS),
        lpips=round(lpips(sr, pair.hr, protocol), DECIMALS) if lpips else None,
    )
