"""What made a picture is said wherever it goes: in the field, in every file, on the terminal."""

import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

import gsr
from gsr import cli
from gsr.field import edits
from gsr.field.edits import Force, Mean, Other, Paint, Reshape, Shuffle, Soft, Top, Without
from gsr.field.provenance import ROOM, USUAL_ROOM, made, titled
from gsr.field.svg import overlay_svg
from gsr.images import PictureInfo
from gsr.methods.weights import save_weights
from gsr.network.fingerprint import fingerprint
from gsr.tasks.sweep import Sweep, save_sweep

EDITS = (
    Reshape(kernel=7, sigma_x=0.5, sigma_y=0.8, rho=0.4, opacity=0.7),
    Force(3),
    Shuffle(5),
    Soft(),
    Top(3),
    Mean(),
    Without((1, 2)),
    Paint(4, ((0, 2, 3), (5, 0, 1))),
)
LONG = tuple(Paint(4, tuple((row, 0, 5) for row in range(9))) for _ in range(900))
FUNCTIONS = {
    "index": lambda field: edits.with_index(field, torch.zeros_like(field.index)),
    "kernel": lambda field: field.with_kernel(3),
    "mask": lambda field: field.with_kernel(3, torch.ones_like(field.index, dtype=torch.bool)),
    "bank": lambda field: field.with_bank(field.bank_raw.flip(0)),
    "shuffled": lambda field: edits.shuffled(field, torch.Generator()),
}


@pytest.fixture(scope="module")
def field(lite_field):
    return replace(lite_field, info=PictureInfo(name="photo.png", notes=("It was shrunk.",)))


@pytest.fixture(scope="module")
def edited(field):
    return edits.apply(field, [Force(3), Soft()])


# --- the field -------------------------------------------------------------------------------


@given(st.lists(st.sampled_from(EDITS), max_size=5), st.integers(0, 5))
@settings(max_examples=25, deadline=None)
def test_a_field_lists_its_edits_and_goes_on_where_it_was(lite_field, todo, cut):
    whole = edits.apply(lite_field, todo)
    assert whole.edits == tuple(todo)
    parts = edits.apply(edits.apply(lite_field, todo[:cut]), todo[cut:])
    assert parts.edits == whole.edits
    assert torch.equal(parts.index, whole.index)  # what was off stays off
    assert (parts.mixed is None) == (whole.mixed is None)
    one_by_one = lite_field
    for edit in todo:
        one_by_one = edit(one_by_one)
    assert torch.equal(one_by_one.index, whole.index)


@pytest.mark.parametrize("change", FUNCTIONS.values(), ids=FUNCTIONS.keys())
def test_no_function_changes_a_field_without_a_word(field, change):
    changed = change(field)
    assert edits.count(changed.edits) == 1
    assert "edited (1)" in repr(changed)
    assert "edited (1)" in changed._repr_html_()
    assert field.edits == ()
    with pytest.raises(gsr.GsrError, match="cannot be made again from a list"):
        edits.apply(field, changed.edits)


def test_edits_survive_a_file(edited, tmp_path):
    again = gsr.open_field(edited.save(tmp_path / "a.gsf"))
    assert again.edits == edited.edits
    assert again.weights == edited.weights
    assert "edited" not in repr(gsr.open_field(replace(edited, edits=()).save(tmp_path / "b.gsf")))


@pytest.mark.parametrize("text", ["[", "{}", '{"format": "gsr-edits", "version": 1, "edits": [3]}'])
def test_edits_of_a_file_that_make_no_sense(edited, tmp_path, text, monkeypatch):
    monkeypatch.setattr("gsr.field.edits.dumps", lambda *_, **__: text)
    path = edited.save(tmp_path / "a.gsf")
    monkeypatch.undo()
    with pytest.raises(gsr.GsrError, match=r"is damaged and cannot be opened as a field"):
        gsr.open_field(path)


def test_a_list_too_long_becomes_its_number_and_a_checksum():
    (short,) = edits.bounded(LONG, USUAL_ROOM)
    assert isinstance(short, Other)
    assert short.count == len(LONG)
    assert len(edits.dumps([short], compact=True)) < 300
    assert edits.loads(edits.dumps([short])) == (short,)
    assert edits.bounded(LONG, USUAL_ROOM) != edits.bounded(LONG[:-1], USUAL_ROOM)
    assert edits.bounded(EDITS, USUAL_ROOM) == EDITS


