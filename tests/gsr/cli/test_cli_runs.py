"""Runs over folders: one bad file, results of earlier runs, signals, odd names."""

import json
import os
import shlex
import signal
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import hostile
from PIL import Image

import gsr.cli
import gsr.tasks.batch
from gsr import GaussianSR, ModelConfig
from gsr.base.naming import Names
from gsr.base.output_size import OutputSize
from gsr.base.planning import plan
from gsr.decoding.pool import Pool
from gsr.methods.weights import load, save_weights
from gsr.network.encoders import EncoderConfig
from gsr.tasks.batch import Batch


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(0)
    model = GaussianSR(ModelConfig("tiny", EncoderConfig(channels=8, blocks=1)))
    return save_weights(model, tmp_path_factory.mktemp("weights") / "tiny.safetensors")


@pytest.fixture
def upscale(weights, capsysbinary):
    """Arguments to (exit code, stdout, stderr)."""

    def run(*arguments: object) -> tuple[int, bytes, str]:
        code = gsr.cli.run(["upscale", "--model", str(weights), *map(str, arguments)])
        captured = capsysbinary.readouterr()
        return code, captured.out, captured.err.decode()

    return run


def picture(path: Path, seed: int = 0, **save) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), np.uint8)
    Image.fromarray(pixels).save(path, **save)
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))


