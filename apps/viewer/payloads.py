"""Answers to the viewer's questions: frames, ellipses, explanations, the map of kernels.

Pure functions of a field; hosts only carry the bytes.
"""

import io
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from PIL import Image

from gsr import GaussianField, View
from gsr.continuous import Progress
from gsr.errors import ScaleError
from gsr.images import bicubic_view, to_pil
from gsr.inspection import explain, gaussians_in
from gsr.render import LAYERS, Layer

from ..palette import bank_colors, bank_ellipses

Method = Literal["gsr", "bicubic"]
Quality = Literal["preview", "exact"]

MAX_SIDE = 4096
"""Output pixels per side of a frame."""
MAX_REDUCED_PIXELS = 16_000_000
"""LR pixels a frame below magnification 1 may cover: it is rendered at 1 and reduced."""
PREVIEW_QUALITY = 88


@dataclass(frozen=True)
class FrameRequest:
    """What the viewer wants to see.

    Attributes:
        view: Where, and with how many pixels.
        method: `gsr` or the `bicubic` reference.
        layer: Layer of the field; the reference has one only.
        quality: `preview` is small and lossy, `exact` lossless.

    Raises:
        ScaleError: for an unknown word or a frame that is too large.
    """

    view: View
    method: Method = "gsr"
    layer: Layer = "result"
    quality: Quality = "exact"

    def __post_init__(self) -> None:
        _one_of("method", self.method, get_args(Method))
        _one_of("layer", self.layer, LAYERS)
        _one_of("quality", self.quality, get_args(Quality))
        if max(self.view.size) > MAX_SIDE:
            raise ScaleError(
                f"a frame has at most {MAX_SIDE} pixels a side, got "
                f"{self.view.size[1]} x {self.view.size[0]}."
            )
        covered = self.view.width * self.view.height
        if min(self.view.scale) < 1 and covered > MAX_REDUCED_PIXELS:
            raise ScaleError(f"the view covers too much: {covered:.3g} LR pixels.")


def _one_of(name: str, value: str, accepted: tuple[str, ...]) -> None:
    if value not in accepted:
        raise ScaleError(f"{name} must be one of {', '.join(accepted)}, got {value!r}.")


def frame(
    field: GaussianField, request: FrameRequest, progress: Progress | None = None
) -> tuple[bytes, str]:
    """A frame as image bytes, and their media type.

    Args:
        progress: Called with (rows done, rows in all); an exception it raises cancels.
    """
    image = frame_image(field, request, progress)
    icc = field.info.icc if field.info is not None else None
    return _pack(image, request.quality, icc)


def frame_image(
    field: GaussianField, request: FrameRequest, progress: Progress | None = None
) -> Image.Image:
    """The frame before it is packed; for `gsr` exactly `field.render(view, layer)`."""
    if request.method == "gsr":
        image: Image.Image = field.render(view=request.view, layer=request.layer, progress=progress)
        return image
    return reference_image(field, request.view)


def reference_image(field: GaussianField, view: View) -> Image.Image:
    """The same view by Pillow's bicubic."""
    box = (view.x, view.y, view.width, view.height)
    rgb = bicubic_view(field.lr[0], box, view.size)
    alpha = None
    if field.alpha is not None:
        alpha = bicubic_view(field.alpha.lr[0, :1], box, view.size)[0]
    return to_pil(rgb, alpha, field.info.mode if field.info is not None else "rgb")


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


def describe(field: GaussianField) -> dict[str, Any]:
    """What the viewer must know of a field before it asks for pixels."""
    height, width = field.lr_size
    shape = bank_ellipses(field.bank_raw)
    colors = bank_colors(field.bank_raw)
    rows = zip(
        shape.major.tolist(), shape.minor.tolist(), shape.angle.tolist(), colors, strict=True
    )
    return {
        "width": width,
        "height": height,
        "model": field.model,
        "alpha": field.alpha is not None,
        "name": field.info.name if field.info is not None else "image",
        "notes": list(field.info.notes) if field.info is not None else [],
        "kernels": [
            {"major": major, "minor": minor, "angle": angle, "color": color}
            for major, minor, angle, color in rows
        ],
    }


def ellipses(field: GaussianField, view: View, limit: int = 4000) -> dict[str, Any]:
    """Gaussians to draw in a view: lists of equal length, and how they were thinned.

    `kernel` leads to the half axes in `describe`; x, y are LR pixels; `color` is 0xRRGGBB.
    """
    found = gaussians_in(field, view, limit=min(max(limit, 1), 12_000))
    levels = (found.colors * 255).round().int()
    packed = levels[:, 0] * 65536 + levels[:, 1] * 256 + levels[:, 2]
    return {
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


def explanation(field: GaussianField, x: float, y: float, scale: float) -> dict[str, Any]:
    """Which Gaussians made the colour at a point (LR pixels), as plain values."""
    return explain(field, x, y, scale).to_dict()


def class_map(field: GaussianField) -> bytes:
    """Kernel number of every LR pixel, row by row: little-endian uint16."""
    return field.index[0].cpu().numpy().astype("<u2").tobytes()
