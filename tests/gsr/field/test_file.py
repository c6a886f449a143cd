"""Fields in files: what comes back is what went in, and nothing else is taken."""

import json
import os
import random
import resource
import struct
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import gsr
from gsr import GaussianField, View, open_field
from gsr.base.errors import ImageError, OutputError, WeightsError
from gsr.field.file import FORMAT, VERSION
from gsr.methods.weights import read_weights, save_weights

MAPS = ("lr", "bank_raw", "index", "evidence", "offsets", "colors", "feat", "context")
VIEWS = [
    View(-1.5, 0.25, 6.0, 5.5, (33, 40)),
    View(2.125, 1.0, 3.0, 2.0, (128, 192)),
    View(0.0, 0.0, 11.0, 9.0, (4, 5)),
]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "photo.gsf"


def photo(mode="RGBA", size=(14, 10), **info):
    bands = [Image.effect_noise(size, 60 + 10 * i) for i in range(len(mode))]
    image = Image.merge(mode, bands) if len(bands) > 1 else bands[0]
    image.info.update(info)
    return image


def same(a: GaussianField, b: GaussianField) -> None:
    assert (a.slopes is None) == (b.slopes is None)
    for name in (*MAPS, *(["slopes"] if a.slopes is not None else [])):
        one, other = getattr(a, name), getattr(b, name)
        assert torch.equal(one, other), name
        assert one.dtype == other.dtype, name
    assert (a.classifier, a.model, a.batch_shape, a.info) == (
        b.classifier,
        b.model,
        b.batch_shape,
        b.info,
    )
    assert a.sampler.config == b.sampler.config
    assert (a.alpha is None) == (b.alpha is None)
    if a.alpha is not None and b.alpha is not None:
        same(a.alpha, b.alpha)


# --- what comes back -------------------------------------------------------------------------


@pytest.mark.parametrize("layer", ["result", "gaussians", "residual", "lr"])
def test_every_render_is_the_same_bit_for_bit(tiny_field, path, layer):
    tiny_field.save(path)
    opened = open_field(path)
    same(opened, tiny_field)
    for view in VIEWS:
        ours, theirs = (f.render(view=view, layer=layer) for f in (opened, tiny_field))
        assert torch.equal(ours, theirs)
    assert opened.explain(3.3, 4.4) == tiny_field.explain(3.3, 4.4)


def test_a_picture_comes_back_with_alpha_and_metadata(make_model, path):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x010F] = "Camera"
    image = photo(icc_profile=srgb, exif=exif.tobytes(), dpi=(300.0, 300.0))
    image.filename = "Ferienphoto älter.png"
    field = make_model("lite").encode(image)
    assert field.alpha is not None
    assert field.info.icc == srgb
    assert field.info.exif
    field.save(path)
    opened = open_field(path)
    same(opened, field)
    ours, theirs = (f.render(scale=3.7) for f in (opened, field))
    assert ours.mode == "RGBA"
    assert np.array_equal(np.asarray(ours), np.asarray(theirs))


def test_batches_keep_their_shape(make_model, picture, path):
    images = torch.stack([picture(7, 8, seed=i) for i in range(6)]).reshape(2, 3, 3, 7, 8)
    field = make_model("lite").encode(images)
    field.save(path)
    opened = open_field(path)
    assert opened.batch_shape == (2, 3)
    assert torch.equal(opened.render(scale=2.5), field.render(scale=2.5))


def test_edits_are_kept(tiny_field, path):
    mark = torch.zeros(tiny_field.index.shape, dtype=torch.bool)
    mark[:, 2:5, 3:6] = True
    edited = tiny_field.with_kernel(7, mark).with_bank(tiny_field.bank_raw * 0.9)
    edited.save(path)
    same(open_field(path), edited)


@pytest.mark.parametrize("preset", ["lite", "paper"])
def test_double_precision_is_no_field_file(preset, make_model, picture, path):
    field = make_model(preset).double().encode(picture(6, 5).double())
    assert {v.dtype for v in field._tensors().values()} == {torch.float64, torch.int64}
    with pytest.raises(OutputError, match="hold float32, and this field is of torch"):
        field.save(path)
    assert not path.exists()


