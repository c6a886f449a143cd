"""Both pages in Firefox, from disk."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gsr_apps.demos import demo_photos
from gsr_apps.page import write_encoder_page, write_page
from helpers import firefox
from helpers.browser import READY
from PIL import Image

import gsr

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(firefox.missing()), reason=f"not here: {firefox.missing()}"),
]


@pytest.fixture(scope="module")
def page() -> Iterator[firefox.Page]:
    with firefox.opened() as page:
        page.size(900, 620)
        yield page


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    with Image.open(demo_photos()[0]) as image:
        return image.convert("RGB").crop((210, 60, 258, 96))


def test_a_page_of_a_field(page: Any, picture: Image.Image, tmp_path: Path) -> None:
    file = write_page(gsr.load("lite").encode(picture), tmp_path / "field.html")
    page.goto(file.as_uri())
    page.wait(READY)
    before = page.evaluate("document.querySelector('.gsr-viewer').gsr.place.zoom")
    page.moveTo(600, 250)
    page.wheel(-300)
    page.wait(READY)
    assert page.evaluate("document.querySelector('.gsr-viewer').gsr.place.zoom") > before
    page.clickAt(600, 250)
    page.wait(".gsr-explain:not([hidden])")
    assert page.problems() == []


def test_a_page_that_encodes(page: Any, picture: Image.Image, tmp_path: Path) -> None:
    file = write_encoder_page(gsr.load("lite"), tmp_path / "gsr.html")
    picture.save(tmp_path / "photo.png")
    page.goto(file.as_uri() + "?encoder=wasm")
    page.upload("input[type=file]", str(tmp_path / "photo.png"))
    page.wait(READY, 120_000)
    field = gsr.load("lite").encode(picture)
    chosen = page.evaluate("[...window.gsrPage.showing.field.maps.index.values]")
    same = sum(a == b for a, b in zip(chosen, field.index.flatten().tolist(), strict=True))
    assert same >= 0.995 * len(chosen)
    assert page.problems() == []
