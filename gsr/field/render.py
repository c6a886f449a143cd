"""Continuous image and view to pixels, band by band.

Bands bound the memory, and since every output pixel depends on its own point alone, any
division into bands gives the same picture.
"""

import math
from collections.abc import Iterator
from typing import Any, Literal, Protocol

import torch
from PIL import Image
from torch import Tensor

from gsr.base.coords import View, resolve_view
from gsr.base.errors import ScaleError, shown
from gsr.field.protocol import Progress
from gsr.images import PictureInfo, downscale, mean_color, to_pil

Layer = Literal["result", "gaussians", "residual", "lr"]
LAYERS: tuple[Layer, ...] = ("result", "gaussians", "residual", "lr")

MAX_REDUCED_PIXELS = 2**27
"""Pixels that may be rendered at once for a band that is then reduced."""
BAND_PIXELS = 262_144
"""Output pixels per band; a view on a screen is mostly one band, a large picture many."""
TINY = 1e-6
"""A scale this little below 1 is 1 that met rounding."""
_FEWEST_ROWS = 8
_MARGIN = 3
"""Output pixels around a reduced view; an anti-aliased bicubic reads two."""
RESIDUAL_GAIN = 4.0
"""The residual layer shows 0.5 + gain * (result - gaussians)."""


class Readable(Protocol):
    """What rendering needs of a continuous image: a `GaussianField`, a `SampledImage`.

    Attributes:
        lr: The picture it was made from. [b, 3, h, w]
        layers: What may be asked of `read`, besides `lr`.
        grey: Which images are grey; renders of them are, to the last bit.
        batch_shape: Leading dimensions of the encoded tensor.
        alpha: Transparency as an image of its own.
        info: What the file said besides its pixels; its presence makes renders PIL images.
    """

    @property
    def lr(self) -> Tensor: ...
    @property
    def lr_size(self) -> tuple[int, int]: ...
    @property
    def grey(self) -> tuple[bool, ...]: ...
    @property
    def layers(self) -> tuple[Layer, ...]: ...
    @property
    def batch_shape(self) -> tuple[int, ...]: ...
    @property
    def alpha(self) -> "Readable | None": ...
    @property
    def info(self) -> PictureInfo | None: ...

    def read(self, view: View, layer: Layer) -> Tensor:
        """Colours at the pixel centres of a view of magnification 1 or more. [b, 3, H, W]"""
        ...


def rendered(
    image: Readable,
    scale: float | tuple[float, float] | None = None,
    *,
    size: tuple[int, int] | None = None,
    view: View | None = None,
    layer: Layer = "result",
    progress: Progress | None = None,
) -> Any:
    """Pixels in the form the image came in; arguments and result as `GaussianField.render`."""
    if image.info is not None:
        return render_image(image, scale, size=size, view=view, layer=layer, progress=progress)
    out = render(image, scale, size=size, view=view, layer=layer, progress=progress)
    if image.alpha is not None:
        alpha = render(image.alpha, scale, size=size, view=view).mean(1, keepdim=True)
        out = torch.cat((out, alpha), 1)
    return out.reshape(*image.batch_shape, *out.shape[1:])


def render(
    image: Readable,
    scale: float | tuple[float, float] | None = None,
    *,
    size: tuple[int, int] | None = None,
    view: View | None = None,
    layer: Layer = "result",
    progress: Progress | None = None,
) -> Tensor:
    """Pixels in [0, 1]. [b, 3, H, W]; arguments as `GaussianField.render`."""
    view = resolve_view(image.lr_size, scale, size, view)
    out = torch.empty((len(image.lr), 3, *view.size), device=image.lr.device)
    for start, stop, band in render_bands(image, view, layer):
        out[:, :, start:stop] = band
        if progress:
            progress(stop, view.size[0])
    return out


@torch.no_grad()
def render_bands(
    image: Readable, view: View, layer: Layer = "result"
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


def _pixels(image: Readable, view: View, layer: Layer) -> Tensor:
    if layer != "lr":
        return image.read(view, layer)
    xs, ys = view.axes(image.lr_size)
    height, width = image.lr_size
    rows, columns = ys.long().clamp_max(height - 1), xs.long().clamp_max(width - 1)
    return image.lr[:, :, rows[:, None], columns]


def _reduction(view: View) -> tuple[int, int]:
    """Rendered pixels per output pixel (y, x): more than one below magnification 1."""
    return tuple(max(1, math.ceil(1 / scale - TINY)) for scale in view.scale)  # type: ignore[return-value]


def _reduced(image: Readable, view: View, layer: Layer, reduction: tuple[int, int]) -> Tensor:
    """Below magnification 1 an output pixel covers more than a method looks at: render each as
    a whole number of pixels at 1 or more, then reduce with an anti-aliased bicubic.

    A margin is rendered with it, so that views put together make the whole.
    """
    if reduction == (1, 1):
        return _pixels(image, view, layer)
    size = view.size[0] + 2 * _MARGIN, view.size[1] + 2 * _MARGIN
    inner = size[0] * reduction[0], size[1] * reduction[1]
    if inner[0] * inner[1] > MAX_REDUCED_PIXELS:
        raise ScaleError(
            f"a view of {view.width:g} x {view.height:g} LR pixels is too wide to reduce to "
            f"{view.size[1]} x {view.size[0]} pixels."
        )
    step_y, step_x = view.height / view.size[0], view.width / view.size[1]
    wider = View(
        view.x - _MARGIN * step_x,
        view.y - _MARGIN * step_y,
        size[1] * step_x,
        size[0] * step_y,
        inner,
    )
    reduced = downscale(_pixels(image, wider, layer).clamp(0, 1), size)
    return reduced[..., _MARGIN:-_MARGIN, _MARGIN:-_MARGIN]


def render_image(
    image: Readable,
    scale: float | tuple[float, float] | None = None,
    *,
    size: tuple[int, int] | None = None,
    view: View | None = None,
    layer: Layer = "result",
    progress: Progress | None = None,
) -> "Image.Image":
    """A PIL image in the mode of the image that was encoded, alpha included.

    Bands go straight to 8 bit, so a large picture costs three or four bytes per pixel.
    """
    assert image.info is not None  # the caller looked
    view = resolve_view(image.lr_size, scale, size, view)
    parts = [_bands_of(image, view, layer)]
    if image.alpha is not None:
        parts.append(_bands_of(image.alpha, view, "result"))
    whole: Image.Image | None = None
    for (start, stop, band), *rest in zip(*parts, strict=True):
        alpha = rest[0][2].mean(0) if rest else None
        piece = to_pil(band, alpha, image.info.mode)
        whole = whole or Image.new(piece.mode, (view.size[1], view.size[0]))
        whole.paste(piece, (0, start))
        if progress:
            progress(stop, view.size[0])
    assert whole is not None  # a view has at least one row
    if image.info.opaque:
        whole.putalpha(255)
    return whole


def _bands_of(image: Readable, view: View, layer: Layer) -> Iterator[tuple[int, int, Tensor]]:
    return ((start, stop, band[0]) for start, stop, band in render_bands(image, view, layer))


__all__ = [
    "LAYERS",
    "Layer",
    "Readable",
    "render",
    "render_bands",
    "render_image",
    "rendered",
]
