"""Downloads of the studio: pixels, drawings, videos, fields."""

import asyncio
import io
import json
import threading
import time
from urllib.parse import quote, unquote
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from fastapi.testclient import TestClient
from gsr_apps.studio import export, export_routes
from gsr_apps.studio.export import MAX_EXPORT_PIXELS, PictureRequest, largest_scale
from gsr_apps.studio.jobs import Cancelled
from gsr_apps.studio.server import create_app
from gsr_apps.studio.studio import Studio
from PIL import Image

from gsr import View, open_field
from gsr.base.errors import ScaleError
from gsr.images import load, to_pil
from gsr.tasks.exports import EXPORTS

VIEW = "3.25,2.5,20,15"


@pytest.fixture(scope="module")
def studio(model, pixels):
    return Studio(model, load(to_pil(pixels)))


@pytest.fixture(scope="module")
def client(studio):
    with TestClient(create_app(studio)) as client:
        yield client


@pytest.fixture(scope="module")
def key(client):
    return client.get("/studio/start").json()["id"]


@pytest.fixture
def get(client, key):
    """(what, query) to the answer of a field's route."""
    return lambda what, **query: client.get(f"/studio/fields/{key}/{what}", params=query)


def picture(answer):
    assert answer.status_code == 200, answer.text
    return Image.open(io.BytesIO(answer.content))


def refusal(answer, status=400):
    assert answer.status_code == status, answer.text
    sentence = answer.json()["error"]
    assert sentence.endswith(".")
    assert "/tmp" not in sentence
    return sentence


def png(size=(20, 10), mode="RGB", **save):
    out = io.BytesIO()
    image = Image.effect_noise(size, 60).convert(mode)
    if mode.endswith("A"):
        image.putalpha(Image.linear_gradient("L").resize(size))
    image.save(out, "PNG", **save)
    return out.getvalue()


def opened(client, data, name="mine.png"):
    answer = client.post("/studio/open", params={"name": name}, content=data)
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def test_notes_travel_with_a_download(client):
    plain = io.BytesIO()
    Image.new("RGB", (20, 10), (200, 90, 10)).save(plain, "JPEG", exif=heavy_exif())
    comment = b"\xff\xfe" + (64_002).to_bytes(2, "big") + b"A" * 64_000
    data = plain.getvalue()[:2] + comment + plain.getvalue()[2:]
    key = opened(client, data, "heavy.jpg")
    for name, told in (("jpeg", 1), ("png", 0)):
        answer = client.get(f"/studio/fields/{key}/export", params={"format": name, "scale": 2})
        assert picture(answer).size == (40, 20)
        notes = json.loads(unquote(answer.headers.get("X-Gsr-Notes", "[]")))
        assert len(notes) == told
        assert all("EXIF" in note and note.endswith("left out.") for note in notes)


def heavy_exif():
    """As long as fits, so that it does not when our own line comes in addition."""
    exif = Image.Exif()
    exif[0x013B] = "x" * 65_480
    return exif.tobytes()


# --- pixels ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["png", "webp"])
def test_lossless_files_are_the_render(get, studio, key, kind):
    field = studio.store.get(key).field
    whole = picture(get("export", format=kind, scale=2.5))
    assert np.array_equal(np.asarray(whole), np.asarray(field.render(scale=2.5)))
    part = picture(get("export", format=kind, width=80, view=VIEW))
    expected = field.render(view=View(3.25, 2.5, 20, 15, (60, 80)))
    assert np.array_equal(np.asarray(part), np.asarray(expected))


def test_jpeg_is_close_and_its_quality_counts(get, studio, key):
    exact = np.asarray(studio.store.get(key).field.render(scale=2)).astype(int)
    good, bad = (get("export", format="jpeg", scale=2, quality=q) for q in (95, 20))
    assert good.headers["content-type"] == "image/jpeg"
    assert len(bad.content) < len(good.content)
    assert np.abs(np.asarray(picture(good)) - exact).mean() < 3


@pytest.mark.parametrize(
    ("query", "size"),
    [
        ({"scale": 0.5}, (32, 24)),
        ({"scale": 3.7}, (237, 178)),
        ({"width": 100}, (100, 75)),
        ({"height": 100}, (133, 100)),
        ({"width": 90, "height": 70}, (90, 70)),
        ({"scale": 4, "view": VIEW}, (80, 60)),
        ({"height": 30, "view": VIEW}, (40, 30)),
    ],
)
def test_sizes(get, query, size):
    announced = get("export-size", **query).json()
    assert (announced["width"], announced["height"]) == size
    answer = get("export", **query)
    assert picture(answer).size == size
    assert announced["name"] in answer.headers["content-disposition"]


