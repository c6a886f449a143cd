"""What goes wrong around a page that is open."""

import json
from urllib.parse import quote

import pytest
from helpers.browser import opened_page, running_app, settle

pytestmark = pytest.mark.browser

ID = "() => document.querySelector('.gsr-viewer').gsr.picture.id"
EDITED = "() => document.querySelector('.gsr-viewer').gsr.picture.edited"
PICTURE = "() => document.querySelector('.gsr-viewer').gsr.picture.name"


def test_a_page_outlives_its_server(browser, weights, photo):
    with running_app(weights, photo) as address:
        page = opened_page(browser, address)
        page.get_by_label("Demo photo cat").click()
        page.wait_for_function(f"() => ({PICTURE})().startsWith('cat')", timeout=60_000)
        settle(page)
        page.get_by_role("button", name="What if", exact=True).click()
        page.get_by_role("button", name="Shuffle").click()
        page.wait_for_function(EDITED)
        settle(page)
    page.keyboard.press("+")
    page.locator(".gsr-stage").press("+")
    page.wait_for_selector(".gsr-notice.gsr-wrong")
    assert "is not responding" in page.locator(".gsr-notice").inner_text()
    with running_app(weights, photo, port=int(address.rsplit(":", 1)[1])):
        page.wait_for_selector(".gsr-notice .gsr-offer", timeout=30_000)
        assert "restarted" in page.locator(".gsr-notice").inner_text()
        assert page.locator(".gsr-message").inner_text() == ""
        page.get_by_role("button", name="Re-encode the picture").click()
        page.wait_for_function("() => document.querySelector('.gsr-notice').hidden", timeout=60_000)
        settle(page)
        assert page.evaluate(PICTURE).startswith("cat")
        page.wait_for_function(EDITED)
        assert page.locator(".gsr-edits li").all_inner_texts() == ["Choices shuffled"]
        page.close()


def test_one_page_never_shows_the_picture_of_another(browser, address):
    first, second = (opened_page(browser, address) for _ in range(2))
    second.get_by_label("Demo photo cat").click()
    second.wait_for_function(f"() => ({PICTURE})().startsWith('cat')", timeout=60_000)
    settle(second)
    assert first.evaluate(PICTURE) == "photo.png"
    first.locator(".gsr-stage").press("+")
    settle(first)
    ids = [
        page.evaluate("() => document.querySelector('.gsr-viewer').gsr.picture.id")
        for page in (first, second)
    ]
    assert ids[0] != ids[1]
    assert first.problems == second.problems == []
    first.close()
    second.close()


def test_an_address_of_a_forgotten_picture_says_so_and_shows_another(browser, address):
    page = opened_page(browser, f"{address}/#id=gone&at=3,3&zoom=4")
    assert page.evaluate(PICTURE) == "photo.png"
    assert "no longer in memory" in page.locator(".gsr-notice").inner_text()
    page.close()


def test_a_zoom_that_is_no_number_is_marked(browser, address):
    page = opened_page(browser, address)
    box = page.get_by_label("Scale as a number")
    scale = "() => document.querySelector('.gsr-viewer').gsr.viewport.scale"
    begun = page.evaluate(scale)
    for text in ("many", "1000", ""):
        box.fill(text)
        box.press("Enter")
        assert box.get_attribute("data-wrong") is not None
        assert page.evaluate(scale) == begun
    box.fill("x 3,7")
    box.press("Enter")
    page.wait_for_function(f"() => ({scale})() === 3.7")
    assert page.problems == []
    page.close()


def test_the_file_of_a_forgotten_picture_brings_back_place_and_edits(browser, address, photo):
    edits = quote(json.dumps([{"kind": "shuffle", "seed": 1}]))
    page = opened_page(browser, f"{address}/#id=gone&at=50,40&zoom=9&edits={edits}")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Open it again").click()
    chooser.value.set_files(str(photo))
    page.wait_for_function(EDITED, timeout=60_000)
    settle(page)
    place = page.evaluate("document.querySelector('.gsr-viewer').gsr.place")
    assert place == {"x": 50, "y": 40, "zoom": 9}
    page.close()


def test_back_goes_back_to_the_last_picture_and_its_edits(browser, address):
    page = opened_page(browser, address)
    page.get_by_role("button", name="What if", exact=True).click()
    page.get_by_role("button", name="Shuffle").click()
    page.wait_for_function(EDITED)
    settle(page)
    page.keyboard.press("Escape")
    page.get_by_label("Demo photo cat").click()
    page.wait_for_function(f"() => ({PICTURE})().startsWith('cat')", timeout=60_000)
    page.go_back()
    page.wait_for_function(f"() => ({PICTURE})() === 'photo.png'", timeout=60_000)
    page.wait_for_function(EDITED)
    page.locator(".gsr-stage").focus()
    page.keyboard.press("Control+z")
    page.wait_for_function(f"() => !({EDITED})()")
    page.keyboard.press("Control+y")
    page.wait_for_function(EDITED)
    assert page.problems == []
    page.close()
