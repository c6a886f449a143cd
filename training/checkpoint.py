"""Training state in one safetensors file, written atomically. No pickle."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel

from gsr.atomic import replacing
from gsr.errors import ConfigError
from gsr.model import GaussianSR


@dataclass
class TrainState:
    """Everything a step reads and changes."""

    model: GaussianSR
    ema: AveragedModel
    optimizer: Optimizer
    generator: torch.Generator
    step: int = 0
    seconds: float = 0.0

    @property
    def averaged(self) -> GaussianSR:
        """The model with the moving average of the weights: what is judged and shipped."""
        return cast(GaussianSR, self.ema.module)


def _named_parameters(state: TrainState) -> dict[int, str]:
    return {id(p): name for name, p in state.model.named_parameters()}


def _tensors(state: TrainState) -> dict[str, Tensor]:
    names = _named_parameters(state)
    flat = {f"model.{k}": v for k, v in state.model.state_dict().items()}
    flat |= {f"ema.{k}": v for k, v in state.ema.state_dict().items()}
    for parameter, slots in state.optimizer.state.items():
        flat |= {f"adam.{names[id(parameter)]}:{k}": v for k, v in slots.items()}
    flat["generator"] = state.generator.get_state()
    return {k: v.detach().clone().contiguous() for k, v in flat.items()}


def save_checkpoint(state: TrainState, path: Path, recipe: object) -> None:
    """Write to a neighbour, then rename: a kill at any moment leaves a whole file behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    about = {"step": state.step, "seconds": state.seconds, "recipe": asdict(recipe)}  # type: ignore[call-overload]
    with replacing(path) as file:
        file.write(save(_tensors(state), metadata={"training": json.dumps(about)}))


MAY_CHANGE = {"steps", "log_every", "save_every"}
"""Keys of a recipe that a resumed run may have changed."""


def load_checkpoint(state: TrainState, path: Path, recipe: object) -> None:
    """Continue from a file.

    Raises:
        ConfigError: for a file that is damaged or was written under another recipe.
    """
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads(file.metadata()["training"])
            flat = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{path} is damaged or no checkpoint of this program.") from error
    _check_recipe(path, about["recipe"], json.loads(json.dumps(asdict(recipe))))  # type: ignore[call-overload]

    def part(prefix: str) -> dict[str, Tensor]:
        return {k.removeprefix(prefix): v for k, v in flat.items() if k.startswith(prefix)}

    state.model.load_state_dict(part("model."))
    state.ema.load_state_dict(part("ema."))
    parameters = dict(state.model.named_parameters())
    for key, value in part("adam.").items():
        name, slot = key.rsplit(":", 1)
        state.optimizer.state[parameters[name]][slot] = value
    state.generator.set_state(flat["generator"])
    state.step, state.seconds = about["step"], about["seconds"]


def _check_recipe(path: Path, old: dict[str, Any], new: dict[str, Any]) -> None:
    changed = sorted(k for k in old.keys() | new.keys() if old.get(k) != new.get(k))
    changed = [key for key in changed if key not in MAY_CHANGE]
    if changed:
        shown = ", ".join(f"{key} was {old.get(key)!r}, is {new.get(key)!r}" for key in changed)
        raise ConfigError(f"{path} belongs to another recipe: {shown}; use another run folder.")
