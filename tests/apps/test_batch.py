"""Many pictures at once: the work without a page, and the tab in a browser."""

import csv
import io
import shutil
import time
import zipfile

import numpy as np
import pytest
from gsr_apps.studio import batch
from gsr_apps.studio.batch import HEADERS, Options, run, workplace
from gsr_apps.studio.jobs import Cancelled
from gsr_apps.studio.studio import Studio
from PIL import Image

import gsr.cli
from gsr.base.errors import ConfigError, ScaleError
from gsr.base.output_size import OutputSize
from gsr.images import load, to_pil

DOUBLE = Options(OutputSize("scale", 2.0))


def photo(path, size=(12, 9), mode="RGB", seed=0, **save):
    path.parent.mkdir(parents=True, exist_ok=True)
    bands = len(Image.new(mode, (1, 1)).getbands())
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], bands), np.uint8)
    Image.fromarray(pixels.squeeze(-1) if bands == 1 else pixels).save(path, **save)
    return path


@pytest.fixture
def done(model):
    """(files, options, watch) to every report, the names in the archive and their bytes."""

    def work(files, options=DOUBLE, watch=lambda part, title: None):
        rows, results = [], {}
        with workplace() as folder:
            for report in run(files, options, model, folder, watch):
                rows.append([list(row) for row in report.rows])
            with zipfile.ZipFile(report.archive) as archive:
                results = {name: archive.read(name) for name in archive.namelist()}
            name = report.archive.name
        assert not folder.exists()
        return rows, results, report.summary, name

    return work


def table(results):
    return list(csv.reader(io.StringIO(results["report.csv"].decode())))


# --- the work --------------------------------------------------------------------------------


def test_every_picture_gets_a_line_and_its_result(done, tmp_path):
    files = [photo(tmp_path / "a.png"), photo(tmp_path / "b.jpg", seed=1)]
    rows, results, summary, name = done(files)
    assert name == "gsr-x2.zip"
    assert [[row[1] for row in state] for state in rows] == [
        ["waiting", "waiting"],
        ["written", "waiting"],
        ["written", "written"],
        ["written", "written"],
    ]
    assert set(results) == {"a-x2.png", "b-x2.png", "report.csv"}
    assert summary == "2 of 2 pictures were made."
    assert table(results) == [list(HEADERS), *rows[-1]]
    assert rows[-1][0][:4] == ["a.png", "written", "a-x2.png", "24 x 18"]


def test_it_is_the_code_of_the_command_line(done, weights, tmp_path):
    source = photo(tmp_path / "a.png", mode="RGBA", dpi=(300, 300))
    _, results, *_ = done([source], Options(OutputSize("longest", 50), "webp"))
    arguments = ["upscale", source, "--longest", "50", "-f", "webp", "-q", "-m", weights]
    assert gsr.cli.run([str(argument) for argument in arguments]) == 0
    assert results["a-max50.webp"] == (tmp_path / "a-max50.webp").read_bytes()


