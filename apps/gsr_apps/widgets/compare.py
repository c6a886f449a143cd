"""`CompareViewer`: several continuous images under one joint view."""

from collections.abc import Mapping
from typing import Any

from gsr import GaussianField, GsrError
from gsr.field.protocol import ContinuousImage

from .field_viewer import FieldViewer


class CompareViewer(FieldViewer):
    """Several continuous images of one picture: wiped, side by side, or as a difference.

    Args:
        images: By name; one of them at least is a `GaussianField`, whose inside can be seen.
        truth: As of `FieldViewer`.

    Raises:
        GsrError: without a field among them, or when they are of different pictures.
    """

    def __init__(self, images: Mapping[str, ContinuousImage], truth: Any = None, **traits: Any):
        fields = {n: image for n, image in images.items() if isinstance(image, GaussianField)}
        if not fields:
            raise GsrError("at least one of the images must be a GaussianField.")
        sizes = {image.lr_size for image in images.values()}
        if len(sizes) > 1:
            raise GsrError(f"the images are of different sizes (height, width): {sorted(sizes)}.")
        name, field = next(iter(fields.items()))
        others = {other: image for other, image in images.items() if other != name}
        left = next(iter(others), "bicubic")
        state = {"sources": [left, "gsr:result"], "mode": "wipe"} | traits.pop("state", {})
        super().__init__(field, others or None, truth, label=name, state=state, **traits)
