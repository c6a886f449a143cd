"""What was changed says so: in titles, badges, links, names and contents of files, in colours."""

import io
import json
import math
import random
import re
from urllib.parse import quote
from urllib.request import urlopen
from xml.etree import ElementTree

import pytest
from helpers.browser import more, opened_page, settle, tidy
from PIL import ExifTags, Image

import gsr
from gsr.field import edits
from gsr.network import colors as palette

pytestmark = pytest.mark.browser

VIEWER = "document.querySelector('.gsr-viewer').gsr"
EDITED = f"() => {VIEWER}.picture.edited"
CHANGES = [{"kind": "force", "kernel": 3}, {"kind": "soft"}]
COLORINGS = ("kernel", "direction", "size", "opacity", "confidence", "own", "number")


@pytest.fixture
def page(shared_page):
    """The page at one view; afterwards nothing may have gone wrong."""
    shared_page.evaluate(
        f"""async () => {{ {VIEWER}.change((await import('/viewer/state.js')).INITIAL);
        {VIEWER}.moved(() => {{
          const {{ viewport }} = {VIEWER};
          Object.assign(viewport, {{ cx: 80, cy: 60 }});
          viewport.setScale(8);
        }}); }}"""
    )
    settle(shared_page)
    yield shared_page
    tidy(shared_page)


def hash_of(address, **words):
    """The end of an address that shows the first picture."""
    with urlopen(f"{address}/studio/start") as answer:
        key = json.load(answer)["id"]
    return f"#id={key}" + "".join(f"&{name}={quote(value)}" for name, value in words.items())


def linked(browser, address, **words):
    """A page opened by the address of a view, as a friend would."""
    page = opened_page(browser, f"{address}/{hash_of(address, **words)}")
    settle(page)
    return page


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def title(page, side=1):
    return page.evaluate(
        "(i) => document.querySelectorAll('.gsr-pane-label select')[i].selectedOptions[0].text",
        side,
    )


def badge(page):
    return page.locator(".gsr-edited:visible")


def break_it(page):
    """Two edits by hand, in the panel, which is closed again."""
    press(page, "What if")
    press(page, "Use everywhere")
    press(page, "Shuffle")
    page.wait_for_function(f"() => {VIEWER}.picture.edits === 2")
    press(page, "Close: What if")
    settle(page)


def taken(page, what, **options):
    """Name and bytes of a download of `what`, and what the menu said of it."""
    page.locator(".gsr-download summary").click()
    page.get_by_label("What to save").select_option(what)
    for label, value in options.items():
        page.get_by_label(label).select_option(value)
    if what == "whole":
        page.get_by_label("Size of the file").fill("2")
    said = page.locator(".gsr-download p")
    page.wait_for_function(
        "() => document.querySelector('.gsr-download p').textContent.endsWith('.')"
    )
    page.wait_for_timeout(300)
    text = said.inner_text()
    with page.expect_download(timeout=60_000) as found:
        press(page, "Download")
    page.locator(".gsr-download summary").click()
    with open(found.value.path(), "rb") as file:
        return found.value.suggested_filename, file.read(), text


# --- colours ---------------------------------------------------------------------------------


def test_both_languages_have_the_same_colours(page):
    draw = random.Random(3)
    shapes = [
        (10 ** draw.uniform(-2, 1), 10 ** draw.uniform(-2, 1), draw.uniform(-9, 9))
        for _ in range(3000)
    ]
    shapes += [(2.0, 1.0, math.pi * i / 720) for i in range(-720, 1441)]
    shapes += [(a, b, 1.0) for a in (0, 1e-9, 0.25, 1.15, 2.5, 60) for b in (0, 1e-9, 1, 60)]
    numbers = [i / 1000 for i in range(-100, 1101)]
    found = page.evaluate(
        """async ([shapes, numbers]) => {
          const c = await import('/viewer/colors.js');
          const of = (colour) => shapes.map(
            ([major, minor, angle]) => colour({ major, minor, angle }));
          return {
            kernel: of(c.kernelCss), direction: of(c.directionCss), size: of(c.sizeCss),
            steps: numbers.map(c.rampCss), ramp: numbers.map(c.ramp),
            number: Array.from({ length: 3000 }, (_, i) => c.numberCss(i)),
          };
        }""",
        [shapes, numbers],
    )
    assert found["kernel"] == [palette.kernel_color(*shape) for shape in shapes]
    assert found["direction"] == [palette.direction_color(*shape) for shape in shapes]
    assert found["size"] == [palette.size_color(major, minor) for major, minor, _ in shapes]
    assert found["steps"] == [palette.ramp_color(number) for number in numbers]
    assert found["ramp"] == [list(palette.ramp(number)) for number in numbers]
    assert found["number"] == [palette.distinct_color(number) for number in range(3000)]


