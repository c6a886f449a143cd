"""Answers to the viewer's questions: frames, ellipses, explanations, what pixels picked.

Pure functions of a field; hosts only carry the bytes.
"""

import base64
import io
import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from PIL import Image
from torch import Tensor

from gsr import GaussianField, View
from gsr.base.coords import parse_scale
from gsr.base.errors import ScaleError
from gsr.field.edits import count
from gsr.field.inspection import footprint, gaussians_in, usage
from gsr.field.interpolated import Interpolated
from gsr.field.mosaic import Mosaic
from gsr.field.payload import pack
from gsr.field.protocol import LAYERS, ContinuousImage, Layer, Progress
from gsr.field.provenance import changes, notes_of
from gsr.field.render import as_picture
from gsr.network.kernels import ellipses as kernel_ellipses

from ..palette import bank_colors, bank_ellipses
from .comparing import label_of

Quality = Literal["preview", "exact"]

MAX_SIDE = 8192
"""Output pixels per side of a frame."""
MAX_FRAME_PIXELS = 25_000_000
"""Output pixels of a frame: a screen of 6016 x 3384 and some."""
MAX_REDUCED_PIXELS = 16_000_000
"""LR pixels a frame below magnification 1 may cover: it is rendered at 1 and reduced. Of more the
picture itself is shown, which costs nothing.
"""
PREVIEW_QUALITY = 88


@dataclass(frozen=True)
class FrameRequest:
    """What the viewer wants to see.

    Attributes:
        view: Where, and with how many pixels.
        method: `gsr` for the field itself, `truth`, or the name of another method.
        layer: Layer of the field; other methods have one only.
        quality: `preview` is small and lossy, `exact` lossless.

    Raises:
        ScaleError: for an unknown word or a frame that is too large.
    """

    view: View
    method: str = "gsr"
    layer: Layer = "result"
    quality: Quality = "exact"

    def __post_init__(self) -> None:
        _one_of("layer", self.layer, LAYERS)
        _one_of("quality", self.quality, get_args(Quality))
        rows, columns = self.view.size
        if max(rows, columns) > MAX_SIDE or rows * columns > MAX_FRAME_PIXELS:
            raise ScaleError(
                f"a frame has at most {MAX_SIDE} pixels a side and {MAX_FRAME_PIXELS:,} in all, "
                f"got {columns} x {rows}."
            )

    @property
    def covered(self) -> float:
        """LR pixels that are reduced to the frame; none where it enlarges them."""
        return self.view.width * self.view.height if min(self.view.scale) < 1 else 0.0


def _one_of(name: str, value: str, accepted: tuple[str, ...]) -> None:
    if value not in accepted:
        raise ScaleError(f"{name} must be one of {', '.join(accepted)}, got {value!r}.")


def frame(
    image: ContinuousImage, request: FrameRequest, progress: Progress | None = None
) -> tuple[bytes, str]:
    """A frame as image bytes, and their media type.

    Args:
        image: The field, or what another method made of the same picture.
        request: What to render; `method` was looked up by the caller.
        progress: Called with (rows done, rows in all); an exception it raises cancels.
    """
    if request.covered > MAX_REDUCED_PIXELS and not isinstance(image, Interpolated):
        raise ScaleError(f"the view covers too much: {request.covered:.3g} LR pixels.")
    layer = request.layer if request.layer in image.layers else "result"
    picture = as_picture(image).render(view=request.view, layer=layer, progress=progress)
    info = image.info
    if info is not None and info.opaque:
        picture = picture.convert(picture.mode.removesuffix("A"))
    return _pack(picture, request.quality, info.icc if info is not None else None)


