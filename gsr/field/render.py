"""Continuous image and view to pixels, band by band.

Bands bound the memory, and since every output pixel depends on its own point alone, any
division into bands gives the same picture.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from gsr.base.coords import View, resolve_view
from gsr.base.errors import ScaleError, shown
from gsr.field.protocol import LAYERS, ContinuousImage, Layer, Pixels, Progress
from gsr.images import Depth, Dither, PictureInfo, bicubic_view, downscale, mean_color, to_levels

MAX_REDUCED_PIXELS = 2**27
"""Pixels that may be rendered at once for a band that is then reduced."""
BAND_PIXELS = 262_144
"""Output pixels per band; a view on a screen is mostly one band, a large picture many."""
TINY = 1e-6
"""A scale this little below 1 is 1 that met rounding."""
_FEWEST_ROWS = 8
_HARDLY = 0.5 / 255
"""Alpha below which nothing is seen of a colour."""
MARGIN = 3
"""Output pixels around a reduced view; an anti-aliased bicubic reads two."""
RESIDUAL_GAIN = 4.0
"""The residual layer shows 0.5 + gain * (result - gaussians)."""


def render_as_given(
    image: ContinuousImage[Pixels],
    scale: float | tuple[float, float] | None = None,
    *,
    size: tuple[int, int] | None = None,
    view: View | None = None,
    layer: Layer = "result",
    progress: Progress | None = None,
) -> Pixels:
    """`render` of every continuous image; see `GaussianField.render`."""
    view = resolve_view(image.lr_size, scale, size, view)
    if image.info is not None:
        return cast(Pixels, _picture(image, image.info, view, layer, progress))
    out = render(image, view=view, layer=layer, progress=progress)
    if image.alpha is not None:
        out = torch.cat((out, render(image.alpha, view=view).mean(1, keepdim=True)), 1)
    return cast(Pixels, out.reshape(*image.batch_shape, *out.shape[1:]))


def as_picture(
    image: ContinuousImage, info: PictureInfo | None = None
) -> ContinuousImage[Image.Image]:
    """The same image, which renders as PIL images.

    Args:
        image: A frozen dataclass, as all of them are. It is returned if it does so already.
        info: What to say of it otherwise.
    """
    if image.info is not None:
        return cast(ContinuousImage[Image.Image], image)
    changed = replace(image, info=info or PictureInfo(), batch_shape=())  # type: ignore[type-var]
    return cast(ContinuousImage[Image.Image], changed)


def render(
    image: ContinuousImage,
    scale: float | tuple[float, float] | None = None,
    *,
    size: tuple[int, int] | None = None,
    view: View | None = None,
    layer: Layer = "result",
    progress: Progress | None = None,
) -> Tensor:
    """Colours in [0, 1] as a tensor, whatever was encoded; no transparency. [b, 3, H, W]

    Arguments as `GaussianField.render`.
    """
    view = resolve_view(image.lr_size, scale, size, view)
    out = torch.empty((len(image.lr), 3, *view.size), device=image.lr.device)
    for start, stop, band in render_bands(image, view, layer):
        out[:, :, start:stop] = band
        if progress:
            progress(stop, view.size[0])
    return out


@torch.no_grad()
def render_bands(
    image: ContinuousImage, view: View, layer: Layer = "result"
) -> Iterator[tuple[int, int, Tensor]]:
    """(first row, last row + 1, pixels [b, 3, rows, W]) from top to bottom, clamped to [0, 1]."""
    if layer not in image.layers:
        raise ScaleError(f"layer must be one of {', '.join(image.layers)}, got {shown(layer)}.")
    reduction = _reduction(view)
    per_band = BAND_PIXELS // max(1, len(image.lr) * reduction[0] * reduction[1])
    if reduction != (1, 1):  # a band's margin must not be most of it
        per_band = max(per_band, _FEWEST_ROWS * view.size[1])
    for start, stop in view.bands(per_band):
        band = view.band(start, stop)
        rgb = _reduced(image, band, layer, reduction)
        yield start, stop, _greyed(rgb, image.grey).clamp(0, 1)


def _greyed(rgb: Tensor, grey: tuple[bool, ...]) -> Tensor:
    """Grey where it should be: a network's three outputs differ a little, and scans that are
    stored as RGB would get coloured fringes.
    """
    if not any(grey):
        return rgb
    which = torch.tensor(grey, device=rgb.device)[:, None, None, None]
    return torch.where(which, mean_color(rgb, 1), rgb)


def _read(image: ContinuousImage, view: View, layer: Layer) -> Tensor:
    if layer != "lr":
        return image.read(view, layer)
    xs, ys = view.axes(image.lr_size)
    height, width = image.lr_size
    rows, columns = ys.long().clamp_max(height - 1), xs.long().clamp_max(width - 1)
    return image.lr[:, :, rows[:, None], columns]


def _reduction(view: View) -> tuple[int, int]:
    """Rendered pixels per output pixel (y, x): more than one below magnification 1."""
    return tuple(max(1, math.ceil(1 / scale - TINY)) for scale in view.scale)  # type: ignore[return-value]


def _reduced(
    image: ContinuousImage, view: View, layer: Layer, reduction: tuple[int, int]
) -> Tensor:
    """Below magnification 1 an output pixel covers more than a method looks at: render each as
    a whole number of pixels at 1 or more, then reduce with an anti-aliased bicubic.

    A margin is rendered with it, so that views put together make the whole.
    """
    if layer == "result" and image.faithful and not image.edits and is_of_pixels(view):
        return _of_pixels(image, view)
    if reduction == (1, 1):
        return _read(image, view, layer)
    size = view.size[0] + 2 * MARGIN, view.size[1] + 2 * MARGIN
    inner = size[0] * reduction[0], size[1] * reduction[1]
    if inner[0] * inner[1] > MAX_REDUCED_PIXELS:
        raise ScaleError(
            f"a view of {view.width:g} x {view.height:g} LR pixels is too wide to reduce to "
            f"{view.size[1]} x {view.size[0]} pixels."
        )
    step_y, step_x = view.height / view.size[0], view.width / view.size[1]
    wider = View(
        view.x - MARGIN * step_x,
        view.y - MARGIN * step_y,
        size[1] * step_x,
        size[0] * step_y,
        inner,
    )
    reduced = downscale(_read(image, wider, layer).clamp(0, 1), size)
    return reduced[..., MARGIN:-MARGIN, MARGIN:-MARGIN]


def is_of_pixels(view: View) -> bool:
    """Whether the pixels of a picture are all that a view can show of it: it is reduced, or they
    are shown one by one.
    """
    if max(view.scale) > 1 + TINY:
        return False
    whole = all(abs(place - round(place)) < TINY for place in (view.x, view.y))
    return min(view.scale) < 1 - TINY or whole


def _of_pixels(image: ContinuousImage, view: View) -> Tensor:
    """The picture reduced to a view; colours count by as much as they are opaque."""

    def reduced(planes: Tensor) -> Tensor:
        box = view.x, view.y, view.width, view.height
        return torch.stack([bicubic_view(one, box, view.size) for one in planes])

    colours = reduced(image.lr)
    if image.alpha is None:
        return colours
    seen = reduced(image.alpha.lr)
    blended = reduced(image.lr * image.alpha.lr) / seen.clamp_min(TINY)
    return torch.where(seen > _HARDLY, blended, colours).clamp(0, 1)


def _picture(
    image: ContinuousImage, info: PictureInfo, view: View, layer: Layer, progress: Progress | None
) -> Image.Image:
    """A PIL image in the mode of the image that was encoded, alpha included."""
    levels = _levels(image, info, view, layer, 8, None, progress)
    return Image.fromarray(levels[..., 0] if levels.shape[2] == 1 else levels)


def render_levels(
    image: ContinuousImage,
    *,
    size: tuple[int, int] | None = None,
    view: View | None = None,
    depth: Depth = 8,
    dither: bool = False,
    progress: Progress | None = None,
) -> npt.NDArray[Any]:
    """The picture as levels [H, W, c] for `gsr.images.save`, rounded once, at the end.

    Args:
        image: Of one picture.
        size, view: As of `GaussianField.render`.
        depth: Bits per channel: 8, 16, or 32 for floating point.
        dither: Whether 8 bits are dithered.
        progress: As of `GaussianField.render`.
    """
    view = resolve_view(image.lr_size, None, size, view)
    info = image.info or PictureInfo()
    return _levels(image, info, view, "result", depth, Dither() if dither else None, progress)


def _levels(
    image: ContinuousImage,
    info: PictureInfo,
    view: View,
    layer: Layer,
    depth: Depth,
    dither: Dither | None,
    progress: Progress | None,
) -> npt.NDArray[Any]:
    """Bands go straight to whole numbers, so a large picture costs no floats."""
    parts = [_bands_of(image, view, layer)]
    if image.alpha is not None:
        parts.append(_bands_of(image.alpha, view, "result"))
    whole: npt.NDArray[Any] | None = None
    for (start, stop, band), *rest in zip(*parts, strict=True):
        alpha = rest[0][2].mean(0) if rest else None
        if info.opaque and alpha is None:
            alpha = torch.ones_like(band[0])
        piece = to_levels(band, alpha, info.mode, depth, dither)
        if whole is None:
            whole = np.empty((*view.size, piece.shape[2]), piece.dtype)
        whole[start:stop] = piece
        if progress:
            progress(stop, view.size[0])
    assert whole is not None  # a view has at least one row
    return whole


def _bands_of(
    image: ContinuousImage, view: View, layer: Layer
) -> Iterator[tuple[int, int, Tensor]]:
    return ((start, stop, band[0]) for start, stop, band in render_bands(image, view, layer))


__all__ = [
    "LAYERS",
    "Layer",
    "as_picture",
    "render",
    "render_as_given",
    "render_bands",
    "render_levels",
]
