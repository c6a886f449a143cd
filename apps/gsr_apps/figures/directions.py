"""Do kernels lie along edges?"""

import numpy as np
import plotly.graph_objects as go

from gsr import GaussianField
from gsr.field.edges import edge_agreement
from gsr.field.provenance import titled


def directions(field: GaussianField, strongest: float = 0.1, height: int = 420) -> go.Figure:
    """Direction of the chosen kernel against that of the edge, where edges are strong.

    Args:
        field: Of one image.
        strongest: Fraction of the pixels that counts as edges.
        height: Pixels on the page.
    """
    found = edge_agreement(field, strongest)
    edge, kernel = (np.degrees(a.numpy()) % 180 for a in (found.edge, found.kernel))
    bins = {"start": 0, "end": 180, "size": 7.5}
    heat = go.Histogram2d(x=edge, y=kernel, xbins=bins, ybins=bins, colorscale="Viridis")
    diagonal = go.Scatter(
        x=[0, 180],
        y=[0, 180],
        mode="lines",
        line={"color": "#fff", "dash": "dot"},
        hoverinfo="skip",
    )
    said = (
        f"Strongest {100 * strongest:g} % of edges: mean cos 2Δ {found.mean:.2f}, "
        f"circular correlation {found.correlation:.2f}"
    )
    axis = {"range": [0, 180], "dtick": 45, "ticksuffix": "°"}
    return go.Figure([heat, diagonal]).update_layout(
        title={
            "text": titled(said, field),
            "font": {"size": 13},
        },
        width=height + 90,
        height=height,
        margin={"l": 60, "r": 20, "t": 40, "b": 50},
        showlegend=False,
        xaxis=axis | {"title": "direction of the edge"},
        yaxis=axis | {"title": "direction of the kernel", "scaleanchor": "x"},
    )
