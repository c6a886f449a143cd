"""Whether drawn pictures keep their brightness, greyness and range.

    python -m gsr_training.measure.tone

Checkerboards, stripes, dither, a frame and straight edges are drawn in grey and enlarged. Their
mean must stay, red, green and blue must stay equal, and next to an edge nothing may become brighter
or darker than the picture was by more than a good filter makes it.
"""

import math
from dataclasses import dataclass
from statistics import fmean
from typing import Annotated

import torch
import typer
from jaxtyping import Float
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import Tensor

from gsr.base.errors import GsrError
from gsr.field.protocol import Method
from gsr.methods import get
from gsr.tasks.evaluation.pairs import parse_scales

SIDE = 64
EDGES = [10 * i + 7 for i in range(9)]
"""Directions of straight edges, degrees."""
LOW, HIGH, FRAME = 51, 204, 20
"""Levels on both sides of an edge, and of a frame."""


@dataclass(frozen=True)
class Tone:
    """What a method did to a grey picture.

    Attributes:
        off: Departure of the mean, as a share of the mean of the picture.
        tint: Largest difference between red, green and blue, levels.
        over: How far the result leaves the range of the picture, levels.
    """

    off: float
    tint: float
    over: float


def pictures() -> dict[str, Float[Tensor, "h w"]]:
    """Grey levels by name."""
    y, x = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    order = torch.tensor([[0, 2], [3, 1]])[y % 2, x % 2]
    disc = 90 + 80 * x / SIDE + 60 * torch.sigmoid(SIDE / 4 - torch.hypot(x - 32.0, y - 32.0))
    framed = disc.clone()
    framed[[0, -1]] = framed[:, [0, -1]] = FRAME
    return {
        "checkerboard": 255.0 * ((x + y) % 2),
        "stripes": 26.0 + 204 * (x % 2),
        **{f"dither {25 * n} %": 255.0 * (order < n) for n in (1, 2, 3)},
        "disc": disc,
        "frame": framed,
    }


def edge(degrees: float) -> Float[Tensor, "h w"]:
    """Grey levels of a straight edge through the middle, one pixel wide."""
    turn = math.radians(degrees)
    y, x = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    across = (x - SIDE / 2) * math.cos(turn) + (y - SIDE / 2) * math.sin(turn)
    return LOW + (HIGH - LOW) * (across + 0.5).clamp(0, 1)


def tone(method: Method, grey: Float[Tensor, "h w"], scale: float) -> Tone:
    """Of one picture in grey levels, from 0 to 255, seen at `scale`."""
    levels = grey.round()
    shown = method.encode(levels.expand(3, -1, -1) / 255).render(scale=scale).double() * 255
    low, high = levels.aminmax()
    return Tone(
        off=float(shown.mean() / levels.double().mean()) - 1,
        tint=float((shown.amax(0) - shown.amin(0)).max()),
        over=max(0.0, float(shown.max() - high), float(low - shown.min())),
    )


def overshoot(method: Method, scale: float) -> tuple[float, float]:
    """Of straight edges in `EDGES`: the mean over directions and the worst, levels."""
    found = [tone(method, edge(degrees), scale).over for degrees in EDGES]
    return fmean(found), max(found)


def main(
    methods: Annotated[str, typer.Option(help="Comma-separated.")] = "lanczos,lite",
    scales: Annotated[str, typer.Option(help="Comma-separated.")] = "2,4",
) -> None:
    """Departure of means in percent (tint in levels), and overshoot at edges in levels."""
    try:
        numbers = parse_scales(scales)
        contenders = [get(name.strip()) for name in methods.split(",")]
        names = [(m, s) for m in contenders for s in numbers]
        table = Table("picture", *(f"{m.name} x{s:g}" for m, s in names))
        columns = [_column(m, s) for m, s in track(names, "tone", console=Console(stderr=True))]
        for row in zip([*pictures(), "edges, mean (worst)"], *columns, strict=True):
            table.add_row(*row)
    except GsrError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    Console().print(table)


def _column(method: Method, scale: float) -> list[str]:
    found = [tone(method, grey, scale) for grey in pictures().values()]
    mean, worst = overshoot(method, scale)
    return [*(f"{t.off:+.1%} ({t.tint:.1f})" for t in found), f"{mean:.1f} ({worst:.1f})"]


if __name__ == "__main__":
    typer.run(main)
