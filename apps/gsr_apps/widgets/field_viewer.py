"""`FieldViewer`: the Studio's viewer in a notebook."""

import base64
import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from PIL import Image

from gsr import GaussianField, GsrError, methods
from gsr.base.coords import FARTHEST, is_number
from gsr.base.errors import shown
from gsr.base.limits import whole_pixels
from gsr.field.protocol import LAYERS, ContinuousImage
from gsr.field.render import render
from gsr.images import load, to_pil

from .. import viewer
from ..viewer import truths
from ..viewer.bundle import bundle
from .service import FieldService

STATIC_SIDE = 320
"""Pixels of the longer side of the still picture that a closed notebook shows."""
USUAL = ("bicubic", "lanczos")
RENDERERS = ("auto", "browser", "server")
"""Who draws the field: see `here.js`."""
MOST_LIT = 4096
"""Kernels that a bank can have."""
OWN = "gsr:"
"""Before the name of a layer of the field, among sources."""


class FieldViewer(anywidget.AnyWidget):
    """Zoom, pan, layers, ellipses, and a click that explains. All traits work both ways.

    Args:
        field: What to look at, one image.
        images: Other continuous images of the same picture, by name; bicubic and Lanczos if
            not given.
        truth: The large picture the field was made from: a path, a PIL image or a tensor.
        label: What the field is called there, if not by its weights.
        height: Of the widget, in CSS pixels.
        wheel: Whether the wheel zooms; if not, it scrolls the notebook, and zooms with Ctrl held.

    Attributes:
        view: (x, y, width, height) on show, LR pixels; None before it is drawn.
        scale: CSS pixels per LR pixel.
        source: What the right side shows: `gsr:result`, `gsr:gaussians`, `gsr:residual`,
            `gsr:lr`, the name of an image, or `truth`.
        layer: The field's layer on the right side, as `render` names it; None while something else
            than the field is there.
        state: Everything else of the look, see `viewer/state.js`.
        selection: The point (x, y) that is explained, or None.
        hovered: (column, row) under the pointer, or None.
        kernels: Numbers of kernels whose pixels are highlighted.
        renderer: Who draws the field: `browser`, `server` (the notebook's kernel), or `auto`: the
            browser where it has a graphics processor.

    Raises:
        GsrError: when the field holds several images, or none.
    """

    _esm = ""  # read when a widget is made, see below
    _css = ""

    view = traitlets.List(traitlets.Float(), allow_none=True, default_value=None).tag(sync=True)
    scale = traitlets.Float(4.0).tag(sync=True)
    source = traitlets.Unicode("gsr:result").tag(sync=True)
    layer = traitlets.Enum(LAYERS, "result", allow_none=True)
    state = traitlets.Dict().tag(sync=True)
    selection = traitlets.List(traitlets.Float(), allow_none=True, default_value=None).tag(
        sync=True
    )
    hovered = traitlets.List(traitlets.Int(), allow_none=True, default_value=None).tag(sync=True)
    kernels = traitlets.List(traitlets.Int()).tag(sync=True)
    wheel = traitlets.Bool(True).tag(sync=True)
    height = traitlets.Int(460, min=200, max=4000).tag(sync=True)
    renderer = traitlets.Enum(RENDERERS, "auto").tag(sync=True)
    version = traitlets.Int(0).tag(sync=True)
    field = traitlets.Any()

    def __init__(
        self,
        field: GaussianField,
        images: Mapping[str, ContinuousImage] | None = None,
        truth: Any = None,
        label: str = "",
        **traits: Any,
    ):
        check_single(field)
        shown = with_info(field)
        if images is None:
            images = {name: methods.get(name).encode(field.lr[0]) for name in USUAL}
        large = None if truth is None else truths.of_picture(load(truth), field)
        self._service = FieldService(
            shown,
            {name: with_info(image, shown) for name, image in images.items()},
            large and replace(large, info=shown.info),
            label,
        )
        super().__init__(
            _esm=bundle(Path(__file__).parent / "field_viewer.js"),
            _css=(viewer.STATIC / "viewer.css").read_text(encoding="utf-8"),
            field=field,
            **traits,
        )
        self.on_msg(self._answer)

    def _answer(self, _widget: Any, message: Any, _buffers: Any) -> None:
        content, buffers = self._service.answer(message)
        self.send(content, buffers)

    @traitlets.validate("view")
    def _rectangle(self, proposal: Any) -> Any:
        value = proposal["value"]
        if value is not None:
            near = len(value) == 4 and all(is_number(v) and abs(v) <= FARTHEST for v in value)
            if not (near and min(value[2:]) > 0):
                raise GsrError(
                    f"view must be (x, y, width, height) with an extent, got {shown(value)}."
                )
        return value

    @traitlets.validate("selection")
    def _point(self, proposal: Any) -> Any:
        value = proposal["value"]
        if value is not None and not (len(value) == 2 and all(map(is_number, value))):
            raise GsrError(f"selection must be a point (x, y), got {shown(value)}.")
        return value

    @traitlets.validate("kernels")
    def _numbers(self, proposal: Any) -> Any:
        value = proposal["value"]
        if len(value) > MOST_LIT or not all(0 <= kernel < MOST_LIT for kernel in value):
            raise GsrError(
                f"kernels must be at most {MOST_LIT} numbers of kernels, got {shown(value)}."
            )
        return value

    @traitlets.validate("scale")
    def _magnification(self, proposal: Any) -> float:
        if not 1 / 64 <= proposal["value"] <= 256:
            raise GsrError(f"scale must be between 1/64 and 256, got {proposal['value']}.")
        return float(proposal["value"])

    @traitlets.observe("layer")
    def _layer_chosen(self, change: Any) -> None:
        if change["new"] is not None:
            self.source = OWN + change["new"]
        elif self.source.startswith(OWN):  # traitlets asks no validator about None
            self.layer = change["old"]
            raise GsrError(f"layer must be one of {', '.join(LAYERS)}; source shows other images.")

    @traitlets.observe("source")
    def _source_chosen(self, change: Any) -> None:
        name = change["new"].removeprefix(OWN)
        self.layer = name if change["new"].startswith(OWN) and name in LAYERS else None

    @traitlets.validate("field")
    def _checked(self, proposal: Any) -> GaussianField:
        check_single(proposal["value"])
        field: GaussianField = proposal["value"]
        return field

    @traitlets.observe("field")
    def _changed(self, change: Any) -> None:
        if change["old"] is traitlets.Undefined or change["old"] is None:
            return
        self._service.field = with_info(change["new"])
        self.version += 1

    @property
    def truth(self) -> Any:
        """The ground truth as a continuous image, or None."""
        return self._service.truth

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The widget, and a still picture for where no widget can live."""
        made: Any = super()._repr_mimebundle_(**kwargs)
        data, metadata = made if isinstance(made, tuple) else (made, {})
        data["image/png"] = base64.b64encode(_still(self._service.field)).decode()
        return data, metadata


def check_single(field: Any) -> None:
    """Refuse what cannot be looked at.

    Raises:
        GsrError: for anything but the field of one image.
    """
    if not isinstance(field, GaussianField):
        raise GsrError(f"a GaussianField is shown here, got {type(field).__name__}.")
    if len(field.lr) != 1:
        raise GsrError(f"one image is shown at a time, and this field holds {len(field.lr)}.")


def with_info(image: Any, like: GaussianField | None = None) -> Any:
    """The same image in the form that makes renders PIL images, on the CPU."""
    if isinstance(image, GaussianField) and image.lr.device.type != "cpu":
        image = image.to("cpu")
    if image.info is not None:
        return image
    info = like.info if like else load(to_pil(image.lr[0])).info
    return replace(image, info=info, batch_shape=())


def _still(field: GaussianField) -> bytes:
    height, width = field.lr_size
    scale = STATIC_SIDE / max(height, width)
    size = whole_pixels(height * scale), whole_pixels(width * scale)
    picture: Image.Image = to_pil(render(field, size=size)[0])
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
