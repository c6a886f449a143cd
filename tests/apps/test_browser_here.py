"""The Studio's frames drawn by the browser itself: as the library renders them, edits too.

Headless Chromium draws WebGL2 by software: this proves that the pixels are equal, not how fast.
"""

from typing import Any

import numpy as np
import pytest
from helpers.browser import READY, settle

from gsr import View, load
from gsr.field import edits

pytestmark = pytest.mark.browser

VIEWER = "document.querySelector('.gsr-viewer').gsr"
# Contexts, so that one can be lost.
WATCH_CONTEXTS = """
  window.contexts = [];
  const own = OffscreenCanvas.prototype.getContext;
  OffscreenCanvas.prototype.getContext = function (...asked) {
    const made = own.apply(this, asked);
    if (asked[0] === 'webgl2' && made) window.contexts.push(made);
    return made;
  };
"""
WHOLE = f"() => {VIEWER}.transport.whole"
PIXELS = f"""async ([view, layer]) => {{
  const asked = {{ view, method: 'gsr', layer, quality: 'exact' }};
  const {{ bitmap, by }} = await {VIEWER}.transport.ask('frame', asked);
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext('2d');
  context.drawImage(bitmap, 0, 0);
  const {{ data }} = context.getImageData(0, 0, bitmap.width, bitmap.height);
  return {{ by, data: Array.from(data) }};
}}"""
EDIT = f"""async (list) => {{
  window.first ??= {VIEWER}.transport;
  const {{ about, transport }} = await window.first.edit(list, null);
  await {VIEWER}.open(about, transport, {{ edited: true }});
}}"""
ROWS, COLUMNS = 24, 32


@pytest.fixture(scope="module")
def page(browser: Any, address: str) -> Any:
    page = browser.new_page(viewport={"width": 400, "height": 340})
    page.add_init_script(WATCH_CONTEXTS)
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.goto(f"{address}?renderer=browser")
    page.wait_for_selector(READY, timeout=60_000)
    page.evaluate(WHOLE)
    page.set_default_timeout(30_000)
    return page


@pytest.fixture(scope="module")
def field(weights: Any, photo: Any) -> Any:
    return load(weights).encode(photo)


def views(count: int, seed: int) -> list[View]:
    """Places and magnifications from 1 to 64, some of them over the border."""
    g = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        scale = 2 ** g.uniform(0, 6)
        x, y = g.uniform(-2, 158), g.uniform(-2, 118)
        found.append(View(x, y, COLUMNS / scale, ROWS / scale, (ROWS, COLUMNS)))
    return found


def differences(page: Any, field: Any, seen: list[View], layer: Any = "result") -> np.ndarray:
    """Grey levels between what the page drew and what the library renders."""
    parts = []
    for view in seen:
        asked = {"x": view.x, "y": view.y, "width": view.width, "height": view.height}
        drawn = page.evaluate(PIXELS, [asked | {"columns": COLUMNS, "rows": ROWS}, layer])
        assert drawn["by"] == "browser"
        pixels = np.array(drawn["data"], float).reshape(ROWS, COLUMNS, 4)[..., :3]
        parts.append(abs(pixels - np.asarray(field.render(view=view, layer=layer), float)))
    return np.stack(parts)


def assert_near(found: np.ndarray) -> None:
    assert found.mean() < 0.5
    assert np.quantile(found, 0.999) <= 2


@pytest.mark.parametrize(("layer", "count"), [("result", 20), ("gaussians", 5), ("lr", 5)])
def test_the_browser_draws_what_the_library_renders(
    page: Any, field: Any, layer: str, count: int
) -> None:
    assert_near(differences(page, field, views(count, len(layer)), layer))