def test_a_layer(get, studio, key):
    field = studio.store.get(key).field
    shown = picture(get("export", scale=1, layer="gaussians"))
    assert np.array_equal(np.asarray(shown), np.asarray(field.render(scale=1, layer="gaussians")))
    assert shown.info["gsr:layer"] == "gaussians"


@pytest.mark.parametrize("method", ["bicubic", "nearest"])
def test_another_method(get, studio, key, method):
    entry = studio.store.get(key)
    answer = get("export", scale=2, method=method)
    shown = picture(answer)
    expected = studio.image(entry, method).render(scale=2)
    assert np.array_equal(np.asarray(shown), np.asarray(expected))
    assert shown.info["gsr:model"] == method
    assert f"-{method}-x2.png" in answer.headers["content-disposition"]


def test_a_method_that_is_not_offered(get):
    assert "method must be" in refusal(get("export", scale=2, method="../weights"))


def test_metadata_is_kept_and_model_and_scale_are_named(client):
    exif = Image.Exif()
    exif[0x010F] = "Camera"
    data = png(mode="RGBA", dpi=(300, 300), exif=exif)
    key = opened(client, data, "a b.png")
    url = f"/studio/fields/{key}/export"
    answer = client.get(url, params={"scale": 2.5})
    image = picture(answer)
    assert (image.size, image.mode) == ((50, 25), "RGBA")
    assert image.info["dpi"][0] == pytest.approx(300, abs=0.1)
    assert (image.info["gsr:model"], image.info["gsr:scale"]) == ("tiny", "2.5")
    assert image.getexif()[0x010F] == "Camera"
    assert "a%20b-x2.5.png" in answer.headers["content-disposition"]
    webp = picture(client.get(url, params={"scale": 2.5, "format": "webp", "view": "1,2,6,4"}))
    said = webp.getexif()[0x0131]
    assert all(word in said for word in ("gsr:model=tiny", "gsr:scale=2.5", "gsr:view=1 2 6 4"))
    bare = picture(client.get(url, params={"scale": 2.5, "strip": True}))
    assert not bare.info
    assert not bare.getexif()


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({}, "by a scale, or by width or height"),
        ({"scale": 2, "width": 9}, "by a scale, or by width or height"),
        ({"scale": 0}, "scale must be"),
        ({"scale": "nan"}, "scale must be"),
        ({"scale": "inf"}, "scale must be"),
        ({"scale": 65}, "scale"),
        ({"scale": 0.001}, "scale"),
        ({"scale": "big"}, "scale"),
        ({"width": 0}, "between 1 and 1,000,000"),
        ({"width": 10**9}, "between 1 and 1,000,000"),
        ({"width": 2.5}, "width"),
        ({"scale": 2, "format": "bmp"}, "format must be one of png, webp, jpeg"),
        ({"scale": 2, "view": "1,2,3"}, "four numbers"),
        ({"scale": 2, "view": "1,2,3,x"}, "four numbers"),
        ({"scale": 2, "view": "1,2,0,3"}, "above 0"),
        ({"scale": 2, "view": "nan,2,3,3"}, "finite"),
        ({"scale": 2, "view": "1,2,inf,3"}, "above 0"),
        ({"height": 9, "view": "1,2,1e-320,3"}, "above 0"),
        ({"height": 9, "view": "1,2,1e308,3"}, "above 0"),
        ({"scale": 2, "view": "1,2,3,nan"}, "above 0"),
        ({"scale": 2, "view": "1,2,nan,3"}, "above 0"),
        ({"scale": 2, "view": "1e308,2,3,3"}, "x and y must be between"),
        ({"scale": 64, "view": "0,0,900,900"}, "downloads go up to 100 megapixels"),
    ],
)
def test_absurd_downloads_are_refused(get, query, word):
    for what in ("export-size", "export"):
        assert word in refusal(get(what, **query))


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({"layer": "onion"}, "layer"),
        ({"quality": 0, "format": "jpeg"}, "quality must be between 1"),
    ],
)
def test_layers_and_qualities_that_do_not_exist(get, query, word):
    assert word in refusal(get("export", scale=2, **query))


def test_what_a_format_cannot_hold_is_said_before_rendering(client, monkeypatch):
    key = opened(client, png(mode="LA"))
    monkeypatch.setattr(export, "as_picture", lambda field: pytest.fail("it was rendered"))
    answer = client.get(f"/studio/fields/{key}/export", params={"scale": 2, "format": "jpeg"})
    assert "mine-x2.jpg: JPEG has no transparency" in refusal(answer)
    key = opened(client, png((400, 20)))
    answer = client.get(f"/studio/fields/{key}/export", params={"scale": 60, "format": "webp"})
    assert "at most 16383 pixels a side" in refusal(answer)


