"""What training makes small."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from gsr.continuous import Prediction
from gsr.kernels import Kernels
from gsr.structure import edge_structure

from .data import Batch
from .recipe import LossRecipe

EDGE = 0.002
"""Strength (see `gsr.structure.edge_structure`) of an edge that counts half."""


def losses(recipe: LossRecipe, prediction: Prediction, batch: Batch) -> dict[str, Tensor]:
    """L1 on the result, the parts that a recipe adds to it, and their sum."""
    values = {"l1": F.l1_loss(prediction.rgb, batch.rgb)}
    total = values["l1"]
    if prediction.colors is not None:
        values["color"] = F.l1_loss(prediction.colors, batch.rgb)
        total = total + recipe.color * values["color"]
    if prediction.commitment is not None:
        values["commitment"] = prediction.commitment
        total = total + recipe.commitment * prediction.commitment
    if prediction.kernels is not None and recipe.direction:
        values["direction"] = misdirection(prediction.kernels, batch.lr)
        total = total + recipe.direction * values["direction"]
    return {"loss": total} | values


def misdirection(kernels: Kernels, lr: Float[Tensor, "b 3 h w"]) -> Tensor:
    """How far kernels are from lying along edges, weighted by the strength of the edges.

    A pixel counts 0 for a needle along its edge, 1 for a round kernel, 2 for a needle across.
    """
    with torch.no_grad():
        along, strength = edge_structure(lr.float())
        weight = strength / (strength + EDGE)
    xx, xy, yy = kernels.covariances().unbind(-1)
    lying = ((xx - yy) * torch.cos(2 * along) + 2 * xy * torch.sin(2 * along)) / (xx + yy)
    # Image by image: a part of a batch, or another process, must not change an image's say.
    return ((weight * (1 - lying)).sum((1, 2)) / weight.sum((1, 2)).clamp_min(1)).mean()
