"""Evaluations as figures."""

from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go
from plotly.colors import qualitative
from plotly.subplots import make_subplots

from gsr.tasks.evaluation.tables import Summary


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
