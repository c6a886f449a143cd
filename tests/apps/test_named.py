"""What the hosts of the viewer, the reports and the figures say of an edited field."""

import csv
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote

import pytest
from fastapi.testclient import TestClient
from gsr_apps import figures
from gsr_apps.studio.api import encode_file
from gsr_apps.studio.batch import Options, run, workplace
from gsr_apps.studio.server import create_app
from gsr_apps.studio.studio import Studio
from gsr_apps.viewer import palette as module
from gsr_apps.viewer.comparing import label_of
from PIL import ExifTags, Image

import gsr
from gsr import View
from gsr.base.output_size import OutputSize
from gsr.field import edits
from gsr.field.edits import Force, Reshape, Shuffle
from gsr.field.render import render
from gsr.images import load, to_pil

CHANGES = [{"kind": "force", "kernel": 3}, {"kind": "shuffle", "seed": 1}]


@pytest.fixture(scope="module")
def edited(field):
    return edits.apply(field, [Force(3), Shuffle(1)])


@pytest.fixture(scope="module")
def studio(model, pixels):
    return Studio(model, load(to_pil(pixels)))


@pytest.fixture(scope="module")
def client(studio):
    with TestClient(create_app(studio)) as client:
        yield client


def test_the_module_of_colours_is_the_table():
    assert module.FILE.read_text() == module.module(), "run python -m gsr_apps.viewer.palette"


def test_the_server_names_edits(client):
    first = client.get("/studio/start").json()
    assert (first["edits"], first["changed"], first["edited"]) == (0, "", False)
    made = client.post(f"/studio/fields/{first['id']}/edit", json={"edits": CHANGES}).json()
    assert (made["edits"], made["changed"], made["edited"]) == (2, "edited (2)", True)
    assert made["original"] == first["id"]
    found = client.get(f"/studio/fields/{made['id']}/explain", params={"x": 3, "y": 3, "scale": 4})
    assert found.json()["edits"] == 2
    size = {"format": "jpeg", "scale": 2}
    told = client.get(f"/studio/fields/{made['id']}/export-size", params=size).json()
    assert told["name"] == "image-edited-x2.jpg"
    (note,) = told["notes"]
    answer = client.get(f"/studio/fields/{made['id']}/export", params=size)
    assert json.loads(unquote(answer.headers["X-Gsr-Notes"])) == [note]
    assert 'filename="image-edited-x2.jpg"' in answer.headers["content-disposition"]
    bare = client.get(
        f"/studio/fields/{made['id']}/export-size", params=size | {"strip": True}
    ).json()
    assert "cannot say so" in bare["notes"][0]
    other = client.get(
        f"/studio/fields/{made['id']}/export-size", params=size | {"method": "bicubic"}
    ).json()
    assert (other["name"], other["notes"]) == ("image-bicubic-x2.jpg", [])
    film = client.get(
        f"/studio/fields/{made['id']}/sweep",
        params={"stop": 2, "seconds": 0.1, "width": 32, "height": 24},
    )
    assert 'filename="image-edited-sweep.webp"' in film.headers["content-disposition"]
    with Image.open(io.BytesIO(film.content)) as image:
        assert "gsr:edits=" in image.getexif()[ExifTags.Base.Software]
    lr = client.get(f"/studio/fields/{made['id']}/export-size", params=size | {"layer": "lr"})
    assert (lr.json()["name"], lr.json()["notes"]) == ("image-lr-x2.jpg", [])


def test_scores_of_an_edited_field_say_so(studio, pixels):
    key = studio._keep(studio_picture(pixels))
    entry = studio.store.get(key)
    truth = replace(studio.image(entry, "bicubic"), reader=Same())
    key = studio.store.put(entry.field, truth)
    edited = studio.store.get(studio.edit(key, CHANGES))
    whole = View(0, 0, 64, 48, (48, 64))
    found = studio.scores(edited, ["gsr", "bicubic"], whole)
    assert found["gsr"]["changed"] == "edited (2)"
    assert "changed" not in found["bicubic"]
    assert "changed" not in studio.scores(studio.store.get(key), ["gsr"], whole)["gsr"]


def studio_picture(pixels):
    return load(to_pil(pixels))


class Same:
    """The truth is the picture itself."""

    name = "truth"

    def read(self, lr, maps, view):
        return lr