LISTS = {
    "kernel": [
        {"kind": "kernel", "kernel": k, "sigma_x": 0.5, "sigma_y": 1.4, "rho": 0.4, "opacity": 0.6}
        for k in range(100)
    ],
    "force": [{"kind": "force", "kernel": 7}],
    "paint": [{"kind": "paint", "kernel": 3, "runs": [[row, 20, 60] for row in range(10, 70)]}],
    "without": [{"kind": "without", "kernels": list(range(0, 100, 2))}],
    "soft": [{"kind": "without", "kernels": [1, 2, 3]}, {"kind": "soft"}],
    "top": [{"kind": "top", "k": 3}],
    "mean": [
        {"kind": "mean"},
        {"kind": "paint", "kernel": 3, "runs": [[row, 0, 160] for row in range(40, 80)]},
    ],
}


@pytest.mark.parametrize("kind", LISTS)
def test_edited_fields_are_drawn_as_the_library_edits_them(
    page: Any, field: Any, kind: str
) -> None:
    page.evaluate(EDIT, LISTS[kind])
    assert_near(
        differences(page, edits.apply(field, edits.from_values(LISTS[kind])), views(4, len(kind)))
    )


def test_what_cannot_be_edited_here_is_drawn_by_the_app(page: Any) -> None:
    page.evaluate(EDIT, [{"kind": "shuffle", "seed": 1}])
    settle(page)
    page.wait_for_selector(".gsr-renderer[data-by=server]")
    page.evaluate(EDIT, [{"kind": "force", "kernel": 1}])
    settle(page)
    page.wait_for_selector(".gsr-renderer[data-by=browser]")


def test_zooming_asks_the_app_for_no_frame(page: Any) -> None:
    page.evaluate(f"() => {VIEWER}.change({{ mode: 'one' }})")
    settle(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.mouse.move(200, 150)
    for _ in range(2):
        page.mouse.wheel(0, -120)
        page.wait_for_timeout(30)
    settle(page)
    assert not [url for url in asked if "/frame?" in url]
    assert page.locator(".gsr-renderer").inner_text() == "drawn by this browser"
    page.locator(".gsr-stage").press("f")
    assert "this browser" in page.locator(".gsr-timing").inner_text()
    page.locator(".gsr-stage").press("f")
    assert page.locator(".gsr-timing").is_hidden()


def test_a_lost_graphics_processor_is_survived(page: Any, field: Any) -> None:
    page.evaluate(
        """() => {
        window.lost = window.contexts.at(-1).getExtension('WEBGL_lose_context');
        window.lost.loseContext();
        }"""
    )
    page.wait_for_timeout(50)
    page.evaluate(f"() => {VIEWER}.reload()")
    settle(page)
    page.wait_for_selector(".gsr-renderer[data-by=server]")
    page.evaluate("() => window.lost.restoreContext()")
    page.wait_for_selector(".gsr-renderer[data-by=browser]")
    settle(page)
    changed = edits.apply(field, [edits.Force(1)])
    assert_near(differences(page, changed, views(4, 11)))
    assert page.problems == []


LEFT = f"""async (name) => {{
  const {{ drawnHere }} = await import('/viewer/here.js');
  const {{ httpTransport }} = await import('/viewer/http.js');
  const own = WebGL2RenderingContext.prototype.getParameter;
  WebGL2RenderingContext.prototype.getParameter = function (what) {{
    return what === 0x9246 ? name : own.call(this, what); // the renderer's name, unmasked
  }};
  const {{ picture }} = {VIEWER};
  const base = new URL('studio/', location.origin);
  const transport = drawnHere(httpTransport(base, picture.id), picture);
  await transport.whole;
  const view = {{ x: 0, y: 0, width: 10, height: 10, columns: 40, rows: 40 }};
  const asked = {{ view, method: 'gsr', layer: 'result', quality: 'exact' }};
  const {{ by }} = await transport.ask('frame', asked);
  transport.stop();
  WebGL2RenderingContext.prototype.getParameter = own;
  return by ?? 'app';
}}"""


@pytest.mark.parametrize(
    ("name", "by"), [("llvmpipe (LLVM 15)", "app"), ("Intel Iris Xe", "browser")]
)
def test_a_browser_without_a_graphics_processor_leaves_it_to_the_app(
    page: Any, name: str, by: str
) -> None:
    assert page.evaluate(LEFT, name) == by
