"""The page that holds a field: it draws and answers as the library does, in a real browser."""

import base64
import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gsr_apps.demos import demo_photos
from gsr_apps.page import page as page_of
from helpers.browser import READY
from PIL import Image

import gsr
from gsr import GaussianField, View, methods
from gsr.base.errors import ImageError
from gsr.field import edits
from gsr.field.payload import pack

pytestmark = pytest.mark.browser

SIZE = (36, 44)
PIXELS = """async ([view, method, layer]) => {
  const { transport } = document.querySelector('.gsr-viewer').gsr;
  const { bitmap } = await transport.ask('frame', { view, method, layer, quality: 'exact' });
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext('2d');
  context.drawImage(bitmap, 0, 0);
  return Array.from(context.getImageData(0, 0, bitmap.width, bitmap.height).data);
}"""
ASK = """async ([what, args]) =>
  document.querySelector('.gsr-viewer').gsr.transport.ask(what, args)"""


@pytest.fixture(scope="module")
def field() -> GaussianField:
    height, width = SIZE
    with Image.open(demo_photos()[0]) as image:
        cut = image.convert("RGB").crop((210, 60, 210 + width, 60 + height))
    return gsr.load("lite").encode(cut)


def opened(browser: Any, folder: Path, field: GaussianField) -> Any:
    """A page of the field from disk, with everything that went wrong in `problems`."""
    file = folder / "field.html"
    file.write_text(page_of(field), encoding="utf-8")
    page = browser.new_context(offline=True).new_page()
    page.problems = []
    page.on("console", lambda m: page.problems.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.goto(file.as_uri())
    page.wait_for_selector(READY, timeout=60_000)
    return page


@pytest.fixture(scope="module")
def page(browser: Any, field: GaussianField, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return opened(browser, tmp_path_factory.mktemp("page"), field)


def views(count: int, seed: int) -> list[View]:
    """Places and magnifications from 1 to 64, some of them over the border."""
    g = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        scale = 2 ** g.uniform(0, 6)
        rows, columns = 30, 40
        x, y = (g.uniform(-3, side - 1) for side in (SIZE[1], SIZE[0]))
        found.append(View(x, y, columns / scale, rows / scale, (rows, columns)))
    return found


def drawn(page: Any, view: View, method: str = "gsr", layer: str = "result") -> np.ndarray:
    rows, columns = view.size
    asked = {"x": view.x, "y": view.y, "width": view.width, "height": view.height}
    values = page.evaluate(PIXELS, [asked | {"columns": columns, "rows": rows}, method, layer])
    return np.array(values, float).reshape(rows, columns, 4)[..., :3]


def difference(page: Any, field: GaussianField, count: int, layer: Any = "result") -> np.ndarray:
    """Grey levels between the page and the library, over random views."""
    parts = [
        abs(
            drawn(page, view, layer=layer) - np.asarray(field.render(view=view, layer=layer), float)
        )
        for view in views(count, seed=len(layer))
    ]
    return np.concatenate([part.ravel() for part in parts])


@pytest.mark.parametrize("layer", ["result", "gaussians", "lr"])
def test_the_page_draws_what_the_library_renders(
    page: Any, field: GaussianField, layer: str
) -> None:
    found = difference(page, field, 20, layer)
    assert found.mean() < 0.5
    assert np.quantile(found, 0.999) <= 2


def test_the_page_draws_what_the_decoder_adds(page: Any, field: GaussianField) -> None:
    assert np.quantile(difference(page, field, 6, "residual"), 0.999) <= 6  # it is shown fourfold


def test_the_page_draws_edited_fields(browser: Any, field: GaussianField, tmp_path: Path) -> None:
    changed = edits.apply(field, [edits.Soft()])
    assert changed.mixed is not None
    found = difference(opened(browser, tmp_path, changed), changed, 8)
    assert found.mean() < 0.5
    assert np.quantile(found, 0.999) <= 2


def test_the_page_interpolates_like_pillow(page: Any, field: GaussianField) -> None:
    bicubic: Any = methods.get("bicubic").encode(field.render(scale=1, layer="lr"))
    for x, y, scale in ((0, 0, 1), (3.3, 4.1, 3.7), (30.2, 20, 8), (12, 30.5, 40)):
        view = View(x, y, 40 / scale, 5 / scale, (5, 40))
        wanted = np.asarray(bicubic.render(view=view).convert("RGB"), float)
        assert abs(drawn(page, view, "bicubic") - wanted).max() <= 1.5


@pytest.mark.parametrize(
    ("x", "y", "scale"), [(20.3, 17.7, 6), (0, 0, 64), (44, 36, 1), (9.5, 30, 0.5)]
)
def test_the_page_explains_like_the_library(
    page: Any, field: GaussianField, x: float, y: float, scale: float
) -> None:
    said = page.evaluate(ASK, ["explain", {"x": x, "y": y, "scale": scale}])
    wanted = field.explain(x, y, scale).to_dict()
    for name in ("splatted", "residual", "rgb"):
        assert said[name] == pytest.approx(wanted[name], abs=4e-3)
    for name in ("column", "row", "kernel", "chosen"):
        assert said[name] == wanted[name]
    assert said["confidence"] == pytest.approx(wanted["confidence"], abs=0.02)
    shares = {(c["column"], c["row"]): c["share"] for c in wanted["contributions"]}
    assert sum(c["share"] for c in said["contributions"]) == pytest.approx(1)
    for part in said["contributions"]:
        assert part["share"] == pytest.approx(shares[part["column"], part["row"]], abs=0.01)


def test_the_page_lists_what_the_library_lists(page: Any, field: GaussianField) -> None:
    from gsr_apps.viewer.payloads import choices, ellipses, region_usage

    view = View(10.2, 8.1, 12, 9, (90, 120))
    asked = {"x": view.x, "y": view.y, "width": view.width, "height": view.height}
    said = page.evaluate(ASK, ["ellipses", {"view": asked, "limit": 60}])
    wanted = ellipses(field, view, 60)
    for name in ("step", "column", "row", "kernel"):
        assert said[name] == wanted[name]
    assert said["x"] == pytest.approx(wanted["x"], abs=4e-3)
    used = page.evaluate(ASK, ["usage", {"view": asked}])["shares"]
    assert used == pytest.approx(region_usage(field, view))
    planes = page.evaluate(
        "async () => Array.from(new Uint8Array(await document.querySelector('.gsr-viewer')"
        ".gsr.transport.ask('choices', {})))"
    )
    ours, theirs = (np.array(v, float) for v in (planes, list(choices(field))))
    count = SIZE[0] * SIZE[1]
    assert (ours[: 2 * count] == theirs[: 2 * count]).all()  # the kernels
    assert abs(ours[4 * count :] - theirs[4 * count :]).mean() < 1  # confidence and entropy


def test_a_footprint_is_the_librarys(page: Any, field: GaussianField) -> None:
    from gsr_apps.viewer.payloads import reach

    asked = {"column": 20, "row": 17, "scale": 8}
    said, wanted = page.evaluate(ASK, ["footprint", asked]), reach(field, 20, 17, 8)
    assert {k: said[k] for k in ("x", "y", "columns", "rows")} == {
        k: wanted[k] for k in ("x", "y", "columns", "rows")
    }
    assert said["peak"] == pytest.approx(wanted["peak"], abs=0.01)
    ours, theirs = (np.frombuffer(base64.b64decode(v["shares"]), np.uint8) for v in (said, wanted))
    assert abs(ours.astype(int) - theirs).max() <= 3


def test_it_works_without_a_network_and_says_nothing_in_the_console(page: Any) -> None:
    page.mouse.move(500, 300)
    for _ in range(4):
        page.mouse.wheel(0, -240)
    page.wait_for_timeout(60)
    page.wait_for_selector(READY, timeout=30_000)
    page.mouse.click(700, 300)
    page.wait_for_selector("text=How this colour came about")
    assert page.problems == []


def test_a_damaged_page_says_so(browser: Any, field: GaussianField, tmp_path: Path) -> None:
    text = page_of(field)
    packed = base64.b64encode(pack(field)).decode()
    for broken, said in (
        (packed[:400], "damaged or cut short"),
        (base64.b64encode(b"GSRP\x09\x00" + bytes(20)).decode(), "Version 9"),
        (base64.b64encode(b"PK" + bytes(40)).decode(), "does not begin with GSRP"),
    ):
        file = tmp_path / "broken.html"
        file.write_text(text.replace(packed, broken), encoding="utf-8")
        page = browser.new_page()
        page.goto(file.as_uri())
        page.wait_for_selector(f"[role=alert]:has-text('{said}')")
        page.close()


def test_a_page_that_cannot_be_made(field: GaussianField) -> None:
    from dataclasses import replace

    with pytest.raises(ImageError, match="opaque pictures"):
        page_of(replace(field, alpha=field))


def test_no_name_can_end_the_script(field: GaussianField) -> None:
    from dataclasses import replace

    assert field.info is not None
    named = replace(field, info=replace(field.info, name="</script><img src=x>"))
    text = page_of(named)
    assert "<img src=x>" not in text
    assert json.loads(re.findall(r'"application/json">(.*?)</script>', text)[0])["name"] == (
        "</script><img src=x>"
    )
    assert math.isclose(len(page_of(field)), len(text), rel_tol=0.01)


def test_at_magnification_1_the_page_shows_the_picture(page: Any, field: GaussianField) -> None:
    view = View(2, 3, 40, 30, (30, 40))
    assert field.faithful
    wanted = np.asarray(field.render(view=view), float)
    assert abs(drawn(page, view) - wanted).max() <= 1
    half = View(0, 0, 44, 36, (18, 22))
    assert abs(drawn(page, half) - np.asarray(field.render(view=half), float)).mean() < 2


@pytest.mark.parametrize(
    "made",
    [
        [edits.Without((0,)), edits.Soft()],
        [edits.Mean()],
        [edits.Without(tuple(range(0, 90, 2)))],
    ],
    ids=["soft", "mean", "without"],
)
def test_the_page_edits_like_the_library(
    page: Any, field: GaussianField, made: list[edits.Edit]
) -> None:
    listed = json.loads(edits.dumps(made))["edits"]
    page.evaluate("async (edits) => window.gsrShowing.edit(edits)", listed)
    found = difference(page, edits.apply(field, made), 3)
    assert found.mean() < 0.5
    assert np.quantile(found, 0.999) <= 2
    about = page.evaluate("() => window.gsrShowing.about")
    assert about["changed"] == f"edited ({len(made)})"
    assert json.loads(about["made"]["gsr:edits"])["edits"] == listed
    page.evaluate("async () => window.gsrShowing.edit([])")
    assert page.evaluate("() => window.gsrShowing.about.edited") is False


def test_kernels_are_chosen_and_edits_undone_by_hand(page: Any) -> None:
    page.click("text=Kernels and what if")
    page.click(".bank button:first-child")
    page.click("text=Only this")
    page.wait_for_function("() => window.gsrShowing.about.edited")
    assert re.search(r"Kernel \d+ everywhere", page.inner_text(".whatif"))
    with page.expect_download() as saved:
        page.click("text=Save page")
    assert saved.value.suggested_filename.endswith("-edited.html")
    text = Path(saved.value.path()).read_text(encoding="utf-8")
    assert "edited (1) · gsr</title>" in text
    page.click("text=Undo")
    page.wait_for_function("() => !window.gsrShowing.about.edited")
    assert page.problems == []