@pytest.mark.parametrize("mixed", [False, True], ids=["kernels of the bank", "mixed kernels"])
def test_a_drawing_has_the_colours_of_the_screen(page, mixed):
    page.evaluate(f"() => {VIEWER}.change({{ ellipses: true }})")
    if mixed:
        press(page, "What if")
        press(page, "Top 3")
        page.wait_for_function(f"() => {VIEWER}.inside.latest('ellipses')?.major")
        press(page, "Close: What if")
    settle(page)
    page.evaluate(f"() => {VIEWER}.change({{ colorBy: 'confidence' }})")
    settle(page)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    downloaded = {"confidence": taken(page, "svg")[1]}
    (url,) = [url for url in asked if "/svg?" in url]
    assert "color=confidence" in url
    for by in COLORINGS:
        if by not in downloaded:  # the same request for another colour
            other = url.replace("color=confidence", f"color={by}&picture=false")
            downloaded[by] = page.request.get(other).body()
        assert_same_colours(page, by, downloaded[by])


def assert_same_colours(page, by, drawing):
    seen = page.evaluate(
        f"""async (by) => {{
          const {{ COLORINGS }} = await import('/viewer/outlines.js');
          const {{ inside, picture, viewport }} = {VIEWER};
          const list = inside.latest('ellipses');
          const color = COLORINGS[by](list, picture.kernels);
          const {{ x, y, width, height }} = viewport.seen();
          return {{
            corner: [x, y], size: [width, height],
            points: list.x.map((at, i) => [at, list.y[i], color(i)]),
          }};
        }}""",
        by,
    )
    drawn = ellipses_of(drawing, seen["corner"])
    (x, y), (width, height) = seen["corner"], seen["size"]
    pairs = [
        (near, color)
        for px, py, color in seen["points"]
        if x < px < x + width and y < py < y + height
        and (near := nearest(drawn, px, py)) is not None
    ]  # fmt: skip
    assert len(pairs) > 100
    assert [near for near, _ in pairs] == [color for _, color in pairs], by
    assert len({color for _, color in pairs}) > 1


def ellipses_of(data, corner):
    """Colour by place, in thousandths of a pixel of the picture."""
    found = {}
    space = "{http://www.w3.org/2000/svg}"
    for group in ElementTree.fromstring(data).iter(f"{space}g"):
        for one in group.findall(f"{space}ellipse"):
            x, y, _ = map(float, re.findall(r"-?[\d.]+", one.get("transform")))
            found[round(1000 * (x + corner[0])), round(1000 * (y + corner[1]))] = group.get(
                "stroke"
            )
    return found


def nearest(drawn, x, y):
    """Both sides round to thousandths."""
    around = [(round(1000 * x) + i, round(1000 * y) + j) for i in (0, -1, 1) for j in (0, -1, 1)]
    return next((drawn[place] for place in around if place in drawn), None)


# --- edits -----------------------------------------------------------------------------------


