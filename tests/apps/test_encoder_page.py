"""The page that encodes by itself: the same field as the library's, in a real browser."""

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gsr_apps.demos import demo_photos
from gsr_apps.encoder import weights
from gsr_apps.page import encoder_page, write_encoder_page
from helpers.browser import READY
from helpers.pages import encoded_map, opened_file
from PIL import Image

import gsr
from gsr import GaussianField
from gsr.base.errors import ConfigError, OutputError

MEMBERS = {
    "evidence": lambda f: f.evidence[0],
    "offsets": lambda f: f.offsets[0].movedim(-1, 0),
    "colors": lambda f: f.colors[0].movedim(-1, 0),
    "slopes": lambda f: f.slopes[0].flatten(-2).movedim(-1, 0),
    "feat": lambda f: f.feat[0].movedim(-1, 0),
}
NEAR = {"evidence": 4e-3, "offsets": 2e-4, "colors": 2e-4, "slopes": 2e-4, "feat": 2e-3}
"""How far a map may be from the library's, the 999th of a thousand values."""


def photo(width: int, height: int) -> Image.Image:
    with Image.open(demo_photos()[0]) as image:
        return image.convert("RGB").crop((210, 60, 210 + width, 60 + height))


def as_png(image: Image.Image, **options: Any) -> dict[str, Any]:
    out = io.BytesIO()
    image.save(out, "PNG", **options)
    return {"name": "photo.png", "mimeType": "image/png", "buffer": out.getvalue()}


@pytest.fixture(scope="module")
def lite() -> gsr.GaussianSR:
    return gsr.load("lite")


