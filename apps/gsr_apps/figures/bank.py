"""The bank of kernels as figures."""

import math

import numpy as np
import plotly.graph_objects as go

from gsr import GaussianField
from gsr.field.inspection import usage
from gsr.field.mosaic import Mosaic
from gsr.field.provenance import changes, titled

from ..palette import bank_colors, bank_ellipses

_PICKED = "#f2b34c"
_CELL = 1.6
"""Width of a grid cell, in LR pixels, unless a kernel needs more."""


def kernel_order(field: GaussianField) -> list[int]:
    """Kernels row by row of a square grid: rows by size, small first; in a row by direction."""
    shape = bank_ellipses(field.bank_raw)
    size = (shape.major * shape.minor).tolist()
    angle = shape.angle.tolist()
    side = math.ceil(math.sqrt(len(size)))
    by_size = sorted(range(len(size)), key=lambda k: size[k])
    rows = [by_size[start : start + side] for start in range(0, len(by_size), side)]
    return [k for row in rows for k in sorted(row, key=lambda k: angle[k])]


def kernel_bank(
    field: GaussianField, height: int = 560, order: list[int] | None = None
) -> go.Figure:
    """Every kernel of the bank as its one-sigma ellipse, filled by how much the field uses it.

    Args:
        field: Whose bank and usage.
        height: Pixels on the page.
        order: Kernels row by row; `kernel_order` of the field if not given.
    """
    shape = bank_ellipses(field.bank_raw)
    shares, colors = usage(field).tolist(), bank_colors(field.bank_raw)
    cell = max(_CELL, 2.05 * float(shape.major.max()))
    order = kernel_order(field) if order is None else order
    side = math.ceil(math.sqrt(len(order)))
    places = {k: (i % side * cell, i // side * cell) for i, k in enumerate(order)}
    most = max(shares)
    figure = go.Figure()
    for k, (x, y) in places.items():
        outline = ellipse_points(
            float(shape.major[k]), float(shape.minor[k]), float(shape.angle[k])
        )
        # A root, so that rarely used kernels differ visibly from unused ones.
        strength = math.sqrt(shares[k] / most) if most > 0 else 0.0
        figure.add_trace(
            go.Scatter(
                x=x + outline[0],
                y=y + outline[1],
                mode="lines",
                line={"color": colors[k], "width": 1.2},
                fill="toself",
                fillcolor=_translucent(colors[k], 0.9 * strength),
                hoverinfo="skip",
                opacity=1.0 if shares[k] > 0 else 0.5,
            )
        )
    figure.add_trace(_hover_points(field, places, shares))
    figure = _laid_out(figure, side, cell, height)
    if changes(field):
        figure.update_layout(title=_title(field), margin={"t": TITLED})
    return figure


TITLED = 30
"""Pixels above a figure that has a title."""


def _title(field: GaussianField) -> dict[str, object]:
    return {"text": titled("Kernels", field), "font": {"size": 13}}


def bank_and_usage(
    field: GaussianField | Mosaic, height: int = 470, order: list[int] | None = None
) -> go.Figure:
    """The bank with a bar below for each kernel, in the same order: its share of the pixels.

    Points and bars carry the kernel's number as `customdata`, for hosts that link them.
    Arguments as `kernel_bank`.
    """
    used = field.usage() if isinstance(field, Mosaic) else usage(field)
    field = field.like if isinstance(field, Mosaic) else field
    order = kernel_order(field) if order is None else order
    figure = kernel_bank(field, height, order)
    colors = bank_colors(field.bank_raw)
    shares = used.tolist()
    figure.add_trace(
        go.Bar(
            x=list(range(len(order))),
            y=[100 * shares[k] for k in order],
            customdata=order,
            marker={"color": [colors[k] for k in order], "line": {"width": 0}},
            hovertemplate="kernel %{customdata}: %{y:.2f} % of the pixels<extra></extra>",
            xaxis="x2",
            yaxis="y2",
        )
    )
    bars = {"fixedrange": True, "showgrid": False, "zeroline": False}
    figure.update_layout(
        bargap=0.15,
        margin={"l": 34, "r": 8, "t": TITLED if changes(field) else 4, "b": 22},
        yaxis={"domain": [0.27, 1.0]},
        xaxis2=bars | {"anchor": "y2", "showticklabels": False, "title": _note("kernels as above")},
        yaxis2=bars | {"domain": [0.0, 0.2], "rangemode": "tozero", "nticks": 4, "ticksuffix": "%"},
    )
    return figure


def _note(text: str) -> dict[str, object]:
    return {"text": text, "font": {"size": 11}, "standoff": 4}


def ellipse_points(major: float, minor: float, angle: float, points: int = 40) -> np.ndarray:
    """Outline of a one-sigma ellipse around the origin, LR pixels. [2, points]"""
    turn = np.linspace(0, 2 * np.pi, points)
    along, across = major * np.cos(turn), minor * np.sin(turn)
    cos, sin = math.cos(angle), math.sin(angle)
    return np.stack((along * cos - across * sin, along * sin + across * cos))


def _translucent(color: str, alpha: float) -> str:
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:.3f})"


def _hover_points(
    field: GaussianField, places: dict[int, tuple[float, float]], shares: list[float]
) -> go.Scatter:
    bank = field.bank
    text = [
        f"kernel {k}<br>{100 * shares[k]:.2f} % of the pixels"
        f"<br>sigma {bank.sigmas[k, 0]:.2f} x {bank.sigmas[k, 1]:.2f} pixels"
        f"<br>correlation {bank.rho[k]:.2f}, opacity {bank.opacities[k]:.2f}"
        for k in places
    ]
    return go.Scatter(
        x=[x for x, _ in places.values()],
        y=[y for _, y in places.values()],
        mode="markers",
        marker={"size": 26, "opacity": 0, "color": _PICKED},
        selected={"marker": {"opacity": 0.45}},
        unselected={"marker": {"opacity": 0}},
        text=text,
        customdata=list(places),
        hoverinfo="text",
    )


def _laid_out(figure: go.Figure, side: int, cell: float, height: int) -> go.Figure:
    hidden = {"visible": False, "fixedrange": True, "constrain": "domain"}
    low, high = -0.6 * cell, (side - 0.4) * cell
    figure.update_layout(
        template="plotly_dark",
        height=height,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif"},
        showlegend=False,
        dragmode=False,
        xaxis=hidden | {"range": [low, high]},
        # y runs down, as in the picture.
        yaxis=hidden | {"range": [high, low], "scaleanchor": "x"},
    )
    return figure