def test_opening_leaves_chance_alone(tiny_field, path):
    tiny_field.save(path)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    open_field(path)
    assert torch.equal(torch.rand(3), expected)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.text(min_size=1, max_size=20),
    text=st.dictionaries(st.text(max_size=9), st.text(max_size=20), max_size=3),
    notes=st.lists(st.text(max_size=10), max_size=2).map(tuple),
)
def test_any_metadata_survives(lite_field, tmp_path, name, text, notes):
    info = gsr.images.PictureInfo(name=name, text=text, notes=notes)
    path = replace(lite_field, info=info).save(tmp_path / "x.gsf")
    found = open_field(path).info
    assert replace(found, name=name) == info
    assert found.name == (Path(name.replace("\\", "/").replace("\0", "")).name or "image")


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    icc=st.none() | st.binary(min_size=1, max_size=200),
    exif=st.none() | st.binary(min_size=1, max_size=60).map(lambda data: b"Exif\0\0" + data),
)
def test_metadata_that_is_none_is_left_out_with_a_note(lite_field, tmp_path, icc, exif):
    info = gsr.images.PictureInfo(icc=icc, exif=exif)
    path = replace(lite_field, info=info).save(tmp_path / "x.gsf")
    opened = open_field(path)
    assert (opened.info.icc, opened.info.exif) == (None, None)
    assert len(opened.info.notes) == (icc is not None) + (exif is not None)
    gsr.images.save(opened.render(2), tmp_path / "x.jpg", opened.info)


def test_metadata_that_is_too_long_is_left_out_with_a_note(lite_field, path):
    info = gsr.images.PictureInfo(name="a.png", text={"Comment": "x" * 9_000_000}, dpi=(72.0, 72.0))
    replace(lite_field, info=info).save(path)
    found = open_field(path).info
    assert (found.name, found.dpi, found.text) == ("a.png", (72.0, 72.0), {})
    assert found.notes == ("The metadata is too long for a field file and was left out.",)


def test_a_name_that_is_no_unicode_is_no_obstacle(lite_field, path):
    info = gsr.images.PictureInfo(name="caf\udce9.png")
    replace(lite_field, info=info).save(path)
    assert open_field(path).info.name == "caf?.png"


def test_the_file_does_not_tie_the_field(tiny_field, path):
    tiny_field.save(path)
    opened = open_field(path)
    path.write_bytes(bytes(path.stat().st_size))
    same(opened, tiny_field)


def test_no_pickle_is_involved(tiny_field, path):
    tiny_field.save(path)
    with safe_open(path, framework="np") as file:
        assert {"lr", "sampler.raw_footprint"} <= set(file.keys())
        assert (file.metadata()["format"], file.metadata()["version"]) == ("gsr-field", "3")


# --- writing ---------------------------------------------------------------------------------


def test_an_old_file_is_replaced_and_nothing_is_left_beside(tiny_field, path):
    path.write_text("old")
    tiny_field.save(path)
    same(open_field(path), tiny_field)
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    umask = os.umask(0)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask


def test_a_failing_write_leaves_the_old_file(tiny_field, path, monkeypatch):
    path.write_text("old")
    monkeypatch.setattr(
        "gsr.field.file.write", lambda *a, **k: (_ for _ in ()).throw(OSError(28, "full"))
    )
    with pytest.raises(OutputError, match="disk is full"):
        tiny_field.save(path)
    assert path.read_text() == "old"
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("name", "said"),
    [("photo.png", r"must end in \.gsf, got '.png'"), ("photo", "got 'no suffix'"),
     ("no/photo.gsf", "the folder .*no does not exist")],
)  # fmt: skip
def test_places_that_cannot_be_written(tiny_field, tmp_path, name, said):
    with pytest.raises(OutputError, match=said):
        tiny_field.save(tmp_path / name)


# --- files that are no fields ----------------------------------------------------------------


def refused(path, *words):
    with pytest.raises(ImageError) as caught:
        open_field(path)
    sentence = str(caught.value)
    assert str(path) in sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")
    for word in words:
        assert word in sentence


def test_missing_files_and_folders(tmp_path):
    refused(tmp_path / "none.gsf", "no such file")
    refused(tmp_path, "is a folder")


@pytest.mark.parametrize("data", [b"", b"\x80\x04pickle", b"\x89PNG\r\n\x1a\n" + bytes(99)])
def test_foreign_files(path, data):
    path.write_bytes(data)
    refused(path, "not a field", "gsr encode")