def test_bad_files_are_lines_and_stop_nothing(done, tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("hello")
    empty = tmp_path / "empty.png"
    empty.touch()
    cut = tmp_path / "cut.gsf"
    cut.write_bytes(b"\0" * 40)
    files = [text, photo(tmp_path / "a.png"), empty, cut, photo(tmp_path / "b.png", mode="L")]
    rows, results, summary, _ = done(files)
    assert [row[1] for row in rows[-1]] == ["failed", "written", "failed", "failed", "written"]
    assert rows[-1][0][5].startswith("notes.txt is not an image")
    assert rows[-1][2][5] == "empty.png is empty (0 bytes), and a picture file is needed."
    assert rows[-1][3][5].startswith("cut.gsf is damaged")
    assert {"a-x2.png", "b-x2.png"} < set(results)
    assert summary == "2 of 5 pictures were made."


def test_one_bad_file_alone_is_a_line_too(done, tmp_path):
    (tmp_path / "a.png").write_text("no")
    rows, results, summary, _ = done([tmp_path / "a.png"])
    assert rows[-1][0][1] == "failed"
    assert set(results) == {"report.csv"}
    assert summary == "0 of 1 pictures were made."


def test_results_that_are_too_large_and_formats_that_cannot(done, tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "MAX_EXPORT_PIXELS", 1000)
    files = [photo(tmp_path / "a.png"), photo(tmp_path / "b.png", (40, 40))]
    rows, *_ = done(files)
    assert [row[1] for row in rows[-1]] == ["written", "failed"]
    assert rows[-1][1][5].startswith("b.png (40 x 40): 80 x 80 pixels are more than")
    rows, *_ = done(
        [photo(tmp_path / "c.png", mode="RGBA")], Options(OutputSize("scale", 2.0), "jpg")
    )
    assert "JPEG has no transparency" in rows[-1][0][5]
    assert "/" not in rows[-1][0][5]


def test_equal_names_do_not_meet(done, tmp_path):
    files = [photo(tmp_path / d / "a.png", seed=i) for i, d in enumerate("xyz")]
    files.append(photo(tmp_path / "a.jpg"))
    rows, results, *_ = done(files)
    assert [row[0] for row in rows[-1]] == ["a.png", "a (2).png", "a (3).png", "a.jpg"]
    assert len(results) == 5
    assert len({data for name, data in results.items() if name.startswith("a (")}) == 2


def test_fields_are_taken(done, model, pixels, tmp_path):
    path = model.encode(to_pil(pixels)).save(tmp_path / "f.gsf")
    rows, results, *_ = done([path])
    assert rows[-1][0][1] == "written"
    assert "f-x2.png" in results


def test_progress_grows(done, tmp_path):
    seen = []
    files = [photo(tmp_path / "a.png"), photo(tmp_path / "b.png")]
    done(files, watch=lambda part, title: seen.append((part, title)))
    parts = [part for part, _ in seen]
    assert parts == sorted(parts)
    assert parts[-1] == pytest.approx(1)
    assert {title for _, title in seen} == {"a.png (1 of 2)", "b.png (2 of 2)"}


def test_what_was_done_before_a_stop_is_kept(done, tmp_path):
    def watch(part, title):
        if part > 0.5:
            raise Cancelled

    files = [photo(tmp_path / f"{i}.png", seed=i) for i in range(4)]
    rows, results, summary, _ = done(files, watch=watch)
    assert [row[1] for row in rows[-1]] == ["written", "written", "stopped", "stopped"]
    assert set(results) == {"0-x2.png", "1-x2.png", "report.csv"}
    assert summary == "Stopped. 2 of 4 pictures were made."
    assert table(results)[3][1] == "stopped"


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes")]
)
def test_memory_that_is_short_is_a_line(error, done, tmp_path, monkeypatch):
    import gsr.tasks.batch

    genuine, calls = gsr.tasks.batch._render, []

    def short(*arguments):
        calls.append(arguments)
        if len(calls) == 1:
            raise error
        return genuine(*arguments)

    monkeypatch.setattr(gsr.tasks.batch, "_render", short)
    rows, *_ = done([photo(tmp_path / "a.png"), photo(tmp_path / "b.png")])
    assert [row[1] for row in rows[-1]] == ["failed", "written"]
    assert "not enough memory" in rows[-1][0][5]


def test_no_formula_reaches_a_spreadsheet(done, tmp_path):
    _, results, *_ = done([photo(tmp_path / "=1+1.png")])
    assert table(results)[1][0] == "'=1+1.png"


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        ("scale", "3.7", OutputSize("scale", 3.7)),
        ("scale", " 3,7 ", OutputSize("scale", 3.7)),
        ("width", "800", OutputSize("width", 800)),
        ("size", "1920x1080", OutputSize("size", (1920, 1080))),
    ],
)
def test_what_is_typed(kind, value, wanted):
    assert Options.typed(kind, value).wanted == wanted


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("scale", "much", "scale must be a number such as 3.7, got 'much'"),
        ("scale", "0", "scale must be a number between"),
        ("scale", "nan", "scale must be"),
        ("width", "3.5", "width must be a whole number of pixels, got '3.5'"),
        ("width", "0", "width must be at least 1 pixel"),
        ("size", "9", "'9' is not a size"),
        ("depth", "9", "the size must be one of"),
    ],
)
def test_what_cannot_be_meant(kind, value, said):
    with pytest.raises((ConfigError, ScaleError), match=said):
        Options.typed(kind, value)


