"""Edits while they are made: what stays on the screen, what hands may do, what is kept."""

import io

import pytest
from helpers.browser import EDITED, more, opened_page, settle, tidy
from PIL import Image

pytestmark = pytest.mark.browser

VIEWER = "document.querySelector('.gsr-viewer').gsr"
VISIBLE = f"() => {VIEWER}.viewport.visible()"
LIT = f"() => {VIEWER}.inside.lit"
# Half axes of all ellipses that are drawn from now on, in screen pixels.
WATCH_ELLIPSES = """() => {
  window.axes = new Set();
  const { prototype } = CanvasRenderingContext2D;
  window.genuine ??= prototype.ellipse;
  prototype.ellipse = function (x, y, major, minor, ...rest) {
    window.axes.add(`${major.toFixed(2)} ${minor.toFixed(2)}`);
    return window.genuine.call(this, x, y, major, minor, ...rest);
  };
}"""


@pytest.fixture
def page(shared_page):
    """The page at one view; afterwards nothing may have gone wrong."""
    shared_page.evaluate(
        f"""async () => {{ {VIEWER}.change((await import('/viewer/state.js')).INITIAL);
        {VIEWER}.moved(() => {{
          const {{ viewport }} = {VIEWER};
          Object.assign(viewport, {{ cx: 80, cy: 60 }});
          viewport.setScale(4);
        }}); }}"""
    )
    settle(shared_page)
    yield shared_page
    tidy(shared_page)


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def edits(page):
    return page.locator(".gsr-edits li").all_inner_texts()


def test_ellipses_have_the_shape_that_a_mixture_has(page):
    page.evaluate(f"() => {VIEWER}.change({{ellipses: true}})")
    press(page, "What if")
    press(page, "Mean kernel")
    page.wait_for_function(f"() => {VIEWER}.inside.latest('ellipses')?.major")
    settle(page)
    page.evaluate(WATCH_ELLIPSES)
    page.evaluate(f"() => {VIEWER}.paint()")
    assert len(page.evaluate("() => [...window.axes]")) == 1
    press(page, "Reset")
    page.wait_for_function(f"() => !{VIEWER}.inside.latest('ellipses')?.major")
    page.evaluate("() => { window.axes.clear(); }")
    page.evaluate(f"() => {VIEWER}.paint()")
    assert len(page.evaluate("() => [...window.axes]")) > 3


def test_overlays_stay_while_an_edit_is_on_its_way(page):
    page.evaluate(f"() => {VIEWER}.change({{ellipses: true, map: 'kernel'}})")
    for overlay in ("ellipses", "map"):
        page.wait_for_function(f"() => {VIEWER}.inside.latest('{overlay}')")
    kept = page.evaluate(
        f"""async () => {{
        const {{ picture, transport, inside }} = {VIEWER};
        {VIEWER}.open(picture, transport, {{ edited: true }});
        return Boolean(inside.latest('ellipses') && inside.latest('map')?.kind === 'kernel');
        }}"""
    )
    assert kept
    settle(page)


def test_a_preview_of_the_last_edit_is_let_finish(page):
    stopped = page.evaluate(
        f"""async () => {{
        const {{ Feed }} = await import('/viewer/feed.js');
        const signals = [];
        const load = (_, signal) => new Promise(() => {{ signals.push(signal); }});
        const feed = new Feed(load, () => {{}}, () => {{}});
        const subject = {{}};
        feed.want({VIEWER}.viewport, 'preview', {{ source: 'a', picture: {{}}, subject }});
        feed.want({VIEWER}.viewport, 'preview', {{ source: 'a', picture: {{}}, subject }});
        const same = signals[0].aborted;
        feed.want({VIEWER}.viewport, 'preview', {{ source: 'a', picture: {{}}, subject: {{}} }});
        return [same, signals[0].aborted];
        }}"""
    )
    assert stopped == [False, True]


def test_taking_an_edit_back_keeps_the_kernels_that_are_lit(page):
    press(page, "Kernels")
    page.get_by_label("Number of a kernel").fill("7")
    page.keyboard.press("Enter")
    press(page, "What if")
    press(page, "Shuffle")
    page.wait_for_function(EDITED)
    press(page, "Undo")
    page.wait_for_function(f"() => !({EDITED})()")
    settle(page)
    assert page.evaluate(LIT) == [7]
    press(page, "Kernels")
    press(page, "Clear")


def test_an_address_that_changes_often_is_no_trouble(page):
    press(page, "What if")
    page.evaluate(
        """() => { window.written = 0; window.replace = history.replaceState;
        history.replaceState = () => {
          window.written += 1;
          throw new DOMException('', 'SecurityError');
        }; }"""
    )
    slider = page.get_by_role("slider", name="Opacity")
    for value in ("0.5", "0.6", "0.7", "0.8"):
        slider.evaluate(
            "(e, value) => { e.value = value; e.dispatchEvent(new Event('input')); }", value
        )
    page.wait_for_function(EDITED)
    page.wait_for_function("() => window.written > 0")
    assert page.evaluate("() => window.written") <= 2
    page.evaluate("() => { history.replaceState = window.replace; }")
    page.wait_for_function("() => location.hash.includes('kernel')")  # it is tried again
    assert len(edits(page)) == 1
    assert page.locator(".gsr-notice").is_hidden()


