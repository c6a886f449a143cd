"""A field as one self-contained page: viewer, field and overlays in a file that needs no server."""

import base64
import json
from html import escape
from pathlib import Path
from string import Template

from gsr import GaussianField
from gsr.base.atomic import writing
from gsr.base.errors import ImageError, OutputError
from gsr.base.files import PAGE_SUFFIX, is_page_file
from gsr.field.payload import pack
from gsr.field.provenance import ROOM, made, titled

from .. import viewer
from ..viewer.bundle import bundle
from ..viewer.payloads import describe

FOLDER = Path(__file__).parent

# Scripts may be inline, and nothing at all may be asked of the network.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; connect-src data: blob:"
)


def page(field: GaussianField) -> str:
    """The page as HTML.

    Raises:
        ImageError: when the field cannot be packed, see `gsr.field.payload.pack`, or has
            transparency, which a page does not render.
    """
    if field.alpha is not None:
        raise ImageError("a page shows opaque pictures; put this one on a background first.")
    about = describe(field) | {"made": made(field, "any").comment(ROOM[".svg"])}
    module = bundle(FOLDER / "page.js").replace("export default start;", "start();")
    style = (viewer.STATIC / "viewer.css").read_text(encoding="utf-8")
    return Template((FOLDER / "page.html").read_text(encoding="utf-8")).substitute(
        policy=POLICY,
        title=escape(titled(about["name"], field)),
        said=f"{about['width']} × {about['height']} Gaussians of the model {escape(field.model)}",
        style=style + (FOLDER / "page.css").read_text(encoding="utf-8"),
        about=_inside_script(json.dumps(about)),
        field=base64.b64encode(pack(field)).decode(),
        module=module,
    )


def write_page(field: GaussianField, path: str | Path) -> Path:
    """Write the page of a field, whole or not at all.

    Raises:
        OutputError: another suffix than `.html`, or a failing file system.
        ImageError: see `page`.
    """
    path = Path(path)
    if not is_page_file(path):
        raise OutputError(f"{path} must end in {PAGE_SUFFIX}, got {path.suffix or 'no suffix'!r}.")
    text = page(field)
    with writing(path) as file:
        file.write(text.encode())
    return path


def _inside_script(text: str) -> str:
    """JSON that cannot end the element it stands in."""
    return text.replace("<", "\\u003c")
