"""What a method costs: parameters, multiply-accumulates, time and memory of one enlargement."""

import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import torch

from gsr.methods.cost import parameters
from gsr.methods.weights import Trained, load_network
from gsr_training.measure.benchmark import peak_resident

SCALE = 4
WARM_UP = 3


@dataclass(frozen=True)
class Expense:
    """One row.

    Attributes:
        method: Its name.
        parameters: Trainable numbers, the encoder included.
        head: Those of the head alone.
        macs: Multiply-accumulates of the head per HR pixel, as computed here.
        encode_ms: Encoding, mean of the runs.
        render_ms: Rendering at `SCALE`, mean of the runs.
        peak_mb: Most memory above the start: of the device, or of the process on a CPU.
        size: LR side.
        runs: How many were timed.
    """

    method: str
    parameters: int
    head: int
    macs: int
    encode_ms: float
    render_ms: float
    peak_mb: float
    size: int
    runs: int


def expense(name: str, weights: Path, side: int, runs: int, device: str = "cpu") -> Expense:
    """Measured in a process of its own, so that memory is its own.

    Args:
        device: `cpu` or `cuda`.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_expense, name, weights, side, runs, device).result()


def _expense(name: str, weights: Path, side: int, runs: int, device: str) -> Expense:
    network = load_network(weights, device=device)
    image = torch.rand(3, side, side, generator=torch.Generator().manual_seed(0)).to(device)
    before = _peak_mb(device)
    encode, render = _times(network, image, runs)
    cost = network.cost()
    total = parameters(network)
    return Expense(
        method=name,
        parameters=total,
        head=total - parameters(network.encoder),
        macs=cost.here,
        encode_ms=encode,
        render_ms=render,
        peak_mb=_peak_mb(device) - before,
        size=side,
        runs=runs,
    )


def _times(network: Trained, image: torch.Tensor, runs: int) -> tuple[float, float]:
    """Mean milliseconds of encoding and of rendering, after a few that are not counted."""
    encoding, rendering = [], []
    for i in range(WARM_UP + runs):
        start = _now(image.device)
        made = network.encode(image)
        middle = _now(image.device)
        made.render(SCALE)
        end = _now(image.device)
        if i >= WARM_UP:
            encoding.append(1000 * (middle - start))
            rendering.append(1000 * (end - middle))
    return statistics.fmean(encoding), statistics.fmean(rendering)


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def _peak_mb(device: str) -> float:
    if device == "cuda":
        return torch.cuda.max_memory_allocated() / 1e6
    return peak_resident() / 1000
