"""A still picture of kernels in HTML, for any notebook front end."""

import math

from gsr.network.colors import kernel_color
from gsr.network.kernels import Kernels, ellipses

MAX_DRAWN = 100
"""Kernels that are drawn."""
CELL = 34
"""CSS pixels per kernel."""


def kernels_html(kernels: Kernels) -> str:
    """One-sigma ellipses in rows of ten, all at one scale; the opacity is the fill."""
    shape = ellipses(kernels.covariances())
    rows = zip(
        *(v.flatten()[:MAX_DRAWN].tolist() for v in (shape.major, shape.minor, shape.angle)),
        kernels.opacities.flatten()[:MAX_DRAWN].tolist(),
        strict=True,
    )
    total = kernels.opacities.numel()
    unit = 0.46 * CELL / max(float(shape.major.max()), 1e-6) if total else 1.0
    drawn = [_ellipse(i, unit, *row) for i, row in enumerate(rows)]
    height = CELL * math.ceil(len(drawn) / 10)
    left = f", the first {MAX_DRAWN} of them" if total > MAX_DRAWN else ""
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
