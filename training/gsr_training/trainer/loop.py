"""The loop: one flat function over pure steps, on any number of processes."""

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gsr_training.trainer.checkpoint import CHECKPOINT, TrainState, save_checkpoint, state_at
from gsr_training.trainer.data import Batch, Crops
from gsr_training.trainer.logs import Means, RunLog, TrainingError, advice, take_means
from gsr_training.trainer.losses import losses
from gsr_training.trainer.optimise import learning_rate, set_learning_rate, update_average
from gsr_training.trainer.recipe import Recipe
from gsr_training.trainer.seeding import NOISE, generator_for
from gsr_training.trainer.teacher import Teacher, load_teacher, taught_colors
from gsr_training.trainer.validation import Validate

if TYPE_CHECKING:
    from accelerate import Accelerator

Report = Callable[[int, float, dict[str, float]], None]
"""Called after each step with the step, the fraction done by then and the newest row of means."""


def train_step(
    recipe: Recipe,
    state: TrainState,
    parts: list[Batch],
    done: float,
    network: Any = None,
    rank: int = 0,
    teacher: Teacher | None = None,
) -> dict[str, Tensor]:
    """One optimiser step; changes `state` and nothing else.

    Args:
        parts: This process's share of the batch, in parts whose gradients are added up.
        done: Fraction of the run behind us.
        network: What is called: the network of `state`, wrapped if there are other processes.
        rank: Of this process.
        teacher: A second opinion on the batch.

    Returns:
        Means over the parts, on the device: nothing here waits for it.
    """
    network = network or state.network
    rate = learning_rate(recipe.train, state.step, done)
    set_learning_rate(state.optimizer, rate)
    state.optimizer.zero_grad(set_to_none=True)
    noise = generator_for(recipe.train.seed, state.step, NOISE + rank, parts[0].lr.device)
    found: list[dict[str, Tensor]] = []
    for i, batch in enumerate(parts):
        with _together(network, i == len(parts) - 1):
            with precision(recipe.train.precision, batch.lr.device):
                prediction = network(
                    batch.lr.contiguous(memory_format=torch.channels_last),
                    batch.points,
                    batch.scale,
                    soft=done < recipe.train.soft,
                    generator=noise,
                )
                taught = taught_colors(teacher, batch) if teacher else None
            values = losses(recipe.loss, prediction, batch, taught)
            (values["loss"] / len(parts)).backward()
        found.append({name: value.detach() for name, value in values.items()})
    limit = recipe.train.clip or float("inf")
    norm = torch.nn.utils.clip_grad_norm_(state.network.parameters(), limit)
    state.optimizer.step()
    update_average(state.average, state.network, recipe.train.ema, state.step)
    state.step += 1
    means = {name: torch.stack([v[name] for v in found]).mean() for name in found[0]}
    return means | {"grad_norm": norm, "lr": norm.new_full((), rate)}


def precision(name: str, device: torch.device) -> AbstractContextManager[Any]:
    """Where networks run in the precision of that name."""
    return torch.autocast(device.type, getattr(torch, name), enabled=name != "float32")


def _together(network: Any, last: bool) -> AbstractContextManager[Any]:
    """Processes exchange gradients once per step: at the last part."""
    apart = getattr(network, "no_sync", None)
    return contextlib.nullcontext() if last or apart is None else apart()


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
    extend: bool = False,
    pause_after: float | None = None,
    validate: Validate | None = None,
    report: Report | None = None,
    accelerator: "Accelerator | None" = None,
) -> TrainState:
    """Train, or resume where `folder` stopped.

    With `minutes`, the schedule follows the clock and ends when the time does, however many
    steps that makes; without, it follows `recipe.train.steps` and a resumed run equals an
    uninterrupted one bit for bit.

    Args:
        minutes: Time of the whole run, over all the times it is resumed.
        extend: Add `minutes` to the time that was spent already.
        pause_after: Minutes after which to save and stop this time; the schedule stays.

    Raises:
        TrainingError: when a number is not finite or a checkpoint cannot be written.
    """
    # Reached when training starts: what only reads recipes or prints help works without it.
    from accelerate import Accelerator

    engine = accelerator or Accelerator(cpu=True)
    shares = engine.num_processes * recipe.train.accumulate
    if recipe.train.batch % shares:
        raise TrainingError(
            f"train.batch ({recipe.train.batch}) cannot be shared by {engine.num_processes} "
            f"processes in {recipe.train.accumulate} equal parts each."
        )
    checkpoint = folder / CHECKPOINT
    state = state_at(checkpoint, recipe, engine.device)
    teacher = load_teacher(recipe.loss.teacher, engine.device)
    if recipe.train.compile:
        state.network.encoder.compile()
    network = engine.prepare_model(state.network)
    if extend and minutes:
        minutes += state.seconds / 60
    clock = _Clock(recipe.train.steps, minutes, pause_after, state.seconds)
    means, row = Means(), dict[str, float]()
    with _graceful() as caught, _log(engine, folder, state.step) as log:
        joint = _Joint(engine, clock, caught)
        while True:
            state.seconds = clock.seconds
            done, state.stopped = joint.look(state.step)
            if done >= 1 or state.stopped:
                break
            first = engine.process_index * recipe.train.accumulate
            own = range(first, first + recipe.train.accumulate)
            batches = [crops.batch(state.step, part, shares) for part in own]
            rank = engine.process_index
            values = train_step(recipe, state, batches, done, network, rank, teacher)
            means.add(state.step, values)
            logging = state.step % recipe.run.log_every == 0
            saving = state.step % recipe.run.save_every == 0
            if logging or saving:
                means.collect(state, engine.reduce, checkpoint)
                row = take_means(state) if logging else row
            if log and (logging or saving):
                _write(log, state, row if logging else {}, validate if saving else None)
            if saving:
                _save(engine, state, checkpoint, recipe)
            if report:
                report(state.step, min(1.0, clock.done(state.step)), row)
    if done >= 1:
        state.stopped = ""  # a signal at the very end stops nothing
    means.collect(state, engine.reduce, checkpoint)
    _save(engine, state, checkpoint, recipe)
    return state


