"""What lies in a picture, as figures over it."""

import numpy as np
import plotly.graph_objects as go

from gsr import GaussianField, View
from gsr.field.inspection import gaussians_in
from gsr.field.provenance import titled
from gsr.field.render import render
from gsr.images import to_pil

from ..palette import bank_colors, kernel_color, ramp_color
from .bank import ellipse_points


def ellipses_over(
    field: GaussianField, view: View, *, sigma: float = 1.0, limit: int = 2000
) -> go.Figure:
    """The view with an ellipse per Gaussian, coloured as in `palette`.

    Args:
        field: What to look into.
        view: Where; its size is the figure's size in pixels.
        sigma: Level of the ellipses, in standard deviations.
        limit: Most ellipses; beyond it rows and columns are thinned evenly.
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
        title={
            "text": titled(f"Gaussians at {sigma:g} sigma{thinned}", field),
            "font": {"size": 13},
        },
        showlegend=False,
        xaxis={"visible": False, "range": [0, width]},
        yaxis={"visible": False, "range": [height, 0]},
    )
    return figure


def class_map(field: GaussianField, side: int = 640) -> go.Figure:
    """The kernel of each LR pixel: hue is its direction, pale is round, vivid is long.

    Args:
        field: Whose choices.
        side: Pixels of the longer side.
    """
    colors = np.array(
        [[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in bank_colors(field.bank_raw)]
    )
    index = field.index[0].cpu().numpy()
    picture = go.Image(z=colors[index], hovertemplate="%{x}, %{y}<extra></extra>")
    return _over_pixels(go.Figure(picture), field, side, "Kernel of each pixel")


def entropy_map(field: GaussianField, side: int = 640) -> go.Figure:
    """How undecided the network was at each LR pixel, in bits.

    Args:
        field: Whose choices.
        side: Pixels of the longer side.
    """
    entropy = field.choice_at().entropy[0].cpu().numpy()
    heat = go.Heatmap(
        z=entropy,
        zmin=0,
        colorscale=[[i / 63, ramp_color(i / 63)] for i in range(64)],
        colorbar={"title": "bits", "thickness": 12},
        hovertemplate="column %{x}, row %{y}: %{z:.2f} bits<extra></extra>",
    )
    return _over_pixels(go.Figure(heat), field, side, "Entropy of the choice")


def _over_pixels(figure: go.Figure, field: GaussianField, side: int, title: str) -> go.Figure:
    height, width = field.lr_size
    unit = side / max(height, width)
    return figure.update_layout(
        width=round(width * unit) + 90,
        height=round(height * unit) + 40,
        margin={"l": 0, "r": 90, "t": 32, "b": 8},
        title={"text": titled(title, field), "font": {"size": 13}},
        xaxis={"visible": False, "constrain": "domain"},
        yaxis={"visible": False, "autorange": "reversed", "scaleanchor": "x"},
    )
