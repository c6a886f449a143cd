"""`gsr sweep`, `gsr encode`, and field files wherever a picture is accepted."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from helpers.checkout import environment
from PIL import Image

import gsr.cli
from gsr import open_field
from gsr.methods.weights import save_weights

ROOT = Path(gsr.cli.__file__).parents[2]


@pytest.fixture(scope="module")
def weights(make_model, tmp_path_factory):
    return save_weights(make_model("lite"), tmp_path_factory.mktemp("weights") / "w.safetensors")


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    Image.effect_noise((12, 9), 60).convert("RGB").save(path, dpi=(300, 300))
    return path


@pytest.fixture
def cli(capsys, weights):
    """(command, arguments) to (exit code, stdout, stderr)."""

    def run(command, *arguments):
        code = gsr.cli.run([command, "-m", str(weights), *map(str, arguments)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def refused(result, *words):
    code, out, err = result
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.endswith(".\n")
    assert err.count("\n") == 1
    for word in words:
        assert word in err


SHORT = ("--to", 4, "--seconds", 0.3, "--fps", 10, "--size", "32x24")


# --- sweep -----------------------------------------------------------------------------------


def test_a_sweep_is_written_beside_the_picture(cli, photo):
    code, out, err = cli("sweep", photo, *SHORT)
    path = photo.with_name("photo-sweep.webp")
    assert (code, out) == (0, f"{path}\n")
    assert "3 frames" in err
    with Image.open(path) as image:
        assert (image.size, image.n_frames) == ((32, 24), 3)


def test_point_caption_and_place(cli, photo, tmp_path):
    bare, written = tmp_path / "a.gif", tmp_path / "b.gif"
    assert cli("sweep", photo, *SHORT, "--at", "3,2.5", "-o", bare)[0] == 0
    assert cli("sweep", photo, *SHORT, "--at", "3,2.5", "-o", written, "--caption", "-q")[2] == ""
    assert bare.read_bytes() != written.read_bytes()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--from", "0"], ["scale must be a number"]),
        (["--to", "abc"], ["'abc' is not a number"]),
        (["--to", "1"], ["from one scale to another"]),
        (["--at", "5"], ["'5' is not a point"]),
        (["--at", "50,5"], ["outside the image", "between 0 and 12"]),
        (["--size", "32"], ["'32' is not a size"]),
        (["--size", "31x24", "-o", "a.mp4"], ["even sides"]),
        (["--fps", "0"], ["fps must be"]),
        (["--seconds", "1e9"], ["seconds must be"]),
        (["-o", "a.avi"], [".webp, .gif, .mp4"]),
        (["-o", "no/a.gif"], ["does not exist"]),
        (["-o", "photo.png"], ["is an input itself"]),
    ],
)
def test_what_cannot_be_swept(cli, photo, monkeypatch, options, words):
    monkeypatch.chdir(photo.parent)
    refused(cli("sweep", "photo.png", *options), *words)
    assert [path.name for path in photo.parent.iterdir()] == ["photo.png"]


def test_what_is_no_picture(cli, tmp_path):
    (tmp_path / "text.png").write_text("hello")
    refused(cli("sweep", tmp_path / "text.png"), "not an image")
    refused(cli("sweep", tmp_path / "none.png"), "no such file")


@pytest.mark.parametrize("command", ["encode", "sweep"])
@pytest.mark.parametrize("folder", [".", "/"])
def test_folders_without_a_name(cli, command, folder):
    refused(cli(command, folder), f"{folder} is a folder, and a picture file is needed")


def test_an_existing_video_is_kept_unless_asked(cli, photo, tmp_path):
    path = tmp_path / "zoom.gif"
    path.write_bytes(b"old")
    refused(cli("sweep", photo, *SHORT, "-o", path), "exists already; add --overwrite")
    assert path.read_bytes() == b"old"
    assert cli("sweep", photo, *SHORT, "-o", path, "--overwrite")[0] == 0
    assert path.read_bytes() != b"old"


def test_mp4_without_its_extra_names_the_command(cli, photo, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    refused(
        cli("sweep", photo, *SHORT, "-o", tmp_path / "a.mp4"), 'pip install "gaussiansr[video]"'
    )


def test_ctrl_c_leaves_no_half_video(weights, photo):
    run = subprocess.Popen(
        [sys.executable, "-m", "gsr", "sweep", photo, "-m", weights, "--seconds", "60"],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not list(photo.parent.glob(".*.part")) and time.monotonic() < deadline:
        time.sleep(0.05)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=60)
    assert (run.returncode, out) == (130, "")
    assert err == f"error: interrupted, {photo.with_name('photo-sweep.webp')} was not written.\n"
    assert [path.name for path in photo.parent.iterdir()] == ["photo.png"]


# --- encode, and what takes a field ----------------------------------------------------------


@pytest.fixture
def field(cli, photo):
    assert cli("encode", photo)[0] == 0
    return photo.with_suffix(".gsf")


def test_a_field_is_written_beside_the_picture(cli, photo):
    code, out, err = cli("encode", photo)
    assert (code, out) == (0, f"{photo.with_suffix('.gsf')}\n")
    assert "12 x 9 Gaussians" in err
    assert open_field(photo.with_suffix(".gsf")).info.dpi == pytest.approx((300, 300), abs=0.1)


def test_what_cannot_be_encoded(cli, photo, field):
    refused(cli("encode", field), "is a field already")
    refused(cli("encode", photo), "exists already")
    refused(cli("encode", photo, "-o", "a.png"), "must end in .gsf")
    refused(cli("encode", photo.with_name("none.png")), "no such file")
    assert cli("encode", photo, "--overwrite")[0] == 0


def test_a_field_is_upscaled_as_its_picture_is(cli, photo, field, tmp_path):
    ours, theirs = tmp_path / "field.png", tmp_path / "picture.png"
    assert cli("upscale", photo, "-s", 3.7, "-o", theirs)[0] == 0
    code, out, _ = cli("upscale", field, "-s", 3.7, "-o", ours, "--json")
    assert code == 0
    assert json.loads(out)["model"] == "lite"
    with Image.open(ours) as a, Image.open(theirs) as b:
        assert np.array_equal(np.asarray(a), np.asarray(b))
        assert a.info == b.info
        assert a.info["gsr:scale"].startswith("3.6")


def test_a_field_needs_no_weights(capsys, field):
    code = gsr.cli.run(["upscale", str(field), "-s", "2", "-m", "no such weights"])
    assert code == 0
    assert "photo-x2.png" in capsys.readouterr().out


def test_fields_in_a_batch_and_broken_ones(cli, photo, field, tmp_path):
    broken = tmp_path / "broken.gsf"
    broken.write_bytes(field.read_bytes()[:500])
    out = tmp_path / "out"
    code, done, err = cli("upscale", photo, field, broken, "-s", 2, "-o", out)
    assert code == 1
    assert len(done.splitlines()) == 2
    assert "broken.gsf is damaged" in err
    assert {path.name for path in out.iterdir()} == {"photo-png-x2.png", "photo-gsf-x2.png"}


def test_a_field_is_explained_as_its_picture_is(cli, photo, field):
    options = ("--at", "4.5,3.5", "--json")
    (_, ours, _), (_, theirs, _) = (cli("inspect", path, *options) for path in (field, photo))
    a, b = json.loads(ours), json.loads(theirs)
    assert a.pop("image") != b.pop("image")
    assert a == b


def test_a_field_is_swept_as_its_picture_is(cli, photo, field, tmp_path):
    for path in (photo, field):
        assert cli("sweep", path, *SHORT, "-o", tmp_path / f"{path.suffix[1:]}.webp")[0] == 0
    assert (tmp_path / "png.webp").read_bytes() == (tmp_path / "gsf.webp").read_bytes()


def test_a_batch_of_pictures_in_one_field_is_refused(cli, make_model, picture, tmp_path):
    path = make_model("lite").encode(picture(6, 6).expand(2, -1, -1, -1)).save(tmp_path / "b.gsf")
    refused(cli("upscale", path, "-s", 2), "field of 2 pictures")


def test_help_imports_nothing_heavy():
    script = """
import sys
import gsr.cli
codes = [gsr.cli.run(a.split()) for a in (
    "sweep --help", "encode --help", "sweep a.png --at x", "sweep a.png --size 3",
    "encode a.gsf", "encode a.png -o b.png",
)]
heavy = {"torch", "numba", "safetensors"} & set(sys.modules)
print(codes, sorted(heavy))
"""
    command = [sys.executable, "-c", script]
    run = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[0, 0, 2, 2, 2, 2] []"
