"""Pictures that are shown before they are encoded."""

import io
import time

import numpy as np
import pytest
from fastapi.testclient import TestClient
from gsr_apps.studio import studio as studio_module
from gsr_apps.studio.growing import Growing, Part
from gsr_apps.studio.server import create_app
from gsr_apps.studio.studio import Studio
from PIL import Image

from gsr import View
from gsr.base.errors import ConfigError
from gsr.field.edits import Force, to_values
from gsr.images import load, to_pil

HEIGHT, WIDTH = 70, 90
FRAME = {"x": 2, "y": 3, "width": 40, "height": 30, "columns": 160, "rows": 120}
REGION = {name: FRAME[name] for name in ("x", "y", "width", "height")}
PATIENCE = 60


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """All pictures fill in, in tiles that are small beside them."""
    monkeypatch.setattr(studio_module, "AT_ONCE", 100)
    monkeypatch.setattr(studio_module, "TILE", 32)


@pytest.fixture(scope="module")
def photo():
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    waves = np.stack([np.sin(columns / k) * np.cos(rows / (k + 1)) for k in (2, 3, 5)], -1)
    return Image.fromarray((127 + 100 * waves).astype(np.uint8))


@pytest.fixture(scope="module")
def png(photo):
    out = io.BytesIO()
    photo.save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="module")
def whole(model, png):
    return model.encode(png)


@pytest.fixture
def studio(model, pixels):
    return Studio(model, load(to_pil(pixels)))


@pytest.fixture
def client(studio):
    with TestClient(create_app(studio)) as client:
        client.get("/studio/start")
        yield client


@pytest.fixture
def key(client, png):
    about = client.post("/studio/open", params={"name": "a.png"}, content=png).json()
    assert about["growing"] is True
    assert (about["width"], about["height"]) == (WIDTH, HEIGHT)
    return about["id"]


