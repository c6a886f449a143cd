"""The zoom dragged from 1 to 16, as a hand would: what is drawn, and what stands there at last.

`pytest -s` prints how many frames there were; no number of them is asserted, machines differ.
"""

import base64

import numpy as np
import pytest
from gsr_apps.demos import demo_photos
from helpers.browser import look, opened_page, running_app, settle
from PIL import Image

from gsr import View, load

pytestmark = pytest.mark.browser

DRAG = """async () => {
  const viewer = document.querySelector('.gsr-viewer').gsr;
  const slider = document.querySelector('.gsr-ruler');
  const place = (scale) => Math.log(scale / 0.25) / Math.log(256);
  const begin = performance.now();
  const before = [viewer.painted, viewer.receivedFrames];
  while (performance.now() - begin < 3000) {
    await new Promise(requestAnimationFrame);
    const part = Math.min(1, (performance.now() - begin) / 3000);
    slider.value = place(16 ** part);
    slider.dispatchEvent(new Event('input'));
  }
  return [viewer.painted - before[0], viewer.receivedFrames - before[1]];
}"""
# The exact frame as the viewer got it: its view, and its pixels.
FRAME = """() => {
  const { bitmap, view, quality } = document.querySelector('.gsr-viewer').gsr.frames[1];
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext('2d');
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
  let text = '';
  for (let i = 0; i < data.length; i++) if (i % 4 < 3) text += String.fromCharCode(data[i]);
  return { view, quality, pixels: btoa(text) };
}"""


@pytest.fixture(scope="module")
def large_photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("photo") / "large.png"
    with Image.open(demo_photos()[0]) as image:
        image.crop((160, 20, 416, 212)).save(path)
    return path


def test_the_zoom_follows_the_hand_and_ends_exact(browser, weights, large_photo, capsys):
    with running_app(weights, large_photo) as address:
        page = opened_page(browser, address)
        look(page).get_by_role("button", name="One", exact=True).click()
        settle(page)
        drawn, received = page.evaluate(DRAG)
        settle(page)
        got = page.evaluate(FRAME)
        assert page.problems == []
        page.close()
    with capsys.disabled():
        print(f"\n[in a second: {drawn / 3:.0f} frames drawn, {received / 3:.1f} served]")
    assert received > 0
    assert got["quality"] == "exact"
    where = got["view"]
    size = where["rows"], where["columns"]
    view = View(where["x"], where["y"], where["width"], where["height"], size)
    expected = np.asarray(load(weights).encode(large_photo).render(view=view))
    pixels = np.frombuffer(base64.b64decode(got["pixels"]), "u1").reshape(*size, 3)
    assert np.array_equal(pixels, expected)
