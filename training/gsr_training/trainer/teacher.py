"""A network that is there already, as a second opinion on what a picture should be."""

import importlib
from collections.abc import Callable
from typing import Protocol

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from gsr.base.errors import ConfigError
from gsr_training.trainer.data import Batch


class Teacher(Protocol):
    """Anything that enlarges pictures by one factor."""

    scale: int

    def __call__(self, lr: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 sh sw"]: ...


def load_teacher(name: str, device: torch.device | str = "cpu") -> Teacher | None:
    """What `MODULE:FUNCTION` returns for a device; None for an empty name.

    The module is looked for where Python looks (`PYTHONPATH`), and its code is run.

    Raises:
        ConfigError: if the function does not exist or returns something else.
    """
    if not name:
        return None
    module, _, function = name.partition(":")
    try:
        make: Callable[[torch.device | str], Teacher] = getattr(
            importlib.import_module(module), function
        )
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"loss.teacher: {name!r} cannot be loaded ({error}).") from error
    teacher = make(device)
    if not callable(teacher) or not isinstance(getattr(teacher, "scale", None), int):
        raise ConfigError(
            f"loss.teacher: {name!r} must return something that can be called with pictures "
            "and has a whole number as `scale`."
        )
    return teacher


@torch.no_grad()
def taught_colors(teacher: Teacher, batch: Batch) -> Float[Tensor, "b n 3"]:
    """What a teacher says of a batch's points; infinite beyond its own magnification."""
    pictures = teacher(batch.lr).float()
    rows = [
        _at(picture[None], points, float(scale[0]), batch.lr.shape[-1])
        for picture, points, scale in zip(pictures, batch.points, batch.scale, strict=True)
    ]
    return torch.stack(rows)


def _at(picture: Tensor, points: Tensor, scale: float, crop: int) -> Float[Tensor, "n 3"]:
    """A picture [1, 3, s, s] reduced to `scale` times the crop, at points in LR pixels."""
    side = round(crop * scale)
    if side > picture.shape[-1]:
        return points.new_full((len(points), 3), torch.inf)
    reduced = F.interpolate(picture, (side, side), mode="bicubic", antialias=True)[0]
    x, y = (points * (side / crop)).long().clamp(0, side - 1).unbind(-1)
    return reduced[:, y, x].T
