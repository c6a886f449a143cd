"""Choosing other weights for the picture on show, and the notice that offers them."""

import io

import pytest
import torch
from fastapi.testclient import TestClient
from gsr_apps.studio.server import create_app
from gsr_apps.studio.studio import Studio
from gsr_apps.studio.weights import Weights

from gsr.base.errors import ConfigError, WeightsError
from gsr.images import load, to_pil
from gsr.methods import weights
from gsr.methods.weights import save_weights


@pytest.fixture(scope="module")
def folder(tmp_path_factory, make_model):
    """Bundled weights: `lite`, and `photo` that goes on from it."""
    folder = tmp_path_factory.mktemp("bundle")
    lines = []
    for seed, name in enumerate(("lite", "photo")):
        model = make_model("lite", seed=seed, name=name)
        path = save_weights(model, folder / f"{name}.safetensors")
        lines.append(f'[{name}]\nfile = "{path.name}"\nsha256 = "{weights.checksum(path)}"')
    (folder / "manifest.toml").write_text("\n".join(lines))
    return folder


@pytest.fixture
def bundle(folder, monkeypatch):
    monkeypatch.setattr(weights, "weights_folder", lambda: folder)


@pytest.fixture
def client(bundle, model, pixels):
    with TestClient(create_app(Studio(model, load(to_pil(pixels))))) as client:
        yield client


def noisy_png(levels: float) -> bytes:
    grains = torch.randn((3, 40, 50), generator=torch.Generator().manual_seed(0))
    file = io.BytesIO()
    to_pil((0.5 + levels / 255 * grains).clamp(0, 1)).save(file, "PNG")
    return file.getvalue()


def opened(client, levels: float = 9.0, **options) -> dict:
    answer = client.post("/studio/open", params=options, content=noisy_png(levels))
    assert answer.status_code == 200, answer.text
    return answer.json()


def reweighed(client, key: str, **chosen):
    return client.post(f"/studio/fields/{key}/weights", params=chosen)


def test_what_is_offered(client):
    offered = client.get("/studio/start").json()["weights"]
    assert [(one["name"], one["mixed"]) for one in offered] == [
        ("tiny", False), ("lite", False), ("photo", True),
    ]  # fmt: skip
    assert all(one["label"] and one["about"] for one in offered[1:])


def test_nothing_else_is_offered_where_nothing_is_bundled(model, tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "weights_folder", lambda: tmp_path)
    assert Weights(model).names == ["tiny"]


def test_a_picture_is_made_again_with_other_weights(client):
    about = opened(client, shrink=2)
    again = reweighed(client, about["id"], name="photo").json()
    assert again["id"] != about["id"]
    assert (again["model"], again["name"]) == ("photo", about["name"])
    assert (again["width"], again["height"]) == (about["width"], about["height"])
    assert again["truth"] == about["truth"]
    part = reweighed(client, again["id"], name="photo", strength=0.25).json()
    assert part["model"] == "photo at 0.25"
    assert reweighed(client, part["id"], name="tiny").json()["model"] == about["model"]


def test_it_is_what_the_library_makes(client, model):
    studio = client.app.state.studio
    key = opened(client)["id"]
    field = studio.store.get(reweighed(client, key, name="photo", strength=0.5).json()["id"]).field
    expected = weights.load("photo", strength=0.5).encode(load(noisy_png(9)))
    assert torch.equal(field.lr, expected.lr)
    torch.testing.assert_close(field.colors, expected.colors)
    assert field.weights == expected.weights


def test_transparency_stays(client):
    file = io.BytesIO()
    image = to_pil(torch.rand(3, 20, 30)).convert("RGBA")
    image.putalpha(77)
    image.save(file, "PNG")
    key = client.post("/studio/open", content=file.getvalue()).json()["id"]
    assert reweighed(client, key, name="photo").json()["alpha"] is True


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"name": "lte-tiny"}, "weights must be one of tiny, lite, photo"),
        ({"name": "../lite.safetensors"}, "weights must be one of"),
        ({"name": "photo", "strength": 1.5}, "between 0 and 1"),
        ({"name": "photo", "strength": "nan"}, ""),
        ({"name": "lite", "strength": 0.5}, "started from random weights"),
        ({}, "name"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(client, chosen, said):
    answer = reweighed(client, opened(client)["id"], **chosen)
    assert answer.status_code == 400
    assert said in answer.json()["error"]


def test_of_a_picture_that_is_gone(client):
    assert reweighed(client, "nothing", name="photo").status_code == 404


def test_noise_is_told_of_the_picture_as_long_as_it_would_be_enlarged(client):
    noisy, clean = opened(client), opened(client, 0)
    assert noisy["advice"]["fault"].startswith("is noisy (about ")
    assert noisy["advice"]["weights"] == "photo"
    assert clean["advice"] is None
    assert reweighed(client, noisy["id"], name="photo").json()["advice"] is None
    edits = {"edits": [{"kind": "force", "kernel": 3}]}
    edited = client.post(f"/studio/fields/{noisy['id']}/edit", json=edits).json()
    assert edited["advice"] is None  # said once


def test_names_are_checked_before_files_are_read(bundle, model):
    with pytest.raises(ConfigError, match="weights must be one of"):
        Weights(model).get("metasr-tiny", 1.0)
    with pytest.raises(WeightsError):
        Weights(model).get("lite", 0.5)
