"""The loop: one flat function over pure steps."""

import csv
import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from gsr.continuous import Prediction
from gsr.errors import GsrError
from gsr.model import PRESETS, GaussianSR
from training.checkpoint import TrainState, load_checkpoint, save_checkpoint
from training.data import Batch, Crops
from training.recipe import Recipe


class TrainingError(GsrError):
    """Training cannot go on."""


Validate = Callable[[GaussianSR], dict[str, float]]
Report = Callable[[int, float, dict[str, float]], None]


def new_state(recipe: Recipe) -> TrainState:
    """A model at its start, seeded."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        model = GaussianSR(PRESETS[recipe.preset])
    ema = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema))
    groups = [
        {"params": [], "factor": 1.0},
        {"params": [], "factor": recipe.bank_lr},
        {"params": [], "factor": recipe.classifier_lr},
    ]
    for name, parameter in model.named_parameters():
        which = 1 if name.startswith("bank.") else 2 if name.startswith("classifier.") else 0
        groups[which]["params"].append(parameter)  # type: ignore[attr-defined]
    optimizer = torch.optim.Adam(groups, lr=recipe.lr, betas=recipe.betas)
    generator = torch.Generator().manual_seed(recipe.seed)
    return TrainState(model, ema, optimizer, generator)


def learning_rate(recipe: Recipe, step: int, done: float) -> float:
    """Warm-up by steps, then a cosine over `done`, the fraction of the run behind us."""
    cosine = 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
    peak = recipe.lr_end + (recipe.lr - recipe.lr_end) * cosine
    return peak * min(1.0, (step + 1) / max(1, recipe.warmup))


def losses(recipe: Recipe, prediction: Prediction, batch: Batch) -> dict[str, Tensor]:
    """L1 on the result, L1 on the Gaussians alone, commitment, and their sum."""
    values = {"l1": F.l1_loss(prediction.rgb, batch.rgb)}
    total = values["l1"]
    if prediction.colors is not None:
        values["color"] = F.l1_loss(prediction.colors, batch.rgb)
        total = total + recipe.color_loss * values["color"]
    if prediction.commitment is not None:
        values["commitment"] = prediction.commitment
        total = total + recipe.commitment * prediction.commitment
    return {"loss": total} | values


def train_step(recipe: Recipe, state: TrainState, batch: Batch, done: float) -> dict[str, float]:
    """One optimiser step; changes `state` and nothing else."""
    rate = learning_rate(recipe, state.step, done)
    for group in state.optimizer.param_groups:
        group["lr"] = rate * group["factor"]
    lr = batch.lr.contiguous(memory_format=torch.channels_last)
    prediction = state.model(
        lr, batch.points, batch.scale, soft=done < recipe.soft, generator=state.generator
    )
    values = losses(recipe, prediction, batch)
    state.optimizer.zero_grad(set_to_none=True)
    values["loss"].backward()
    norm = torch.nn.utils.clip_grad_norm_(state.model.parameters(), recipe.clip)
    if not torch.isfinite(norm + values["loss"].detach()):
        raise TrainingError(
            f"the loss is {float(values['loss'].detach())} and the gradient {float(norm)} at step "
            f"{state.step + 1}; nothing of this step was kept: go on from the checkpoint with a "
            "lower learning rate."
        )
    state.optimizer.step()
    state.ema.update_parameters(state.model)
    state.step += 1
    return {name: float(v.detach()) for name, v in values.items()} | {
        "grad_norm": float(norm),
        "lr": rate,
    }


@contextmanager
def _graceful() -> Iterator[list[int]]:
    """Signals that arrive are noted, so that the step at hand ends and a checkpoint is written."""
    caught: list[int] = []
    old = {
        s: signal.signal(s, lambda n, _: caught.append(n)) for s in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield caught
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def train(
    recipe: Recipe,
    crops: Crops,
    folder: Path,
    *,
    minutes: float | None = None,
    validate: Validate | None = None,
    report: Report | None = None,
) -> TrainState:
    """Train, or go on where `folder` stopped.

    With `minutes`, the schedule follows the clock and ends when the time does, however many
    steps that makes; without, it follows `recipe.steps` and a resumed run equals an
    uninterrupted one bit for bit.
    """
    state = new_state(recipe)
    checkpoint = folder / "checkpoint.safetensors"
    if checkpoint.exists():
        load_checkpoint(state, checkpoint, recipe)
    log = _Log(folder / "log.csv", state.step)
    started = time.monotonic() - state.seconds
    with _graceful() as caught:
        while not caught:
            state.seconds = time.monotonic() - started
            done = state.step / recipe.steps if minutes is None else state.seconds / (60 * minutes)
            if done >= 1:
                break
            values = train_step(recipe, state, crops.batch(state.generator), done)
            if report:
                report(state.step, done, values)
            saving = state.step % recipe.save_every == 0
            if saving and validate:
                values |= validate(state.averaged)
            if saving or state.step % recipe.log_every == 0:
                log.write(state.step, state.seconds, values)
            if saving:
                save_checkpoint(state, checkpoint, recipe)
    save_checkpoint(state, checkpoint, recipe)
    return state


COLUMNS = ("step", "seconds", "loss", "l1", "color", "commitment", "grad_norm", "lr")
VALIDATION = ("val_x2", "val_x4")


class _Log:
    """A CSV that a resumed run continues; rows past its checkpoint are dropped."""

    def __init__(self, path: Path, step: int):
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = []
        if path.exists():
            with path.open(newline="") as file:
                rows = [r for r in csv.DictReader(file) if int(r["step"]) <= step]
        self.columns = list(rows[0]) if rows else [*COLUMNS, *VALIDATION]
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, self.columns)
            writer.writeheader()
            writer.writerows(rows)

    def write(self, step: int, seconds: float, values: dict[str, float]) -> None:
        row = {"step": step, "seconds": f"{seconds:.1f}"}
        row |= {k: f"{v:.6g}" for k, v in values.items() if k in self.columns}
        with self.path.open("a", newline="") as file:
            csv.DictWriter(file, self.columns).writerow(row)
