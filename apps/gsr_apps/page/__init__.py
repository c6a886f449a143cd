"""Pages that need no server: one that holds a field, and one that encodes pictures by itself."""

import base64
import io
import json
from collections.abc import Callable
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import torch
from PIL import Image

from gsr import GaussianField, GaussianSR, __version__
from gsr.base.atomic import writing
from gsr.base.errors import ImageError, OutputError
from gsr.base.files import PAGE_SUFFIX, is_page_file
from gsr.field.payload import pack
from gsr.field.provenance import ROOM, made, titled

from .. import encoder, viewer
from ..demos import demo_photos
from ..encoder.weights import pack as pack_model
from ..viewer.bundle import bundle
from ..viewer.comparing import label_of
from ..viewer.payloads import describe

FOLDER = Path(__file__).parent

# Scripts may be inline, and nothing at all may be asked of the network. A page that encodes starts
# workers from its own text, and WebAssembly in them.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval'; "
    "style-src 'unsafe-inline'; img-src data: blob:; connect-src data: blob:; worker-src blob:"
)
HELP = "Scroll to zoom, drag to move, click a pixel to see which Gaussians made it."
EXAMPLE = ("osprey.jpg", (150, 40, 406, 232))
"""A demo photo and the part of it that is the example: left, top, right, bottom."""


def page(field: GaussianField) -> str:
    """The page of a field as HTML.

    Raises:
        ImageError: when the field cannot be packed, see `gsr.field.payload.pack`, or has
            transparency, which a page does not render.
    """
    if field.alpha is not None:
        raise ImageError("a page shows opaque pictures; put this one on a background first.")
    about = describe(field) | {"made": made(field, "any").comment(ROOM[".svg"])}
    title = titled(about["name"], field)
    return _filled(
        "page.js",
        title=f"{title} · gsr",
        heading=title,
        said=f"{about['width']} × {about['height']} Gaussians of the model {field.model}",
        help=f"{HELP} This page holds the whole field and asks nothing of the network.",
        data=(_json("about", about), _bytes("field", pack(field))),
    )


def encoder_page(model: GaussianSR) -> str:
    """The page that encodes pictures with a model, as HTML.

    Raises:
        ConfigError: a model that a page cannot run, see `gsr_apps.encoder.weights.pack`.
    """
    packed = pack_model(model)
    sample = model.encode(torch.zeros(3, 1, 1))  # what is said of a field is said of its model
    about = {
        "label": label_of(sample),
        "made": made(sample, "any").comment(),
        "example": EXAMPLE[0],
    }
    worker = bundle(encoder.STATIC / "worker.js").replace("export default prepare;", "")
    return _filled(
        "encoding.js",
        title=f"gsr, {model.name}",
        heading="gsr",
        said=f"Pictures at any magnification, with the model {model.name}, in this page alone",
        help=f"{HELP} Pictures stay on this device: the page asks nothing of the network.",
        data=(
            _json("about", about),
            _bytes("model", packed),
            _bytes("example", _example()),
            _script("worker", "text/plain", worker),
        ),
    )


def write_page(field: GaussianField, path: str | Path) -> Path:
    """Write the page of a field, whole or not at all.

    Raises:
        OutputError: another suffix than `.html`, or a failing file system.
        ImageError: see `page`.
    """
    return _written(path, lambda: page(field))


def write_encoder_page(model: GaussianSR, path: str | Path) -> Path:
    """Write the page that encodes pictures, whole or not at all.

    Raises:
        OutputError: another suffix than `.html`, or a failing file system.
        ConfigError: see `encoder_page`.
    """
    return _written(path, lambda: encoder_page(model))


def _written(path: str | Path, make: Callable[[], str]) -> Path:
    path = Path(path)
    if not is_page_file(path):
        raise OutputError(f"{path} must end in {PAGE_SUFFIX}, got {path.suffix or 'no suffix'!r}.")
    text = make()
    with writing(path) as file:
        file.write(text.encode())
    return path


def _filled(
    host: str, *, title: str, heading: str, said: str, help: str, data: tuple[str, ...]
) -> str:
    """The page around a host's modules; its words are escaped here."""
    styles = (viewer.STATIC / "viewer.css", FOLDER / "page.css")
    words = {"title": title, "heading": heading, "said": said, "help": help}
    return Template((FOLDER / "page.html").read_text(encoding="utf-8")).substitute(
        {name: escape(text) for name, text in words.items()},
        policy=POLICY,
        generator=f"gsr {__version__}",
        style="".join(path.read_text(encoding="utf-8") for path in styles),
        data="\n".join(data),
        module=bundle(FOLDER / host).replace("export default start;", "start();"),
    )


def _json(name: str, values: Any) -> str:
    return _script(name, "application/json", json.dumps(values).replace("<", "\\u003c"))


def _bytes(name: str, data: bytes) -> str:
    return _script(name, "text/plain", base64.b64encode(data).decode())


def _script(name: str, kind: str, text: str) -> str:
    """A script element that is data, which its text must not end."""
    assert "</script" not in text.lower()
    return f'<script id="{name}" type="{kind}">{text}</script>'


def _example() -> bytes:
    """A part of a demo photo as a small JPEG."""
    name, box = EXAMPLE
    photo = next(path for path in demo_photos() if path.name == name)
    out = io.BytesIO()
    with Image.open(photo) as image:
        image.convert("RGB").crop(box).save(out, "JPEG", quality=92)
    return out.getvalue()
