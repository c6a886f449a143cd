"""Plots of a field and of evaluations, as plotly figures. Pure functions; hosts only show them."""

import math
from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
from plotly.colors import qualitative
from plotly.subplots import make_subplots

from gsr import GaussianField, View
from gsr.evaluation.tables import Summary
from gsr.images import to_pil
from gsr.inspection import Explanation, gaussians_in, usage
from gsr.render import render

from .palette import bank_colors, bank_ellipses, kernel_color

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


def kernel_bank(field: GaussianField, height: int = 560) -> go.Figure:
    """Every kernel of the bank as its one-sigma ellipse, filled by how much the field uses it.

    Args:
        field: Whose bank and usage.
        height: Pixels on the page.
    """
    shape = bank_ellipses(field.bank_raw)
    shares, colors = usage(field).tolist(), bank_colors(field.bank_raw)
    cell = max(_CELL, 2.05 * float(shape.major.max()))
    order = kernel_order(field)
    side = math.ceil(math.sqrt(len(order)))
    places = {k: (i % side * cell, i // side * cell) for i, k in enumerate(order)}
    most = max(shares)
    figure = go.Figure()
    for k, (x, y) in places.items():
        outline = ellipse_points(
            float(shape.major[k]), float(shape.minor[k]), float(shape.angle[k])
        )
        # A root, so that rarely used kernels can be told from unused ones.
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
    return _laid_out(figure, side, cell, height)


def bank_and_usage(field: GaussianField, height: int = 470) -> go.Figure:
    """The bank with a bar below for each kernel, in the same order: its share of the pixels.

    Points and bars carry the kernel's number as `customdata`, for hosts that link them.
    """
    figure = kernel_bank(field, height)
    order, colors = kernel_order(field), bank_colors(field.bank_raw)
    shares = usage(field).tolist()
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
        margin={"l": 34, "r": 8, "t": 4, "b": 22},
        yaxis={"domain": [0.27, 1.0]},
        xaxis2=bars | {"anchor": "y2", "showticklabels": False, "title": _note("kernels as above")},
        yaxis2=bars | {"domain": [0.0, 0.2], "rangemode": "tozero", "nticks": 4, "ticksuffix": "%"},
    )
    return figure


def _note(text: str) -> dict[str, object]:
    return {"text": text, "font": {"size": 11}, "standoff": 4}


def ellipses_over(
    field: GaussianField, view: View, *, sigma: float = 1.0, limit: int = 2000
) -> go.Figure:
    """The view with an ellipse per Gaussian, coloured as in `palette`.

    Args:
        field: What to look into.
        view: Where; its size is the figure's size in pixels.
        sigma: Level of the ellipses, in standard deviations.
        limit: At most so many; beyond it rows and columns are thinned evenly.
    """
    shown = gaussians_in(field, view, limit=limit)
    sy, sx = view.scale
    lines: dict[str, tuple[list[float | None], list[float | None]]] = {}
    for (x, y), *shape in zip(
        shown.means.tolist(),
        shown.major.tolist(),
        shown.minor.tolist(),
        shown.angle.tolist(),
        strict=True,
    ):
        major, minor, angle = shape
        outline = sigma * ellipse_points(major, minor, angle, 24)
        xs, ys = lines.setdefault(kernel_color(major, minor, angle), ([], []))
        xs += [*((x + outline[0] - view.x) * sx).tolist(), None]
        ys += [*((y + outline[1] - view.y) * sy).tolist(), None]
    figure = go.Figure(go.Image(z=np.asarray(to_pil(render(field, view=view)[0]))))
    for color, (xs, ys) in lines.items():  # one trace per kernel: hundreds would crawl
        line = {"color": color, "width": 1.3}
        figure.add_trace(go.Scatter(x=xs, y=ys, mode="lines", line=line, hoverinfo="skip"))
    height, width = view.size
    ending = {2: "nd", 3: "rd"}.get(shown.step, "th")
    thinned = f", every {shown.step}{ending} row and column" if shown.step > 1 else ""
    figure.update_layout(
        width=width,
        height=height + 30,
        margin={"l": 0, "r": 0, "t": 30, "b": 0},
        title={"text": f"Gaussians at {sigma:g} sigma{thinned}", "font": {"size": 13}},
        showlegend=False,
        xaxis={"visible": False, "range": [0, width]},
        yaxis={"visible": False, "range": [height, 0]},
    )
    return figure


def shares(explanation: Explanation, most: int = 10) -> go.Figure:
    """Who made a colour: the largest shares as bars in the Gaussians' own colours."""
    top = explanation.contributions[:most]
    rest = 1 - sum(c.share for c in top)
    labels = [f"({c.column}, {c.row}) kernel {c.kernel}" for c in top]
    values = [c.share for c in top]
    colors = [_css(c.color) for c in top]
    if len(explanation.contributions) > most:
        labels, values, colors = [*labels, "others"], [*values, rest], [*colors, "#888"]
    bars = go.Bar(
        x=[100 * v for v in values],
        y=labels,
        orientation="h",
        marker={"color": colors, "line": {"color": "#555", "width": 1}},
        text=[f"{100 * v:.1f} %" for v in values],
        textposition="outside",
        cliponaxis=False,
    )
    layout = go.Layout(
        title={"text": f"Shares at ({explanation.x:g}, {explanation.y:g})", "font": {"size": 13}},
        height=60 + 28 * len(labels),
        margin={"l": 10, "r": 60, "t": 34, "b": 10},
        xaxis={"visible": False},
        yaxis={"autorange": "reversed", "automargin": True},
    )
    return go.Figure(bars, layout)


def psnr_by_scale(summary: Summary, height: int = 460) -> go.Figure:
    """Mean PSNR of every method over the scale, and the same less that of the first method.

    Args:
        summary: One set under one protocol.
        height: Pixels on the page.
    """
    first = next(iter(summary.means))
    figure = make_subplots(1, 2, subplot_titles=("PSNR, dB", f"PSNR less that of {first}, dB"))
    base = [mean.psnr for mean in summary.means[first]]
    for i, (method, means) in enumerate(summary.means.items()):
        psnr = [mean.psnr for mean in means]
        gain = [value - start for value, start in zip(psnr, base, strict=True)]
        for column, values in enumerate((psnr, gain), start=1):
            line = go.Scatter(
                x=summary.scales,
                y=values,
                name=method,
                legendgroup=method,
                showlegend=column == 1,
                mode="lines+markers",
                line={"color": qualitative.D3[i % len(qualitative.D3)]},
                hovertemplate=f"{escape(method)}, x%{{x}}: %{{y:.2f}} dB<extra></extra>",
            )
            figure.add_trace(line, row=1, col=column)
    ticks = {"tickvals": summary.scales, "ticktext": [f"x{scale:g}" for scale in summary.scales]}
    figure.update_xaxes(type="log", **ticks)
    figure.update_layout(
        template="plotly_white",
        height=height,
        margin={"l": 50, "r": 20, "t": 40, "b": 40},
        font={"family": "system-ui, sans-serif"},
    )
    return figure


def psnr_page(summaries: Sequence[Summary]) -> str:
    """A page of its own, that loads nothing, with the figure of every set and its protocol."""
    parts = []
    for i, summary in enumerate(summaries):
        figure = psnr_by_scale(summary).to_html(full_html=False, include_plotlyjs=i == 0)
        title, protocol = escape(summary.title), escape(summary.protocol)
        parts.append(f"<h2>{title}</h2>\n<p>{protocol}</p>\n{figure}")
    body = "\n".join(parts)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>PSNR by scale</title>'
        "<style>body { font-family: system-ui, sans-serif; margin: 2rem; }</style></head>\n"
        f"<body>\n{body}\n</body></html>\n"
    )


def _css(color: tuple[float, float, float]) -> str:
    red, green, blue = (round(255 * min(max(v, 0.0), 1.0)) for v in color)
    return f"rgb({red},{green},{blue})"


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
