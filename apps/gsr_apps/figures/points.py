"""One point as a figure."""

import plotly.graph_objects as go

from gsr.field.inspection import Explanation


def shares(explanation: Explanation, most: int = 10) -> go.Figure:
    """Who made a colour: the largest shares as bars in the colours that the Gaussians brought."""
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
    edited = f", edited ({explanation.edits})" if explanation.edits else ""
    title = f"Shares at ({explanation.x:g}, {explanation.y:g}){edited}"
    layout = go.Layout(
        title={"text": title, "font": {"size": 13}},
        height=60 + 28 * len(labels),
        margin={"l": 10, "r": 60, "t": 34, "b": 10},
        xaxis={"visible": False},
        yaxis={"autorange": "reversed", "automargin": True},
    )
    return go.Figure(bars, layout)


def _css(color: tuple[float, float, float]) -> str:
    red, green, blue = (round(255 * min(max(v, 0.0), 1.0)) for v in color)
    return f"rgb({red},{green},{blue})"
