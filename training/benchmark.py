"""`python -m training.benchmark`: how long encoding and live rendering take, in one run.

Ratios within a run are what to compare; absolute times are the machine's.
"""

import statistics
import time
from collections.abc import Callable
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.table import Table

import gsr
from gsr.coords import View
from gsr.splat import grid_points, reference


def median_ms(run: Callable[[int], object], repeats: int) -> float:
    """Median wall time of `run(i)`, i counting up, after two calls that are not timed."""
    times = []
    for i in range(repeats + 2):
        start = time.perf_counter()
        run(i)
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
        points = grid_points(xs - left, ys - top)
        bands.append(reference.splat(geometry, channels, points, field.sampler.config.radius))
    return torch.cat(bands, 1)


def main(
    model: Annotated[str, typer.Option(help="Bundled name or weights file.")] = "lite",
    side: Annotated[int, typer.Option(help="LR image, side x side.")] = 128,
    pixels: Annotated[int, typer.Option(help="Output view, pixels x pixels.")] = 512,
    repeats: Annotated[int, typer.Option()] = 31,
) -> None:
    """Time the encoder, a live frame at a new scale, its parts, and plain torch beside it."""
    network = gsr.load(model)
    image = torch.rand(3, side, side, generator=torch.Generator().manual_seed(0))
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
    console = Console()
    console.print(
        f"{network.config.name}, torch {torch.__version__}, {torch.get_num_threads()} threads"
    )
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