# --- which weights ---------------------------------------------------------------------------


def test_weights_are_named_by_their_numbers(make_model, picture, tmp_path):
    model = make_model("lite")
    before = model.encode(picture(8, 9)).weights
    path = save_weights(model, tmp_path / "a.safetensors", {"steps": 3})
    assert before == fingerprint(gsr.load(path)) == gsr.load(path).encode(picture(8, 9)).weights
    with torch.no_grad():
        model.bank.raw[0, 0] += 1
    assert model.encode(picture(8, 9)).weights != before


def test_what_was_asked_of_the_network_is_named(make_model, picture, tmp_path):
    model = make_model("lite", corrected=True)
    usual = model.encode(picture(8, 9))
    bare = model.encode(picture(8, 9), corrected=False)
    assert (usual.options, bare.options) == ((), ("not corrected",))
    assert titled("GaussianSR", bare.with_kernel(3)) == "GaussianSR, not corrected, edited (1)"
    again = gsr.open_field(bare.save(tmp_path / "a.gsf"))
    assert again.options == bare.options
    assert made(again, (2, 2)).facts["gsr:options"] == "not corrected"
    assert "gsr:options" not in made(usual, (2, 2)).facts
    assert (
        made(model.encode(picture(8, 9), ensemble=True), (2, 2)).facts["gsr:model"] == "best-lite"
    )


# --- files -----------------------------------------------------------------------------------


def run(capsys, *words):
    assert cli.run([str(word) for word in words]) == 0
    return capsys.readouterr()


def said_in(path):
    """What a file says of its making, as one text."""
    with Image.open(path) as image:
        if path.suffix == ".png":
            return image.text
        comment = image.info.get("comment", b"")
        line = image.getexif().get(ExifTags.Base.Software) or comment.decode()
    head, *rest = line.split("; ")
    return {"Software": head} | dict(part.split("=", 1) for part in rest)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
def test_pictures_of_an_edited_field(edited, tmp_path, capsys, suffix):
    edited.save(tmp_path / "a.gsf")
    out = tmp_path / f"b.{suffix}"
    shown = run(capsys, "upscale", tmp_path / "a.gsf", "-s", 2, "-o", out, "--json")
    said = said_in(out)
    assert edits.loads(said["gsr:edits"]) == edited.edits
    assert said["gsr:notes"] == "It was shrunk."
    assert said["gsr:weights"] == f"sha256 {edited.weights}"
    assert said["Software"] == f"gsr {gsr.__version__}"
    outcome = json.loads(shown.out)
    assert (outcome["edits"], outcome["weights"]) == (2, edited.weights)
    notes = ["It was shrunk.", "The field was edited (2), and the file lists what was done."]
    assert outcome["notes"] == notes
    assert all(note in shown.err for note in notes)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif", "bmp"])
def test_edits_that_a_format_has_no_room_for(field, tmp_path, capsys, suffix):
    replace(field, edits=LONG).save(tmp_path / "a.gsf")
    out = tmp_path / f"b.{suffix}"
    shown = run(capsys, "upscale", tmp_path / "a.gsf", "-s", 1, "-o", out, "--json")
    (note,) = json.loads(shown.out)["notes"][1:]
    assert note.startswith("The field was edited (900), and ")
    assert note in shown.err
    if suffix == "bmp":
        assert "cannot say so" in note
        return
    found = edits.loads(said_in(out)["gsr:edits"])
    assert edits.count(found) == 900
    assert (found == LONG) == (suffix == "png")
    assert ("too long" in note) == (suffix != "png")


def test_files_without_metadata_say_nothing_and_the_user_hears_it(edited, tmp_path, capsys):
    edited.save(tmp_path / "a.gsf")
    shown = run(capsys, "upscale", tmp_path / "a.gsf", "-s", 2, "--strip")
    assert "edited (2), and the file cannot say so" in shown.err
    assert "gsr:edits" not in said_in(tmp_path / "a-edited-x2.png")


