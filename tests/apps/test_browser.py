import base64
import io
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from helpers.browser import look, more, opened_page, settle
from PIL import Image

from gsr import View, load
from gsr.field.edits import Shuffle, loads

pytestmark = pytest.mark.browser


# Pixels of one pane as they are on the screen, and the view they show.
READ_PANE = """async (which) => {
  const viewer = document.querySelector('.gsr-viewer').gsr;
  viewer.paint();
  const pane = viewer.panes[which];
  const cut = new OffscreenCanvas(pane.width, pane.height);
  cut.getContext('2d').drawImage(viewer.parts.pixels, -pane.x, -pane.y);
  const bytes = new Uint8Array(await (await cut.convertToBlob()).arrayBuffer());
  const png = btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ''));
  return {view: viewer.viewport.visible(), png};
}"""
READ_MARKS = """() => {
  const canvas = document.querySelector('.gsr-viewer').gsr.parts.marks;
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  return data.reduce((sum, value) => sum + (value > 0), 0);
}"""
VIEW = "() => document.querySelector('.gsr-viewer').gsr.viewport.visible()"
BARS = """() => document.querySelector('.gsr-plot').data.find((t) => t.type === 'bar').y"""
MEASURED = """() => [...document.querySelectorAll('.gsr-score')]
  .every((score) => score.textContent.includes('dB'))"""
EDITED = "() => document.querySelector('.gsr-viewer').gsr.picture.edited"
KERNELS_BY_SHARE = """() => document.querySelector('.gsr-viewer').gsr.picture.kernels
  .map((kernel, i) => [kernel.share, i]).sort((a, b) => b[0] - a[0]).map(([, i]) => i)"""
# Plotly finds what is clicked from where the pointer was last.
CLICK_KERNEL = """(kernel) => document.querySelector('.gsr-plot')
  .emit('plotly_click', {points: [{customdata: kernel}]})"""
ZOOM_TO = "(scale) => document.querySelector('.gsr-viewer').gsr.zoomTo(scale)"
# Frames wait until `held` is called.
HOLD_FRAMES = """() => {
  const { transport } = document.querySelector('.gsr-viewer').gsr;
  const { ask } = transport;
  const released = new Promise((go) => { window.held = go; });
  transport.ask = async (what, ...asked) => {
    if (what === 'frame') await released;
    return ask(what, ...asked);
  };
}"""
PICTURE = "() => document.querySelector('.gsr-viewer').gsr.picture.name"


@pytest.fixture
def page(shared_page):
    """The page, with the same view each time; afterwards nothing may have gone wrong."""
    shared_page.evaluate(
        """async () => { const v = document.querySelector('.gsr-viewer').gsr; v.select(null);
        v.change((await import('/viewer/state.js')).INITIAL);
        v.moved(() => { v.viewport.cx = 80; v.viewport.cy = 60; v.viewport.setScale(4); }); }"""
    )
    settle(shared_page)
    yield shared_page
    assert shared_page.problems == []


def read_pane(page, which):
    got = page.evaluate(READ_PANE, which)
    view = got["view"]
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(got["png"]))).convert("RGB"))
    place = View(
        view["x"], view["y"], view["width"], view["height"], (view["rows"], view["columns"])
    )
    return pixels.astype(int), place


def centre_of_right_pane(page):
    box = page.locator(".gsr-stage").bounding_box()
    return box["x"] + 0.75 * box["width"], box["y"] + 0.5 * box["height"]


