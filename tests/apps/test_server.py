import io
import threading

import numpy as np
import pytest
import torch
from fastapi.testclient import TestClient
from PIL import Image

from apps.demos import demo_photos
from apps.studio import studio as studio_module
from apps.studio.server import MAX_UPLOAD_BYTES, create_app
from apps.studio.studio import Studio, read_picture
from apps.viewer.payloads import FrameRequest, frame_image
from gsr import View
from gsr.errors import ImageError
from gsr.images import load, to_pil
from gsr.render import render
from gsr.weights import load as load_weights
from gsr.weights import manifest

VIEW = {"x": 3.25, "y": 2.5, "width": 20, "height": 15, "columns": 80, "rows": 60}


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


def picture(answer):
    assert answer.status_code == 200, answer.text
    return Image.open(io.BytesIO(answer.content))


def refusal(answer, status=400):
    assert answer.status_code == status, answer.text
    return answer.json()["error"]


def png(size=(20, 10), mode="RGB", **save):
    out = io.BytesIO()
    Image.effect_noise(size, 60).convert(mode).save(out, "PNG", **save)
    return out.getvalue()


def test_the_first_picture_and_the_demo_photos_are_announced(client):
    about = client.get("/studio/start").json()
    assert (about["width"], about["height"]) == (64, 48)
    assert len(about["kernels"]) == 100
    assert {demo["file"] for demo in about["demos"]} == {p.name for p in demo_photos()}
    assert client.get("/demo/" + about["demos"][0]["file"]).status_code == 200


def test_an_exact_frame_is_the_render_of_the_core(client, studio, key):
    got = picture(client.get(f"/studio/fields/{key}/frame", params=VIEW))
    view = View(3.25, 2.5, 20.0, 15.0, (60, 80))
    expected = studio.store.get(key).field.render(view=view)
    assert np.array_equal(np.asarray(got), np.asarray(expected))


@pytest.mark.parametrize("layer", ["result", "gaussians", "residual", "lr"])
def test_layers(client, studio, key, layer):
    params = VIEW | {"layer": layer}
    got = picture(client.get(f"/studio/fields/{key}/frame", params=params))
    view = View(3.25, 2.5, 20.0, 15.0, (60, 80))
    expected = studio.store.get(key).field.render(view=view, layer=layer)
    assert np.array_equal(np.asarray(got), np.asarray(expected))


def test_the_reference_is_pillows_bicubic(client, key, pixels):
    params = VIEW | {"method": "bicubic"}
    got = np.asarray(picture(client.get(f"/studio/fields/{key}/frame", params=params)))
    box = (3.25, 2.5, 23.25, 17.5)
    source = to_pil(pixels)
    expected = np.asarray(source.resize((80, 60), Image.Resampling.BICUBIC, box=box))
    # Pillow rounds and clamps to 8 bits between its two passes, the reference only at the end.
    assert np.abs(got.astype(int) - expected).mean() < 0.5


def test_a_preview_is_small_and_close(client, key):
    answer = client.get(f"/studio/fields/{key}/frame", params=VIEW | {"quality": "preview"})
    assert answer.headers["content-type"] == "image/jpeg"
    exact = np.asarray(picture(client.get(f"/studio/fields/{key}/frame", params=VIEW)))
    assert np.abs(np.asarray(picture(answer)).astype(float) - exact).mean() < 8


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"x": "nan"}, "finite"),
        ({"width": "inf"}, "finite"),
        ({"width": 0}, "above 0"),
        ({"columns": 5000, "width": 200}, "4096"),
        ({"rows": 0}, "whole pixels"),
        ({"columns": "many"}, "columns"),
        ({"width": 1e9, "height": 1e9}, "scale"),
        ({"width": 250_000, "height": 250_000, "columns": 4096, "rows": 4096}, "covers too much"),
        ({"method": "magic"}, "method"),
        ({"layer": "onion"}, "layer"),
        ({"quality": "good"}, "quality"),
    ],
)
def test_bad_frames_are_refused_with_a_sentence(client, key, change, word):
    sentence = refusal(client.get(f"/studio/fields/{key}/frame", params=VIEW | change))
    assert word in sentence
    assert sentence.endswith(".")


@pytest.mark.parametrize("what", ["frame", "ellipses", "explain", "classmap"])
def test_an_unknown_id_is_a_clear_404(client, what):
    params = VIEW | {"scale": 2}
    answer = client.get(f"/studio/fields/gone/{what}", params=params)
    assert "open it again" in refusal(answer, 404)


def test_a_newer_request_stops_the_older_render_between_bands(client, studio, key, monkeypatch):
    begun, go_on = threading.Event(), threading.Event()
    genuine = studio_module.frame

    def slow(field, request, progress):
        if request.view.size == (61, 80):
            begun.set()
            assert go_on.wait(10)
        return genuine(field, request, progress)

    monkeypatch.setattr(studio_module, "frame", slow)
    answers = []
    url, who = f"/studio/fields/{key}/frame", {"viewer": "v"}
    older = threading.Thread(
        target=lambda: answers.append(
            client.get(url, params=VIEW | who | {"rows": 61, "number": 1})
        )
    )
    newer = threading.Thread(
        target=lambda: answers.append(client.get(url, params=VIEW | who | {"number": 2}))
    )
    older.start()
    assert begun.wait(10)
    newer.start()
    deadline = threading.Event()
    while not deadline.wait(0.02):
        if studio.store.get(key).turnstile._newest.get("v") == 2:
            break
    go_on.set()
    older.join(20)
    newer.join(20)
    assert sorted(answer.status_code for answer in answers) == [200, 409]


