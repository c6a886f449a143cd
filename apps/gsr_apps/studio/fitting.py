"""Pictures made small enough to be looked at live."""

import math
from dataclasses import replace

from gsr.images import Picture, downscale


def fitted(picture: Picture, max_pixels: int) -> Picture:
    """The picture itself, or reduced to at most `max_pixels`, with a note that says so."""
    height, width = picture.rgb.shape[-2:]
    if height * width <= max_pixels:
        return picture
    factor = math.sqrt(max_pixels / (height * width))
    rows, columns = (max(1, math.floor(side * factor)) for side in (height, width))
    # Where one side has a single pixel, the other does all the shrinking.
    rows = max(1, min(rows, max_pixels // columns))
    columns = min(columns, max_pixels // rows)
    size = rows, columns
    alpha = None if picture.alpha is None else downscale(picture.alpha[None], size)[0]
    note = f"{picture.info.name} was shrunk from {width} x {height} to {columns} x {rows} pixels."
    info = replace(picture.info, notes=(*picture.info.notes, note))
    return replace(picture, rgb=downscale(picture.rgb, size), alpha=alpha, info=info)
