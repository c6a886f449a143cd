"""Training losses."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from gsr.field.edges import edge_structure
from gsr.field.protocol import Prediction
from gsr.network.kernels import Kernels
from gsr_training.trainer.data import Batch
from gsr_training.trainer.recipe import LossRecipe

TINY = 1e-8
"""Keeps the gradient of a root finite where an image is met exactly."""
EDGE = 0.002
"""Strength (see `gsr.field.edges.edge_structure`) of an edge that counts half."""


def root_mean_square(found: Float[Tensor, "b n 3"], true: Float[Tensor, "b n 3"]) -> Tensor:
    """Root of each image's mean square error, mean over images."""
    squares = (found - true).square().mean((1, 2))
    return (squares + TINY).sqrt().mean()


ERRORS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "l1": F.l1_loss,
    "rms": root_mean_square,
}


def losses(
    recipe: LossRecipe,
    prediction: Prediction,
    batch: Batch,
    taught: Float[Tensor, "b n 3"] | None = None,
) -> dict[str, Tensor]:
    """The sum of what a recipe makes small, its parts, and the L1 of the result in any case.

    Args:
        taught: What a teacher says of the batch's colours; it is mixed into what is to be met.
    """
    error = ERRORS[recipe.pixel]
    values = {"l1": F.l1_loss(prediction.rgb, batch.rgb)}
    goal = batch.rgb if taught is None else goals(recipe.taught, prediction.rgb, taught, batch.rgb)
    total = error(prediction.rgb, goal)
    if prediction.colors is not None:
        values["color"] = error(prediction.colors, goal)
        total = total + recipe.color * values["color"]
    if prediction.commitment is not None:
        values["commitment"] = prediction.commitment
        total = total + recipe.commitment * prediction.commitment
    if prediction.kernels is not None and recipe.direction:
        values["direction"] = misdirection(prediction.kernels, batch.lr)
        total = total + recipe.direction * values["direction"]
    return {"loss": total} | values


@torch.no_grad()
def goals(
    share: float,
    found: Float[Tensor, "b n 3"],
    taught: Float[Tensor, "b n 3"],
    true: Float[Tensor, "b n 3"],
) -> Float[Tensor, "b n 3"]:
    """The truth, and a share of the teacher's opinion for images where that is nearer to it.

    Nobody can know all of the truth from few pixels; a teacher has left out what it could not.
    Drawn patterns and magnifications beyond its own are what it may never have seen.
    """
    better = _squares(taught - true) <= _squares(found - true)
    return torch.where(better[:, None, None], torch.lerp(true, taught, share), true)


def _squares(difference: Float[Tensor, "b n 3"]) -> Float[Tensor, " b"]:
    return difference.square().mean((1, 2))


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
