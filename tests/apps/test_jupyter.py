"""The viewer in JupyterLab, in a real browser: shown, zoomed, clicked, and seen from Python."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import numpy as np
import pytest
from gsr_apps.demos import demo_photos
from helpers.checkout import environment
from PIL import Image

from gsr import View, load

pytest.importorskip("jupyterlab")
pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
TOKEN = "for-the-test"
SHOW = """from gsr import load
from gsr.widgets import FieldViewer, KernelBankExplorer, link
field = load("{weights}").encode("{photo}")
viewer = FieldViewer(field, height=420)
bank = KernelBankExplorer(field)
link(viewer, bank)
viewer"""
TELL = """import json
json.dumps({"scale": viewer.scale, "selection": viewer.selection, "view": viewer.view,
            "kernels": bank.kernels, "source": viewer.source})"""
VIEWER = "document.querySelector('.gsr-viewer').gsr"
WHEEL = """async () => {
  const viewer = document.querySelector('.gsr-viewer').gsr;
  const stage = viewer.stage.getBoundingClientRect();
  const at = {clientX: stage.left + 0.7 * stage.width, clientY: stage.top + stage.height / 2};
  const before = viewer.receivedFrames;
  const begin = performance.now();
  while (performance.now() - begin < 3000) {
    await new Promise(requestAnimationFrame);
    const deltaY = (performance.now() - begin) % 1000 < 500 ? -9 : 9;
    viewer.stage.dispatchEvent(new WheelEvent('wheel', {...at, deltaY, cancelable: true}));
  }
  return viewer.receivedFrames - before;
}"""


@pytest.fixture(scope="module")
def notebook(tmp_path_factory, weights):
    """A notebook that shows a photo of 256 x 192 pixels, and the photo."""
    folder = tmp_path_factory.mktemp("lab")
    photo = folder / "photo.png"
    with Image.open(demo_photos()[0]) as image:
        image.crop((160, 20, 416, 212)).save(photo)
    cells = [SHOW.format(weights=weights, photo=photo), "bank", TELL]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(book, folder / "look.ipynb")
    return folder / "look.ipynb", photo


@pytest.fixture(scope="module")
def lab(notebook):
    folder = notebook[0].parent
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = environment(JUPYTER_CONFIG_DIR=str(folder / "config"))
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", f"--port={port}", "--allow-root",
        f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={folder}",
        "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]  # fmt: skip
    server = subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL, cwd=folder)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(f"{address}/api?token={TOKEN}")
        yield f"{address}/lab/tree/look.ipynb?token={TOKEN}"
    finally:
        server.terminate()
        server.wait(20)


def wait_for(url):
    for _ in range(240):
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except OSError:
            time.sleep(0.25)
        else:
            return
    raise AssertionError(f"{url} does not answer")


@pytest.fixture(scope="module")
def page(browser, lab):
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.goto(lab)
    page.wait_for_selector(".jp-NotebookPanel-toolbar", timeout=90_000)
    page.wait_for_timeout(1500)
    page.locator(".jp-Cell").first.click()
    page.keyboard.press("Escape")
    page.get_by_text("Run", exact=True).first.click()
    page.get_by_text("Run All Cells", exact=True).first.click()
    page.wait_for_selector(".gsr-stage[data-ready=true]", timeout=120_000)
    yield page
    page.close()


def told(page):
    """What Python says of the traits, asked by running the last cell again."""
    cell = page.locator(".jp-CodeCell").last
    cell.locator(".cm-content").click()
    before = cell.locator(".jp-InputPrompt").inner_text()
    page.keyboard.press("Control+Enter")
    page.wait_for_function(
        """(before) => { const cells = document.querySelectorAll('.jp-CodeCell');
        const now = cells[cells.length - 1].querySelector('.jp-InputPrompt').innerText;
        return now !== before && !now.includes('*'); }""",
        arg=before,
        timeout=30_000,
    )
    return json.loads(cell.locator(".jp-OutputArea-output").last.inner_text().strip("'"))


def run_instead(page, code):
    """Other code in the second cell, run."""
    page.locator(".jp-CodeCell").nth(1).locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(code)
    page.keyboard.press("Control+Enter")


def settled(page):
    page.wait_for_timeout(300)
    page.wait_for_selector(".gsr-stage[data-ready=true]", timeout=30_000)


def test_the_wheel_zooms_and_python_knows(page, capsys):
    page.locator(".gsr-stage").scroll_into_view_if_needed()
    frames = page.evaluate(WHEEL)
    settled(page)
    with capsys.disabled():
        print(f"\n[in a second: {frames / 3:.1f} frames from the kernel while wheeling]")
    assert frames > 0
    page.evaluate(f"() => {VIEWER}.zoomTo(7)")
    settled(page)
    said = told(page)
    assert said["scale"] == pytest.approx(7, abs=1e-3)
    shown = page.evaluate(f"() => {VIEWER}.viewport.visible()")
    assert said["view"] == pytest.approx(
        [shown[k] for k in ("x", "y", "width", "height")], abs=1e-5
    )


def test_the_frame_that_stays_is_the_renderers(page, notebook, weights):
    got = page.evaluate(
        f"""() => {{ const {{ bitmap, view }} = {VIEWER}.frames[1];
        const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
        const context = canvas.getContext('2d');
        context.drawImage(bitmap, 0, 0);
        const {{ data }} = context.getImageData(0, 0, bitmap.width, bitmap.height);
        return {{ view, pixels: Array.from(data) }}; }}"""
    )
    where = got["view"]
    size = where["rows"], where["columns"]
    view = View(where["x"], where["y"], where["width"], where["height"], size)
    expected = load(weights).encode(notebook[1]).render(view=view)
    pixels = np.array(got["pixels"], "u1").reshape(*size, 4)[..., :3]
    assert np.array_equal(pixels, np.asarray(expected))


def test_a_click_explains_and_python_knows(page):
    page.locator(".gsr-stage").scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    box = page.locator(".gsr-stage").bounding_box()
    page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 0.5 * box["height"])
    page.wait_for_selector(".gsr-shares li")
    settled(page)
    selection = told(page)["selection"]
    assert selection == pytest.approx(page.evaluate(f"() => {VIEWER}.inside.point"), abs=1e-6)


def test_kernels_picked_in_the_figure_are_lit_in_the_viewer(page):
    page.locator(".js-plotly-plot").first.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    box = page.locator(".js-plotly-plot .bglayer, .js-plotly-plot .plot").first.bounding_box()
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    page.wait_for_function(f"() => {VIEWER}.inside.lit.length === 1", timeout=10_000)
    assert told(page)["kernels"] == page.evaluate(f"() => {VIEWER}.inside.lit")


def test_python_moves_the_viewer(page):
    run_instead(page, "viewer.scale = 12; viewer.source = 'gsr:gaussians'")
    page.wait_for_function(f"() => {VIEWER}.state.sources[1] === 'gsr:gaussians'")
    page.wait_for_function(f"() => Math.abs({VIEWER}.viewport.scale - 12) < 1e-6")
    settled(page)
    run_instead(page, "viewer.view = [40, 30, 32, 24]")
    page.wait_for_function(f"() => {VIEWER}.viewport.visible().x > 30")
    settled(page)
    shown = page.evaluate(f"() => {VIEWER}.viewport.visible()")
    said = told(page)
    # The whole rectangle is in view, and Python is told what became of it.
    assert said["view"] == pytest.approx(
        [shown[n] for n in ("x", "y", "width", "height")], abs=1e-3
    )
    assert said["view"][0] <= 40
    assert said["view"][0] + said["view"][2] >= 72
    assert said["scale"] == pytest.approx(shown["columns"] / shown["width"], rel=0.02)


def test_a_widget_shown_twice_is_one_widget(page):
    run_instead(page, "viewer")
    page.wait_for_function("() => document.querySelectorAll('.gsr-viewer').length === 2")
    second = "document.querySelectorAll('.gsr-viewer')[1].gsr"
    page.wait_for_selector(".gsr-stage[data-ready=true] >> nth=1", timeout=30_000)
    page.evaluate(f"() => {second}.zoomTo(5)")
    page.wait_for_function(f"() => Math.abs({VIEWER}.viewport.scale - 5) < 1e-6")
    settled(page)
    page.wait_for_timeout(500)  # and both come to rest
    assert told(page)["scale"] == pytest.approx(5)


def test_two_places_of_other_proportions_come_to_rest(page):
    wide = "ipywidgets.Box([viewer], layout={'width': '%d%%'})"
    run_instead(page, f"import ipywidgets; ipywidgets.VBox([{wide % 90}, {wide % 40}])")
    page.wait_for_function("() => document.querySelectorAll('.gsr-viewer').length === 3")
    page.wait_for_selector(".gsr-stage[data-ready=true] >> nth=2", timeout=30_000)
    page.evaluate(f"() => {VIEWER}.zoomTo(6)")
    page.wait_for_timeout(1500)  # long enough to answer each other some times
    before = told(page)
    page.wait_for_timeout(1500)
    after = told(page)
    assert (after["scale"], after["view"]) == (before["scale"], before["view"])
    assert after["scale"] == pytest.approx(6)


def test_nothing_went_wrong_and_the_file_stays_small(page, notebook):
    page.keyboard.press("Escape")
    page.keyboard.press("Control+s")
    page.wait_for_timeout(2500)
    assert notebook[0].stat().st_size < 1_000_000
    saved = nbformat.read(notebook[0], as_version=4)
    (output,) = (o for o in saved.cells[0].outputs if "data" in o)
    assert "image/png" in output["data"]
    assert page.problems == []
