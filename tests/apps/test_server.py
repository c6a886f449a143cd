import base64
import io
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import numpy as np
import pytest
import torch
from fastapi.testclient import TestClient
from gsr_apps import viewer
from gsr_apps.demos import demo_photos
from gsr_apps.studio import studio as studio_module
from gsr_apps.studio.auth import BasicAuth
from gsr_apps.studio.server import MAX_UPLOAD_BYTES, PAGE, create_app
from gsr_apps.studio.studio import Studio, read_picture
from gsr_apps.viewer.comparing import MOST_COMPARED, PROTOCOL, most_compared
from helpers.requests import routes_of
from PIL import Image

from gsr import View
from gsr.base.errors import ConfigError, ImageError
from gsr.field.render import render
from gsr.images import load, to_pil
from gsr.images.metrics import psnr
from gsr.methods import get
from gsr.methods.weights import load as load_weights
from gsr.methods.weights import manifest

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
    image = Image.effect_noise(size, 60).convert(mode)
    if mode.endswith("A"):
        image.putalpha(Image.linear_gradient("L").resize(size))
    image.save(out, "PNG", **save)
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
        ({"columns": 9000, "width": 200}, "8192"),
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


@pytest.mark.parametrize(
    "what", ["frame", "ellipses", "explain", "choices", "bank", "scores", "usage"]
)
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


def test_choices_are_the_index_and_what_the_classifier_said(client, studio, key):
    data = client.get(f"/studio/fields/{key}/choices").content
    field = studio.store.get(key).field
    count, said = 48 * 64, field.choice_at()
    assert len(data) == 6 * count
    kernel, second = np.frombuffer(data, "<u2", 2 * count).reshape(2, 48, 64)
    confidence, entropy = np.frombuffer(data, "u1", offset=4 * count).reshape(2, 48, 64) / 255
    assert np.array_equal(kernel, field.index[0].numpy())
    assert np.array_equal(second, said.second[0].numpy())
    assert np.abs(confidence - said.confidence[0].numpy()).max() < 0.0021
    assert np.abs(entropy - said.entropy[0].numpy() / np.log2(100)).max() < 0.0021


def test_the_reach_of_a_gaussian_is_its_footprint(client, studio, key):
    params = {"column": 20, "row": 11, "scale": 6}
    got = client.get(f"/studio/fields/{key}/footprint", params=params).json()
    assert got["x"] <= 20 < got["x"] + got["width"]
    shares = np.frombuffer(base64.b64decode(got["shares"]), "u1")
    shares = shares.reshape(got["rows"], got["columns"]) / 255 * got["peak"]
    point = {"x": 20.5, "y": 11.5, "scale": 6}
    told = client.get(f"/studio/fields/{key}/explain", params=point).json()
    (own,) = (p for p in told["contributions"] if (p["column"], p["row"]) == (20, 11))
    row, column = (int((11.5 - got["y"]) * 6), int((20.5 - got["x"]) * 6))
    near = shares[row - 1 : row + 2, column - 1 : column + 2]
    assert near.min() - 0.01 <= own["share"] <= near.max() + 0.01
    gone = client.get(f"/studio/fields/{key}/footprint", params=params | {"column": 64})
    assert "no Gaussian" in refusal(gone)


def test_the_usage_of_a_region(client, studio, key):
    where = {"x": 3.5, "y": 2, "width": 2, "height": 1.5}
    shares = client.get(f"/studio/fields/{key}/usage", params=where).json()["shares"]
    index = studio.store.get(key).field.index[0, 2:4, 3:6].flatten()
    expected = torch.bincount(index, minlength=100) / 6
    assert shares == pytest.approx(expected.tolist())
    outside = client.get(f"/studio/fields/{key}/usage", params=where | {"x": 70})
    assert "no pixel" in refusal(outside)


def test_the_bank_as_a_figure_names_its_kernels(client, key):
    figure = client.get(f"/studio/fields/{key}/bank").json()
    named = [trace["customdata"] for trace in figure["data"] if "customdata" in trace]
    assert len(named) == 2
    assert all(sorted(numbers) == list(range(100)) for numbers in named)


# --- edits -----------------------------------------------------------------------------------


def edit(client, key, *edits, replace=None):
    body = {"edits": list(edits), "replace": replace}
    return client.post(f"/studio/fields/{key}/edit", json=body)


