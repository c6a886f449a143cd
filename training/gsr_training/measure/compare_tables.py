"""The comparison as tables and as a page."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, fields
from html import escape
from pathlib import Path
from statistics import fmean

import plotly.graph_objects as go

from gsr.base.atomic import writing
from gsr.tasks.evaluation.tables import Summary
from gsr_training.measure.compare_costs import SCALE, Expense

TIE = 0.02
"""dB: smaller differences count as ties."""


def means(summaries: Sequence[Summary]) -> dict[str, float]:
    """PSNR of each method, the mean over sets and scales."""
    return {
        method: fmean(mean.psnr for summary in summaries for mean in summary.means[method])
        for method in summaries[0].means
    }


def mean_table(summaries: Sequence[Summary]) -> str:
    """Methods by their mean PSNR, best first; ties with the one above are marked."""
    ranked = sorted(means(summaries).items(), key=lambda item: -item[1])
    lines = [
        "## Mean over all sets and scales",
        "",
        f"PSNR in dB; differences below {TIE} dB count as ties.",
        "",
        "| method | PSNR | to the one above |",
        "| --- | ---: | ---: |",
    ]
    above: float | None = None
    for name, value in ranked:
        gap = "" if above is None else f"{value - above:+.2f}"
        tie = " (tie)" if above is not None and above - value < TIE else ""
        lines.append(f"| {name} | {value:.2f} | {gap}{tie} |")
        above = value
    return "\n".join(lines) + "\n"


def cost_table(costs: Sequence[Expense]) -> str:
    """Sizes, work, times and memory."""
    first = costs[0]
    lines = [
        "## Costs",
        "",
        f"An image of {first.size} x {first.size} pixels at x{SCALE}; times are means of "
        f"{first.runs} runs after a few others, on the machine that wrote this. MAC: "
        "multiply-accumulates of the head per HR pixel.",
        "",
        "| method | parameters | of the head | MAC | encode ms | render ms | peak MB |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {c.method} | {c.parameters:,} | {c.head:,} | {c.macs:,} | {c.encode_ms:.1f} | "
        f"{c.render_ms:.1f} | {c.peak_mb:.0f} |"
        for c in costs
    ]
    return "\n".join(lines) + "\n"


def write_costs(costs: Sequence[Expense], path: Path) -> None:
    """The same as CSV."""
    text = io.StringIO()
    table = csv.DictWriter(text, [field.name for field in fields(Expense)], lineterminator="\n")
    table.writeheader()
    table.writerows(map(asdict, costs))
    with writing(path) as file:
        file.write(text.getvalue().encode())


def page(summaries: Sequence[Summary], costs: Sequence[Expense]) -> str:
    """A page that loads nothing: quality against cost, then each set by scale."""
    parts = [_figure(_quality_by_cost(summaries, costs), first=True)]
    for summary in summaries:
        parts.append(f"<h2>{escape(summary.title)}</h2><p>{escape(summary.protocol)}</p>")
        parts.append(_figure(_by_scale(summary)))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Comparison</title>'
        "<style>body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem; max-width: 1000px; }"
        "</style></head>\n<body>\n<h1>Methods compared</h1>\n" + "\n".join(parts) + "</body></html>"
    )


def _figure(figure: go.Figure, *, first: bool = False) -> str:
    html: str = figure.to_html(full_html=False, include_plotlyjs=first)
    return html


def _quality_by_cost(summaries: Sequence[Summary], costs: Sequence[Expense]) -> go.Figure:
    quality = means(summaries)
    costs = sorted(costs, key=lambda cost: quality[cost.method])
    figure = go.Figure(
        go.Scatter(
            x=[cost.macs for cost in costs],
            y=[quality[cost.method] for cost in costs],
            text=[cost.method for cost in costs],
            mode="markers+text",
            # Those of like quality often cost alike: their names must not meet.
            textposition=["top center" if i % 2 else "bottom center" for i in range(len(costs))],
            marker={"size": 12},
        )
    )
    return figure.update_layout(
        title="Mean PSNR against the work of the head",
        xaxis={"type": "log", "title": "multiply-accumulates per HR pixel"},
        yaxis={"title": "dB"},
        margin={"t": 60},
        height=460,
    )


def _by_scale(summary: Summary) -> go.Figure:
    """Gains over bicubic: the curves themselves lie too close to distinguish."""
    base = [mean.psnr for mean in summary.means["bicubic"]]
    figure = go.Figure(
        [
            go.Scatter(
                x=summary.scales,
                y=[mean.psnr - least for mean, least in zip(row, base, strict=True)],
                name=method,
                mode="lines+markers",
            )
            for method, row in summary.means.items()
            if method != "bicubic"
        ]
    )
    return figure.update_layout(
        xaxis={"type": "log", "title": "scale", "tickvals": list(summary.scales)},
        yaxis={"title": "dB above bicubic"},
        margin={"t": 20},
        height=380,
    )
