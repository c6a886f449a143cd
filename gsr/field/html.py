"""Still pictures of fields and kernels in HTML, for any notebook front end."""

import base64
import io
import math
from html import escape
from typing import TYPE_CHECKING

from gsr.base.coords import MAX_SCALE, MIN_SCALE
from gsr.network.colors import kernel_color
from gsr.network.kernels import Kernels, ellipses

if TYPE_CHECKING:
    from gsr.field import GaussianField

SIDE = 256
"""CSS pixels of the longer side of a field's picture."""
MOST = 100
"""Kernels that are drawn."""
CELL = 34
"""CSS pixels per kernel."""


def field_html(field: "GaussianField") -> str:
    """The first image of a field, rendered small, with what it is in words."""
    from gsr.field.render import render
    from gsr.images import to_pil

    height, width = field.lr_size
    scale = min(MAX_SCALE, max(MIN_SCALE, SIDE / max(height, width)))
    size = max(1, round(height * scale)), max(1, round(width * scale))
    out = io.BytesIO()
    to_pil(render(field, size=size)[0]).save(out, "PNG")
    data = base64.b64encode(out.getvalue()).decode()
    said = escape(repr(field))
    return (
        f'<figure style="margin:0"><img alt="{said}" width="{size[1]}" height="{size[0]}" '
        f'src="data:image/png;base64,{data}"><figcaption>{said}</figcaption></figure>'
    )


def kernels_html(kernels: Kernels) -> str:
    """One-sigma ellipses in rows of ten, all at one scale; the opacity is the fill."""
    shape = ellipses(kernels.covariances())
    rows = zip(
        *(v.flatten()[:MOST].tolist() for v in (shape.major, shape.minor, shape.angle)),
        kernels.opacities.flatten()[:MOST].tolist(),
        strict=True,
    )
    total = kernels.opacities.numel()
    unit = 0.46 * CELL / max(float(shape.major.max()), 1e-6) if total else 1.0
    drawn = [_ellipse(i, unit, *row) for i, row in enumerate(rows)]
    height = CELL * math.ceil(len(drawn) / 10)
    left = f", the first {MOST} of them" if total > MOST else ""
    return (
        f'<figure style="margin:0"><svg width="{10 * CELL}" height="{height}" role="img" '
        f'aria-label="kernels">{"".join(drawn)}</svg>'
        f"<figcaption>{total} kernels at one sigma{left}</figcaption></figure>"
    )


def _ellipse(i: int, unit: float, major: float, minor: float, angle: float, opacity: float) -> str:
    x, y = CELL * (i % 10 + 0.5), CELL * (i // 10 + 0.5)
    color = kernel_color(major, minor, angle)
    return (
        f'<ellipse cx="{x:g}" cy="{y:g}" rx="{unit * major:.2f}" ry="{unit * minor:.2f}" '
        f'transform="rotate({math.degrees(angle):.1f} {x:g} {y:g})" stroke="{color}" '
        f'fill="{color}" fill-opacity="{0.6 * opacity:.2f}"/>'
    )