def _pack(image: Image.Image, quality: Quality, icc: bytes | None) -> tuple[bytes, str]:
    out = io.BytesIO()
    profile = {"icc_profile": icc} if icc else {}
    if quality == "exact":
        image.save(out, "PNG", compress_level=1, **profile)
        return out.getvalue(), "image/png"
    if image.mode in ("RGBA", "LA"):
        image.convert("RGBA").save(out, "WEBP", quality=PREVIEW_QUALITY, method=0, **profile)
        return out.getvalue(), "image/webp"
    image.save(out, "JPEG", quality=PREVIEW_QUALITY, **profile)
    return out.getvalue(), "image/jpeg"


def describe(field: GaussianField | Mosaic) -> dict[str, Any]:
    """What the viewer must know of a field before it asks for pixels."""
    height, width = field.lr_size
    return {
        "width": width,
        "height": height,
        "model": field.model,
        "alpha": field.alpha is not None,
        "name": field.info.name if field.info is not None else "image",
        "label": label_of(field),
        "changed": ", ".join(changes(field)),
        "edits": count(field.edits),
        "edited": bool(field.edits),
        "notes": list(notes_of(field.info)),
        "kernels": _kernels(field),
    }


def _kernels(field: GaussianField | Mosaic) -> list[dict[str, Any]]:
    """The bank as it is drawn, its parameters, and the share of pixels that picked each."""
    one = field.like if isinstance(field, Mosaic) else field
    shape, bank = bank_ellipses(one.bank_raw), one.bank
    columns = {
        "major": shape.major,
        "minor": shape.minor,
        "angle": shape.angle,
        "sigma_x": bank.sigmas[:, 0],
        "sigma_y": bank.sigmas[:, 1],
        "rho": bank.rho,
        "opacity": bank.opacities,
        "share": field.usage() if isinstance(field, Mosaic) else usage(field),
    }
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    colors = bank_colors(one.bank_raw)
    return [
        dict(zip(columns, row, strict=True)) | {"color": color}
        for row, color in zip(rows, colors, strict=True)
    ]


def ellipses(field: GaussianField, view: View, limit: int = 4000) -> dict[str, Any]:
    """Gaussians to draw in a view: lists of equal length, and how they were thinned.

    `kernel` leads to the half axes in `describe`, unless an edit mixed kernels: then each has
    `major`, `minor`, `angle` and `opacity` of its own. x, y are LR pixels; `color` is 0xRRGGBB.
    """
    found = gaussians_in(field, view, limit=min(max(limit, 1), 12_000))
    levels = (found.colors * 255).round().int()
    packed = levels[:, 0] * 65536 + levels[:, 1] * 256 + levels[:, 2]
    said = field.choice_at().confidence[0, found.row, found.column]
    names = ("major", "minor", "angle")
    own = {name: getattr(found, name) for name in names} | {"opacity": found.opacities}
    mixed = {name: _rounded(value.numpy()) for name, value in own.items()}
    return (mixed if field.mixed is not None else {}) | {
        "confidence": _rounded(said.cpu().numpy()),
        "step": found.step,
        "column": found.column.tolist(),
        "row": found.row.tolist(),
        "kernel": found.kernel.tolist(),
        "x": _rounded(found.means[:, 0].numpy()),
        "y": _rounded(found.means[:, 1].numpy()),
        "color": packed.tolist(),
    }


def _rounded(values: np.ndarray) -> list[float]:
    return [round(value, 3) for value in values.tolist()]


def explanation(field: GaussianField | Mosaic, x: float, y: float, scale: float) -> dict[str, Any]:
    """Which Gaussians made the colour at a point (LR pixels), as plain values.

    As in `ellipses`, each has `major`, `minor` and `angle` of its own after kernels were mixed.
    """
    found = field.explain(x, y, scale).to_dict()
    if isinstance(field, GaussianField) and field.mixed is not None:
        for part in found["contributions"]:
            part.update(_own_shape(field, part["row"], part["column"]))
    return found


def _own_shape(field: GaussianField, row: int, column: int) -> dict[str, float]:
    own = field.kernels_at(slice(row, row + 1), slice(column, column + 1))
    shape = kernel_ellipses(own.covariances())
    return {name: float(getattr(shape, name)) for name in ("major", "minor", "angle")}


