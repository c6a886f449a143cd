"""Training state in one safetensors file, written atomically. No pickle."""

import copy
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar

import torch
from pydantic import ConfigDict, Field
from torch import Tensor
from torch.optim import Optimizer

from gsr.base.atomic import replacing
from gsr.base.errors import ConfigError
from gsr.base.reading import STRICT, read_json
from gsr.base.tensorfile import Entry, TensorFile, entries, opened, write
from gsr.methods.weights import Trained
from gsr_training.trainer.optimise import build, new_optimizer
from gsr_training.trainer.recipe import Recipe


@dataclass
class TrainState:
    """Everything a step reads and changes. Random numbers are not among it: see `draws`.

    Attributes:
        network: What learns.
        average: The moving average of its weights: what is judged and shipped.
        optimizer: Adam's.
        step: Steps done.
        seconds: Time they took.
        sums: Of what is logged, since the last row: total and number of steps by name.
        stopped: Why the loop ended before the run did: name of a signal, or `pause`. Else empty.
    """

    network: Trained
    average: Trained
    optimizer: Optimizer
    step: int = 0
    seconds: float = 0.0
    sums: dict[str, list[float]] = field(default_factory=dict)
    stopped: str = ""


CHECKPOINT = "checkpoint.safetensors"
"""Its name in a run folder."""


def new_state(recipe: Recipe, device: torch.device | str = "cpu") -> TrainState:
    """A network at its start, seeded."""
    network = build(recipe.model, recipe.train.seed).to(device)
    average = copy.deepcopy(network).requires_grad_(False)
    return TrainState(network, average, new_optimizer(network, recipe.train))


def state_at(checkpoint: Path, recipe: Recipe, device: torch.device | str = "cpu") -> TrainState:
    """Where a run stands: its checkpoint, or its start when there is none yet.

    Raises:
        ConfigError: for a checkpoint that is damaged or was written under another recipe.
    """
    if not checkpoint.exists():
        return new_state(recipe, device)
    # What a run once started from is all in its checkpoint, and may be gone by now.
    bare = replace(recipe, model=replace(recipe.model, init=""))
    state = new_state(bare, device)
    load_checkpoint(state, checkpoint, recipe)
    return state


def _tensors(state: TrainState) -> dict[str, Tensor]:
    names = {id(p): name for name, p in state.network.named_parameters()}
    flat = {f"model.{k}": v for k, v in state.network.state_dict().items()}
    flat |= {f"average.{k}": v for k, v in state.average.state_dict().items()}
    for parameter, slots in state.optimizer.state.items():
        flat |= {f"adam.{names[id(parameter)]}:{k}": v for k, v in slots.items()}
    return flat


def save_checkpoint(state: TrainState, path: Path, recipe: Recipe) -> None:
    """Write to a neighbour, then rename: a kill at any moment leaves a whole file behind.

    Raises:
        OSError: when it cannot be written; the file that was there is intact.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    about = {
        "step": state.step,
        "seconds": state.seconds,
        "sums": state.sums,
        "recipe": asdict(recipe),
    }
    with replacing(path) as file:
        write(file, _tensors(state), {"training": json.dumps(about)})


SAME_RUN = ("train.steps", "train.compile", "run.log_every", "run.save_every")
"""Keys of a recipe that a run of another value is the same run with."""
MAY_CHANGE = (
    *("train.lr", "train.lr_end", "train.warmup", "train.gamma", "train.clip"),
    *("train.accumulate", "train.precision"),
    *SAME_RUN,
)
"""Keys that a resumed run may have changed: what one that went astray may need."""


@dataclass(frozen=True)
class _About:
    """What a checkpoint says besides its tensors."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    step: Annotated[int, Field(ge=0, le=10**12)]
    seconds: Annotated[float, Field(ge=0)]
    sums: Annotated[dict[str, tuple[float, float]], Field(max_length=100)]
    recipe: dict[str, dict[str, Any]]