def test_an_edit_is_another_field_and_the_first_one_stays(client, studio, key):
    before = picture(client.get(f"/studio/fields/{key}/frame", params=VIEW))
    about = edit(client, key, {"kind": "force", "kernel": 3}).json()
    assert (about["edited"], about["original"]) == (True, key)
    changed = picture(client.get(f"/studio/fields/{about['id']}/frame", params=VIEW))
    expected = (
        studio.store.get(key).field.with_kernel(3).render(view=View(3.25, 2.5, 20, 15, (60, 80)))
    )
    assert np.array_equal(np.asarray(changed), np.asarray(expected))
    again = picture(client.get(f"/studio/fields/{key}/frame", params=VIEW))
    assert np.array_equal(np.asarray(again), np.asarray(before))


def test_an_earlier_copy_is_dropped_but_never_a_picture(client, studio, key):
    first = edit(client, key, {"kind": "soft"}).json()["id"]
    edit(client, key, {"kind": "mean"}, replace=first)
    assert first not in studio.store
    edit(client, key, {"kind": "mean"}, replace=key)
    assert key in studio.store


def test_soft_fields_send_the_shape_of_each_ellipse(client, key):
    made = edit(client, key, {"kind": "soft"}).json()["id"]
    where = {"x": 10, "y": 10, "width": 8, "height": 6}
    got = client.get(f"/studio/fields/{made}/ellipses", params=where).json()
    assert len(set(got["major"])) > 20
    assert "major" not in client.get(f"/studio/fields/{key}/ellipses", params=where).json()


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ({"kind": "magic"}, "kind"),
        ({"kind": "force", "kernel": 100}, "0 and 99"),
        ({"kind": "force"}, "kernel"),
        ({"kind": "paint", "kernel": 1, "runs": [[0, 60, 9]]}, "leaves the picture"),
    ],
)
def test_impossible_edits_are_refused(client, key, value, word):
    assert word in refusal(edit(client, key, value))


# --- other methods and the truth -------------------------------------------------------------


def test_methods_are_offered_and_rendered(client, key):
    offered = [method["name"] for method in client.get("/studio/methods").json()["methods"]]
    assert offered[:4] == ["bicubic", "lanczos", "nearest", "sinc"]
    for name in offered[:4]:
        got = client.get(f"/studio/fields/{key}/frame", params=VIEW | {"method": name})
        assert picture(got).size == (80, 60)


def test_a_path_is_no_method(client, key, weights):
    params = VIEW | {"method": str(weights)[-60:]}
    assert "method must be" in refusal(client.get(f"/studio/fields/{key}/frame", params=params))


@pytest.fixture(scope="module")
def measured(client):
    """A picture that was shrunk first, and the large one."""
    noise = Image.effect_noise((64, 48), 60).resize((129, 97), Image.Resampling.BICUBIC)
    out = io.BytesIO()
    noise.convert("RGB").save(out, "PNG")
    params = {"name": "n.png", "shrink": 4}
    return client.post("/studio/open", params=params, content=out.getvalue()).json(), noise


def test_shrinking_keeps_the_large_picture_as_truth(client, measured):
    about, noise = measured
    assert (about["width"], about["height"]) == (32, 24)
    assert about["truth"] == {"width": 128, "height": 96, "scale": 4}
    whole = {"x": 0, "y": 0, "width": 32, "height": 24, "columns": 128, "rows": 96}
    params = whole | {"method": "truth"}
    got = picture(client.get(f"/studio/fields/{about['id']}/frame", params=params)).convert("L")
    assert np.array_equal(np.asarray(got), np.asarray(noise.crop((0, 0, 128, 96))))
    small = picture(
        client.get(f"/studio/fields/{about['id']}/frame", params=whole | {"layer": "lr"})
    )
    reduced = noise.crop((0, 0, 128, 96)).resize((32, 24), Image.Resampling.BICUBIC)
    shown = np.asarray(small.convert("L"))[2::4, 2::4].astype(int)
    assert np.abs(shown - np.asarray(reduced)).max() <= 1


def test_scores_are_psnr_of_the_region(client, studio, measured):
    about, _ = measured
    region = {"x": 4, "y": 4, "width": 16, "height": 12}
    params = region | {"methods": "bicubic,gsr,truth"}
    scores = client.get(f"/studio/fields/{about['id']}/scores", params=params).json()["scores"]
    entry = studio.store.get(about["id"])
    view = View(4, 4, 16, 12, (48, 64))
    got = render(entry.field, view=view)[0]
    expected = psnr(got, entry.truth.maps[0, :, 16:64, 16:80], protocol=PROTOCOL)
    assert scores["gsr"]["psnr"] == pytest.approx(float(expected), abs=1e-4)
    assert scores["truth"] == {"psnr": None, "ssim": pytest.approx(1)}
    assert 0 < scores["bicubic"]["ssim"] < 1