def test_a_download_that_is_too_large_says_what_is_possible(model):
    field = model.encode(torch.zeros(3, 400, 300))
    with pytest.raises(
        ScaleError, match=r"downloads go up to 100 megapixels, that is scale 28\.\d+"
    ):
        PictureRequest(scale=40).view(field)
    assert PictureRequest(scale=largest_scale(field.lr_size)).view(field).size[0] > 11_000


@pytest.mark.parametrize("extent", [(48, 64), (3000, 2000), (1, 1), (0.5, 9000)])
def test_the_largest_scale_is_allowed(extent):
    scale = largest_scale(extent)
    assert scale == 64 or extent[0] * extent[1] * scale**2 <= MAX_EXPORT_PIXELS


@pytest.mark.parametrize("what", ["export", "export-size", "svg", "sweep", "field"])
def test_an_unknown_id_is_a_clear_404(client, what):
    answer = client.get(f"/studio/fields/gone/{what}", params={"scale": 2})
    assert "open it again" in refusal(answer, 404)


# --- drawings and videos ---------------------------------------------------------------------


def test_a_drawing(get):
    answer = get("svg", scale=8, view=VIEW, sigma=2, color="own")
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert "image-gaussians.svg" in answer.headers["content-disposition"]
    root = ElementTree.fromstring(answer.text)
    assert (root.get("width"), root.get("height")) == ("160", "120")
    assert answer.text.count("<ellipse") > 300
    assert answer.text.count("<image") == 1
    assert "<image" not in get("svg", scale=8, view=VIEW, picture=False).text


@pytest.mark.parametrize(
    ("query", "word"),
    [({}, "by a scale"), ({"scale": 8, "sigma": 9}, "at most 5"),
     ({"scale": 8, "color": "taste"}, "color"),
     ({"scale": 40, "view": "0,0,200,100"}, "at most 16 megapixels")],
)  # fmt: skip
def test_drawings_that_cannot_be_made(get, query, word):
    assert word in refusal(get("svg", **query))


def test_a_sweep(get):
    query = {"start": 2, "stop": 8, "seconds": 0.3, "fps": 10, "width": 40, "height": 30}
    for kind in ("webp", "gif"):
        answer = get("sweep", format=kind, x=20, y=10, **query)
        assert answer.headers["content-type"] == f"image/{kind}"
        image = picture(answer)
        assert (image.size, image.n_frames) == ((40, 30), 3)
    captioned = get("sweep", caption=True, x=20, y=10, **query)
    assert captioned.content != get("sweep", x=20, y=10, **query).content


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({"format": "avi"}, "format must be one of webp, gif, mp4"),
        ({"start": 0}, "scale must be"),
        ({"stop": 1}, "from one scale to another"),
        ({"x": 3}, "x and y belong together"),
        ({"height": 30}, "height and width belong together"),
        ({"x": 100, "y": 2}, "outside the image"),
        ({"x": "nan", "y": 2}, "outside the image"),
        ({"seconds": 1e9}, "seconds must be"),
        ({"fps": "nan"}, "fps must be"),
        ({"width": 3000, "height": 3000}, "smaller or shorter"),
        ({"width": 31, "height": 30, "format": "mp4"}, "image-sweep.mp4: MP4 needs even"),
    ],
)
def test_sweeps_that_cannot_be_made(get, query, word):
    assert word in refusal(get("sweep", **query))


# --- fields ----------------------------------------------------------------------------------


def test_a_field_goes_out_and_comes_back(client, studio, tmp_path):
    key = opened(client, png(mode="RGBA"), "Straße.png")
    answer = client.get(f"/studio/fields/{key}/field")
    assert quote("Straße.gsf") in answer.headers["content-disposition"]
    path = tmp_path / "a.gsf"
    path.write_bytes(answer.content)
    kept = studio.store.get(key).field
    expected = np.asarray(kept.render(scale=3))
    assert np.array_equal(np.asarray(open_field(path).render(scale=3)), expected)
    about = client.post("/studio/open-field", params={"name": "b.gsf"}, content=answer.content)
    assert about.json()["name"] == "Straße.png"
    again = client.get(f"/studio/fields/{about.json()['id']}/export", params={"scale": 3})
    assert np.array_equal(np.asarray(picture(again)), expected)


def test_a_page_of_a_field_goes_out(client):
    key = opened(client, png(), "Straße.png")
    answer = client.get(f"/studio/fields/{key}/page")
    assert quote("Straße.html") in answer.headers["content-disposition"]
    assert answer.headers["content-type"].startswith("text/html")
    assert "<title>Straße.png · gsr</title>" in answer.text
    transparent = opened(client, png(mode="RGBA"), "soft.png")
    assert "opaque pictures" in refusal(client.get(f"/studio/fields/{transparent}/page"))


