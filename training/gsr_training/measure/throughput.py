"""`gsr train RECIPE --data DIR --profile`: what the time of a training step goes to."""

import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from gsr.methods.gaussiansr import GaussianSR
from gsr.network.splat import flat, splat
from gsr_training.trainer.checkpoint import TrainState, new_state
from gsr_training.trainer.data import Batch, Crops
from gsr_training.trainer.loop import precision, train_step
from gsr_training.trainer.optimise import update_average
from gsr_training.trainer.recipe import Recipe

WARM_UP, REPEATS = 3, 9


@dataclass(frozen=True)
class Profile:
    """Times of one step.

    Attributes:
        step_ms: Data, forward, backward and optimiser together.
        parts_ms: Each alone, forward and backward, on tensors of the step's sizes.
        peak_mb: Most memory in use: of the device, or of this process on a CPU.
    """

    step_ms: float
    parts_ms: dict[str, float]
    peak_mb: float


def profile(recipe: Recipe, crops: Crops, device: torch.device) -> Profile:
    """Medians of a few steps and of their parts."""
    state = new_state(recipe, device)
    batch = crops.batch(0)

    def whole() -> None:
        train_step(recipe, state, [crops.batch(state.step)], done=0.9)

    step = _median_ms(whole, device)
    parts = {"data": _median_ms(lambda: crops.batch(1), device)}
    parts |= {name: _median_ms(run, device) for name, run in _parts(recipe, state, batch).items()}
    return Profile(step, parts, _peak_mb(device))


def _parts(recipe: Recipe, state: TrainState, batch: Batch) -> dict[str, Callable[[], None]]:
    network = state.network
    lr = batch.lr.contiguous(memory_format=torch.channels_last)
    parts: dict[str, Callable[[], None]] = {
        "encoder": lambda: _there_and_back(recipe, lambda: network.encoder(lr), lr.device)
    }
    if isinstance(network, GaussianSR):
        parts |= _own_parts(recipe, network, batch, lr)
    parts["optimiser and average"] = lambda: _optimise(recipe, state)
    return parts


def _own_parts(
    recipe: Recipe, network: GaussianSR, batch: Batch, lr: Tensor
) -> dict[str, Callable[[], None]]:
    """Splat and decoder on their own leaves, so that nothing else is walked backwards."""
    sampler, device = network.sampler, lr.device
    with torch.no_grad():
        maps = network.training_maps(lr)[0]
        geometry = sampler.geometry(maps, batch.scale)
        channels = torch.cat((maps.colors, maps.feat), -1)
        slopes = flat(channels) if maps.slopes is None else maps.slopes
        sums = splat(geometry, channels, batch.points, sampler.config.radius, slopes=slopes)
    leaves = [t.detach().requires_grad_() for t in (geometry, channels, slopes, sums)]

    def splatting() -> Tensor:
        radius = sampler.config.radius
        return splat(leaves[0], leaves[1], batch.points, radius, slopes=leaves[2])

    def decoding() -> Tensor:
        return sampler.decode(leaves[3], maps, batch.points, batch.scale).rgb

    return {
        "splat": lambda: _there_and_back(recipe, splatting, device),
        "decoder": lambda: _there_and_back(recipe, decoding, device),
    }


def _there_and_back(recipe: Recipe, forward: Callable[[], Tensor], device: torch.device) -> None:
    with precision(recipe.train.precision, device):
        out = forward()
    out.float().sum().backward()


def _optimise(recipe: Recipe, state: TrainState) -> None:
    torch.nn.utils.clip_grad_norm_(state.network.parameters(), recipe.train.clip or float("inf"))
    state.optimizer.step()
    update_average(state.average, state.network, recipe.train.ema, state.step)


def _median_ms(run: Callable[[], object], device: torch.device) -> float:
    times = []
    for i in range(WARM_UP + REPEATS):
        begun = time.perf_counter()
        run()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        if i >= WARM_UP:
            times.append(1000 * (time.perf_counter() - begun))
    return statistics.median(times)


def _peak_mb(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def show_profile(recipe: Recipe, crops: Crops, device: torch.device) -> None:
    """Print the table."""
    found = profile(recipe, crops, device)
    table = Table(title=f"{recipe.model.preset}, batch {recipe.train.batch}, {device}")
    for heading in ("part, forward and backward", "median ms", "of a step"):
        table.add_column(heading)
    for name, ms in found.parts_ms.items():
        table.add_row(name, f"{ms:.1f}", f"{ms / found.step_ms:.1%}")
    rest = found.step_ms - sum(found.parts_ms.values())
    table.add_row("the rest: heads, kernels, losses", f"{rest:.1f}", f"{rest / found.step_ms:.1%}")
    table.add_row(
        "whole step", f"{found.step_ms:.1f}", f"{1000 / found.step_ms:.2f} steps a second"
    )
    table.add_row("peak memory", f"{found.peak_mb:.0f} MB", "")
    Console().print(table)