def test_a_truth_can_be_given(client, measured):
    about, noise = measured
    out = io.BytesIO()
    noise.crop((0, 0, 128, 96)).save(out, "PNG")
    url = f"/studio/fields/{about['id']}/truth"
    assert client.post(url, content=out.getvalue()).json()["truth"]["scale"] == 4
    assert "larger than the picture" in refusal(client.post(url, content=png((20, 10))))


def test_without_a_truth_nothing_is_measured(client, key):
    params = {"x": 4, "y": 4, "width": 16, "height": 12}
    assert "no ground truth" in refusal(client.get(f"/studio/fields/{key}/scores", params=params))


@pytest.mark.parametrize("factor", [0.5, 17, 16])
def test_a_picture_can_be_shrunk_only_so_far(client, factor):
    answer = client.post("/studio/open", params={"shrink": factor}, content=png())
    assert "shrink" in refusal(answer) or "shrunk" in refusal(answer)


# --- many people -----------------------------------------------------------------------------


def test_two_people_never_see_each_others_pictures(client):
    keys = []
    for shade in (0, 255):
        out = io.BytesIO()
        Image.new("RGB", (24, 24), (shade,) * 3).save(out, "PNG")
        keys.append(client.post("/studio/open", content=out.getvalue()).json()["id"])
    view = {"x": 8, "y": 8, "width": 8, "height": 8, "columns": 16, "rows": 16}

    def mean(key, number):
        params = view | {"viewer": f"{key[:4]}{number}-0", "number": number, "layer": "lr"}
        return np.asarray(picture(client.get(f"/studio/fields/{key}/frame", params=params))).mean()

    with ThreadPoolExecutor(8) as pool:
        work = [(key, pool.submit(mean, key, n)) for n in range(12) for key in keys]
    assert all(future.result() == (0 if key == keys[0] else 255) for key, future in work)


def test_the_eleventh_person_is_told_to_wait(client, studio, key):
    with ExitStack() as places:
        for person in range(studio.crowd.most):
            places.enter_context(studio.crowd.place(f"someone-{person}-0"))
        params = VIEW | {"viewer": "late-0"}
        answer = client.get(f"/studio/fields/{key}/frame", params=params)
        assert "people are using" in refusal(answer, 503)
        assert answer.headers["retry-after"] == "1"
        # Somebody who waits already may ask for a second pane.
        served = VIEW | {"viewer": "someone-0-1"}
        assert client.get(f"/studio/fields/{key}/frame", params=served).status_code == 200
    assert client.get(f"/studio/fields/{key}/frame", params=params).status_code == 200


def test_a_password_covers_every_route(studio):
    app = create_app(studio)
    guarded = TestClient(BasicAuth(app, "me:se:cret"))
    paths = [path.replace("{key}", "x") for _, path in routes_of(app)]
    assert len(paths) > 20
    for path in [*paths, "/", "/viewer/viewer.js", "/demo/osprey.jpg"]:
        assert guarded.get(path).status_code == 401
        assert guarded.get(path, auth=("me", "wrong")).status_code == 401
    assert guarded.get("/studio/start", auth=("me", "se:cret")).status_code == 200
    assert guarded.get("/studio/start", headers={"authorization": "Basic ?"}).status_code == 401


@pytest.mark.parametrize("credentials", ["me", ":secret", "me:"])
def test_odd_credentials_are_refused(studio, credentials):
    with pytest.raises(ConfigError, match="USER:PASSWORD"):
        BasicAuth(create_app(studio), credentials)


# --- opening ---------------------------------------------------------------------------------


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


def test_a_picture_too_large_to_read_is_refused_from_its_header():
    with pytest.raises(ImageError, match=r"big.png is 300 x 200 pixels.*megapixels"):
        read_picture(png((300, 200)), "big.png", 50_000)