def test_a_broken_field_says_so_and_leads_back(page):
    assert title(page) == "GaussianSR, tiny"
    assert badge(page).count() == 0
    break_it(page)
    assert title(page) == "GaussianSR, tiny, edited (2)"
    assert title(page, 0) == "Bicubic"
    press(page, "Edits: show them")
    assert page.locator(".gsr-whatif").is_visible()
    assert page.locator(".gsr-edits li").count() == 2
    for source, changed in (("gsr:gaussians", True), ("gsr:lr", False), ("original:result", False)):
        page.evaluate(f"(source) => {VIEWER}.show(1, source)", source)
        settle(page)
        assert ("edited" in title(page)) == changed
        assert badge(page).count() == changed
    page.evaluate(f"() => {VIEWER}.show(1, 'gsr:result')")
    press(page, "Take all edits back")
    page.wait_for_function(f"() => !({EDITED})()")
    settle(page)
    assert title(page) == "GaussianSR, tiny"
    assert badge(page).count() == 0
    assert page.evaluate("() => document.activeElement.className") == "gsr-stage"
    press(page, "Redo")  # what was taken back can be had again
    press(page, "Redo")
    page.wait_for_function(f"() => {VIEWER}.picture.edits === 2")


@pytest.mark.parametrize("format", ["png", "webp", "jpeg"])
def test_pictures_taken_away(page, format):
    name, data, said = taken(page, "whole", Format=format)
    suffix = {"jpeg": "jpg"}.get(format, format)
    assert (name, "edited" in said) == (f"photo-x2.{suffix}", False)
    break_it(page)
    name, data, said = taken(page, "whole", Format=format)
    assert name == f"photo-edited-x2.{suffix}"
    assert "pixels of GaussianSR, tiny, edited (2)" in said
    assert "The field was edited (2), and the file lists what was done." in said
    with Image.open(io.BytesIO(data)) as image:
        line = image.getexif().get(ExifTags.Base.Software, "")
        text = image.text["gsr:edits"] if format == "png" else line.split("gsr:edits=")[1]
        kinds = [edit.__class__.__name__ for edit in edits.loads(text.split("; ")[0])]
    assert kinds == ["Force", "Shuffle"]
    page.evaluate(f"() => {VIEWER}.show(1, 'bicubic')")
    settle(page)
    name, _, said = taken(page, "whole", Format=format)
    assert (name, "edited" in said) == (f"photo-bicubic-x2.{suffix}", False)


def test_fields_and_drawings_taken_away(page, tmp_path):
    break_it(page)
    name, data, said = taken(page, "field")
    assert "GaussianSR, tiny, edited (2)" in said
    assert name == "photo-edited.gsf"
    path = tmp_path / name
    path.write_bytes(data)
    assert len(gsr.open_field(path).edits) == 2
    name, data, _ = taken(page, "svg")
    assert name == "photo-edited-gaussians.svg"
    root = ElementTree.fromstring(data)
    assert root.findtext("{http://www.w3.org/2000/svg}title") == "photo.png, edited (2)"


def test_an_edited_field_from_a_file(browser, address, field, tmp_path):
    page = opened_page(browser, address)
    path = edits.apply(field, edits.from_values(CHANGES)).save(tmp_path / "mine.gsf")
    chooser = page.locator("input[type=file][accept*=gsf]")
    chooser.set_input_files(str(path))
    page.wait_for_function(f"() => {VIEWER}.picture.edits === 2")
    settle(page)
    assert title(page).endswith("edited (2)")
    press(page, "Edits: show them")
    listed = page.locator(".gsr-edits li").all_inner_texts()
    assert listed == [
        "Kernel 3 everywhere (in the file)",
        "Soft mixture of all kernels (in the file)",
    ]
    # Nobody here knows it as it was before.
    assert page.get_by_role("button", name="Take all edits back").count() == 0
    press(page, "Shuffle")
    page.wait_for_function(f"() => {VIEWER}.picture.edits === 3")
    press(page, "Take all edits back")
    page.wait_for_function(f"() => {VIEWER}.picture.edits === 2")
    page.close()