def test_weights_and_other_safetensors(make_model, path):
    save_weights(make_model("lite"), path)
    refused(path, "weights of a model")
    save_file({"a": torch.zeros(2)}, path)
    refused(path, "something else")


@pytest.mark.parametrize(
    ("version", "said"),
    [("4", "newer gaussiansr"), ("", "version unknown"), ("9" * 5000, "version")],
)
def test_other_versions(tiny_field, path, version, said):
    rewrite(tiny_field, path, {"version": version})
    refused(path, said)


@given(cut=st.integers(0, 4000))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_files_cut_short(lite_field, tmp_path, cut):
    whole = lite_field.save(tmp_path / "whole.gsf").read_bytes()
    path = tmp_path / "cut.gsf"
    path.write_bytes(whole[: max(0, len(whole) - 1 - cut * len(whole) // 4000)])
    refused(path)


def rewrite(field, path, metadata=(), change=None, **facts):
    """The file of a field with other metadata, other tensors or other facts."""
    field.save(path)
    with safe_open(path, framework="pt") as file:
        tensors = {key: file.get_tensor(key).clone() for key in file.keys()}  # noqa: SIM118
        header = {k: v for k, v in file.metadata().items() if k != "checksum"}
        header["version"] = "2"  # the last one without
    header["field"] = json.dumps(json.loads(header["field"]) | facts)
    if change:
        change(tensors)
    save_file(tensors, path, metadata=header | dict(metadata))


def put(name, value):
    def change(tensors):
        tensors[name] = value(tensors[name]) if callable(value) else value

    return change


def nan(tensor):
    tensor = tensor.clone()
    tensor.view(-1)[0] = float("nan")
    return tensor


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.pop("colors"), "colors is missing"),
        (lambda t: t.pop("sampler.raw_footprint"), "sampler does not fit"),
        (put("more", torch.zeros(1)), "unexpected more"),
        (put("lr", lambda v: v[0]), r"lr must have shape [b, 3, h, w]"),
        (
            put("offsets", lambda v: v[:, :-1].contiguous()),
            "offsets has shape (1, 19, 24, 2)",
        ),
        (put("colors", nan), "numbers that are not finite in colors"),
        (put("sampler.raw_footprint", nan), "not finite in sampler.raw_footprint"),
        (put("index", lambda v: v.float()), "index holds numbers of type F32"),
        (put("index", lambda v: v + 100), "index must be between 0 and 99"),
        (put("index", lambda v: v - 200), "index must be between 0 and 99"),
        (put("feat", lambda v: v.long()), "feat holds numbers of type I64"),
        (put("feat", lambda v: v.double()), "feat holds numbers of type F64, and F32 is accepted"),
        (put("lr", lambda v: v.bfloat16()), "lr holds numbers of type BF16"),
        (put("sampler.raw_footprint", lambda v: v.half()), "sampler does not fit"),
        (put("sampler.raw_footprint", lambda v: v + 50), "raw_footprint must be between"),
        (put("offsets", lambda v: v + 9), "offsets must be within half a pixel"),
        (put("evidence", lambda v: v[..., :2].contiguous()), "evidence does not fit"),
        (put("feat", lambda v: v[..., :-1].contiguous()), "sampler does not fit"),
        (put("bank_raw", lambda v: v[:0]), "the bank has no kernel"),
    ],
)
def test_tensors_that_do_not_fit(lite_field, path, change, said):
    rewrite(lite_field, path, change=change)
    refused(path, said)


SAMPLER = json.loads('{"radius": 2, "normalized": true, "finest": 4.0}')


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"classifier": "magic"}, "classifier"),
        ({"model": 3}, "model"),
        ({"surprise": 1}, "surprise"),
        ({"batch_shape": [2]}, "cannot be a field"),
        ({"batch_shape": ["a"]}, "batch_shape"),
        ({"classifier": "logits"}, "evidence does not fit"),
        ({"info": {"mode": "purple"}}, "mode"),
        ({"info": {"name": "a", "colour": "b"}}, "colour"),
        (
            {"sampler": SAMPLER | {"radius": 10**9}},
            "sampler.radius must be at most 16",
        ),
        (
            {"sampler": SAMPLER | {"decoder": {"kind": "residual", "hidden": [10**9]}}},
            "hidden.0 must be",
        ),
        ({"sampler": SAMPLER | {"decoder": {"kind": "residual", "hidden": []}}}, "hidden"),
        ({"sampler": SAMPLER | {"decoder": {"kind": "residual", "hidden": [5]}}}, "not fit"),
        ({"sampler": SAMPLER | {"decoder": {"kind": "oracle"}}}, "kind"),
        (
            {"sampler": SAMPLER | {"finest": 0}},
            "sampler.finest must be at least 1, got 0",
        ),
        ({"sampler": None}, "sampler"),
        ({"alpha": {"model": "x"}}, "alpha"),
    ],
)
def test_facts_that_do_not_fit(lite_field, path, facts, said):
    rewrite(lite_field, path, **facts)
    refused(path, "damaged", said)