def test_a_body_that_never_ends_is_refused(client):
    chunks = (bytes(2**20) for _ in range(MAX_UPLOAD_BYTES // 2**20 + 2))
    assert "64 MiB" in refusal(client.post("/studio/open", content=chunks))


def test_an_unknown_demo_photo_is_refused(client):
    answer = client.post("/studio/open-demo", params={"name": "../secret"})
    assert "unknown demo photo" in refusal(answer)


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
        cut = image.crop((200, 40, 300, 120))
    view = View(10.0, 10.0, 60.0, 50.0, (200, 240))
    sharp, soft = (
        method.encode(cut).render(view=view) for method in (load_weights("lite"), get("bicubic"))
    )
    assert gradient_energy(sharp) > 1.05 * gradient_energy(soft)


def gradient_energy(image):
    pixels = np.asarray(image).astype(float)
    return sum((np.diff(pixels, axis=axis) ** 2).mean() for axis in (0, 1))


def test_the_page_announces_every_module_and_style():
    from gsr_apps.studio.demo import _head

    found = set(re.findall(r'href="([^"]+)"', _head()))
    folders = {"viewer": viewer.STATIC, "page": PAGE}
    there = {
        f"{n}/{f.name}"
        for n, d in folders.items()
        for f in d.iterdir()
        if f.suffix in (".js", ".css")
    }
    assert found == there
    assert len(found) > 30


# --- later findings --------------------------------------------------------------------------


def test_a_measurement_gives_way_to_a_newer_one(client, studio, measured):
    about, _ = measured
    url = f"/studio/fields/{about['id']}/scores"
    params = {"x": 4, "y": 4, "width": 16, "height": 12, "viewer": "me-scores"}
    assert client.get(url, params=params | {"number": 2}).status_code == 200
    assert "newer request" in refusal(client.get(url, params=params | {"number": 1}), 409)
    turnstile, answers = studio.store.get(about["id"]).turnstile, []
    older = threading.Thread(
        target=lambda: answers.append(client.get(url, params=params | {"number": 3}))
    )
    with studio._rendering:  # something else is rendered
        older.start()
        while turnstile._newest["me-scores"] < 3:
            time.sleep(0.01)
        turnstile.enter("me-scores", 4)
    older.join(10)
    assert "newer request" in refusal(answers[0], 409)


def test_slow_methods_are_measured_on_fewer_pixels():
    assert most_compared(["gsr", "bicubic"]) == MOST_COMPARED
    assert most_compared(["gsr", "liif-tiny"]) < MOST_COMPARED / 5


def test_mixed_kernels_are_told_with_shapes_of_their_own(client, key):
    edit = {"edits": [{"kind": "mean"}]}
    about = client.post(f"/studio/fields/{key}/edit", json=edit).json()
    params = {"x": 20.5, "y": 11.5, "scale": 4}
    url = f"/studio/fields/{about['id']}"
    parts = client.get(f"{url}/explain", params=params).json()["contributions"]
    assert len({(p["major"], p["minor"], p["angle"]) for p in parts}) == 1
    area = {"x": 0, "y": 0, "width": 20, "height": 15}
    listed = client.get(f"{url}/ellipses", params=area).json()
    assert set(listed["major"]) == {round(parts[0]["major"], 3)}
    plain = client.get(f"/studio/fields/{key}/explain", params=params).json()
    assert "major" not in plain["contributions"][0]


def test_frames_of_a_very_wide_screen(client, key):
    wide = {"x": 0, "y": 0, "width": 128, "height": 1, "columns": 5184, "rows": 40}
    url = f"/studio/fields/{key}/frame"
    assert picture(client.get(url, params=wide | {"layer": "lr"})).size == (5184, 40)
    too_much = wide | {"height": 128, "columns": 6000, "rows": 6000}
    assert "25,000,000 in all" in refusal(client.get(url, params=too_much))


def test_a_browser_gets_the_field_in_parts(client, studio, key):
    from gsr.field.payload import pack, unpack

    field = studio.store.get(key).field
    height, width = field.lr_size
    whole = {"x": 0, "y": 0, "width": width, "height": height}
    part = {"x": 10, "y": 4, "width": 8, "height": 6}
    route = f"/studio/fields/{key}/payload"
    expected = pack(field, slice(4, 10), slice(10, 18), level=1)
    assert client.get(route, params=part).content == expected
    assert unpack(client.get(route, params=whole).content).lr_size == field.lr_size
    for wrong in (whole | {"x": 5 * width}, whole | {"width": -1}, whole | {"x": "nan"}):
        answer = client.get(route, params=wrong)
        assert answer.status_code == 400
        assert answer.json()["error"].endswith(".")