def no_palette() -> bytes:
    """A palette PNG without its colours: it opens, and fails later."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", 8, 8, 8, 3, 0, 0, 0)
    rows = zlib.compress(8 * (b"\0" + bytes(range(8))))
    parts = [(b"IHDR", header), (b"IDAT", rows), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


# --- one bad file ----------------------------------------------------------------------------


def test_a_picture_that_fails_late_stops_no_other(upscale, tmp_path):
    folder = tmp_path / "in"
    picture(folder / "a.png")
    (folder / "b.png").write_bytes(no_palette())
    picture(folder / "c.png")
    code, out, err = upscale(folder, "-s", "1.5", "-o", tmp_path / "out")
    assert code == 1
    assert len(out.splitlines()) == 2
    assert "b.png is damaged, cut short or of an unsupported variant" in err
    assert "2 written, 0 skipped, 1 failed." in err
    code, _, err = upscale(folder / "b.png", "-s", "2")
    assert (code, err.count("\n")) == (2, 1)


@pytest.mark.parametrize("word", ["abort", "allocate", "raise"])
def test_a_decoder_that_does_its_worst_stops_no_other(word, weights, tmp_path):
    folder = tmp_path / "in"
    for name in "abc":
        picture(folder / f"{name}.png")
    with (folder / "b.png").open("ab") as file:
        file.write(word.encode())
    todo = plan([folder], tmp_path / "out", names=Names("x2", ".png"))
    with Pool(decode=hostile.NAME) as pool:
        batch = Batch(todo, OutputSize("scale", 2.0), lambda: load(weights), pool=pool)
        outcomes = list(batch.run())
    assert [one.status for one in outcomes] == ["written", "failed", "written"]
    assert str(folder / "b.png") in outcomes[1].error


@pytest.mark.parametrize(
    "error",
    [RuntimeError("of some kind"), KeyError("key"), OSError(5, "bad disk"), RecursionError("deep")],
)
def test_whatever_one_picture_raises_stops_no_other(error, upscale, tmp_path, monkeypatch):
    for name in "abc":
        picture(tmp_path / "in" / f"{name}.png")
    rendered = gsr.tasks.batch._render

    def render(source, *others):
        if source.info.name == "b.png":
            raise error
        return rendered(source, *others)

    monkeypatch.setattr(gsr.tasks.batch, "_render", render)
    code, _, err = upscale(tmp_path / "in", "-s", "2", "-o", tmp_path / "out")
    assert code == 1
    assert names(tmp_path / "out") == ["a-x2.png", "c-x2.png"]
    assert f"b.png failed ({type(error).__name__}: " in err
    assert "Traceback" not in err


def test_memory_that_is_not_enough_stops_no_other(upscale, tmp_path, monkeypatch):
    for name in "ab":
        picture(tmp_path / "in" / f"{name}.png")
    rendered = gsr.tasks.batch._render

    def render(source, *others):
        if source.info.name == "a.png":
            raise MemoryError
        return rendered(source, *others)

    monkeypatch.setattr(gsr.tasks.batch, "_render", render)
    code, _, err = upscale(tmp_path / "in", "-s", "2", "-o", tmp_path / "out")
    assert code == 1
    assert names(tmp_path / "out") == ["b-x2.png"]
    assert "not enough memory" in err


def test_who_watches_can_end_the_run(weights, tmp_path):
    class Enough(Exception):
        pass

    from contextlib import nullcontext

    from gsr.base.progress import Steps

    def enough(part: float) -> None:
        raise Enough

    todo = plan([picture(tmp_path / "a.png")], tmp_path, names=Names("x2", ".png"), into=True)
    steps = Steps(bar=lambda title: nullcontext(enough), note=lambda sentence: None)
    batch = Batch(todo, OutputSize("scale", 2.0), lambda: load(weights), steps=steps)
    with pytest.raises(Enough):
        list(batch.run())


# --- earlier runs ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["png", "jpg", "webp", "tiff"])
@pytest.mark.parametrize("strip", [False, True])
def test_a_run_into_its_own_folder_can_be_repeated(kind, strip, upscale, tmp_path):
    picture(tmp_path / "a.png", exif=artist())
    picture(tmp_path / "a.jpg", exif=artist())
    options = (tmp_path, "-s", "0.5", "-o", tmp_path, "-f", kind, *(["--strip"] if strip else []))
    code, out, _ = upscale(*options)
    assert (code, len(out.splitlines())) == (0, 2)
    there = names(tmp_path)
    assert len(there) == 4
    code, out, err = upscale(*options)
    assert (code, out) == (0, b"")
    assert "0 written, 2 skipped, 0 failed." in err
    assert "note: left out as results of an earlier run: 2, such as " in err
    assert names(tmp_path) == there


def artist() -> bytes:
    exif = Image.Exif()
    exif[0x013B] = "Ada"
    return exif.tobytes()


def test_older_results_below_are_no_inputs_whatever_their_scale_and_format(upscale, tmp_path):
    for name in ("a.png", "deep/b.png"):
        picture(tmp_path / name)
    for scale, kind in (("2", "webp"), ("1.25", "jpg"), ("3", "png")):
        code, out, _ = upscale(
            tmp_path, "-r", "-s", scale, "-f", kind, "-o", tmp_path / f"old{scale}"
        )
        assert (code, len(out.splitlines())) == (0, 2)
    code, out, _ = upscale(tmp_path, "-r", "--width", "20", "-o", tmp_path)
    assert (code, len(out.splitlines())) == (0, 2)


def test_a_folder_of_results_alone_is_enlarged_further(upscale, tmp_path):
    picture(tmp_path / "in" / "a.png")
    upscale(tmp_path / "in", "-s", "2", "-o", tmp_path / "out")
    code, out, _ = upscale(tmp_path / "out", "-s", "2", "-o", tmp_path / "out")
    assert (code, out.splitlines()) == (0, [os.fsencode(tmp_path / "out" / "a-x2-x2.png")])
    assert upscale(tmp_path / "out", "-s", "2", "-o", tmp_path / "out")[:2] == (0, b"")


def test_a_photo_with_a_name_like_a_result_is_a_photo(upscale, tmp_path):
    for name in ("a.png", "a-x2.png", "a-800x600.png", "boat-x.png"):
        picture(tmp_path / "in" / name)
    code, out, _ = upscale(tmp_path / "in", "-s", "3", "-o", tmp_path / "out")
    assert (code, len(out.splitlines())) == (0, 4)


def test_half_written_files_of_a_killed_run_go(upscale, tmp_path):
    picture(tmp_path / "in" / "a.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".0123456789abcdef.part").write_bytes(b"half")
    upscale(tmp_path / "in", "-s", "2", "-o", tmp_path / "out")
    assert names(tmp_path / "out") == ["a-x2.png"]
    (tmp_path / "out" / ".0123456789abcdef.part").write_bytes(b"half")
    upscale(tmp_path / "in", "-s", "2", "-o", tmp_path / "out")  # all is there already
    assert names(tmp_path / "out") == ["a-x2.png"]


# --- signals ---------------------------------------------------------------------------------

STOPPED = """
import os, signal, sys
import gsr.tasks.batch, gsr.cli
render = gsr.tasks.batch._render
def stopped(source, *others):
    if source.info.name == "b.png":
        os.kill(os.getpid(), int(sys.argv[1]))
    return render(source, *others)