def choices(field: GaussianField) -> bytes:
    """What each LR pixel picked, in planes of one number per pixel, row by row, little-endian.

    Kernel and second choice (uint16 each), confidence (uint8, 255 is certain) and entropy
    (uint8, 255 is undecided between all kernels of the bank).
    """
    said = field.choice_at()
    most = math.log2(max(2, len(field.bank_raw)))
    planes = (
        field.index[0].cpu().numpy().astype("<u2"),
        said.second[0].cpu().numpy().astype("<u2"),
        _bytes(said.confidence[0]),
        _bytes(said.entropy[0] / most),
    )
    return b"".join(plane.tobytes() for plane in planes)


def _bytes(part: Tensor) -> np.ndarray:
    """[0, 1] as 0 to 255."""
    return (part.clamp(0, 1) * 255).round().byte().cpu().numpy()


MAX_PART_PIXELS = 512 * 512
"""LR pixels of a part of a field that a browser asks for at once."""


def part(field: GaussianField, view: View) -> bytes:
    """The part of a field that a rectangle touches, for a browser that draws it by itself.

    Raises:
        ScaleError: when the rectangle holds no pixel of the picture, or too many.
        ImageError: for fields that browsers cannot draw, see `gsr.field.payload`.
    """
    height, width = field.lr_size
    rows = slice(*_covered(view.y, view.height, height))
    columns = slice(*_covered(view.x, view.width, width))
    count = max(0, rows.stop - rows.start) * max(0, columns.stop - columns.start)
    if not 0 < count <= MAX_PART_PIXELS:
        raise ScaleError(
            f"a part of a field has 1 to {MAX_PART_PIXELS:,} pixels of the picture, not {count:,}."
        )
    return pack(field, rows, columns, level=1)  # it need not be small on its way, but there soon


REACH_PIXELS = 256
"""Pixels per side of a footprint, at most."""


def reach(field: GaussianField, column: int, row: int, scale: float) -> dict[str, Any]:
    """Everything one Gaussian touches: its share at each pixel of the window around it.

    `shares` is base64 of one byte per pixel, 255 where the share is `peak`; the rectangle is in
    LR pixels.

    Raises:
        GsrError: for an unknown Gaussian or a scale out of range.
    """
    side = 2 * field.sampler.config.radius + 1
    fine = max(1, min(parse_scale(scale)[0], REACH_PIXELS // side))
    pixels = round(side * fine)
    x, y = (place - field.sampler.config.radius for place in (column, row))
    view = View(x, y, side, side, (pixels, pixels))
    part = footprint(field, column, row, view)
    peak = float(part.max())
    shares = _bytes(part / peak if peak > 0 else part)
    return {
        "x": view.x,
        "y": view.y,
        "width": view.width,
        "height": view.height,
        "columns": pixels,
        "rows": pixels,
        "peak": peak,
        "shares": base64.b64encode(shares.tobytes()).decode(),
    }


def region_usage(field: GaussianField, view: View) -> list[float]:
    """Share of the pixels of a region that picked each kernel.

    Raises:
        ScaleError: when the region holds no pixel of the picture.
    """
    height, width = field.lr_size
    top, bottom = _covered(view.y, view.height, height)
    left, right = _covered(view.x, view.width, width)
    if bottom <= top or right <= left:
        raise ScaleError("the region holds no pixel of the picture.")
    inside = field.index[0, top:bottom, left:right].flatten()
    counts = inside.bincount(minlength=len(field.bank_raw))
    shares: list[float] = (counts / counts.sum()).tolist()
    return shares


def _covered(start: float, extent: float, length: int) -> tuple[int, int]:
    """Pixels that a span touches."""
    return max(0, math.floor(start)), min(length, math.ceil(start + extent))