def test_a_header_that_is_no_json(lite_field, path):
    rewrite(lite_field, path, {"field": "{"})
    refused(path, "damaged")
    data = struct.pack("<Q", 4) + b"{{{{"
    path.write_bytes(data)
    refused(path)


def test_a_transparency_of_another_size(make_model, path):
    model = make_model("lite")
    field = model.encode(photo())
    other = model.encode(photo(size=(9, 9)))
    replace(field, alpha=other.alpha).save(path)
    refused(path, "transparency does not fit")


def test_the_format_says_its_name():
    assert (FORMAT, VERSION) == ("gsr-field", 3)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.pop("slopes"), "slopes is missing"),
        (put("slopes", nan), "numbers that are not finite in slopes"),
        (put("slopes", lambda t: t.flatten(3)), "slopes must have shape"),
    ],
)
def test_damaged_slopes(lite_field, path, change, said):
    rewrite(lite_field, path, change=change)
    refused(path, said)


def test_slopes_that_the_header_does_not_know(lite_field, path):
    rewrite(lite_field, path, sloped=False)
    refused(path, "unexpected slopes")


@pytest.mark.parametrize("version", ["1", "2"])
def test_older_versions_are_read(lite_field, path, version):
    plain = replace(lite_field, slopes=None) if version == "1" else lite_field
    rewrite(plain, path, {"version": version})
    with safe_open(path, framework="pt") as file:
        assert "checksum" not in file.metadata()
    same(open_field(path), plain)


# --- the same bytes, and others --------------------------------------------------------------


def test_every_flip_is_noticed(lite_field, path):
    lite_field.save(path)
    whole = path.read_bytes()
    chance = random.Random(5)
    for _ in range(150):
        at = chance.randrange(len(whole)) if chance.random() < 0.5 else chance.randrange(1500)
        flipped = bytearray(whole)
        flipped[at] ^= 1 << chance.randrange(8)
        path.write_bytes(flipped)
        refused(path)


def test_a_version_cannot_be_taken_back(lite_field, path):
    whole = lite_field.save(path).read_bytes()
    path.write_bytes(whole.replace(b'"version":"3"', b'"version":"2"'))
    refused(path, "checksum")
    path.write_bytes(whole.replace(b'"checksum":', b'"checksun":'))
    refused(path, "its checksum is missing")


SAVE = """
from dataclasses import replace
import torch, gsr
from gsr.network.encoders import EncoderConfig
from gsr.images import PictureInfo
from gsr.methods.weights import save_weights
with torch.random.fork_rng(devices=[]):
    torch.manual_seed(0)
    model = gsr.GaussianSR(gsr.ModelConfig("small", EncoderConfig(4, 1))).eval()
    field = model.encode(torch.rand(3, 8, 9))
info = PictureInfo(text={"b": "1", "a": "2"})
for number in range(count):
    replace(field, info=info).save(f"{target}{number}.gsf")
    save_weights(model, f"{target}{number}.safetensors", {"steps": 3})
"""


def test_the_same_input_gives_the_same_bytes(tmp_path):
    exec(SAVE, {"target": tmp_path / "own", "count": 3})
    elsewhere = f"import sys\ntarget, count = sys.argv[1], 1\n{SAVE}"
    subprocess.run(
        [sys.executable, "-c", elsewhere, tmp_path / "other"],
        env={**os.environ, "PYTHONHASHSEED": "7"},
        check=True,
        timeout=120,
    )
    for suffix in (".gsf", ".safetensors"):
        found = [path.read_bytes() for path in tmp_path.glob(f"*{suffix}")]
        assert (len(found), len(set(found))) == (4, 1)