@contextmanager
def _opened(
    path: Path, recipe: Recipe, free: tuple[str, ...]
) -> Iterator[tuple[_About, TensorFile]]:
    """What is said of a run of that recipe but for the keys in `free`, and the file of its
    tensors.
    """
    foreign = "is damaged or no checkpoint of this program"
    with opened(path, ConfigError, foreign) as file:
        if "training" not in file.metadata:
            raise ConfigError(f"{path} {foreign}.")
        about = read_json(_About, file.metadata["training"], f"{path} {foreign}", most=2**20)
        _check_recipe(path, about.recipe, asdict(recipe), free)
        yield about, file


def steps_done(path: Path, recipe: Recipe) -> int:
    """Steps of a run of that very recipe; only its length and what it writes may differ.

    Raises:
        ConfigError: for a file that is damaged or was written under another recipe.
    """
    with _opened(path, recipe, SAME_RUN) as (about, _):
        return about.step


def load_checkpoint(state: TrainState, path: Path, recipe: Recipe) -> None:
    """Continue from a file.

    Raises:
        ConfigError: for a file that is damaged or was written under another recipe.
    """
    with _opened(path, recipe, MAY_CHANGE) as (about, file):
        wrong = file.misfits(_expected(state, file.entries))
        if wrong:
            raise ConfigError(
                f"{path} is a checkpoint of another architecture: {', '.join(wrong[:5])}."
            )
        flat = file.read()

    def part(prefix: str) -> dict[str, Tensor]:
        return {k.removeprefix(prefix): v for k, v in flat.items() if k.startswith(prefix)}

    state.network.load_state_dict(part("model."))
    state.average.load_state_dict(part("average."))
    parameters = dict(state.network.named_parameters())
    for key, value in part("adam.").items():
        name, slot = key.rsplit(":", 1)
        state.optimizer.state[parameters[name]][slot] = _restored(slot, value, parameters[name])
    state.step, state.seconds = about.step, about.seconds
    state.sums = {name: list(pair) for name, pair in about.sums.items()}


def _expected(state: TrainState, found: Mapping[str, Entry]) -> dict[str, Entry]:
    """Tensors of a checkpoint of `state`: all of the networks, and what Adam may remember."""
    networks = {"model": state.network, "average": state.average}
    expected = {
        f"{name}.{key}": entry
        for name, network in networks.items()
        for key, entry in entries(network.state_dict()).items()
    }
    for name, entry in entries(dict(state.network.named_parameters())).items():
        slots = {"exp_avg": entry, "exp_avg_sq": entry, "step": Entry((), "F32")}
        own = {f"adam.{name}:{slot}": value for slot, value in slots.items()}
        if own.keys() & found.keys():  # not before its first step
            expected |= own
    return expected


def _restored(slot: str, value: Tensor, parameter: Tensor) -> Tensor:
    """What Adam remembers of a parameter, where and as it had it."""
    if slot == "step":  # counted on the CPU unless Adam is fused
        return value.to(parameter.device) if parameter.is_cuda else value
    # The fused Adam wants moments that lie in memory as the parameter does: channels last.
    return torch.empty_like(parameter, requires_grad=False).copy_(value)


def _check_recipe(
    path: Path, old: dict[str, Any], new: dict[str, Any], free: tuple[str, ...]
) -> None:
    # Keys that are newer than the checkpoint had the value that they have by default.
    usual = asdict(Recipe())
    before, now = _flat(usual) | _flat(old), _flat(new)
    changed = sorted(k for k in before.keys() | now.keys() if before.get(k) != now.get(k))
    changed = [key for key in changed if key not in free]
    if changed:
        shown = ", ".join(f"{k} was {before.get(k)!r}, is {now.get(k)!r}" for k in changed)
        raise ConfigError(
            f"{path} belongs to another recipe: {shown}; use another run folder. Only "
            f"{', '.join(free)} may have changed."
        )


def _flat(recipe: dict[str, Any]) -> dict[str, Any]:
    sections = {k: v if isinstance(v, dict) else {"": v} for k, v in recipe.items()}
    return {f"{name}.{key}": v for name, part in sections.items() for key, v in part.items()}