def test_a_quick_stroke_has_no_gaps(page):
    press(page, "What if")
    page.get_by_label("Radius of the brush in picture pixels").evaluate(
        "(e) => { e.value = 2; e.dispatchEvent(new Event('input')); }"
    )
    press(page, "Paint with this kernel")
    box = page.locator(".gsr-stage").bounding_box()
    x, y = (box[k] + 0.55 * box[side] for k, side in (("x", "width"), ("y", "height")))
    page.mouse.move(x, y)  # right of the panel
    page.mouse.down()
    page.mouse.move(x + 200, y)  # 50 picture pixels in one event
    page.mouse.up()
    page.wait_for_function(EDITED)
    painted = int(edits(page)[0].split(" painted on ")[1].split()[0])
    assert 0.8 * 4 * 50 < painted < 1.5 * 4 * 50


def test_two_fingers_zoom_and_do_not_paint(page):
    press(page, "What if")
    press(page, "Paint with this kernel")
    box = page.locator(".gsr-stage").bounding_box()
    x, y = box["x"] + 0.55 * box["width"], box["y"] + 300  # right of the panel
    before = page.evaluate(VISIBLE)["scale"]
    touch = page.context.new_cdp_session(page)

    def send(kind, *places):
        points = [{"x": px, "y": py, "id": i} for i, (px, py) in enumerate(places)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    send("touchStart", (x, y))
    send("touchStart", (x, y), (x + 60, y))
    send("touchMove", (x, y), (x + 120, y))
    send("touchEnd")
    touch.detach()
    settle(page)
    assert page.evaluate(VISIBLE)["scale"] == pytest.approx(2 * before, rel=0.05)
    assert not page.evaluate(EDITED)
    press(page, "Paint with this kernel")


def test_an_address_is_the_whole_view(page):
    plain = page.evaluate("() => location.hash")
    page.evaluate(f"() => {VIEWER}.change({{mode: 'wipe', ellipses: true, map: 'entropy'}})")
    page.wait_for_function("() => location.hash.includes('wipe')")
    page.evaluate("(plain) => { location.hash = plain; }", plain)
    page.wait_for_function(f"() => {VIEWER}.state.mode === 'side'")
    state = page.evaluate(f"() => {VIEWER}.state")
    assert (state["ellipses"], state["map"]) == (False, "none")


def test_the_large_original_is_measured_against_what_is_there(page, photo):
    press(page, "What if")
    press(page, "Shuffle")
    page.wait_for_function(EDITED)
    before = page.evaluate(VISIBLE)
    out = io.BytesIO()
    with Image.open(photo) as image:
        image.resize((320, 240)).save(out, "PNG")
    large = {"name": "large.png", "mimeType": "image/png", "buffer": out.getvalue()}
    more(page).get_by_text("Ground truth", exact=True).click()
    with page.expect_request(lambda request: "/truth" in request.url):
        page.locator(".gsr-truth input[type=file]").set_input_files(large)
    page.wait_for_function(f"() => {VIEWER}.picture.truth && {VIEWER}.picture.edited")
    settle(page)
    assert edits(page) == ["Choices shuffled"]
    after = page.evaluate(VISIBLE)
    assert (after["x"], after["y"]) == pytest.approx((before["x"], before["y"]), abs=0.2)
    page.wait_for_function("() => document.body.innerText.includes('dB before')", timeout=30_000)


def test_what_is_in_view_ends_where_the_picture_ends(page):
    page.evaluate(f"() => {VIEWER}.moved(() => {VIEWER}.viewport.setScale(1))")
    settle(page)
    page.get_by_text("Download", exact=True).first.click()
    page.get_by_label("What to save").select_option("view")
    page.get_by_text("160 × 120 pixels of").wait_for()
    page.get_by_label("What to save").select_option("whole")


def test_a_few_pixels_have_no_ssim(page):
    page.evaluate(f"() => {VIEWER}.parts.menus[0].score({{psnr: 30.125, ssim: null}})")
    assert page.locator(".gsr-score").first.inner_text() == "PSNR 30.13 dB, this view"
    page.evaluate(f"() => {VIEWER}.parts.menus[0].score(null)")


def test_the_button_that_cancels_stays_the_same(page):
    kept = page.evaluate(
        """async () => {
        const { Notices } = await import('/page/notices.js');
        const notices = new Notices();
        let stopped = 0;
        notices.showBusy('one', () => { stopped += 1; }, 0.1);
        const button = notices.element.querySelector('button');
        notices.showBusy('two', () => { stopped += 10; }, 0.2);
        notices.element.querySelector('button').click();
        return [button === notices.element.querySelector('button'), stopped];
        }"""
    )
    assert kept == [True, 10]


@pytest.mark.parametrize("density", [1.25, 2])
def test_frames_fit_the_pixels_of_any_screen(browser, address, density):
    page = opened_page(browser, address, device_scale_factor=density)
    width = page.evaluate(f"() => {VIEWER}.parts.pixels.width")
    css = page.evaluate(f"() => {VIEWER}.stage.getBoundingClientRect().width")
    assert width == pytest.approx(density * css, abs=1)
    settle(page)
    page.close()