def test_programs_are_told(studio, edited, tmp_path):
    path = edited.save(tmp_path / "a.gsf")
    uploads = SimpleNamespace(find=Path)  # of whoever asks
    assert encode_file(studio, uploads, str(path))["edits"] == 2


def test_the_report_of_many_pictures_names_them(model, edited, tmp_path):
    path = edited.save(tmp_path / "a.gsf")
    with workplace() as folder:
        *_, report = run(
            [path],
            Options(OutputSize("scale", 2.0), "webp"),
            model,
            folder,
            lambda part, title: None,
        )
        with zipfile.ZipFile(report.archive) as archive:
            assert "a-edited-x2.webp" in archive.namelist()
            rows = list(csv.reader(io.StringIO(archive.read("report.csv").decode())))
    assert "The field was edited (2), and the file lists what was done." in rows[1][-1]


def test_fields_are_called_by_what_made_them(field):
    assert label_of(field) == "GaussianSR, tiny"
    assert label_of(replace(field, model="lite")) == "GaussianSR, other weights"
    best = replace(field, model="best-lite", weights="")
    assert label_of(best) == "GaussianSR, best of eight turns"
    assert label_of(replace(field, model="lite", weights="")) == "GaussianSR"
    lite = gsr.load("lite").encode(field.lr[0, :, :8, :8])
    assert label_of(lite) == "GaussianSR"
    assert label_of(replace(field, model="paper-x", weights="")) == "GaussianSR as published, x"


def titles(figure):
    """All text above a figure or beside its rows."""
    return " ".join(
        [figure.layout.title.text or "", *(note.text for note in figure.layout.annotations)]
    )


@pytest.mark.parametrize(
    "draw",
    [
        figures.kernel_bank,
        figures.bank_and_usage,
        figures.class_map,
        figures.entropy_map,
        figures.directions,
        lambda field: figures.ellipses_over(field, View(2, 2, 6, 6, (60, 60))),
        lambda field: figures.shares(field.explain(3, 3)),
        lambda field: figures.scale_sweep({"ours": field}, (9, 9), (2,), 20),
    ],
    ids=["bank", "usage", "classes", "entropy", "directions", "ellipses", "shares", "sweep"],
)
def test_figures_of_an_edited_field_say_so(draw, field, edited):
    assert "edited (2)" in titles(draw(edited))
    assert "edited" not in titles(draw(field))


def test_widgets_name_edits(field, edited):
    pytest.importorskip("anywidget")
    from gsr_apps.widgets import CompareViewer, FieldViewer

    viewer = FieldViewer(edited)
    about, _ = viewer._service.answer({"what": "about", "number": 1})
    assert (about["found"]["changed"], about["found"]["edited"]) == ("edited (2)", True)
    viewer.field = field
    about, _ = viewer._service.answer({"what": "about", "number": 2})
    assert about["found"]["changed"] == ""
    several = CompareViewer({"broken": edited, "whole": field})
    about, _ = several._service.answer({"what": "about", "number": 1})
    assert (about["found"]["label"], about["found"]["changed"]) == ("broken", "edited (2)")
    assert [method["label"] for method in about["methods"]] == ["whole"]
    turned = CompareViewer({"whole": field, "broken": edited})
    about, _ = turned._service.answer({"what": "about", "number": 1})
    assert [method["label"] for method in about["methods"]] == ["broken, edited (2)"]


def test_a_drag_in_the_bank_is_one_edit_and_the_lab_says_what_is_on_show(field):
    pytest.importorskip("anywidget")
    from gsr_apps.widgets import ClassifierLab, KernelBankExplorer

    bank = KernelBankExplorer(field)
    bank.kernels = [4]
    for value in (0.5, 0.6, 0.7):
        bank._sliders["sigma_x"].value = value
    assert [type(edit) for edit in bank.field.edits] == [Reshape]
    assert bank.field.edits[0].sigma_x == pytest.approx(0.7)
    lab = ClassifierLab(field, truth=to_pil(render(field, 2.0)[0]))
    lab.apply(Shuffle(1), "shuffle")
    assert "shuffle, edited (1)" in lab._said.value
    lab.apply(None, "as chosen")
    assert "edited" not in lab._said.value
