"""The same place at many scales."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from gsr import View
from gsr.field.protocol import ContinuousImage
from gsr.field.provenance import titled
from gsr.field.render import render
from gsr.images import to_pil


def scale_sweep(
    images: Mapping[str, ContinuousImage],
    centre: tuple[float, float],
    scales: Sequence[float] = (2, 4, 8, 16),
    side: int = 220,
) -> go.Figure:
    """A row of views for each image, one column for each magnification.

    Args:
        images: Continuous images of one picture, by name.
        centre: (x, y) in LR pixels.
        scales: Magnifications.
        side: Pixels of each view.
    """
    figure = make_subplots(
        len(images),
        len(scales),
        row_titles=[titled(name, image) for name, image in images.items()],
        column_titles=[f"×{scale:g}" for scale in scales],
        horizontal_spacing=0.01,
        vertical_spacing=0.02,
    )
    x, y = centre
    for row, image in enumerate(images.values(), start=1):
        for column, scale in enumerate(scales, start=1):
            extent = side / scale
            view = View(x - extent / 2, y - extent / 2, extent, extent, (side, side))
            pixels = np.asarray(to_pil(render(image, view=view)[0]))  # type: ignore[arg-type]
            figure.add_trace(go.Image(z=pixels, hoverinfo="skip"), row, column)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure.update_layout(
        width=side * len(scales) + 60,
        height=side * len(images) + 60,
        margin={"l": 10, "r": 50, "t": 30, "b": 10},
    )
