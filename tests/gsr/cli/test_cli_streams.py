"""Standard streams as services, shells and full disks leave them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.checkout import environment
from PIL import Image

import gsr.cli
from gsr import PRESETS, GaussianSR
from gsr.base.errors import OutputError
from gsr.cli import streams
from gsr.methods.weights import save_weights

FULL = Path("/dev/full")
full_device = pytest.mark.skipif(not FULL.exists(), reason="there is no such device")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return save_weights(GaussianSR(PRESETS["lite"]), tmp_path_factory.mktemp("w") / "a.safetensors")


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    Image.new("RGB", (6, 5), "teal").save(path)
    return path


def shell(line: str, *arguments: object) -> subprocess.CompletedProcess:
    """`gsr` is the command, "$@" the arguments."""
    script = f'gsr() {{ "{sys.executable}" -m gsr "$@"; }}; {line}'
    command = ["bash", "-c", script, "bash", *map(str, arguments)]
    return subprocess.run(command, env=environment(), capture_output=True, text=True)


@pytest.mark.parametrize("closed", ["2>&-", "<&- >&- 2>&-"])
def test_closed_streams_cost_no_result(closed, weights, photo, tmp_path):
    made = tmp_path / "made.png"
    done = shell(f'gsr upscale "$@" {closed}', photo, "-s", 2, "-m", weights, "-o", made)
    assert done.returncode == 0, done.stderr
    with Image.open(made) as image:
        assert image.size == (12, 10)


@pytest.mark.parametrize("missing", ["stdout", "stderr", "stdin"])
def test_without_a_stream_the_null_device_takes_its_place(missing, monkeypatch):
    monkeypatch.setattr(sys, missing, None)
    assert gsr.cli.run(["--version"]) == 0
    assert gsr.cli.run(["nonsense"]) == 2
    assert getattr(sys, missing).name == os.devnull
    getattr(sys, missing).close()


@full_device
@pytest.mark.parametrize("line", ["--help", "upscale --help", "--version"])
def test_output_on_a_full_device_is_one_sentence(line):
    done = shell(f"gsr {line} > {FULL}")
    assert done.returncode == 2
    expected = "error: standard output cannot be written: no space left on device.\n"
    assert done.stderr == expected


@full_device
def test_words_that_nobody_can_read_cost_no_result(weights, photo, tmp_path):
    made = tmp_path / "made.png"
    assert shell(f"gsr upscale a.png 2> {FULL}").returncode == 2
    done = shell(f'gsr upscale "$@" 2> {FULL}', photo, "-s", 2, "-m", weights, "-o", made)
    assert (done.returncode, done.stdout) == (0, f"{made}\n")


def test_a_reader_that_left_is_no_error():
    done = shell("gsr upscale --help | head -1; exit ${PIPESTATUS[0]}")
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 1)


class Refusing:
    """A stream of no file that takes nothing."""

    def write(self, _: str) -> None:
        raise OSError(5, "Input/output error")

    flush = write

    def fileno(self) -> int:
        raise OSError


def test_a_stream_of_no_file_may_fail_too(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Refusing())
    streams.say("nobody hears this")
    monkeypatch.setattr(sys, "stdout", Refusing())
    with pytest.raises(OutputError, match="standard output cannot be written: input/output error"):
        streams.show("nor sees this")
