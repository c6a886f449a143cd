"""Weights in the browser: offered where a picture is noisy, chosen in the menu, kept in links."""

import io

import numpy as np
import pytest
from helpers.browser import READY, more, settle, tidy
from PIL import Image

pytestmark = pytest.mark.browser

MODEL = "() => document.querySelector('.gsr-viewer').gsr.picture.model"


@pytest.fixture
def page(shared_page):
    yield shared_page
    tidy(shared_page)


def noisy(name: str, levels: float) -> dict:
    grains = np.random.default_rng(0).normal(128, levels, (40, 60, 3)).clip(0, 255)
    file = io.BytesIO()
    Image.fromarray(grains.astype(np.uint8)).save(file, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": file.getvalue()}


def drop(page, file: dict) -> None:
    """Open a picture and wait until it is shown."""
    page.locator(".gsr-studio > header input[type=file]").first.set_input_files(file)
    shown = f"() => document.querySelector('.gsr-viewer').gsr.picture.name === '{file['name']}'"
    page.wait_for_function(shown)
    settle(page)


def wait_for_model(page, name: str) -> None:
    page.wait_for_function(f"() => ({MODEL})() === '{name}'")
    page.wait_for_selector(READY)


def test_a_noisy_picture_is_offered_better_weights_once(page):
    drop(page, noisy("noisy.png", 9))
    notice = page.locator(".gsr-notice")
    assert "is noisy (about 8 levels)" in notice.inner_text()
    page.get_by_role("button", name="Use them", exact=True).click()
    wait_for_model(page, "photo")
    assert notice.is_hidden()
    page.wait_for_function("() => location.hash.includes('weights=photo,1')")
    drop(page, noisy("clean.png", 0))
    assert notice.is_hidden()
    page.wait_for_function("() => !location.hash.includes('weights')")  # a moment later


def test_a_strength_is_chosen_in_the_menu_and_the_view_stays(page):
    drop(page, noisy("clean.png", 0))
    page.evaluate("""() => {
      const { gsr } = document.querySelector('.gsr-viewer');
      gsr.moved(() => gsr.viewport.setScale(9));
    }""")
    settle(page)
    more(page).locator(".gsr-weights summary").click()
    menu = page.locator(".gsr-weights")
    strength = menu.get_by_label("Strength", exact=True)
    assert strength.is_hidden()  # the app's own weights are mixed with nothing
    menu.get_by_label("Weights", exact=True).select_option("photo")
    strength.fill("0.5")
    assert "50 %" in menu.inner_text()
    menu.get_by_role("button", name="Encode again").click()
    wait_for_model(page, "photo at 0.5")
    assert page.evaluate("document.querySelector('.gsr-viewer').gsr.viewport.scale") == 9
    page.wait_for_function("() => location.hash.includes('weights=photo,0.5')")
    more(page).locator(".gsr-weights summary").click()
    assert strength.input_value() == "0.5"
    menu.get_by_label("Weights", exact=True).select_option("tiny")
    menu.get_by_role("button", name="Encode again").click()
    wait_for_model(page, "tiny")


def test_an_address_brings_the_weights_back(page):
    page.evaluate("location.hash = '#demo=coffee&shrink=4&weights=photo,0.25'")
    wait_for_model(page, "photo at 0.25")
    assert page.locator(".gsr-name").inner_text().startswith("coffee")
