"""The page around the viewer: edits, downloads, the tour, menus, panels."""

import json

import pytest
from helpers.browser import opened_page, running_app, settle

pytestmark = pytest.mark.browser

EDITED = "() => document.querySelector('.gsr-viewer').gsr.picture.edited"
NAME = "() => document.querySelector('.gsr-viewer').gsr.picture.name"
TIDY = """() => {
  document.querySelectorAll('.gsr-menu').forEach((menu) => { menu.open = false; });
  const ours = '.gsr-panel:not([hidden]) .gsr-plain, .gsr-notice [aria-label=Dismiss]';
  document.querySelectorAll(ours).forEach((button) => button.click());
  const reset = (button) => button.textContent === 'Reset';
  [...document.querySelectorAll('.gsr-whatif button')].find(reset).click();
}"""
LIGHT = """(kernel) => document.querySelector('.gsr-plot')
  .emit('plotly_click', {points: [{customdata: kernel}]})"""


@pytest.fixture(scope="module")
def address(weights, photo):
    with running_app(weights, photo) as address:
        yield address


@pytest.fixture(scope="module")
def shared_page(browser, address):
    return opened_page(browser, address)


@pytest.fixture
def page(shared_page):
    """The page without edits, panels, menus and notices; afterwards nothing may have gone wrong."""
    yield shared_page
    shared_page.evaluate(TIDY)
    shared_page.wait_for_function(f"() => !({EDITED})()")
    settle(shared_page)
    # The browser itself reports every refusal of a server; those here were meant.
    assert [text for text in shared_page.problems if "status of 4" not in text] == []


def what_if(page):
    page.get_by_role("button", name="What if", exact=True).click()


def listed(page):
    return page.locator(".gsr-edits li").all_inner_texts()


def shuffle(page):
    what_if(page)
    page.get_by_role("button", name="Shuffle").click()
    page.wait_for_function(EDITED)
    settle(page)


def edits_file(*edits):
    text = json.dumps({"format": "gsr-edits", "version": 1, "edits": edits})
    return {"name": "edits.json", "mimeType": "application/json", "buffer": text.encode()}


@pytest.mark.parametrize("wrong", [{"kind": "force", "kernel": 5000}, {"kind": "paint"}, None])
def test_refused_edits_leave_the_list_as_it_was(page, wrong):
    shuffle(page)
    page.locator(".gsr-whatif input[type=file]").set_input_files(edits_file(wrong))
    page.wait_for_selector(".gsr-notice.gsr-wrong")
    assert listed(page) == ["Choices shuffled"]
    assert page.get_by_role("button", name="Redo").is_disabled()
    assert "shuffle" in page.url
    page.get_by_role("button", name="Undo").click()
    page.wait_for_function(f"() => !({EDITED})()")


def test_an_address_loses_edits_that_are_refused(page, browser, address):
    wrong = '&edits=[{"kind":"force","kernel":5000}]'
    other = opened_page(browser, page.url + wrong)
    other.wait_for_selector(".gsr-notice.gsr-wrong")
    other.wait_for_function("() => !location.hash.includes('edits')")
    other.close()


def test_nowhere_is_about_the_kernel_in_the_box(page):
    page.get_by_role("button", name="Kernels", exact=True).click()
    page.wait_for_selector(".gsr-plot .barlayer .point", state="attached", timeout=20_000)
    page.evaluate(LIGHT, 5)
    what_if(page)
    assert page.get_by_role("button", name="Lit ones nowhere").is_hidden()
    page.evaluate(LIGHT, 7)
    page.get_by_label("Kernel to change").fill("34")
    page.get_by_label("Kernel to change").press("Enter")
    page.get_by_role("button", name="Lit ones nowhere").wait_for()
    page.get_by_role("button", name="Nowhere", exact=True).click()
    page.wait_for_function(EDITED)
    assert listed(page) == ["Without kernel 34"]
    assert page.evaluate("() => document.querySelector('.gsr-viewer').gsr.inside.lit") == []
