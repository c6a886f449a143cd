"""The studio for programs: three named endpoints for `gradio_client`.

    from gradio_client import Client, handle_file

    client = Client("http://127.0.0.1:7860")
    about = client.predict(file=handle_file("photo.png"), api_name="/encode")
    path = client.predict(id=about["id"], scale=3.7, api_name="/render")
    view = {"x": 10, "y": 20, "width": 32, "height": 24, "size": [768, 1024]}
    path = client.predict(id=about["id"], view=view, api_name="/render")
    why = client.predict(id=about["id"], x=40.3, y=22.8, scale=4, api_name="/explain")

Sizes are (height, width), places are in pixels of the picture. `/render` answers with a PNG file.
What cannot be done is an `AppError` with one sentence. `add_api(studio, uploads)`, called inside
the page's Blocks, makes them; every other event of the page is private.
"""

import tempfile
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import gradio as gr
from gradio.processing_utils import save_file_to_cache

from gsr import GsrError
from gsr.base.errors import ImageError, ScaleError
from gsr.base.files import is_field_file
from gsr.field.protocol import Layer

from ..viewer import payloads
from .export import PictureRequest, write_picture
from .export_routes import keep_field
from .studio import Studio
from .uploads import Uploads

P = ParamSpec("P")
R = TypeVar("R")

VIEW_KEYS = {"x", "y", "width", "height", "size"}


def add_api(studio: Studio, uploads: Uploads) -> None:
    """Add the endpoints, with the invisible components that describe their arguments."""

    @_in_one_sentence
    def encode(file: str | None) -> dict[str, Any]:
        return encode_file(studio, uploads, file)

    @_in_one_sentence
    def render(
        id: str,
        scale: float | None = None,
        view: dict[str, Any] | None = None,
        layer: str = "result",
    ) -> str:
        with tempfile.TemporaryDirectory(prefix="gsr-") as folder:
            path = render_file(studio, id, scale, view, layer, Path(folder))
            # Into the store of the page's own files, which Gradio clears.
            return save_file_to_cache(path, picture.GRADIO_CACHE)

    @_in_one_sentence
    def explain(id: str, x: float, y: float, scale: float = 4.0) -> dict[str, Any]:
        return payloads.explanation(studio.store.get(id).complete, x, y, scale)

    with gr.Row(visible=False):
        file, view, answer = gr.File(label="file"), gr.JSON(label="view"), gr.JSON(label="answer")
        key, picture = gr.Textbox(label="id"), gr.File(label="PNG")
        layer = gr.Textbox("result", label="layer")
        scale, x, y = (gr.Number(label=name, value=None) for name in ("scale", "x", "y"))
        near = gr.Number(4, label="scale")
        trigger = gr.Button()
    _publish(trigger, "encode", encode, [file], answer)
    _publish(trigger, "render", render, [key, scale, view, layer], picture)
    _publish(trigger, "explain", explain, [key, x, y, near], answer)


def _publish(trigger: gr.Button, name: str, fn: Any, inputs: list[Any], output: Any) -> None:
    trigger.click(fn, inputs, output, api_name=name, concurrency_id="api", concurrency_limit=1)


def _in_one_sentence(fn: Callable[P, R]) -> Callable[P, R]:
    """What a caller can put right arrives as one sentence."""

    @wraps(fn)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return fn(*args, **kwargs)
        except GsrError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return checked


def encode_file(studio: Studio, uploads: Uploads, file: str | None) -> dict[str, Any]:
    """Id and sizes of the field of a picture, or of a field file.

    Raises:
        ImageError: it cannot be read, or was not uploaded.
    """
    if not file:
        raise ImageError("file must be a picture, got none.")
    path = uploads.find(str(file))
    if is_field_file(path):
        key = keep_field(studio, path, path.name)
    else:
        key = studio.open_bytes(path.read_bytes(), path.name)
    about = studio.about(key)
    wanted = ("id", "name", "width", "height", "model", "alpha", "edits", "notes")
    return {name: about[name] for name in wanted}


def render_file(
    studio: Studio, key: str, scale: float | None, view: Any, layer: str, folder: Path
) -> Path:
    """A PNG file of the whole picture at `scale`, or of a view, in `folder`.

    Raises:
        GsrError: it cannot be rendered.
    """
    field = studio.store.get(key).complete
    shown = cast(Layer, layer)
    if (scale is None) == (view is None):
        raise ScaleError("give a scale or a view, one of them.")
    if view is None:
        request = PictureRequest(scale=scale, layer=shown)
    else:
        x, y, width, height, (rows, columns) = _view(view)
        request = PictureRequest(
            width=columns, height=rows, region=(x, y, width, height), layer=shown
        )
    path = folder / request.name(field)
    write_picture(field, request, path)
    return path


def _view(view: Any) -> tuple[float, float, float, float, tuple[int, int]]:
    """The members of a view that came as JSON, of the right types."""
    example = '{"x": 10, "y": 20, "width": 32, "height": 24, "size": [768, 1024]}'
    try:
        if set(view) != VIEW_KEYS:
            raise ValueError
        x, y, width, height = (float(view[name]) for name in ("x", "y", "width", "height"))
        rows, columns = (int(side) for side in view["size"])
    except (TypeError, ValueError, OverflowError):
        raise ScaleError(f"view must be like {example}, got {str(view)[:200]}.") from None
    return x, y, width, height, (rows, columns)