@pytest.mark.parametrize(
    ("data", "word"), [(b"", "not a field"), (png(), "not a field"), (b"\x80\x04.", "not a field")]
)
def test_files_that_are_no_fields(client, data, word):
    answer = client.post("/studio/open-field", params={"name": "x/../b.gsf"}, content=data)
    sentence = refusal(answer)
    assert sentence.startswith("b.gsf is damaged")
    assert word in sentence


def test_fields_that_are_too_large(client, model, tmp_path, monkeypatch):
    data = model.encode(torch.zeros(3, 20, 30)).save(tmp_path / "a.gsf").read_bytes()
    monkeypatch.setattr(export_routes, "MAX_FIELD_PIXELS", 500)
    answer = client.post("/studio/open-field", params={"name": "a.gsf"}, content=data)
    assert "a.gsf is a field of 30 x 20 pixels" in refusal(answer)
    monkeypatch.setattr(export_routes, "MAX_FIELD_BYTES", 2**20)
    answer = client.post("/studio/open-field", content=bytes(2**20 + 1))
    assert "larger than 1 MiB" in refusal(answer)


def test_a_field_of_tensors_can_be_taken_away(client, studio, model):
    key = studio.store.put(model.encode(torch.rand(3, 9, 8)))
    image = picture(client.get(f"/studio/fields/{key}/export", params={"scale": 2}))
    assert (image.size, image.mode) == ((16, 18), "RGB")


# --- progress, cancelling, queue -------------------------------------------------------------


@pytest.fixture
def slow(monkeypatch):
    """Writing a picture takes until `go` is set, and reports before and after it."""
    begun, go = threading.Event(), threading.Event()

    def write(field, request, path, step):
        step(1, 4)
        begun.set()
        assert go.wait(20)
        step(2, 4)
        Image.new("RGB", (2, 2)).save(path)

    monkeypatch.setattr(export, "write_picture", write)
    return begun, go


def in_thread(work):
    answers = []
    thread = threading.Thread(target=lambda: answers.append(work()))
    thread.start()
    return thread, answers


def test_progress_can_be_watched_and_the_work_cancelled(client, get, slow, tmp_path, monkeypatch):
    monkeypatch.setattr(export_routes.tempfile, "tempdir", str(tmp_path))
    begun, go = slow
    thread, answers = in_thread(lambda: get("export", scale=2, job="j1"))
    assert begun.wait(20)
    assert client.get("/studio/jobs/j1").json() == {"done": 1, "total": 4}
    client.delete("/studio/jobs/j1")
    go.set()
    thread.join(20)
    assert refusal(answers[0], 409) == "Cancelled."
    assert list(tmp_path.iterdir()) == []


def test_nothing_stays_on_the_disk(get, tmp_path, monkeypatch):
    monkeypatch.setattr(export_routes.tempfile, "tempdir", str(tmp_path))
    assert get("export", scale=2).status_code == 200
    assert get("field").status_code == 200
    assert list(tmp_path.iterdir()) == []


def test_too_many_downloads_at_once_are_told_to_wait(get, slow, monkeypatch):
    monkeypatch.setattr(export_routes, "MAX_WAITING", 1)
    begun, go = slow
    works = [in_thread(lambda: get("export", scale=2)) for _ in range(4)]
    assert begun.wait(20)
    time.sleep(1)
    go.set()
    for thread, _ in works:
        thread.join(20)
    statuses = sorted(answers[0].status_code for _, answers in works)
    assert statuses == [200, 200, 503, 503]
    refused = next(a[0] for _, a in works if a[0].status_code == 503)
    assert "try again in a moment" in refusal(refused, 503)


def test_a_page_that_has_gone_stops_its_download(studio, key, slow):
    begun, go = slow

    class Gone:
        async def is_disconnected(self):
            return begun.is_set()

    async def run():
        downloads = export_routes.Downloads(studio)
        field = studio.store.get(key).field
        request = PictureRequest(scale=2)
        asyncio.get_running_loop().call_later(1.2, go.set)
        await downloads.answer(
            Gone(), "", "a.png", "image/png",
            lambda path, step: export.write_picture(field, request, path, step),
        )  # fmt: skip

    with pytest.raises(Cancelled):
        asyncio.run(run())


@pytest.mark.parametrize(("suffix", "one"), EXPORTS.items(), ids=EXPORTS)
def test_the_app_makes_every_format_that_the_command_makes(client, key, suffix, one):
    assert one.name in {known["name"] for known in client.get("/studio/start").json()["exports"]}
    answer = client.get(f"/studio/fields/{key}/{one.name}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith(one.media_type)
    assert f'{suffix}"' in answer.headers["content-disposition"]
