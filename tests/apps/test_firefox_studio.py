"""The Studio in Firefox: start, zoom, explain, edit, a phone's size."""

from collections.abc import Iterator
from typing import Any

import pytest
from helpers import firefox
from helpers.browser import READY

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(firefox.missing()), reason=f"needs {firefox.missing()}"),
]

VIEWER = "document.querySelector('.gsr-viewer').gsr"


@pytest.fixture(scope="module")
def page(address: str) -> Iterator[Any]:
    with firefox.opened() as page:
        page.size(900, 620)
        page.goto(address)
        page.wait(READY)
        yield page


def test_start_zoom_explain_and_edit(page: Any) -> None:
    before = page.evaluate(f"{VIEWER}.place.zoom")
    page.moveTo(600, 250)
    page.wheel(-300)
    page.wait(READY)
    assert page.evaluate(f"{VIEWER}.place.zoom") > before
    page.clickAt(600, 250)
    page.wait(".gsr-explain:not([hidden]) .gsr-share-row")
    page.evaluate("document.querySelector('.gsr-explain .gsr-plain').click()")
    page.evaluate(
        "[...document.querySelectorAll('.gsr-whatif button')]"
        ".find((button) => button.textContent === 'Shuffle').click()"
    )
    page.wait(".gsr-edited:not([hidden])")
    page.wait(READY)
    assert page.problems() == []


def test_a_phone_sees_all_of_it(page: Any) -> None:
    page.size(390, 700)
    page.wait(READY)
    for side in ("Width", "Height"):
        length = page.evaluate(f"document.documentElement.scroll{side}")
        assert length <= page.evaluate(f"inner{side}")
    assert page.evaluate("document.querySelector('.gsr-stage').clientHeight") > 350
    assert page.problems() == []