def test_the_slider_shows_the_cores_own_pixels(page, weights, photo):
    before, _ = read_pane(page, 1)
    slider = page.get_by_label("Scale", exact=True)
    for value in (0.55, 0.6, 0.65):
        slider.evaluate("(e, v) => { e.value = v; e.dispatchEvent(new Event('input')); }", value)
    assert page.locator(".gsr-quality").inner_text() in ("preview", "exact")
    settle(page)
    after, view = read_pane(page, 1)
    assert view.scale[0] == pytest.approx(256**0.65 / 4, rel=1e-3)
    assert np.abs(after - before).mean() > 1
    expected = np.asarray(load(weights).encode(photo).render(view=view)).astype(int)
    inside = inner(view, (120, 160))
    assert np.abs(after - expected)[inside].max() <= 1
    assert page.locator(".gsr-quality").inner_text() == "exact"


def inner(view, lr_size):
    """Mask of the output pixels that lie in the picture."""
    ys = view.y + (np.arange(view.size[0]) + 0.5) * view.height / view.size[0]
    xs = view.x + (np.arange(view.size[1]) + 0.5) * view.width / view.size[1]
    inside_y, inside_x = (ys > 0) & (ys < lr_size[0]), (xs > 0) & (xs < lr_size[1])
    return inside_y[:, None] & inside_x[None]


def test_left_is_bicubic_at_the_same_place(page, photo):
    page.evaluate("() => document.querySelector('.gsr-viewer').gsr.zoomTo(8)")
    settle(page)
    left, view = read_pane(page, 0)
    box = (view.x, view.y, view.x + view.width, view.y + view.height)
    with Image.open(photo) as image:
        expected = image.resize(view.size[::-1], Image.Resampling.BICUBIC, box=box)
    assert np.abs(left - np.asarray(expected)).mean() < 0.5


def test_a_click_explains_with_shares_that_make_100(page):
    page.mouse.click(*centre_of_right_pane(page))
    page.wait_for_selector(".gsr-shares li")
    shares = page.locator(".gsr-share").all_inner_texts()
    values = [float(text.rstrip(" %")) for text in shares]
    assert 2 <= len(values) <= 9  # at most the eight largest, and the others
    assert min(values[:-1]) >= 0.5  # what is less stands with the others
    assert round(sum(values), 6) == 100
    numbers = page.locator(".gsr-term small").all_inner_texts()
    mixed, added, shown = ([int(v.replace("−", "-")) for v in n.split(",")] for n in numbers)
    assert all(abs(a + b - c) <= 1 for a, b, c in zip(mixed, added, shown, strict=True))
    page.locator(".gsr-stage").focus()
    page.keyboard.press("Escape")
    assert page.locator(".gsr-explain").is_hidden()


def test_ellipses_and_kernel_map_draw_over_the_picture(page):
    assert page.evaluate(READ_MARKS) == 0
    look(page).get_by_label("Ellipses", exact=True).check()
    page.wait_for_function(f"() => ({READ_MARKS})() > 1000")
    assert "1.0 σ" in page.locator(".gsr-status").inner_text()
    page.get_by_label("Ellipses", exact=True).uncheck()
    for name in ("kernel", "confidence", "entropy"):
        page.get_by_label("Map over the picture").select_option(name)
        page.wait_for_function(f"() => ({READ_MARKS})() > 10000")
    page.get_by_label("Map over the picture").select_option("none")
    page.wait_for_function(f"() => ({READ_MARKS})() === 0")


def test_the_wheel_keeps_the_point_under_the_cursor(page):
    box = page.locator(".gsr-stage").bounding_box()
    x, y = round(box["x"] + 0.62 * box["width"]), round(box["y"] + 0.4 * box["height"])
    under = """([x, y]) => { const v = document.querySelector('.gsr-viewer').gsr;
      const box = v.stage.getBoundingClientRect();
      return v.viewport.toPicture(...v.screen.local(x - box.left, y - box.top)); }"""
    page.evaluate(ZOOM_TO, 8)  # where the picture is larger than the pane
    page.mouse.move(x, y)
    before, scale = page.evaluate(under, [x, y]), page.evaluate(VIEW)["scale"]
    for _ in range(4):
        page.mouse.wheel(0, -120)
    settle(page)
    assert page.evaluate(VIEW)["scale"] > 1.5 * scale
    assert page.evaluate(under, [x, y]) == pytest.approx(before, abs=1e-6)
    assert "kernel" in page.locator(".gsr-status").inner_text()