def test_plain_safetensors_reads_it(lite_field, path):
    lite_field.save(path)
    assert torch.equal(load_file(path)["colors"], lite_field.colors)


# --- laws ----------------------------------------------------------------------------------------

FACTS = {
    "model": "lite", "classifier": "prototype", "batch_shape": [], "info": None, "alpha": None,
    "sampler": SAMPLER | {"decoder": {"kind": "residual", "hidden": [16, 16]}}, "sloped": True,
}  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
    | st.sampled_from([10**9, 10**400, -1, "residual", "fourier", "logits", [4096] * 16]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)  # fmt: skip


def assert_read_or_refused(path):
    """A field, or one sentence, and hardly any memory for either."""
    tracemalloc.start()
    try:
        open_field(path)
    except ImageError as error:
        said = str(error)
    else:
        said = "."
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert said.endswith(".")
    assert "\n" not in said
    assert peak < 40_000_000


@settings(
    max_examples=60, derandomize=True, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(
    place=st.sampled_from([(), ("sampler",), ("sampler", "decoder")]),
    key=st.sampled_from([*FACTS, *SAMPLER, "kind", "hidden", "decoder"]) | st.text(max_size=5),
    value=VALUES,
)
def test_any_facts_are_read_or_refused(lite_field, tmp_path, place, key, value):
    facts = json.loads(json.dumps(FACTS))
    inner = facts
    for name in place:
        inner = inner[name]
    inner[key] = value
    path = tmp_path / "x.gsf"
    rewrite(lite_field, path, **facts)
    assert_read_or_refused(path)


@settings(
    max_examples=60, derandomize=True, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(data=st.binary(max_size=80), length=st.integers(0, 2**64 - 1) | st.integers(0, 80))
def test_any_bytes_are_refused(tmp_path, data, length):
    path = tmp_path / "x.gsf"
    path.write_bytes(struct.pack("<Q", length) + data)
    refused(path)
    with pytest.raises(WeightsError):
        read_weights(path)
    path.write_bytes(data)
    refused(path)


@pytest.mark.parametrize(
    "header",
    [
        '{"a":' * 100_000,
        '{"__metadata__":{"format":"gsr-field","format":"gsr-field"}}',
        '{"a":{"dtype":"F32","shape":[1073741824,1073741824],"data_offsets":[0,4]}}',
        '{"a":{"dtype":"F32","shape":[' + "9" * 400 + '],"data_offsets":[0,4]}}',
        '{"a":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}}',
        '{"a":{"dtype":"C64","shape":[0],"data_offsets":[0,0]},"b":3}',
        "[]", "null", "3", '"a"', "{}", "",
    ],
    ids=lambda text: text[:24],
)  # fmt: skip
def test_hostile_headers_are_refused(path, header):
    path.write_bytes(struct.pack("<Q", len(header)) + header.encode() + b"1234")
    refused(path)
    with pytest.raises(WeightsError):
        read_weights(path)


@pytest.mark.parametrize(
    "config",
    [
        {"name": "x", "num_kernels": 10**9},
        {"name": "x", "encoder": {"blocks": 10**5}},
        {"name": "x", "encoder": {"blocks": 128, "channels": 1024}, "num_kernels": 4000},
        {"name": "x", "sampler": {"decoder": {"kind": "residual", "hidden": [4096] * 16}}},
        *({"name": "x", "sampler": {"radius": v}} for v in (50, 0, -1, 1.5, "x", None)),
        *({"name": "x", "sampler": {"finest": v}} for v in (-1, None, 0, 10**400)),
        {"method": "itsrn", "name": "x", "encoder": {"blocks": 10**9}},
        {"name": "x", "classifier": "x"},
        {"name": "x", "sloped": "x"},
    ],
    ids=str,
)
def test_configurations_cost_nothing_before_they_are_compared(make_model, tmp_path, config):
    weights = save_weights(make_model("lite"), tmp_path / "a.safetensors")
    with safe_open(weights, framework="pt") as file:
        header = {k: v for k, v in file.metadata().items() if k != "checksum"}
    save_file(load_file(weights), weights, metadata=header | {"config": json.dumps(config)})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(WeightsError):
        read_weights(weights)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB
