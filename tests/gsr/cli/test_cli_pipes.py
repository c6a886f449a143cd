"""`gsr` between two other programs: pictures from standard input and to standard output."""

import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from helpers.checkout import environment
from PIL import Image

import gsr.cli
from gsr import PRESETS, GaussianSR
from gsr.methods.weights import save_weights


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return save_weights(GaussianSR(PRESETS["lite"]), tmp_path_factory.mktemp("w") / "a.safetensors")


def png(mode: str = "RGB", size: tuple[int, int] = (8, 6)) -> bytes:
    bands = len(Image.new(mode, (1, 1)).getbands())
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], bands), np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def piped(weights, monkeypatch, capsysbinary):
    """(bytes on standard input, arguments) to the exit code, stdout and stderr."""

    def run(data: bytes, *arguments: object, command: str = "upscale"):
        class Pipe(io.BytesIO):
            def seekable(self) -> bool:
                return False

        with io.TextIOWrapper(Pipe(data)) as stdin:
            monkeypatch.setattr(sys, "stdin", stdin)
            code = gsr.cli.run([command, *map(str, arguments), "-m", str(weights)])
        said = capsysbinary.readouterr()
        return code, said.out, said.err.decode()

    return run


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def test_from_a_pipe_to_a_file(piped, tmp_path):
    code, out, err = piped(png(), "-", "-s", 2, "-o", tmp_path / "a.png")
    assert (code, out.decode().strip()) == (0, str(tmp_path / "a.png")), err
    (tmp_path / "out").mkdir()
    assert piped(png(), "-", "-s", 2, "-o", tmp_path / "out")[0] == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["stdin-x2.png"]


@pytest.mark.parametrize(("kind", "name"), [("png", "PNG"), ("jpg", "JPEG"), ("tiff", "TIFF")])
def test_from_a_pipe_to_a_pipe_goes_the_picture_alone(piped, kind, name):
    code, out, err = piped(png(), "-", "-s", 2, "-f", kind, "-o", "-")
    assert code == 0, err
    assert (opened(out).format, opened(out).size) == (name, (16, 12))
    assert "16 x 12 pixels" in err


def test_a_pipe_has_no_times_to_give(piped, tmp_path):
    code, _, err = piped(png(), "-", "-s", 2, "-o", tmp_path / "a.png", "--preserve-times")
    assert (code, "note: " in err) == (0, False)


def test_through_a_pipe_it_is_the_same_picture(piped, tmp_path):
    (tmp_path / "a.png").write_bytes(png())
    piped(b"", tmp_path / "a.png", "-s", 2, "-o", tmp_path / "b.png")
    with Image.open(tmp_path / "b.png") as made:
        assert made.tobytes() == opened(piped(png(), "-", "-s", 2, "-o", "-")[1]).tobytes()


@pytest.mark.parametrize(
    ("data", "options", "words"),
    [
        (png(), [], "needs --output"),
        (b"", ["-o", "a.png"], "stdin is empty"),
        (b"<svg/>", ["-o", "-"], "stdin is not an image gsr can read"),
        (png()[:-40], ["-o", "-"], "stdin is damaged, cut short"),
        (png("RGBA"), ["-o", "-", "-f", "jpg"], "error: stdout.jpg: JPEG has no transparency"),
        (png(), ["-o", "-", "--json"], "no --json beside it"),
        (png(), ["-o", "-", "other.png"], "takes the result of one picture"),
    ],
)
def test_what_cannot_be_piped_is_one_sentence(piped, tmp_path, monkeypatch, data, options, words):
    monkeypatch.chdir(tmp_path)
    code, out, err = piped(data, "-", "-s", 2, *options)
    assert (code, out) == (2, b"")
    assert words in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_read_from_a_keyboard_or_printed_on_a_screen(weights, monkeypatch, capsys):
    for name, arguments in (("stdin", ["-", "-o", "a.png"]), ("stdout", ["a.png", "-o", "-"])):
        monkeypatch.setattr(getattr(sys, name), "isatty", lambda: True)
        assert gsr.cli.run(["upscale", *arguments, "-s", "2", "-m", str(weights)]) == 2
        assert "is a terminal" in capsys.readouterr().err


def test_a_file_called_like_standard_input_has_a_path(piped, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("-").write_bytes(png())
    code, out, err = piped(b"", "./-", "-s", 2)
    assert (code, out.decode().strip()) == (0, str(tmp_path / "--x2.png")), err


def test_other_commands_read_standard_input_too(piped, tmp_path):
    code, out, err = piped(png(), "-", "--at", "3,3", command="inspect")
    assert (code, out[:12]) == (0, b"- at (3, 3),"), err
    assert piped(png(), "-", "-o", tmp_path / "a.gsf", command="encode")[0] == 0
    assert piped(png(), "-", command="encode")[2].startswith("error: what is made of a picture")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_named_pipe_is_read_once(piped, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    fill = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(png()))
    fill.start()
    code, out, err = piped(b"", tmp_path / "pipe", "-s", 2, "-o", "-")
    fill.join()
    assert code == 0, err
    assert opened(out).size == (16, 12)


def test_between_two_programs(weights, tmp_path):
    (tmp_path / "a.png").write_bytes(png())
    script = 'cat a.png | "$0" -m gsr upscale - -s 2 -q -m "$1" -o - | tee copy.png | cksum'
    command = ["bash", "-o", "pipefail", "-c", script, sys.executable, weights]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    with Image.open(tmp_path / "copy.png") as made:
        assert made.size == (16, 12)


def test_a_redirected_file_is_what_only_this_process_reads(weights, tmp_path):
    (tmp_path / "a.png").write_bytes(png())
    command = [sys.executable, "-m", "gsr", "upscale", "/dev/stdin", "-s", "2", "-m", weights]
    with (tmp_path / "a.png").open("rb") as stdin:
        done = subprocess.run(
            [*command, "-o", "b.png"], cwd=tmp_path, env=environment(), stdin=stdin, check=True
        )
    assert done.returncode == 0
    assert (tmp_path / "b.png").exists()
