"""The page around the viewer: edits, downloads, the tour, menus, panels."""

import json

import pytest
from helpers.browser import EDITED, more, settle, tidy

pytestmark = pytest.mark.browser

VISIBLE = "() => document.querySelector('.gsr-viewer').gsr.viewport.visible()"
NAME = "() => document.querySelector('.gsr-viewer').gsr.picture.name"


@pytest.fixture
def page(shared_page):
    """The page without edits, panels, menus and notices; afterwards nothing may have gone wrong."""
    yield shared_page
    tidy(shared_page)


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
    page.wait_for_function("() => location.hash.includes('shuffle')")
    page.get_by_role("button", name="Undo").click()
    page.wait_for_function(f"() => !({EDITED})()")


def test_an_address_brings_edits_and_loses_those_that_are_refused(page):
    add = '(kernel) => { location.hash += `&edits=[{"kind":"force","kernel":${kernel}}]`; }'
    page.evaluate(add, 5000)
    page.wait_for_selector(".gsr-notice.gsr-wrong")
    page.wait_for_function("() => !location.hash.includes('edits')")
    page.evaluate(add, 5)
    page.wait_for_function(EDITED)
    assert listed(page) == ["Kernel 5 everywhere"]


def test_nowhere_is_about_the_kernel_in_the_box(page):
    page.get_by_role("button", name="Kernels", exact=True).click()
    for kernel in ("5", "7"):
        page.get_by_label("Number of a kernel").fill(kernel)
        page.keyboard.press("Enter")
    what_if(page)
    page.get_by_label("Kernel to change").fill("34")
    page.get_by_label("Kernel to change").press("Enter")
    page.get_by_role("button", name="Remove highlighted").wait_for()
    page.get_by_role("button", name="Remove", exact=True).click()
    page.wait_for_function(EDITED)
    assert listed(page) == ["Without kernel 34"]
    assert page.evaluate("() => document.querySelector('.gsr-viewer').gsr.inside.lit") == []


def test_a_slider_moved_by_keys_is_one_edit(page):
    what_if(page)
    settle(page)
    page.get_by_role("slider", name="Long half axis").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(EDITED)
    assert len(listed(page)) == 1
    page.get_by_role("slider", name="Opacity").focus()
    page.keyboard.press("ArrowLeft")
    assert len(listed(page)) == 2


def test_a_link_says_when_the_edits_are_too_long_for_it(page):
    runs = [[row, column, 1] for row in range(30) for column in range(0, 60, 2)]
    what_if(page)
    painted = {"kind": "paint", "kernel": 3, "runs": runs}
    page.locator(".gsr-whatif input[type=file]").set_input_files(edits_file(painted))
    page.wait_for_function(EDITED)
    more(page).get_by_role("button", name="Copy a link").click()
    page.get_by_text("The edits are too long for an address; use Save.").wait_for()


def test_a_download_is_of_what_the_right_side_shows(page):
    page.evaluate(
        """() => { const v = document.querySelector('.gsr-viewer').gsr;
        v.change({sources: ['bicubic', 'lanczos']}); v.zoomTo(8); }"""
    )
    settle(page)
    page.get_by_text("Download", exact=True).first.click()
    page.get_by_label("What to save").select_option("view")
    page.get_by_text("pixels of Lanczos, as on the right").wait_for()
    size, go = page.get_by_label("Size of the file"), page.locator(".gsr-download .gsr-go")
    assert size.input_value() == "8"
    with page.expect_download() as download:
        go.click()
    assert download.value.suggested_filename == "photo-lanczos-view-x8.png"
    size.fill("")
    page.get_by_text("Type a number above 0").wait_for()
    assert go.is_disabled()
    page.get_by_label("What to save").select_option("whole")
    assert size.input_value() == "8"
    page.get_by_label("What the right side shows", exact=True).select_option("gsr:result")


def test_the_tour_gives_back_what_was_on_show(page):
    shuffle(page)
    page.evaluate(
        """() => { const v = document.querySelector('.gsr-viewer').gsr;
        v.change({mode: 'wipe', wipe: 0.3, sources: ['original:result', 'gsr:result']});
        v.zoomTo(6); }"""
    )
    page.wait_for_function("() => location.hash.includes('zoom=6')")
    before, name = page.url, page.evaluate(NAME)
    more(page).get_by_role("button", name="Tour").click()
    page.get_by_role("button", name="Show me").click(timeout=60_000)
    assert page.evaluate(NAME) != name
    page.get_by_role("button", name="End the tour").click()
    page.wait_for_function(f"(name) => ({NAME})() === name", arg=name)
    page.wait_for_function("(before) => location.href === before", arg=before)
    assert listed(page) == ["Choices shuffled"]
    page.evaluate(
        """() => document.querySelector('.gsr-viewer').gsr
        .change({mode: 'side', sources: ['bicubic', 'gsr:result']})"""
    )