def test_unknown_formats_no_files_and_too_many(model, tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="format must be one of png"):
        Options.typed("scale", "2", "psd")
    with workplace() as folder, pytest.raises(ConfigError, match="choose the pictures first"):
        next(run([], DOUBLE, model, folder, lambda part, title: None))
    monkeypatch.setattr(batch, "MAX_FILES", 1)
    with workplace() as folder, pytest.raises(ConfigError, match="at most 1 files at once, got 2"):
        next(run([tmp_path, tmp_path], DOUBLE, model, folder, lambda part, title: None))


# --- the tab ---------------------------------------------------------------------------------


@pytest.fixture
def tab(model, pixels):
    """The tab alone, served on a free port: its address."""
    gr = pytest.importorskip("gradio")
    from gsr_apps.studio.batch_tab import batch_tab

    with gr.Blocks(analytics_enabled=False) as demo:
        batch_tab(demo, Studio(model, load(to_pil(pixels))))
    _, address, _ = demo.launch(
        server_port=None, prevent_thread_lock=True, quiet=True, run_history=False
    )
    yield address
    demo.close()


@pytest.fixture
def page(tab):
    sync = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    with sync.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        page = browser.new_page(accept_downloads=True)
        page.goto(tab)
        page.wait_for_selector("#batch-start")
        yield page
        browser.close()


def upload(page, files):
    """Choose files; again, if the page was not listening yet."""
    last = f"document.querySelector('#batch-files').innerText.includes('{files[-1].stem}')"
    for _ in range(10):
        page.locator("#batch-files input[type=file]").set_input_files([str(path) for path in files])
        for _ in range(30):
            if page.evaluate(last):
                return
            time.sleep(0.1)
    pytest.fail("the files were not uploaded")


@pytest.mark.browser
def test_the_tab_makes_an_archive_and_tells_what_failed(page, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_text("no picture")
    files = [photo(tmp_path / "good.png"), bad]
    upload(page, files)
    page.click("#batch-start")
    page.get_by_text("1 of 2 pictures were made.").wait_for(timeout=30_000)
    report = page.locator("#batch-report").inner_text()
    assert "bad.png is not an image" in report
    with page.expect_download() as download:
        page.locator("#batch-archive a[download]").first.click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert set(archive.namelist()) == {"good-x4.png", "report.csv"}


@pytest.mark.browser
def test_the_tab_stops_and_keeps_what_was_done(page, tmp_path):
    files = [photo(tmp_path / "quick.png"), photo(tmp_path / "slow.png", (400, 400))]
    upload(page, files)
    page.get_by_label("Value").fill("24")
    page.click("#batch-start")
    page.wait_for_function(
        "document.querySelector('#batch-report').innerText.includes('quick-x24.png')"
    )
    time.sleep(0.2)
    page.click("#batch-stop")
    page.get_by_text("Stopped. 1 of 2 pictures were made.").wait_for(timeout=30_000)
    assert "stopped" in page.locator("#batch-report").inner_text()


@pytest.mark.browser
def test_the_tab_says_what_is_wrong_in_one_sentence(page, tmp_path):
    page.click("#batch-start")
    page.get_by_text("choose the pictures first.").wait_for(timeout=10_000)
    upload(page, [photo(tmp_path / "good.png")])
    page.get_by_label("Value").fill("lots")
    page.click("#batch-start")
    page.get_by_text("scale must be a number such as 3.7, got 'lots'.").wait_for(timeout=10_000)