def test_dragging_moves_the_picture_with_the_hand(page):
    x, y = centre_of_right_pane(page)
    page.evaluate(ZOOM_TO, 8)
    before = page.evaluate(VIEW)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 40, y + 20, steps=4)
    page.mouse.up()
    after = page.evaluate(VIEW)
    assert after["x"] - before["x"] == pytest.approx(5, abs=0.01)
    assert after["y"] - before["y"] == pytest.approx(-2.5, abs=0.01)
    assert page.locator(".gsr-explain").is_hidden()
    settle(page)


def test_a_picture_cannot_be_pushed_out_of_its_pane(page):
    stage = page.locator(".gsr-stage")
    stage.focus()
    page.evaluate(ZOOM_TO, 8)
    for _ in range(30):
        page.keyboard.press("ArrowRight")
    view = page.evaluate(VIEW)
    assert view["x"] + view["width"] == pytest.approx(160)  # its edge at the pane's, no further
    page.keyboard.press("0")
    for key in ("ArrowRight", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
    view = page.evaluate(VIEW)
    assert view["x"] + view["width"] / 2 == pytest.approx(80)
    assert view["y"] + view["height"] / 2 == pytest.approx(60)
    settle(page)


def test_no_method_stands_under_the_name_of_another(page):
    menu = page.get_by_label("What the right side shows", exact=True)
    shown = menu.evaluate("select => select.value")
    waiting = page.locator(".gsr-pane-label[data-pane='1'] .gsr-waiting")
    menu.select_option("gsr:residual")
    settle(page)
    grey, _ = read_pane(page, 1)
    page.evaluate(HOLD_FRAMES)
    menu.select_option("lanczos")
    waiting.wait_for()
    below, _ = read_pane(page, 1)  # the picture itself, not the correction
    assert np.abs(below - grey).mean() > 5
    page.evaluate("() => window.held()")
    settle(page)
    assert waiting.is_hidden()
    menu.select_option(shown)
    settle(page)


def test_an_explanation_says_when_its_colour_is_not_on_the_screen(page):
    menu = page.get_by_label("What the right side shows", exact=True)
    shown = menu.evaluate("select => select.value")
    page.mouse.click(*centre_of_right_pane(page))
    page.wait_for_selector(".gsr-shares li")
    assert page.locator(".gsr-elsewhere").count() == 0
    menu.select_option("nearest")
    settle(page)
    page.mouse.click(*centre_of_right_pane(page))
    page.wait_for_selector(".gsr-elsewhere")
    menu.select_option(shown)
    settle(page)


def test_the_explanation_is_used_by_keyboard(page):
    page.locator(".gsr-stage").focus()
    page.keyboard.press("Enter")
    row = page.locator(".gsr-share-row").nth(1)
    row.wait_for()
    row.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('.gsr-share-row[aria-pressed=true]')")
    assert row.evaluate("row => row === document.activeElement")
    page.keyboard.press("Escape")
    assert page.locator(".gsr-explain").is_hidden()
    assert page.evaluate("() => document.activeElement.className").startswith("gsr-stage")


def test_what_was_ticked_stays_under_the_pointer(page):
    box = look(page).get_by_label("Ellipses", exact=True)
    before = box.bounding_box()
    box.check()
    page.get_by_label("Colour of the ellipses").wait_for()
    after = box.bounding_box()
    assert (after["x"], after["y"]) == pytest.approx((before["x"], before["y"]), abs=1)
    box.uncheck()
    settle(page)


def test_keys(page):
    page.locator(".gsr-stage").focus()
    page.keyboard.press("1")
    assert page.evaluate(VIEW)["scale"] == 1
    page.keyboard.press("+")
    assert page.evaluate(VIEW)["scale"] == pytest.approx(1.2)
    page.keyboard.press("0")
    view = page.evaluate(VIEW)
    assert min(view["width"] / 160, view["height"] / 120) == pytest.approx(1)
    page.keyboard.press("ArrowRight")  # all of it is there: nothing to move to
    assert page.evaluate(VIEW) == view
    for _ in range(4):
        page.keyboard.press("+")
    before = page.evaluate(VIEW)["x"]
    page.keyboard.press("ArrowRight")
    assert page.evaluate(VIEW)["x"] > before
    settle(page)


def test_wipe_shows_both_methods_at_one_place(page):
    look(page).get_by_role("button", name="Wipe").click()
    settle(page)
    left, view = read_pane(page, 0)
    assert view.size[1] == page.locator(".gsr-stage").evaluate("e => e.clientWidth")
    page.get_by_role("slider", name="Border").press("ArrowRight")
    settle(page)
    moved, _ = read_pane(page, 0)
    changed = np.abs(moved - left).sum((0, 2)).nonzero()[0]
    half = view.size[1] // 2
    assert changed.size == 0 or (changed.min() >= half - 2 and changed.max() <= 0.53 * view.size[1])
    look(page).get_by_role("button", name="Side by side").click()


def test_layers_change_the_right_side_only(page):
    left, right = (read_pane(page, i)[0] for i in (0, 1))
    page.get_by_label("What the right side shows", exact=True).select_option("gsr:residual")
    settle(page)
    assert np.array_equal(read_pane(page, 0)[0], left)
    assert np.abs(read_pane(page, 1)[0] - right).mean() > 5
    page.get_by_label("What the right side shows", exact=True).select_option("gsr:result")
    settle(page)


def test_a_broken_file_says_so_and_the_picture_stays(page):
    name, pixels = page.evaluate(PICTURE), read_pane(page, 1)[0]
    page.locator(".gsr-top > input[type=file]").set_input_files(
        {"name": "broken.png", "mimeType": "image/png", "buffer": b"not a picture"}
    )
    page.wait_for_selector(".gsr-notice.gsr-wrong")
    assert "broken.png is not an image" in page.locator(".gsr-notice").inner_text()
    assert page.evaluate(PICTURE) == name
    assert np.array_equal(read_pane(page, 1)[0], pixels)
    # The browser itself reports every refusal of a server; this one was meant.
    page.problems[:] = [text for text in page.problems if "400 (Bad Request)" not in text]
    page.get_by_label("Dismiss").click()


def test_picked_kernels_and_regions_are_linked_with_the_figure(page):
    page.get_by_role("button", name="Kernels", exact=True).click()
    page.wait_for_selector(".gsr-plot .barlayer .point", state="attached", timeout=20_000)
    usual = page.evaluate(BARS)
    busiest = page.evaluate(KERNELS_BY_SHARE)[0]
    page.evaluate(CLICK_KERNEL, busiest)
    page.wait_for_function(f"() => ({READ_MARKS})() > 10000")
    assert f"Kernel {busiest}:" in page.locator(".gsr-kernels").inner_text()
    page.get_by_role("button", name="Mark a region").click()
    drag(page, (0.3, 0.3), (0.7, 0.7))
    page.wait_for_function(f"(usual) => String(({BARS})()) !== String(usual)", arg=usual)
    assert sum(page.evaluate(BARS)) == pytest.approx(100, abs=1e-3)
    page.get_by_role("button", name="Clear").click()
    page.wait_for_function(f"() => ({READ_MARKS})() === 0")
    page.get_by_role("button", name="Close: Kernels").click()
    settle(page)


def drag(page, start, stop):
    """Over the right pane; places are fractions of it."""
    box = page.locator(".gsr-stage").bounding_box()
    points = [
        (box["x"] + box["width"] * (0.5 + 0.5 * x), box["y"] + box["height"] * y)
        for x, y in (start, stop)
    ]
    page.mouse.move(*points[0])
    page.mouse.down()
    page.mouse.move(*points[1], steps=4)
    page.mouse.up()


def test_edits_are_seen_undone_and_done_again(page):
    before, _ = read_pane(page, 1)
    page.get_by_role("button", name="What if", exact=True).click()
    settle(page)
    before, _ = read_pane(page, 1)
    page.get_by_role("button", name="Shuffle").click()
    page.wait_for_function(EDITED)
    settle(page)
    shuffled, _ = read_pane(page, 1)
    assert np.abs(shuffled - before).mean() > 0.2
    page.get_by_role("button", name="Undo").click()
    page.wait_for_function(f"() => !({EDITED})()")
    settle(page)
    assert np.array_equal(read_pane(page, 1)[0], before)
    page.get_by_role("button", name="Redo").click()
    page.wait_for_function(EDITED)
    settle(page)
    assert np.array_equal(read_pane(page, 1)[0], shuffled)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save", exact=True).click()
    assert loads(Path(download.value.path()).read_text()) == (Shuffle(0),)
    page.get_by_role("button", name="Reset").click()
    page.wait_for_function(f"() => !({EDITED})()")
    settle(page)
    page.get_by_role("button", name="Close: What if").click()
    settle(page)


def test_who_edits_stays_one_viewer(page):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("button", name="What if", exact=True).click()
    page.get_by_role("button", name="Shuffle").click()
    page.wait_for_function(EDITED)
    settle(page)
    page.get_by_role("button", name="Reset").click()
    page.wait_for_function(f"() => !({EDITED})()")
    settle(page)
    page.get_by_role("button", name="Close: What if").click()
    settle(page)
    queries = [parse_qs(urlsplit(url).query) for url in asked if "/frame?" in url]
    assert len({urlsplit(url).path for url in asked if "/frame?" in url}) > 1  # of two fields
    assert len({query["viewer"][0].rpartition("-")[0] for query in queries}) == 1
    numbers = [int(query["number"][0]) for query in queries]
    assert numbers == sorted(set(numbers))  # the server drops what is older


def test_a_kernel_is_reshaped_by_its_handle_and_painted(page):
    page.get_by_role("button", name="What if", exact=True).click()
    settle(page)
    slider = page.get_by_role("slider", name="Long half axis")
    slider.evaluate("(e) => { e.value = 2.5; e.dispatchEvent(new Event('input')); }")
    page.wait_for_function(EDITED)
    slider.evaluate("(e) => e.dispatchEvent(new Event('change'))")
    page.get_by_role("button", name="Paint with this kernel").click()
    drag(page, (0.4, 0.4), (0.6, 0.6))
    page.wait_for_function("() => document.querySelectorAll('.gsr-edits li').length === 2")
    settle(page)
    listed = page.locator(".gsr-edits li").all_inner_texts()
    assert "reshaped" in listed[0]
    assert "painted on" in listed[1]
    page.get_by_role("button", name="Reset").click()
    page.get_by_role("button", name="Close: What if").click()
    page.wait_for_function(f"() => !({EDITED})()")
    settle(page)


def test_nothing_scrolls_sideways_on_a_small_screen(page):
    page.set_viewport_size({"width": 400, "height": 800})
    page.wait_for_timeout(200)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    page.set_viewport_size({"width": 1100, "height": 700})
    settle(page)


def test_downloads_are_offered_with_their_size(page):
    page.get_by_text("Download", exact=True).first.click()
    page.get_by_label("Size of the file").fill("2")
    page.wait_for_function("() => document.body.innerText.includes('320 × 240 pixels')")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    with Image.open(download.value.path()) as image:
        assert image.size == (320, 240)
    assert download.value.suggested_filename == "photo-x2.png"
    for what, ending in (("svg", ".svg"), ("field", ".gsf")):
        page.get_by_label("What to save").select_option(what)
        with page.expect_download() as download:
            page.get_by_role("button", name="Download", exact=True).click()
        assert download.value.suggested_filename.endswith(ending)
    page.get_by_label("What to save").select_option("whole")
    page.get_by_text("Download", exact=True).first.click()


def test_an_address_brings_back_the_view(page, browser, address):
    page.evaluate(
        """() => { const v = document.querySelector('.gsr-viewer').gsr;
        v.change({mode: 'wipe', wipe: 0.3, ellipses: true, sources: ['lanczos', 'gsr:gaussians']});
        v.moved(() => { v.viewport.cx = 70; v.viewport.cy = 50; v.viewport.setScale(9); }); }"""
    )
    settle(page)
    page.wait_for_function("() => location.hash.includes('zoom=9')")
    seen, where = read_pane(page, 1)
    other = opened_page(browser, page.url)
    settle(other)
    again, place = read_pane(other, 1)
    assert (place.x, place.y) == pytest.approx((where.x, where.y), abs=0.01)
    assert place.scale == pytest.approx(where.scale)
    assert np.array_equal(again, seen)
    other.close()
    page.evaluate(
        """() => document.querySelector('.gsr-viewer').gsr.change({mode: 'side', wipe: 0.5,
        ellipses: false, sources: ['bicubic', 'gsr:result']})"""
    )
    settle(page)


def test_with_a_ground_truth_both_sides_are_measured(page):
    page.get_by_label("Demo photo cat").click()
    page.wait_for_function(f"() => ({PICTURE})().startsWith('cat')", timeout=60_000)
    more(page).get_by_text("Ground truth", exact=True).click()
    page.get_by_role("button", name="Shrink it").click()
    page.wait_for_function(
        "() => document.querySelector('.gsr-viewer').gsr.picture.truth", timeout=60_000
    )
    page.wait_for_function(MEASURED, timeout=30_000)
    page.get_by_role("button", name="What if", exact=True).click()
    page.get_by_role("button", name="Mean kernel").click()
    page.wait_for_function("() => document.body.innerText.includes('dB before')", timeout=30_000)
    page.get_by_role("button", name="Reset").click()
    page.get_by_role("button", name="Close: What if").click()
    settle(page)


def test_the_tour_drives_the_viewer_in_seven_steps(page):
    more(page).get_by_role("button", name="Tour").click()
    titles = set()
    for step in range(1, 8):
        page.wait_for_selector(f".gsr-tour[data-step='{step}']")
        assert page.locator(".gsr-still svg").is_visible()
        titles.add(page.locator(".gsr-tour h2").inner_text())
        page.get_by_role("button", name="Show me").click()
        page.wait_for_selector(f".gsr-tour[data-shown='{step}']", timeout=60_000)
        settle(page)
        page.get_by_role("button", name="Finish" if step == 7 else "Next").click()
    assert len(titles) == 7
    assert page.locator(".gsr-tour").is_hidden()
    page.wait_for_function(f"() => !({EDITED})()")
    settle(page)


def test_a_pasted_picture_opens_at_the_zoom_of_the_start(page):
    page.evaluate("() => document.querySelector('.gsr-viewer').gsr.zoomTo(30)")
    page.evaluate(
        """async (url) => {
          const blob = await (await fetch(url)).blob();
          const data = new DataTransfer();
          data.items.add(new File([blob], 'pasted.png', {type: 'image/png'}));
          const event = {clipboardData: data, bubbles: true};
          document.body.dispatchEvent(new ClipboardEvent('paste', event));
        }""",
        "/demo/text.png",
    )
    page.wait_for_function(f"() => ({PICTURE})() === 'pasted.png'", timeout=60_000)
    settle(page)
    assert page.evaluate(VIEW)["scale"] == 4
    assert "448 × 172" in page.locator(".gsr-name").inner_text()
