"""What a whole field can be written as: one table for the command line, the app and its page.

To add a format, write a function of a field and a path, and name it here by its suffix.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gsr.base.coords import View
from gsr.base.files import FIELD_SUFFIX, PAGE_SUFFIX
from gsr.base.limits import whole_pixels
from gsr.field import GaussianField
from gsr.field.svg import overlay_svg, save_svg

LONGEST = 2048
"""Pixels of the longer side of a drawing, where that is within four times the picture."""


@dataclass(frozen=True)
class Export:
    """One format.

    Attributes:
        name: A word for addresses.
        media_type: Of the file.
        label: For a menu.
        about: A sentence, in which `{field}` stands for what the field is called.
        write: Raises `GsrError` where the format cannot hold the field.
    """

    name: str
    media_type: str
    label: str
    about: str
    write: Callable[[GaussianField, Path], object]


def _drawing(field: GaussianField, path: Path) -> None:
    height, width = field.lr_size
    scale = min(4, LONGEST / max(height, width))
    size = whole_pixels(scale * height), whole_pixels(scale * width)
    save_svg(overlay_svg(field, View.whole(field.lr_size, size), thin=True), path)


EXPORTS = {
    PAGE_SUFFIX: Export(
        "page",
        "text/html",
        "A page that zooms (HTML)",
        "One page with {field} inside: it zooms and explains without a server.",
        GaussianField.to_html,
    ),
    FIELD_SUFFIX: Export(
        "field",
        "application/octet-stream",
        "The field (to open again)",
        "All Gaussians of {field}; gsr and this page open it again without encoding.",
        GaussianField.save,
    ),
    ".svg": Export(
        "drawing",
        "image/svg+xml",
        "Whole picture with ellipses (SVG)",
        "{field} with vector ellipses, as sharp as any printer.",
        _drawing,
    ),
}
"""By suffix; the first is what `gsr export` writes unless told."""