def test_ellipses_lie_in_the_view(client, key):
    where = {"x": 10, "y": 10, "width": 8, "height": 6}
    got = client.get(f"/studio/fields/{key}/ellipses", params=where).json()
    assert got["step"] == 1
    assert len({len(got[name]) for name in ("column", "row", "kernel", "x", "y", "color")}) == 1
    assert min(got["column"]) >= 8
    assert max(got["column"]) <= 20
    thin = client.get(f"/studio/fields/{key}/ellipses", params=where | {"limit": 20}).json()
    assert thin["step"] > 1
    assert len(thin["x"]) <= 20


@pytest.mark.parametrize("bad", [{"width": "nan"}, {"width": -1}, {"x": "inf"}])
def test_bad_ellipse_requests_are_refused(client, key, bad):
    where = {"x": 10, "y": 10, "width": 8, "height": 6} | bad
    refusal(client.get(f"/studio/fields/{key}/ellipses", params=where))


def test_an_explanation_adds_up(client, key):
    params = {"x": 12.3, "y": 20.7, "scale": 4}
    got = client.get(f"/studio/fields/{key}/explain", params=params).json()
    assert sum(part["share"] for part in got["contributions"]) == pytest.approx(1, abs=1e-5)
    for i in range(3):
        mixed = sum(part["share"] * part["color"][i] for part in got["contributions"])
        assert mixed + got["residual"][i] == pytest.approx(got["rgb"][i], abs=1e-4)


def test_a_point_outside_is_refused(client, key):
    params = {"x": 1000, "y": 1, "scale": 4}
    assert "outside the image" in refusal(
        client.get(f"/studio/fields/{key}/explain", params=params)
    )


def test_the_class_map_is_the_index(client, studio, key):
    answer = client.get(f"/studio/fields/{key}/classmap")
    numbers = np.frombuffer(answer.content, "<u2").reshape(48, 64)
    assert np.array_equal(numbers, studio.store.get(key).field.index[0].numpy())


def test_a_picture_can_be_opened(client):
    answer = client.post("/studio/open", params={"name": "C:\\me\\my photo.png"}, content=png())
    about = answer.json()
    assert (about["width"], about["height"], about["name"]) == (20, 10, "my photo.png")


def test_what_was_changed_in_a_picture_is_noted(client):
    out = io.BytesIO()
    Image.new("CMYK", (9, 9)).save(out, "JPEG")
    about = client.post("/studio/open", params={"name": "c.jpg"}, content=out.getvalue()).json()
    assert "CMYK" in about["notes"][0]


@pytest.mark.parametrize(
    ("data", "word"), [(b"", "empty"), (b"no picture", "not an image"), (png()[:60], "damaged")]
)
def test_broken_files_are_refused_by_their_own_name(client, data, word):
    sentence = refusal(client.post("/studio/open", params={"name": "mine.png"}, content=data))
    assert sentence.startswith("mine.png")
    assert word in sentence


def test_a_picture_too_large_for_live_use_is_refused_from_its_header():
    with pytest.raises(ImageError, match=r"big.png is 3000 x 2000 .*at most 4 megapixels"):
        read_picture(png((3000, 2000)), "big.png")


def test_a_body_that_never_ends_is_refused(client):
    chunks = (bytes(2**20) for _ in range(MAX_UPLOAD_BYTES // 2**20 + 2))
    assert "64 MiB" in refusal(client.post("/studio/open", content=chunks))


def test_an_unknown_demo_photo_is_refused(client):
    answer = client.post("/studio/open-demo", params={"name": "../secret"})
    assert "no demo photo" in refusal(answer)


def test_opening_can_be_cancelled(client):
    client.delete("/studio/jobs/stop-me")
    answer = client.post("/studio/open", params={"job": "stop-me"}, content=png())
    assert answer.status_code == 409


def test_only_scripts_and_styles_are_served(client):
    assert client.get("/viewer/viewer.js").status_code == 200
    assert client.get("/viewer/payloads.py").status_code == 404


def test_grey_and_transparency_survive(client):
    data = png(mode="LA")
    key = client.post("/studio/open", params={"name": "g.png"}, content=data).json()["id"]
    view = {"x": 0, "y": 0, "width": 20, "height": 10, "columns": 40, "rows": 20}
    assert picture(client.get(f"/studio/fields/{key}/frame", params=view)).mode == "LA"
    preview = view | {"quality": "preview"}
    assert picture(client.get(f"/studio/fields/{key}/frame", params=preview)).mode == "RGBA"


def test_bands_of_the_core_match(field):
    # What the download relies on.
    whole = render(field, size=(96, 128))
    assert torch.equal(whole, render(field, view=View.whole(field.lr_size, (96, 128))))


@pytest.mark.skipif("lite" not in manifest(), reason="no weights called lite are bundled")
def test_the_bundled_weights_show_more_than_bicubic():
    with Image.open(demo_photos()[0]) as image:
        field = load_weights("lite").encode(image.crop((200, 40, 300, 120)))
    view = View(10.0, 10.0, 60.0, 50.0, (200, 240))
    sharp, soft = (frame_image(field, FrameRequest(view, method)) for method in ("gsr", "bicubic"))
    assert gradient_energy(sharp) > 1.05 * gradient_energy(soft)


def gradient_energy(image):
    pixels = np.asarray(image).astype(float)
    return sum((np.diff(pixels, axis=axis) ** 2).mean() for axis in (0, 1))
