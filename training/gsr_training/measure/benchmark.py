"""How long encoding and live rendering take, in one run.

    python -m gsr_training.measure.benchmark

Ratios within a run are what to compare; absolute times are the machine's.
"""

import resource
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import torch
import typer
from PIL import Image
from rich.console import Console
from rich.table import Table

import gsr
from gsr.base.coords import View
from gsr.base.errors import GsrError
from gsr.cli.evaluating import check_device
from gsr.network.splat import grid_points, reference


def median_ms(run: Callable[[int], object], repeats: int) -> float:
    """Median wall time of `run(i)`, i counting up, after two calls that are not timed."""
    times = []
    for i in range(repeats + 2):
        start = time.perf_counter()
        run(i)
        if torch.cuda.is_initialized():  # work continues behind a call
            torch.cuda.synchronize()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times[2:])


def new_view(i: int, side: int, pixels: int) -> View:
    """A view at a scale not shown before: about x4, a little closer each time."""
    extent = side * (1 - 0.003 * (i % 50))
    return View(0.1 * i % 3, 0.2 * i % 3, extent, extent, (pixels, pixels))


def gather_splat(field: gsr.GaussianField, view: View) -> torch.Tensor:
    """The same weighted sums by plain torch indexing, in bands that fit in memory."""
    bands = []
    for start, stop in view.bands(16_384):
        xs, ys = view.band(start, stop).axes(field.lr_size)
        maps, (left, top) = field.splat_maps(xs, ys)
        geometry = field.sampler.geometry(maps, field.lr.new_tensor(view.scale)[None])
        channels = torch.cat((maps.colors, maps.feat), -1)
        points = grid_points(xs - left, ys - top).to(channels.device)
        radius = field.sampler.config.radius
        bands.append(reference.splat(geometry, channels, points, radius, maps.slopes))
    return torch.cat(bands, 1)


def peak_memory(model: str, side: int, pixels: int) -> float:
    """Peak resident memory in MB above the start, of a fresh process that makes a large image."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_memory_of_a_render, model, side, pixels).result()


def _memory_of_a_render(model: str, side: int, pixels: int) -> float:
    network = gsr.load(model)
    before = peak_resident()
    field = network.encode(Image.new("RGB", (side, side), (90, 120, 150)))
    field.render(size=(pixels, pixels))
    return (peak_resident() - before) / 1000


def peak_resident() -> int:
    """Largest resident size of this process so far, kB. Linux says it per program; the figure
    of `getrusage` may be the parent's.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return next(int(x.split()[1]) for x in status.read_text().splitlines() if "VmHWM" in x)


def main(
    model: Annotated[str, typer.Option(help="Bundled name or weights file.")] = "lite",
    side: Annotated[int, typer.Option(help="LR image, side x side.", min=1)] = 128,
    pixels: Annotated[int, typer.Option(help="Output view, pixels x pixels.", min=1)] = 512,
    repeats: Annotated[int, typer.Option(min=1)] = 31,
    memory: Annotated[int, typer.Option(help="Also 96 x 96 to N x N; 0 leaves it out.", min=0)] = 0,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
) -> None:
    """Time the encoder, a live frame at a new scale, its parts, and plain torch for comparison."""
    try:
        check_device(device)
        network = gsr.load(model, device=device)
        table = times(network, side, pixels, repeats)
    except GsrError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    console = Console()
    console.print(
        f"{network.config.name}, torch {torch.__version__}, {torch.get_num_threads()} threads"
    )
    console.print(table)
    if memory:
        peak = peak_memory(model, 96, memory)
        console.print(f"96 x 96 to {memory} x {memory}: {peak:.0f} MB above the start")


def times(network: gsr.GaussianSR, side: int, pixels: int, repeats: int) -> Table:
    """What is measured, as a table to print."""
    device = next(network.parameters()).device
    image = torch.rand(3, side, side, generator=torch.Generator().manual_seed(0)).to(device)
    encode = median_ms(lambda _: network.encode(image), max(3, repeats // 4))
    field = network.encode(image)

    def frame(i: int) -> object:
        return field.render(view=new_view(i, side, pixels))

    def gaussians(i: int) -> object:
        return field.render(view=new_view(i, side, pixels), layer="gaussians")

    with torch.no_grad():
        gather = median_ms(lambda i: gather_splat(field, new_view(i, side, pixels)), 3)
    live = median_ms(frame, repeats)
    splat = median_ms(gaussians, repeats)
    table = Table("what", "median ms", "of a live frame")
    for name, value in (
        (f"encode {side} x {side}", encode),
        (f"live frame {pixels} x {pixels} at a new scale", live),
        ("  of it: splat, Gaussians only", splat),
        ("the same splat by torch gather", gather),
    ):
        table.add_row(name, f"{value:.1f}", f"{value / live:.2f}")
    return table


if __name__ == "__main__":
    typer.run(main)