def test_menus_close_by_escape_and_by_a_click_that_means_nothing_else(page):
    menu = page.locator(".gsr-download")
    menu.locator("summary").click()
    page.get_by_label("What to save").focus()
    page.keyboard.press("Escape")
    assert page.get_by_label("What to save").is_hidden()
    assert menu.locator("summary").evaluate("(e) => e === document.activeElement")
    menu.locator("summary").click()
    page.locator(".gsr-stage").click(position={"x": 800, "y": 300})
    assert page.get_by_label("What to save").is_hidden()
    settle(page)
    assert page.locator(".gsr-explain").is_hidden()


def test_all_demo_photos_can_be_reached(page):
    strip = page.locator(".gsr-strip")
    page.set_viewport_size({"width": 740, "height": 700})
    strip.hover()
    page.mouse.wheel(0, 2000)
    end = "(e) => e.scrollLeft > 0 && e.scrollLeft + e.clientWidth >= e.scrollWidth - 1"
    page.wait_for_function(f"() => ({end})(document.querySelector('.gsr-strip'))")
    page.set_viewport_size({"width": 1440, "height": 700})
    assert strip.evaluate("(e) => e.scrollWidth <= e.clientWidth")
    page.set_viewport_size({"width": 1100, "height": 700})
    settle(page)


def test_kernels_are_chosen_by_number_and_the_panel_left_by_escape(page):
    page.get_by_role("button", name="Kernels", exact=True).click()
    page.get_by_label("Number of a kernel").fill("7")
    page.keyboard.press("Enter")
    assert page.evaluate("() => document.querySelector('.gsr-viewer').gsr.inside.lit") == [7]
    page.keyboard.press("Escape")
    assert page.locator(".gsr-kernels").is_hidden()
    toggle = page.get_by_role("button", name="Kernels", exact=True)
    assert toggle.evaluate("(e) => e === document.activeElement")


def test_of_several_dropped_files_it_says_which_was_opened(page):
    page.evaluate(
        """async () => {
          const data = new DataTransfer();
          const picture = await (await fetch('/demo/text.png')).blob();
          data.items.add(new File(['-'], 'notes.txt', {type: 'text/plain'}));
          data.items.add(new File([picture], 'first.png', {type: 'image/png'}));
          const send = (kind) => dispatchEvent(new DragEvent(kind, {dataTransfer: data}));
          send('dragover');
          window.marked = document.querySelector('.gsr-dropping') !== null;
          send('drop');
        }"""
    )
    assert page.evaluate("() => window.marked")
    page.get_by_text("Opened first.png, one of 2 files.").wait_for(timeout=60_000)
    assert page.evaluate(NAME) == "first.png"
    assert page.locator(".gsr-dropping").count() == 0


def test_a_picture_that_is_shrunk_is_looked_at_where_it_was(page):
    page.get_by_label("Demo photo cat").click()
    page.wait_for_function(f"() => ({NAME})().startsWith('cat')", timeout=60_000)
    page.evaluate(
        """() => { const v = document.querySelector('.gsr-viewer').gsr;
          v.moved(() => { v.viewport.setScale(8); v.viewport.cx *= 0.8; }); }"""
    )
    settle(page)
    before = page.evaluate(VISIBLE)
    more(page).get_by_text("Ground truth", exact=True).click()
    page.get_by_label("Shrink by").fill("2")
    page.get_by_role("button", name="Shrink it").click()
    page.wait_for_function("() => document.querySelector('.gsr-viewer').gsr.picture.truth")
    settle(page)
    after = page.evaluate(VISIBLE)
    for key in ("x", "y", "width", "height"):
        assert after[key] == pytest.approx(before[key] / 2, abs=0.5)


def test_a_factor_that_shrinks_nothing_keeps_the_menu_open(page):
    page.get_by_label("Demo photo text").click()
    page.wait_for_function(f"() => ({NAME})().startsWith('text')", timeout=60_000)
    more(page).get_by_text("Ground truth", exact=True).click()
    box = page.get_by_label("Shrink by")
    for factor in ("", "0", "1"):
        box.fill(factor)
        page.get_by_role("button", name="Shrink it").click()
        assert box.is_visible()
        assert box.evaluate("(e) => e === document.activeElement")
