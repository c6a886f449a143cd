"""How straight a straight edge stays far beyond the trained scales.

    python -m gsr_training.measure.edges

Edges of known place and direction are drawn finely, reduced like any LR picture and enlarged
again. Where the enlargement crosses the middle grey, measured along the edge, should be a line.
What is left after fitting one is the ripple: beads and steps that people see in a strong zoom.
"""

import math
from dataclasses import dataclass
from statistics import fmean
from typing import Annotated

import numpy as np
import torch
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.ndimage import map_coordinates

from gsr.base.coords import View
from gsr.base.errors import GsrError
from gsr.field.protocol import Method
from gsr.images import downscale
from gsr.methods import get
from gsr.tasks.evaluation.pairs import parse_scales

SIDE = 48
"""LR pixels of a picture of an edge."""
SHOWN = 16.0
"""LR pixels around its middle that are enlarged."""
REACH = 1.5
"""LR pixels on both sides of the edge in which the crossing is looked for."""
DIRECTIONS = 12
GREYS = 0.25, 0.75
FINE = 8
"""Side of an LR pixel in those that an edge is drawn with."""


@dataclass(frozen=True)
class Ripple:
    """Departure of an enlarged edge from a line, LR pixels.

    Attributes:
        rms: Standard deviation of the crossing around its line, mean over directions.
        worst: The same of the worst direction.
    """

    rms: float
    worst: float


def ripple(method: Method, scale: float) -> Ripple:
    """Of one method at one magnification, over `DIRECTIONS` directions."""
    # Not from 0 and not by whole fractions: edges along an axis would show nothing.
    angles = [math.pi * (i + 0.37) / DIRECTIONS for i in range(DIRECTIONS)]
    found = [_spread(method, angle, scale) for angle in angles]
    return Ripple(fmean(found), max(found))


def _spread(method: Method, angle: float, scale: float) -> float:
    lr = (downscale(edge(angle), (SIDE, SIDE)) * 255).round() / 255
    image = method.encode(lr)
    start = (SIDE - SHOWN) / 2
    pixels = round(SHOWN * scale)
    view = View(start, start, SHOWN, SHOWN, (pixels, pixels))
    shown = image.render(view=view).mean(0).double().numpy()
    return float(np.std(_crossings(shown, angle, scale)))


def edge(angle: float) -> torch.Tensor:
    """A straight edge through the middle, drawn finely. [3, FINE * SIDE, FINE * SIDE]"""
    at = (torch.arange(FINE * SIDE) + 0.5) / FINE - SIDE / 2
    y, x = torch.meshgrid(at, at, indexing="ij")
    across = -math.sin(angle) * x + math.cos(angle) * y
    low, high = GREYS
    return (low + (high - low) * (0.5 + FINE * across).clamp(0, 1)).expand(3, -1, -1)


def _crossings(shown: np.ndarray, angle: float, scale: float) -> np.ndarray:
    """Distance of the middle grey from a fitted line, LR pixels, at steps along the edge."""
    half = SHOWN / 2
    along = np.arange(-half + 2, half - 2, 0.5 / scale)[:, None]
    across = np.arange(-REACH, REACH, 0.25 / scale)[None]
    cos, sin = math.cos(angle), math.sin(angle)
    x, y = along * cos - across * sin, along * sin + across * cos
    place = [(v + half) * scale - 0.5 for v in (y, x)]
    profile = map_coordinates(shown, place, order=1) - sum(GREYS) / 2
    if not ((profile[:, 0] < 0) & (profile[:, -1] > 0)).all():
        raise GsrError("the edge left the window it is looked for in.")
    first = (profile > 0).argmax(1)
    rows = np.arange(len(profile))
    low, high = profile[rows, first - 1], profile[rows, first]
    at = across[0, first - 1] + (across[0, 1] - across[0, 0]) * -low / (high - low)
    t = along[:, 0]
    return at - np.polyval(np.polyfit(t, at, 1), t)


def main(
    methods: Annotated[str, typer.Option(help="Comma-separated.")] = "bicubic,lanczos,lite",
    scales: Annotated[str, typer.Option(help="Comma-separated.")] = "8,16,30",
) -> None:
    """Ripple of straight edges in hundredths of an LR pixel."""
    try:
        numbers = parse_scales(scales)
        contenders = [get(name.strip()) for name in methods.split(",")]
        table = Table("method", *(f"x{scale:g} rms (worst)" for scale in numbers))
        for method in track(contenders, description="edges", console=Console(stderr=True)):
            found = [ripple(method, scale) for scale in numbers]
            table.add_row(method.name, *(f"{100 * r.rms:.2f} ({100 * r.worst:.2f})" for r in found))
    except GsrError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