class _Clock:
    """How much of a run is done, by steps or by time.

    Args:
        steps: Of the whole run, unless it goes by time.
        minutes: Of the whole run.
        pause_after: Minutes of this part of it.
        before: Seconds that earlier parts took.
    """

    def __init__(self, steps: int, minutes: float | None, pause_after: float | None, before: float):
        self._steps, self._minutes, self._pause_after = steps, minutes, pause_after
        self._before, self._began = before, time.monotonic()

    @property
    def seconds(self) -> float:
        """Of the whole run, so far."""
        return self._before + time.monotonic() - self._began

    @property
    def by_steps(self) -> bool:
        """Whether every process knows by itself how much is done."""
        return self._minutes is None

    @property
    def pausing(self) -> bool:
        """Whether this part of the run is over."""
        return (
            self._pause_after is not None and self.seconds - self._before >= 60 * self._pause_after
        )

    def done(self, step: int) -> float:
        """Fraction of the run."""
        if self._minutes is None:
            return step / self._steps
        return self.seconds / (60 * self._minutes)


AGREE_EVERY = 10
"""Processes ask one another so often, in steps: asking waits for the device and for the slowest."""
_PAUSE = 1 << 8
"""Beyond the numbers of signals."""


class _Joint:
    """What all processes take for done, and whether they stop: the first one's clock, and any
    one's request.
    """

    def __init__(self, engine: "Accelerator", clock: _Clock, caught: list[int]):
        self._engine, self._clock, self._caught = engine, clock, caught
        self._asked, self._done, self._stop = False, 0.0, 0

    def look(self, step: int) -> tuple[float, str]:
        """Fraction done before a step, and why to stop there: a signal's name or `pause`."""
        alone = self._engine.num_processes == 1
        if alone or not self._asked or step % AGREE_EVERY == 0:
            self._ask()
        done = self._clock.done(step) if alone or self._clock.by_steps else self._done
        return done, _reason(self._stop)

    def _ask(self) -> None:
        own = self._caught[-1] if self._caught else _PAUSE * self._clock.pausing
        done = self._clock.done(0) if self._engine.is_main_process else 0.0
        self._asked = True
        if self._engine.num_processes == 1:
            self._stop = own
            return
        # Each process has a place of its own for its request: a sum of zeros and one is that one.
        mine = torch.zeros(1 + self._engine.num_processes, dtype=torch.float64)
        mine[0], mine[1 + self._engine.process_index] = done, own
        joint = self._engine.reduce(mine.to(self._engine.device), "sum").tolist()
        signals = [int(asked) for asked in joint[1:] if 0 < asked < _PAUSE]
        self._done, self._stop = joint[0], max(signals, default=int(max(joint[1:])))


def _reason(stop: int) -> str:
    if not stop:
        return ""
    return "pause" if stop == _PAUSE else signal.Signals(stop).name


def _log(engine: "Accelerator", folder: Path, step: int) -> AbstractContextManager[RunLog | None]:
    """One process writes."""
    return RunLog(folder, step) if engine.is_main_process else contextlib.nullcontext()


def _write(
    log: RunLog, state: TrainState, row: dict[str, float], validate: Validate | None
) -> None:
    if validate:
        figures, picture = validate(state.average)
        row = row | figures
        log.picture(state.step, "validation", picture)
    if row:
        log.write(state.step, state.seconds, row)


def _save(engine: "Accelerator", state: TrainState, path: Path, recipe: Recipe) -> None:
    if not engine.is_main_process:
        return
    if not all(bool(p.isfinite().all()) for p in state.network.parameters()):
        raise TrainingError(
            f"the weights are not finite after step {state.step}, and were not saved; "
            f"{advice(path)}"
        )
    try:
        save_checkpoint(state, path, recipe)
    except OSError as error:
        raise TrainingError(
            f"{path} cannot be written ({error.strerror or error}); the checkpoint before it is "
            "intact, if there was one."
        ) from error