gsr.tasks.batch._render = stopped
sys.exit(gsr.cli.run(sys.argv[2:]))
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_and_what_was_done_is_said(number, code, weights, tmp_path):
    for name in "abc":
        picture(tmp_path / "in" / f"{name}.png")
    arguments = ["upscale", tmp_path / "in", "-s", "2", "-o", tmp_path / "out", "-m", weights]
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        [sys.executable, "-c", STOPPED, str(int(number)), *map(str, arguments)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert done.stderr.endswith("error: interrupted, 1 of 3 pictures were written.\n")
    assert names(tmp_path / "out") == ["a-x2.png"]


# --- names -----------------------------------------------------------------------------------

ODD = ["two\nlines.png", "bell\a\x1b[31m.png", "it's.png", "back\\slash\n'.png", "\x7f.png"]


@pytest.mark.skipif(sys.platform == "win32", reason="no such names there")
def test_a_line_is_a_path_whatever_its_name(upscale, tmp_path):
    for number, name in enumerate(ODD):
        picture(tmp_path / "in" / name, number)
    made = sorted(f"{Path(name).stem}-x2.png" for name in ODD)
    options = (tmp_path / "in", "-s", "2", "-o", tmp_path / "out", "--overwrite")
    code, out, err = upscale(*options)
    assert code == 0
    assert len(out.splitlines()) == len(ODD)
    shown = [line.decode() for line in out.splitlines()]
    quoted = [line if line.startswith("$'") else shlex.quote(line) for line in shown]
    script = f"printf '%s\\0' {' '.join(quoted)}"
    read = subprocess.run(["bash", "-c", script], capture_output=True, check=True).stdout
    assert sorted(Path(os.fsdecode(p)).name for p in read.split(b"\0")[:-1]) == made
    assert not set(err.replace("\n", "")) & set("\a\x1b\x7f")
    assert err.count("\n") == len(ODD) + 1

    _, out, _ = upscale(*options, "-0")
    assert sorted(Path(os.fsdecode(p)).name for p in out.split(b"\0")[:-1]) == made
    _, out, _ = upscale(*options, "--json")
    said = [json.loads(line)["output"] for line in out.splitlines()]
    assert sorted(Path(path).name for path in said) == made


# --- what is white ---------------------------------------------------------------------------


def test_a_picture_that_does_not_tell_its_white_is_asked_for_it(upscale, tmp_path):
    path = tmp_path / "hdr.tif"
    Image.fromarray(np.linspace(0, 2, 48, dtype=np.float32).reshape(6, 8)).save(path)
    code, _, err = upscale(path, "-s", "2", "-o", tmp_path / "a.png")
    assert code == 2
    assert "do not tell whether 1, 255 or 65535 is white; say it, as --white 255" in err
    assert upscale(path, "-s", "2", "-o", tmp_path / "a.png", "--white", "2")[0] == 0
    assert np.asarray(Image.open(tmp_path / "a.png")).max() > 200
    assert upscale(path, "-s", "2", "-o", tmp_path / "b.png", "--white", "0")[0] == 2