def finished(client, key):
    """When all of it is there."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found = client.get(f"/studio/fields/{key}/tiles", params=REGION).json()
        assert found["failed"] is None
        if found["done"] == found["total"]:
            assert found["missing"] == []
            return found
        time.sleep(0.05)
    raise AssertionError("it was never finished")


def near(got, expected):
    """Equal but for rounding."""
    if isinstance(expected, dict):
        return got.keys() == expected.keys() and all(near(got[k], expected[k]) for k in got)
    if isinstance(expected, list):
        return len(got) == len(expected) and all(map(near, got, expected))
    return got == (pytest.approx(expected, abs=2e-3) if isinstance(expected, float) else expected)


def shown(answer):
    assert answer.status_code == 200, answer.text
    return np.array(Image.open(io.BytesIO(answer.content)))


def test_a_frame_is_there_at_once_and_becomes_exact(client, studio, key, whole):
    url = f"/studio/fields/{key}"
    with studio._encoding:  # no tile can be made
        first = client.get(f"{url}/frame", params=FRAME)
        assert first.headers["X-Gsr-Missing"] == "4"
        told = client.get(f"{url}/tiles", params=REGION | {"px": 40, "py": 30}).json()
        assert (told["done"], told["total"], len(told["missing"])) == (0, 9, 4)
        assert told["missing"][0] == [0, 0, 32, 32]
        for question in ("ellipses", "usage"):
            assert client.get(f"{url}/{question}", params=REGION).status_code == 409
        assert client.get(f"{url}/choices").status_code == 409
    smooth = client.get(f"{url}/frame", params=FRAME | {"method": "bicubic"})
    np.testing.assert_array_equal(shown(first), shown(smooth))
    assert finished(client, key)["total"] == 9
    exact = client.get(f"{url}/frame", params=FRAME)
    assert "X-Gsr-Missing" not in exact.headers
    expected = whole.render(view=View(2, 3, 40, 30, (120, 160)))
    np.testing.assert_array_equal(shown(exact), np.array(expected))


def test_answers_are_those_of_the_whole_field(client, studio, key, whole):
    finished(client, key)
    plain = studio.store.put(whole)
    for question, asked in [
        ("ellipses", REGION),
        ("ellipses", {"x": 33, "y": 33, "width": 30, "height": 20}),
        ("usage", REGION),
        ("explain", {"x": 40.5, "y": 33.5, "scale": 4}),
        ("footprint", {"column": 45, "row": 40}),
    ]:
        got, expected = (
            client.get(f"/studio/fields/{one}/{question}", params=asked).json()
            for one in (key, plain)
        )
        assert near(got, expected), question
    for route in ("choices", "export?scale=2", "export?scale=0.5&format=webp"):
        got, expected = (client.get(f"/studio/fields/{one}/{route}") for one in (key, plain))
        assert (got.status_code, got.content) == (200, expected.content), route
    edits = {"edits": to_values([Force(3)])}
    assert client.post(f"/studio/fields/{key}/edit", json=edits).status_code == 200
    about = client.get(f"/studio/fields/{key}").json()
    assert sum(kernel["share"] for kernel in about["kernels"]) == pytest.approx(1)
    assert client.get(f"/studio/fields/{key}/bank").status_code == 200


def test_an_export_makes_what_is_missing(client, studio, key, whole):
    answer = client.get(f"/studio/fields/{key}/export", params={"scale": 2})
    np.testing.assert_array_equal(shown(answer), np.array(whole.render(2)))


def test_places_that_do_not_exist_are_refused(client, key):
    answer = client.get(f"/studio/fields/{key}/footprint", params={"column": WIDTH, "row": 0})
    assert answer.status_code == 400
    assert f"columns go from 0 to {WIDTH - 1}" in answer.json()["error"]


def test_work_stops_when_asked_and_when_a_picture_is_dropped(client, studio, key):
    grown = studio.store.get(key).kept
    assert isinstance(grown, Growing)
    with studio._encoding:
        client.get(f"/studio/fields/{key}/tiles", params=REGION)
        assert client.delete(f"/studio/fields/{key}/tiles").json() == {"stopped": True}
    grown.filling.join()
    assert grown.mosaic.tiles_ready == 0
    finished(client, key)  # who looks again has it made
    assert studio.tiles.nbytes > 0
    studio.store.drop(key)
    until = time.monotonic() + PATIENCE
    while studio.tiles.nbytes and time.monotonic() < until:
        time.sleep(0.02)
    assert studio.tiles.nbytes == 0


def test_a_thousand_views(client, studio, key):
    entry = studio.store.get(key)
    for number in range(1000):
        entry.look(View(number % 80, number % 60, 9, 7, (9, 7)))
    finished(client, key)


def test_what_needs_all_of_a_field_that_is_too_large_says_so(model, png):
    studio = Studio(model, load(png), max_bytes=20_000_000)
    with TestClient(create_app(studio)) as client:
        client.get("/studio/start")
        key = client.get("/studio/start").json()["id"]
        studio.store.get(key).kept.most_bytes = 1000
        finished(client, key)
        for route in ("field", "svg?scale=2"):
            said = client.get(f"/studio/fields/{key}/{route}").json()["error"]
            assert "more --memory" in said
        assert client.get(f"/studio/fields/{key}/choices").status_code == 409
        explained = client.get(f"/studio/fields/{key}/explain", params={"x": 1, "y": 1, "scale": 2})
        assert explained.status_code == 200


def test_memory_for_less_than_a_tile_is_refused(model, photo):
    studio = Studio(model, load(photo), max_bytes=2000)
    with pytest.raises(ConfigError, match="one tile of a picture takes"):
        studio.first()


def test_other_networks_are_not_asked_about_very_large_pictures(client, key, monkeypatch):
    monkeypatch.setattr(studio_module, "MOST_SLOW", 1000)
    url = f"/studio/fields/{key}/frame"
    said = client.get(url, params=FRAME | {"method": "liif-tiny"}).json()["error"]
    assert "pictures of up to 0.001 megapixels, and this one has 0.0063" in said
    assert client.get(url, params=FRAME | {"method": "lanczos"}).status_code == 200


def test_of_very_many_pixels_the_picture_itself_is_shown(client, key, monkeypatch):
    monkeypatch.setattr(studio_module, "MAX_REDUCED_PIXELS", 100)
    monkeypatch.setattr("gsr_apps.viewer.payloads.MAX_REDUCED_PIXELS", 100)
    wide = {"x": 0, "y": 0, "width": WIDTH, "height": HEIGHT, "columns": 45, "rows": 35}
    assert shown(client.get(f"/studio/fields/{key}/frame", params=wide)).shape == (35, 45, 3)


def test_a_part_says_places_of_the_picture(field):
    part = Part(field, left=10, top=20)
    answer = part.placed({"x": [1.5, 2.0], "y": 3, "row": [0], "other": 1})
    assert answer == {"x": [11.5, 12.0], "y": 23, "row": [20], "other": 1}
