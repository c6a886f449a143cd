"""A still picture of a field in HTML, for any notebook front end."""

import base64
import io
from html import escape
from typing import TYPE_CHECKING

from gsr.base.coords import MAX_SCALE, MIN_SCALE
from gsr.base.limits import whole_pixels
from gsr.field.render import render
from gsr.images import to_pil

if TYPE_CHECKING:
    from gsr.field import GaussianField

SIDE = 256
"""CSS pixels of the longer side of a field's picture."""


def field_html(field: "GaussianField") -> str:
    """The first image of a field, rendered small, with what it is in words."""
    height, width = field.lr_size
    scale = min(MAX_SCALE, max(MIN_SCALE, SIDE / max(height, width)))
    size = whole_pixels(height * scale), whole_pixels(width * scale)
    out = io.BytesIO()
    to_pil(render(field, size=size)[0]).save(out, "PNG")
    data = base64.b64encode(out.getvalue()).decode()
    said = escape(repr(field))
    return (
        f'<figure style="margin:0"><img alt="{said}" width="{size[1]}" height="{size[0]}" '
        f'src="data:image/png;base64,{data}"><figcaption>{said}</figcaption></figure>'
    )
