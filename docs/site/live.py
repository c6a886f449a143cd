"""A field as a page that needs no server, for people to try."""

import tempfile
from pathlib import Path

from pictures import EYE, PHOTO, reduced
from PIL import Image

import gsr

AROUND = 24
"""Pixels on each side of the eye."""


def page() -> str:
    """Part of the photo, which is small enough for a page that loads at once."""
    x, y = (round(place) for place in EYE)
    box = x - AROUND, y - AROUND, x + AROUND, y + AROUND
    field = gsr.load("lite").encode(reduced(Image.open(PHOTO).convert("RGB")).crop(box))
    with tempfile.TemporaryDirectory() as folder:
        return Path(field.to_html(Path(folder) / "eye.html")).read_text("utf-8")