def test_scores_of_an_edited_field_say_so(browser, address, photo):
    page = opened_page(browser, address)
    page.locator("input[type=file][accept*=gsf]").set_input_files(str(photo))
    page.wait_for_function("() => !document.querySelector('.gsr-truth .gsr-go').disabled")
    more(page).get_by_text("Ground truth", exact=True).click()
    press(page, "Shrink it")
    page.wait_for_function(f"() => {VIEWER}.picture.truth")
    settle(page)
    page.wait_for_function(
        "() => /dB/.test(document.querySelectorAll('.gsr-score')[1].textContent)"
    )
    scores = page.locator(".gsr-score")
    assert "edited" not in scores.nth(1).inner_text()
    notes = page.locator(".gsr-notes:visible")
    assert notes.locator("summary").inner_text() == "1 note"
    notes.locator("summary").click()
    assert "was shrunk from 160 x 120 to 40 x 30 pixels" in notes.inner_text()
    break_it(page)
    page.wait_for_function(
        "() => /edited/.test(document.querySelectorAll('.gsr-score')[1].textContent)"
    )
    assert re.fullmatch(
        r"PSNR [\d.]+ dB, SSIM [\d.]+, this view, edited", scores.nth(1).inner_text()
    )
    assert "edited" not in scores.nth(0).inner_text()
    page.close()


# --- links -----------------------------------------------------------------------------------


def notice(page):
    return page.locator(".gsr-notice span").inner_text()


def test_a_link_brings_edits_and_says_so(browser, address):
    page = linked(browser, address, edits=json.dumps(CHANGES))
    page.wait_for_function(EDITED)
    settle(page)
    assert notice(page) == (
        "This address holds 2 edits: the picture is not as the network made it."
    )
    assert title(page) == "GaussianSR, tiny, edited (2)"
    assert badge(page).is_visible()
    page.wait_for_function("() => location.hash.includes('edits=')")
    press(page, "Take all edits back")
    page.wait_for_function(f"() => !({EDITED})()")
    page.wait_for_function("() => !location.hash.includes('edits=')")
    page.close()


REFUSED = (
    ({"edits": json.dumps(CHANGES)[:-9]}, "The edits in this address cannot be read"),
    ({"edits": "7"}, "The edits in this address cannot be read"),
    ({"unkept": "812"}, "812 edits of this view were too long for an address"),
    ({"edits": '[{"kind": "force", "kernel": 3000}]'}, "must be between 0 and 99"),
)


def test_links_without_their_edits_say_so(browser, address):
    page = linked(browser, address)
    for words, said in REFUSED:
        page.evaluate("(hash) => { location.hash = hash; }", hash_of(address, **words))
        page.wait_for_function(
            "(said) => document.querySelector('.gsr-notice').textContent.includes(said)", arg=said
        )
        assert not page.evaluate(EDITED)
        assert title(page) == "GaussianSR, tiny"
        settle(page)
    page.close()


def test_edits_too_long_for_an_address_are_counted_in_it(page):
    runs = [[row, 0, 100] for row in range(100)]
    page.evaluate(
        """async (runs) => {
          const { writeLink, readLink } = await import('/page/link.js');
          const { gsr } = document.querySelector('.gsr-viewer');
          const edits = Array.from({ length: 9 }, () => ({ kind: 'paint', kernel: 3, runs }));
          window.back = readLink(writeLink({ demo: 'cat' }, gsr, edits));
        }""",
        runs,
    )
    assert page.evaluate("() => window.back.edits") == []
    assert page.evaluate("() => window.back.said").startswith("9 edits of this view were too long")


# --- the picture -----------------------------------------------------------------------------


def test_what_happened_to_a_picture_stays_in_sight(browser, address, tmp_path):
    frames = [Image.new("RGB", (40, 30), color) for color in ("red", "green", "blue")]
    frames[0].save(tmp_path / "many.gif", save_all=True, append_images=frames[1:])
    page = opened_page(browser, address)
    page.locator("input[type=file][accept*=gsf]").set_input_files(str(tmp_path / "many.gif"))
    page.wait_for_function(f"() => {VIEWER}.picture.name === 'many.gif'")
    settle(page)
    note = "Animated image: the first of 3 frames was used."
    notes = page.locator(".gsr-notes:visible")
    notes.locator("summary").click()
    assert notes.locator("li").all_inner_texts() == [note]
    page.keyboard.press("Escape")
    assert not notes.locator("li").is_visible()
    _, data, said = taken(page, "whole", Format="png")
    assert said.endswith(note)
    with Image.open(io.BytesIO(data)) as image:
        assert image.text["gsr:notes"] == note
    page.close()