@pytest.fixture(scope="module")
def file(lite: gsr.GaussianSR, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder_page(lite, tmp_path_factory.mktemp("page") / "gsr.html")


@pytest.fixture(scope="module")
def page(browser: Any, file: Path) -> Any:
    return opened_file(browser, file, "?encoder=wasm")


def give(page: Any, picture: dict[str, Any]) -> None:
    """Put a picture into the page, and wait until it is shown."""
    page.evaluate("() => { window.gsrPage.showing.field = null; }")
    page.set_input_files("input[type=file]", picture)
    page.wait_for_function("() => window.gsrPage.showing.field", timeout=120_000)


def check_same(page: Any, field: GaussianField) -> None:
    height, width = field.lr_size
    index = encoded_map(page, "index", height, width)[0]
    assert float((index == field.index[0]).double().mean()) >= 0.995
    assert torch.equal(encoded_map(page, "lr", height, width), field.lr[0])
    for name, near in NEAR.items():
        found = (encoded_map(page, name, height, width) - MEMBERS[name](field)).abs()
        assert float(found.flatten().quantile(0.999)) < near, name


def test_it_is_small_and_holds_all_it_needs(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert len(text) <= 8e6
    assert not re.search(r"(src|href)=|https?://(?!www\.w3\.org)", text)
    assert "sha256" in text
    assert "<title>gsr, lite</title>" in text


@pytest.mark.browser
def test_its_field_is_the_librarys_across_tiles(page: Any, lite: gsr.GaussianSR) -> None:
    image = photo(150, 75)  # tiles of 64 to 150 pixels, whatever number of workers there is
    give(page, as_png(image))
    check_same(page, lite.encode(image))
    page.wait_for_selector(READY)
    assert "WebAssembly" in page.inner_text(".message")
    assert page.problems == []


@pytest.mark.browser
@pytest.mark.parametrize("way", ["plain", "graphics"])
def test_every_way_of_computing_gives_the_same(
    browser: Any, file: Path, lite: gsr.GaussianSR, way: str
) -> None:
    image = photo(13, 11)
    page = opened_file(browser, file, f"?encoder={way}")
    give(page, as_png(image))
    check_same(page, lite.encode(image))
    assert page.problems == []
    page.context.close()


@pytest.mark.browser
def test_a_grey_picture_stays_grey(page: Any, lite: gsr.GaussianSR) -> None:
    image = photo(40, 30).convert("L")
    give(page, as_png(image))
    check_same(page, lite.encode(image))
    colors = encoded_map(page, "colors", 30, 40)
    assert torch.equal(colors[0], colors[1])
    assert torch.equal(colors[0], colors[2])


@pytest.mark.browser
def test_flat_borders_are_as_flat_parts_elsewhere(page: Any, lite: gsr.GaussianSR) -> None:
    image = Image.new("RGB", (44, 30), (12, 90, 200))
    image.paste(photo(14, 12), (15, 9))
    give(page, as_png(image))
    check_same(page, lite.encode(image))


@pytest.mark.browser
def test_a_picture_that_lies_on_its_side_is_shown_upright(page: Any, lite: gsr.GaussianSR) -> None:
    image = photo(40, 30)
    exif = Image.Exif()
    exif[0x0112] = 6  # turned a quarter to the right when shown
    give(page, as_png(image, exif=exif))
    check_same(page, lite.encode(image.transpose(Image.Transpose.ROTATE_270)))


@pytest.mark.browser
def test_what_was_changed_is_said(page: Any) -> None:
    image = photo(24, 20).convert("RGBA")
    image.putalpha(Image.fromarray(np.tile(np.arange(24, dtype=np.uint8) * 10, (20, 1))))
    give(page, as_png(image))
    assert "transparent parts were put on white" in page.inner_text(".message")
    assert "transparent parts were put on white" in page.evaluate(
        "() => window.gsrPage.showing.about.notes.join()"
    )
    give(page, as_png(photo(24, 20), icc_profile=b"\0" * 128 + b"Display P3"))
    assert "from Display P3 to sRGB" in page.inner_text(".message")


@pytest.mark.browser
@pytest.mark.parametrize(
    ("picture", "said"),
    [
        ({"name": "empty.png", "mimeType": "image/png", "buffer": b""}, "empty.png is empty."),
        (
            {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"not a picture"},
            "notes.txt is not a picture that this browser can open",
        ),
        (
            {
                "name": "cut.png",
                "mimeType": "image/png",
                "buffer": as_png(photo(9, 9))["buffer"][:60],
            },
            "cut.png is not a picture",
        ),
    ],
)
def test_what_is_no_picture_is_refused_in_a_sentence(
    page: Any, picture: dict[str, Any], said: str
) -> None:
    page.set_input_files("input[type=file]", picture)
    page.wait_for_selector(f"[role=alert]:has-text('{said}')")


@pytest.mark.browser
def test_a_picture_that_is_too_large_is_offered_smaller(browser: Any, file: Path) -> None:
    page = opened_file(browser, file, "?encoder=wasm")
    page.set_input_files("input[type=file]", as_png(Image.new("RGB", (2600, 2000), "teal")))
    page.wait_for_selector("button:has-text('Reduce it to 2280 × 1754')")
    assert "up to 4 megapixels" in page.inner_text("[role=alert]")
    page.click("button:has-text('Reduce it')")
    page.click("button:has-text('Stop')")
    page.wait_for_selector("text=Stopped.")
    give(page, as_png(photo(20, 16)))  # and it goes on with another one
    assert page.problems == []
    page.context.close()


@pytest.mark.browser
def test_what_it_saves_can_be_opened(page: Any, browser: Any, tmp_path: Path) -> None:
    give(page, as_png(photo(30, 20)))
    page.wait_for_selector(READY)
    page.fill("input[type=number]", "2.5")
    with page.expect_download() as saved:
        page.click("text=Save picture")
    assert saved.value.suggested_filename == "photo-x2.5.png"
    with Image.open(saved.value.path()) as image:
        assert image.size == (75, 50)
        assert image.text["gsr:model"] == "lite"
        assert image.text["gsr:scale"] == "2.5"
        assert image.text["gsr:weights"].startswith("sha256 ")
        wanted = np.asarray(gsr.load("lite").encode(photo(30, 20)).render(scale=2.5), float)
        assert abs(np.asarray(image.convert("RGB"), float) - wanted).mean() < 0.5
    with page.expect_download() as saved:
        page.click("text=Save page")
    assert saved.value.suggested_filename == "photo.html"
    copy = tmp_path / "copy.html"
    saved.value.save_as(copy)
    again = opened_file(browser, copy)
    again.wait_for_selector(READY)
    assert again.title() == "photo.png · gsr"
    assert again.evaluate("() => document.getElementById('model')") is None
    assert again.problems == []
    again.context.close()
    page.fill("input[type=number]", "1000")
    page.click("text=Save picture")
    page.wait_for_selector("text=A scale is a number above 0, of at most 64.")


@pytest.mark.browser
def test_a_damaged_page_says_so(browser: Any, file: Path, tmp_path: Path) -> None:
    text = file.read_text(encoding="utf-8")
    packed = re.findall(r'id="model" type="text/plain">([^<]*)<', text)[0]
    broken = tmp_path / "broken.html"
    broken.write_text(text.replace(packed, packed[:1000]), encoding="utf-8")
    page = opened_file(browser, broken, "?encoder=wasm")
    page.set_input_files("input[type=file]", as_png(photo(9, 9)))
    page.wait_for_selector("[role=alert]:has-text('model for a page is damaged or cut short')")
    page.context.close()


def test_models_that_a_page_cannot_run(
    tmp_path: Path, lite: gsr.GaussianSR, monkeypatch: pytest.MonkeyPatch
) -> None:
    paper = gsr.GaussianSR(gsr.ModelConfig("paper", classifier="logits"))
    with pytest.raises(ConfigError, match="a page cannot run paper"):
        encoder_page(paper)
    monkeypatch.setattr(weights, "LARGEST", 1000)
    with pytest.raises(ConfigError, match="too many weights for a page"):
        encoder_page(lite)
    with pytest.raises(OutputError, match=r"must end in \.html"):
        write_encoder_page(lite, tmp_path / "page.txt")