def test_names_of_results_say_it_once(edited, field, tmp_path, capsys):
    edited.save(tmp_path / "a.gsf")
    edited.save(tmp_path / "b-edited.gsf")
    field.save(tmp_path / "c.gsf")
    (tmp_path / "d.gsf").write_bytes(b"\xff" * 40)
    names = [tmp_path / f"{name}.gsf" for name in ("a", "b-edited", "c")]
    run(capsys, "upscale", *names, "-s", 1)
    assert {path.name for path in tmp_path.glob("*.png")} == {
        "a-edited-x1.png", "b-edited-x1.png", "c-x1.png"
    }  # fmt: skip
    assert cli.run(["upscale", str(tmp_path / "d.gsf"), "-s", "1"]) == 2


@pytest.mark.parametrize("suffix", ["webp", "gif"])
def test_films(edited, tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    save_sweep(edited, path, Sweep(1, 2, seconds=0.1, fps=20, size=(16, 20)))
    said = said_in(path)
    assert edits.loads(said["gsr:edits"]) == edited.edits
    assert (said["gsr:scale"], said["gsr:notes"]) == ("1 to 2", "It was shrunk.")


def test_a_film_beside_its_field(edited, tmp_path, capsys):
    edited.save(tmp_path / "a.gsf")
    words = ("--seconds", 0.1, "--to", 2, "--size", "20x16")
    shown = run(capsys, "sweep", tmp_path / "a.gsf", *words)
    assert shown.out.strip() == str(tmp_path / "a-edited-sweep.webp")
    assert "The field is edited (2)." in shown.err


def test_drawings(edited, field):
    view = gsr.View(2, 1, 5, 4, (16, 20))
    space = "{http://www.w3.org/2000/svg}"
    root = ElementTree.fromstring(overlay_svg(edited, view))
    assert root.findtext(f"{space}title") == "photo.png, edited (2)"
    comment = json.loads(root.findtext(f"{space}metadata"))
    assert edits.loads(comment["gsr:edits"]) == edited.edits
    assert "gsr:edits=" in root.findtext(f"{space}desc")
    plain = ElementTree.fromstring(overlay_svg(field, view))
    assert plain.findtext(f"{space}title") == "photo.png"
    assert "gsr:edits" not in json.loads(plain.findtext(f"{space}metadata"))


def test_questions_on_the_terminal(edited, tmp_path, capsys):
    edited.save(tmp_path / "a.gsf")
    shown = run(capsys, "inspect", tmp_path / "a.gsf", "--at", "3,3", "--json")
    found = json.loads(shown.out)
    assert found["edits"] == 2
    assert edits.loads(found["made"]["edits"]) == edited.edits
    assert (
        "the field is edited (2)" in run(capsys, "inspect", tmp_path / "a.gsf", "--at", "3,3").out
    )
    about = json.loads(run(capsys, "info", tmp_path / "a.gsf", "--json").out)
    assert edits.from_values(about["edits"]) == edited.edits
    assert (about["width"], about["weights"], about["notes"]) == (
        24, edited.weights, ["It was shrunk."]
    )  # fmt: skip
    assert "Force" not in run(capsys, "info", tmp_path / "a.gsf").out


def test_what_an_earlier_result_said_is_not_said_again(edited, field, tmp_path, capsys, make_model):
    edited.save(tmp_path / "a.gsf")
    weights = save_weights(make_model("lite"), tmp_path / "m.safetensors")
    for suffix in ("png", "jpg"):
        first = tmp_path / f"first.{suffix}"
        run(capsys, "upscale", tmp_path / "a.gsf", "-s", 1, "-o", first)
        second = tmp_path / f"second.{suffix}"
        shown = run(capsys, "upscale", first, "-s", 1, "-o", second, "-m", weights)
        assert "gsr:edits" not in said_in(second)
        note = "The picture was made by gsr before, of an edited field."
        assert note in shown.err
        assert said_in(second)["gsr:notes"] == note


def test_text_that_no_file_may_hold(field):
    nasty = PictureInfo(name="a", notes=("a\x00b\n\udcff" + "x" * 9000,))
    comment = made(replace(field, info=nasty, model="m\x1b"), (2.0, 2.0)).comment()
    assert all(value.isprintable() for value in comment.values())
    assert max(map(len, comment.values())) < 3000


def test_pixels_that_were_put_in_are_not_edited(edited):
    assert made(edited, (2, 2), "lr").edits == ()
    assert made(edited, (2, 2), "gaussians").edits == edited.edits
    assert made(edited, (2, 2), "gaussians").facts["gsr:layer"] == "gaussians"
    assert titled("GaussianSR", edited) == "GaussianSR, edited (2)"
    assert ROOM[".bmp"] == 0
