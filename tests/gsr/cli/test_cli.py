"""`gsr` on the command line, on real files. Weights are a seeded network in a file."""

import errno
import json
import math
import os
import pty
import shutil
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.checkout import environment
from PIL import Image, ImageDraw
from typer.testing import CliRunner

import gsr.base.files
import gsr.cli
import gsr.images
from gsr import PRESETS, GaussianSR
from gsr.base.errors import GsrError
from gsr.methods.weights import save_weights

ROOT = Path(gsr.cli.__file__).parents[2]


@dataclass
class Result:
    code: int
    out: str
    err: str

    @property
    def paths(self) -> list[Path]:
        return [Path(line) for line in self.out.splitlines()]


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "seeded.safetensors"
    return save_weights(GaussianSR(PRESETS["lite"]), path, {"steps": 7})


@pytest.fixture
def cli(capsys) -> Callable[..., Result]:
    def run(*arguments: object) -> Result:
        code = gsr.cli.run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return run


@pytest.fixture
def upscale(cli, weights) -> Callable[..., Result]:
    return lambda *arguments: cli("upscale", "--model", weights, *arguments)


@pytest.fixture
def photo(tmp_path):
    return picture(tmp_path / "photo.png")


def picture(path: Path, size: tuple[int, int] = (12, 9), mode: str = "RGB", **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    bands = len(Image.new(mode, (1, 1)).getbands())
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], bands), np.uint8)
    Image.fromarray(pixels.squeeze(-1) if bands == 1 else pixels).save(path, **options)
    return path


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        image.load()
        return image.size


def mode_of(path: Path) -> str:
    with Image.open(path) as image:
        return image.mode


def refused(result: Result, *words: str) -> None:
    """One sentence, exit code 2, nothing on stdout."""
    assert result.code == 2
    assert result.out == ""
    assert result.err.startswith("error: ")
    assert result.err.endswith((".\n", "?\n"))
    assert result.err.count("\n") == 1
    assert "Traceback" not in result.err
    for word in words:
        assert word in result.err


def process(*arguments: object, **options) -> subprocess.Popen:
    command = [sys.executable, *map(os.fspath, arguments)]
    return subprocess.Popen(command, env=environment(), **options)


# --- gsr itself ------------------------------------------------------------------------------


def test_help_and_version():
    runner = CliRunner()
    assert runner.invoke(gsr.cli.app, ["--version"]).stdout == f"gsr {gsr.__version__}\n"
    for arguments in ([], ["--help"], ["-h"]):
        result = runner.invoke(gsr.cli.app, arguments)
        assert result.exit_code == 0
        assert all(name in result.stdout for name in ("upscale", "inspect", "info", "app"))
    for command in ("upscale", "inspect", "info", "app"):
        assert runner.invoke(gsr.cli.app, [command, "--help"]).exit_code == 0


def test_help_and_usage_errors_import_nothing_heavy():
    script = """
import sys
import gsr.cli
codes = [gsr.cli.run(a.split()) for a in (
    "--help", "upscale --help", "upscale a.png", "upscale a.png --size 3", "upscale a.png -s abc",
    "upscale a.png -s 2 --width 9", "inspect a.png --at x", "app --port 70000", "nonsense",
)]
heavy = {"torch", "gradio", "plotly", "numba", "numpy"} & set(sys.modules)
sys.exit(f"{codes} {heavy}" if heavy or codes != [0, 0] + 7 * [2] else 0)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_an_unexpected_exception_keeps_its_traceback(upscale, photo, monkeypatch):
    def broken(*_args, **_kwargs):
        raise RuntimeError("a bug")

    monkeypatch.setattr(gsr.images, "save", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        upscale(photo, "-s", 2)


def test_usage_errors(cli, photo):
    refused(cli("nonsense"), "nonsense")
    refused(cli("upscale"), "IN")
    refused(cli("upscale", photo, "--scael", 2), "--scael")
    refused(cli("inspect", photo), "--at")


# --- gsr upscale: sizes ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["upscale", "", "-s", "2"], "the argument after upscale is empty; give a name"),
        (["upscale", "photo.png", "-s", "2", "-o", ""], "the argument after -o is empty"),
        (["data", "check", "Set5", ""], "the argument after Set5 is empty"),
        (["train", "debug", "--data="], "there is nothing after --data=; give a name"),
        ([""], "the argument after gsr is empty"),
    ],
)
def test_an_empty_argument_is_not_this_folder(cli, photo, monkeypatch, line, words):
    monkeypatch.chdir(photo.parent)
    refused(cli(*line), words)
    assert [path.name for path in photo.parent.iterdir()] == ["photo.png"]


@pytest.mark.parametrize(
    ("options", "size", "name"),
    [
        (["-s", "3.7"], (44, 33), "photo-x3.7.png"),
        (["--scale", "1"], (12, 9), "photo-x1.png"),
        (["-s", "0.5"], (6, 5), "photo-x0.5.png"),
        (["--size", "30x40"], (30, 23), "photo-30x40.png"),
        (["--size", "30x40", "--fit", "inside"], (30, 23), "photo-30x40.png"),
        (["--size", "30x40", "--fit", "crop"], (30, 40), "photo-30x40-crop.png"),
        (["--size", "30x40", "--fit", "pad"], (30, 40), "photo-30x40-pad.png"),
        (["--size", "30x40", "--fit", "stretch"], (30, 40), "photo-30x40-stretch.png"),
        (["--width", "30"], (30, 23), "photo-w30.png"),
        (["--height", "30"], (40, 30), "photo-h30.png"),
        (["--longest", "30"], (30, 23), "photo-max30.png"),
    ],
)
def test_every_way_to_say_how_large(upscale, photo, options, size, name):
    result = upscale(photo, *options)
    assert result.code == 0, result.err
    assert result.paths == [photo.with_name(name)]
    assert size_of(result.paths[0]) == size


def test_longest_of_a_tall_picture_is_its_height(upscale, tmp_path):
    result = upscale(picture(tmp_path / "tall.png", (6, 12)), "--longest", 24)
    assert size_of(result.paths[0]) == (12, 24)


@pytest.mark.parametrize("options", [["-s", "64"], ["-s", "1"], ["--size", "3x5"]])
def test_one_pixel(upscale, tmp_path, options):
    result = upscale(picture(tmp_path / "one.png", (1, 1)), *options)
    assert result.code == 0, result.err


def circle(path: Path, size: tuple[int, int] = (120, 40)) -> Path:
    image = Image.new("RGB", size, "white")
    middle = size[0] / 2
    ImageDraw.Draw(image).ellipse((middle - 15, 5, middle + 15, 35), fill="black")
    image.save(path)
    return path


def extent(path: Path) -> tuple[int, int]:
    """(width, height) of what is dark."""
    with Image.open(path) as image:
        left, top, right, bottom = image.convert("L").point(lambda v: 255 * (v < 128)).getbbox()
    return right - left, bottom - top


@pytest.mark.parametrize(
    "options", [[], ["--fit", "crop"], ["--fit", "pad", "--background", "gold"]]
)
def test_a_circle_stays_one_in_a_box_of_another_shape(upscale, tmp_path, options):
    result = upscale(circle(tmp_path / "c.png"), "--size", "240x160", *options, "-q")
    width, height = extent(result.paths[0])
    assert abs(width - height) <= 1


def test_where_proportions_were_kept_it_is_said(upscale, tmp_path):
    result = upscale(circle(tmp_path / "c.png"), "--size", "240x240")
    assert size_of(result.paths[0]) == (240, 80)
    assert "note: " in result.err
    assert "its proportions were kept: 240 x 80 pixels, the most inside 240 x 240" in result.err
    assert "note: " not in upscale(tmp_path / "c.png", "--size", "240x80").err


def test_how_much_is_lost_is_asked_for_or_refused(upscale, photo):
    small, usual = (
        upscale(photo, "-s", 2, "-f", "jpg", "--overwrite", *options).paths[0].stat().st_size
        for options in (["--quality", 20, "--subsampling", "4:2:0"], [])
    )
    assert small < usual
    refused(upscale(photo, "-s", 2, "--quality", 80), "PNG is lossless and has no quality")
    refused(
        upscale(photo, "-s", 2, "-f", "jpg", "--lossless", "--overwrite"), "JPEG is never lossless"
    )
    refused(upscale(photo, "-s", 2, "--quality", 0), "--quality")


def test_choices_that_say_nothing_here_are_refused(upscale, photo):
    refused(upscale(photo, "-s", 2, "--fit", "pad"), "--fit says how a picture fits --size")
    refused(upscale(photo, "--size", "9x9", "--fit", "squeeze"), "--fit")
    refused(upscale(photo, "--size", "9x9", "--background", "red"), "which --fit pad makes")
    pad = ("--size", "9x9", "--fit", "pad", "--background")
    refused(upscale(photo, *pad, "greenish"), "'greenish' is not a colour")


def test_the_size_must_be_said_once(upscale, photo):
    refused(upscale(photo), "exactly one of", "--longest", "got none")
    refused(upscale(photo, "-s", 2, "--width", 9), "exactly one of", "--scale, --width")


@pytest.mark.parametrize("scale", ["0", "-2", "nan", "inf", "1000", "0.001"])
def test_a_scale_out_of_range(upscale, photo, scale):
    refused(upscale(photo, "-s", scale), "scale must be a number between", "and 64")


def test_malformed_numbers(upscale, photo):
    refused(upscale(photo, "-s", "abc"), "'abc' is not a number")
    for text in ("30", "30x", "0x4", "3.5x4", "-3x4", "axb", "30x40x50", "99999999x1"):
        refused(upscale(photo, f"--size={text}"), f"'{text}' is not a size", "1920x1080")
    for option in ("--width", "--height", "--longest"):
        refused(upscale(photo, option, 0), option)
        refused(upscale(photo, option, "wide"), option)


def test_sizes_that_this_picture_cannot_be_rendered_at(upscale, tmp_path, photo):
    refused(upscale(photo, "--width", 5000), str(photo), "12 x 9", "scale must be")
    large = picture(tmp_path / "large.png", (1000, 1000), mode="L")
    refused(upscale(large, "-s", 60), str(large), "60000 x 60000")
    assert [path.name for path in tmp_path.iterdir()].count("large-x60.png") == 0


def test_it_tells_when_memory_is_short(upscale, photo, monkeypatch):
    monkeypatch.setattr("gsr.tasks.batch.free_memory", lambda: 1000)
    result = upscale(photo, "-s", 2)
    assert result.code == 0
    assert "note: " in result.err
    assert "GB of memory" in result.err
    free = gsr.base.files.free_memory()
    assert free is None or free > 0


# --- gsr upscale: files ----------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp"])
def test_the_suffix_of_the_output_decides(upscale, photo, tmp_path, suffix):
    output = tmp_path / f"result{suffix}"
    assert upscale(photo, "-s", 2, "-o", output).out == f"{output}\n"
    assert size_of(output) == (24, 18)


def test_unknown_or_contradicting_formats(upscale, photo, tmp_path):
    refused(upscale(photo, "-s", 2, "-o", tmp_path / "result.xyz"), ".png", "'.xyz'")
    refused(upscale(photo, "-s", 2, "-o", tmp_path / "result"), "no suffix")
    refused(upscale(photo, "-s", 2, "--format", "gif"), "'gif'", "'webp'")
    refused(
        upscale(photo, "-s", 2, "--format", "webp", "-o", tmp_path / "result.png"), "does not fit"
    )
    assert upscale(photo, "-s", 2, "--format", "jpg", "-o", tmp_path / "result.jpeg").code == 0


def test_what_a_format_cannot_hold_is_told_before_the_work(upscale, tmp_path):
    clear = picture(tmp_path / "clear.png", mode="RGBA")
    refused(upscale(clear, "-s", 2, "-o", tmp_path / "result.jpg"), "transparency")
    wide = picture(tmp_path / "wide.png", (400, 1))
    refused(upscale(wide, "-s", 50, "-o", tmp_path / "result.webp"), "16383", "20000 x 50")


def test_transparency_and_grey_are_kept(upscale, tmp_path):
    clear = picture(tmp_path / "clear.png", mode="RGBA")
    grey = picture(tmp_path / "grey.png", mode="L")
    result = upscale(clear, grey, "-s", 2)
    assert [mode_of(path) for path in result.paths] == ["RGBA", "L"]


def test_metadata_is_kept_and_model_and_scale_are_noted(upscale, tmp_path):
    exif = Image.Exif()
    exif[0x013B] = "Ada"
    source = picture(tmp_path / "photo.jpg", exif=exif, dpi=(300, 300))
    with Image.open(upscale(source, "-s", 3.7).paths[0]) as image:
        assert image.getexif()[0x013B] == "Ada"
        assert image.text["gsr:model"] == "lite"
        assert image.text["gsr:scale"] == "3.66667"
        assert image.text["Software"] == f"gsr {gsr.__version__}"
    with Image.open(upscale(source, "-s", 2, "--strip").paths[0]) as image:
        assert not image.getexif()
        assert not image.text


def test_notes_of_the_loader_go_to_stderr(upscale, tmp_path):
    moving = tmp_path / "moving.gif"
    frames = [Image.new("RGB", (5, 4), color) for color in ("red", "green", "blue")]
    frames[0].save(moving, save_all=True, append_images=frames[1:])
    result = upscale(moving, "-s", 2)
    assert result.out == f"{tmp_path / 'moving-x2.png'}\n"
    assert f"note: {moving}: " in result.err
    assert upscale(moving, "-s", 3, "-q").err == ""


def test_an_orientation_is_respected_in_the_size(upscale, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    source = picture(tmp_path / "turned.jpg", (12, 9), exif=exif)
    assert size_of(upscale(source, "--width", 18).paths[0]) == (18, 24)


def test_existing_results(upscale, photo):
    first = upscale(photo, "-s", 2)
    output = first.paths[0]
    before = output.stat().st_mtime_ns
    refused(upscale(photo, "-s", 2), str(output), "--overwrite")
    assert output.stat().st_mtime_ns == before
    assert upscale(photo, "-s", 2, "--overwrite").code == 0
    assert output.stat().st_mtime_ns > before


def test_an_input_is_never_replaced(upscale, photo, tmp_path):
    before = photo.read_bytes()
    linked, hard = tmp_path / "linked.png", tmp_path / "hard.png"
    linked.symlink_to(photo)
    os.link(photo, hard)
    for output in (photo, linked, hard, tmp_path / "." / "photo.png"):
        result = upscale(photo, "-s", 2, "--overwrite", "-o", output)
        refused(result, "is an input itself")
    assert photo.read_bytes() == before
    # Of many, the result of one must not replace another input either.
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "photo-x2.png").symlink_to(photo)
    other = picture(tmp_path / "other.png")
    result = upscale(photo, other, "-s", 2, "--overwrite", "-o", tmp_path / "out")
    assert result.code == 1
    assert photo.read_bytes() == before


def test_outputs_that_cannot_be_written(upscale, photo, tmp_path, monkeypatch):
    missing = tmp_path / "missing"
    refused(
        upscale(photo, "-s", 2, "-o", missing / "a.png"), f"the folder {missing} does not exist"
    )
    refused(upscale(photo, "-s", 2, "-o", photo / "a.png"), "does not exist")
    refused(upscale(photo, "-s", 2, "-o", f"{photo}/"), "a folder is needed")
    refused(upscale(photo, photo, "-s", 2, "-o", photo), "a folder is needed")
    refused(upscale(photo, "-s", 2, "-o", f"{photo}/deeper/"), "cannot be written to")

    def read_only(**_options):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(gsr.base.files.tempfile, "TemporaryFile", read_only)
    refused(upscale(photo, "-s", 2), "cannot be written to: read-only file system")


def test_a_full_disk_leaves_nothing(upscale, photo, tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    result = upscale(photo, "-s", 2, "-q")
    refused(result, "the disk is full")
    assert list(tmp_path.iterdir()) == [photo]


def bomb(path: Path) -> Path:
    """A PNG of a few bytes that claims 100 megapixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 10_000, 10_000, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0"))
    )
    return path


def test_bad_pictures(upscale, photo, tmp_path):
    text, cut, empty = (tmp_path / name for name in ("text.png", "cut.png", "empty.png"))
    text.write_text("this is no picture")
    cut.write_bytes(photo.read_bytes()[:-200])
    empty.touch()
    refused(upscale(text, "-s", 2), str(text), "not an image")
    refused(upscale(cut, "-s", 2), str(cut), "cut short")
    refused(upscale(empty, "-s", 2), str(empty), "0 bytes")
    refused(upscale(tmp_path / "none.png", "-s", 2), "no such file")
    refused(upscale(bomb(tmp_path / "bomb.png"), "-s", 2), "100 megapixels", "at most 64")
    assert not list(tmp_path.glob("*-x2.png"))


def test_bad_weights(cli, photo, tmp_path, weights):
    damaged, foreign = tmp_path / "damaged.safetensors", tmp_path / "foreign.safetensors"
    damaged.write_bytes(weights.read_bytes()[:1000])
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(2)}, foreign)
    refused(cli("upscale", photo, "-s", 2, "-m", "nonsense"), "'nonsense'")
    refused(cli("upscale", photo, "-s", 2, "-m", damaged), str(damaged), "damaged")
    refused(cli("upscale", photo, "-s", 2, "-m", foreign), str(foreign), "not written by gsr")
    refused(cli("upscale", photo, photo, "-s", 2, "-m", foreign, "-o", tmp_path / "new"), "gsr")
    assert not (tmp_path / "new").exists()


# --- gsr upscale: many -----------------------------------------------------------------------


@pytest.fixture
def album(tmp_path):
    folder = tmp_path / "album"
    picture(folder / "b.jpg")
    picture(folder / "a.png")
    picture(folder / "deep" / "c.webp")
    picture(folder / ".hidden.png")
    (folder / "notes.txt").write_text("no picture")
    return folder


def test_a_folder(upscale, album, tmp_path):
    out = tmp_path / "new" / "out"
    result = upscale(album, "-s", 2, "-o", out, "--format", "webp")
    assert result.code == 0, result.err
    assert result.paths == [out / "a-x2.webp", out / "b-x2.webp"]
    assert "2 written, 0 skipped, 0 failed." in result.err
    assert all(size_of(path) == (24, 18) for path in result.paths)


def test_a_folder_without_an_output_gets_one_beside_it(upscale, album, tmp_path):
    result = upscale(album, "-s", 2, "--recursive")
    beside = tmp_path / "album-x2"
    names = ["a-x2.png", "b-x2.png", "deep/c-x2.png"]
    assert result.paths == [beside / name for name in names]


def test_files_without_an_output_stay_beside_their_inputs(upscale, album, photo):
    result = upscale(album / "a.png", photo, album / "a.png", "--width", 20)
    assert result.paths == [album / "a-w20.png", photo.with_name("photo-w20.png")]


def test_one_file_into_a_folder(upscale, photo, tmp_path):
    result = upscale(photo, "-s", 2, "-o", f"{tmp_path}/made/here/")
    assert result.paths == [tmp_path / "made" / "here" / "photo-x2.png"]
    assert upscale(photo, "-s", 3, "-o", tmp_path / "made").paths[0].parent == tmp_path / "made"


def test_one_and_many_make_the_same_files(upscale, album, tmp_path):
    alone = upscale(album / "a.png", "-s", 2.3, "-o", tmp_path / "alone.png").paths[0]
    many = upscale(album, "-s", 2.3, "-o", tmp_path / "out").paths[0]
    assert alone.read_bytes() == many.read_bytes()


def test_a_second_run_skips_and_an_output_inside_is_no_input(upscale, album):
    first = upscale(album, "-s", 2, "-o", album / "out", "--recursive")
    assert len(first.paths) == 3
    again = upscale(album, "-s", 2, "-o", album / "out", "--recursive")
    assert (again.code, again.out) == (0, "")
    assert again.err.count("exists already and was skipped") == 3
    assert "0 written, 3 skipped, 0 failed." in again.err
    assert len(upscale(album, "-s", 2, "-o", album / "out", "--overwrite").paths) == 2


def test_one_bad_file_does_not_stop_the_others(upscale, album, tmp_path):
    (album / "a2.png").write_bytes(b"nothing")
    result = upscale(album, album / "none.png", "-s", 2, "-o", tmp_path / "out", "--json")
    assert result.code == 1
    lines = [json.loads(line) for line in result.out.splitlines()]
    status = {Path(line["input"]).name: line["status"] for line in lines}
    assert status == {
        "a.png": "written",
        "b.jpg": "written",
        "a2.png": "failed",
        "none.png": "failed",
    }
    assert result.err.count("error: ") == 2
    assert "2 written, 0 skipped, 2 failed." in result.err


def test_equal_names_stay_apart(upscale, album, tmp_path):
    picture(album / "a.JPG")
    result = upscale(album, "-s", 2, "-o", tmp_path / "out")
    assert {path.name for path in result.paths} == {"a-jpg-x2.png", "a-png-x2.png", "b-x2.png"}
    one, two = picture(tmp_path / "1" / "same.png"), picture(tmp_path / "2" / "same.png")
    third = picture(tmp_path / "2" / "third.png")
    result = upscale(one, two, third, "-s", 2, "-o", tmp_path / "new")
    assert result.code == 1
    assert [path.name for path in result.paths] == ["third-x2.png"]
    assert result.err.count("would both be written to") == 2
    assert "1 written, 0 skipped, 2 failed." in result.err
    assert {path.name for path in upscale(one, two, "-s", 2).paths} == {"same-x2.png"}


def test_a_template_names_results(upscale, album, tmp_path):
    template = "{folder}-{stem}_{scale}x{suffix}"
    result = upscale(album, "-s", 2, "-o", tmp_path / "out", "--name", template)
    assert [path.name for path in result.paths] == ["album-a_2x.png", "album-b_2x.png"]
    again = upscale(album, "-s", 2, "-o", tmp_path / "out", "--name", template)
    assert "0 written, 2 skipped" in again.err
    photo = album / "a.png"
    refused(upscale(photo, "-s", 2, "--name", "{x}"), "--name takes {stem}")
    refused(upscale(photo, "-s", 2, "-o", "a.png", "--name", "{stem}"), "a.png is a file")


def test_what_changed_is_made_again(upscale, album, tmp_path):
    options = (album, "-s", 2, "-o", tmp_path / "out")
    assert len(upscale(*options).paths) == 2
    assert "0 written, 2 skipped" in upscale(*options, "--newer").err
    result = tmp_path / "out" / "a-x2.png"
    os.utime(result, (1, 1))
    told = upscale(*options)
    assert f"{result} is older than its picture and was skipped; see --newer" in told.err
    assert upscale(*options, "--newer").paths == [result]
    refused(upscale(*options, "--newer", "--overwrite"), "choose one")


def test_a_result_that_is_read_only_is_not_replaced(upscale, photo, tmp_path):
    (result,) = upscale(photo, "-s", 2).paths
    result.chmod(0o444)
    refused(upscale(photo, "-s", 2, "--overwrite"), str(result), "is read-only")
    result.chmod(0o640)
    assert upscale(photo, "-s", 2, "--overwrite").code == 0
    assert result.stat().st_mode & 0o777 == 0o640


def test_a_name_that_is_too_long_is_found_before_the_work(upscale, tmp_path, monkeypatch):
    long = picture(tmp_path / f"{'n' * 248}.png")
    monkeypatch.setattr("gsr.tasks.source.open_source", None)
    refused(upscale(long, "-s", 25), "its name has 256 bytes, and 255 are allowed")


def test_links_to_folders_are_followed_once_and_it_is_said(upscale, album, tmp_path):
    (album / "again").symlink_to("deep")
    result = upscale(album, "-r", "-s", 2, "-o", tmp_path / "out")
    assert len(result.paths) == 3
    assert "note: links to folders that are taken already: 1, such as " in result.err


def test_a_folder_without_pictures(upscale, album, tmp_path):
    empty = tmp_path / "empty"
    picture(empty / "deep" / "a.png")
    refused(upscale(empty, "-s", 2), "holds no pictures", "--recursive")
    (tmp_path / "bare").mkdir()
    refused(upscale(tmp_path / "bare", "-s", 2, "-r"), "holds no pictures.")


def test_json_of_one_file(upscale, photo):
    result = upscale(photo, "--size", "24x27", "--fit", "stretch", "--json", "-q")
    (line,) = result.out.splitlines()
    told = json.loads(line)
    assert told["status"] == "written"
    assert told["output"] == str(photo.with_name("photo-24x27-stretch.png"))
    assert (told["width"], told["height"]) == (24, 27)
    assert (told["scale_x"], told["scale_y"]) == (2.0, 3.0)
    assert told["model"] == "lite"
    assert told["seconds"] >= 0
    assert result.err == ""


# --- real processes --------------------------------------------------------------------------


def test_a_terminal_sees_a_bar_stdout_only_the_path_and_no_gradio_is_imported(weights, tmp_path):
    # A name that is not valid Unicode comes out as it went in.
    source = tmp_path / os.fsdecode(b"caf\xe9.png")
    picture(tmp_path / "plain.png", (24, 24)).rename(source)
    terminal, stderr = pty.openpty()
    run = process(
        "-c", "import sys, gsr.cli; sys.exit(gsr.cli.run() or 'gradio' in sys.modules)",
        "upscale", source, "-s", "8", "-m", weights, stdout=subprocess.PIPE, stderr=stderr,
    )  # fmt: skip
    os.close(stderr)
    shown = b""
    while piece := read(terminal):
        shown += piece
    os.close(terminal)
    out, _ = run.communicate(timeout=60)
    assert run.returncode == 0, shown
    assert out == os.fsencode(source.with_name(source.stem + "-x8.png")) + b"\n"
    assert b"100%" in shown


def read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:  # how a terminal without writers ends
        return b""


@pytest.mark.skipif(
    os.geteuid() == 0 and not shutil.which("setpriv"), reason="root may enter any folder"
)
def test_a_folder_that_may_not_be_entered_is_a_sentence(weights, tmp_path):
    picture(tmp_path / "a.png", (40, 40))
    shut = tmp_path / "shut"
    picture(shut / "a.png")
    weights = os.fspath(weights)
    denied, unread = "permission denied", "there is no permission to read this file"
    expected = {
        ("upscale", "a.png", "-s", "2", "-m", weights, "-o", "shut/x.png"): denied,
        ("upscale", "a.png", "-s", "2", "-m", weights, "-o", "shut/in/"): denied,
        ("upscale", "shut/a.png", "-s", "2", "-m", weights): denied,
        ("upscale", "shut/a.png", "-s", "2", "-m", weights, "-o", "x.png"): unread,
        ("upscale", "a.png", "-s", "2", "-m", "shut/w.safetensors"): unread,
        ("encode", "a.png", "-o", "shut/x.gsf"): denied,
        ("inspect", "shut/x.gsf", "--at", "1,1"): unread,
        ("info", "shut/x"): unread,
        ("eval", "--data", ".", "--scales", "2", "--methods", "shut/w"): unread,
        ("eval", "--data", ".", "--scales", "2", "--methods", "bicubic", "--lr", "shut"): denied,
        ("data", "check", "Set5", "shut/in"): denied,
    }
    program = f"import gsr.cli\nfor line in {list(expected)}: print(gsr.cli.run(list(line)))"
    drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    shut.chmod(0)
    run = subprocess.run(
        [*(drop if os.geteuid() == 0 else []), sys.executable, "-c", program],
        cwd=tmp_path, env=environment(), capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip
    shut.chmod(0o700)
    assert run.stdout.split() == ["2"] * len(expected), run.stderr
    for said, (line, words) in zip(run.stderr.splitlines(), expected.items(), strict=True):
        assert said.startswith("error: "), line
        assert "shut" in said, line
        assert words in said, line


@pytest.mark.parametrize("encoding", ["utf-8:strict", "latin-1:strict"])
def test_reports_take_names_that_are_no_unicode(weights, tmp_path, encoding):
    odd = os.fsencode(tmp_path) + b"/b\xff\xe2\x86\x92"  # and an arrow, which Latin-1 lacks
    picture(tmp_path / "HR" / "a.png", (40, 40))
    os.rename(tmp_path / "HR", odd)
    name = os.fsdecode(odd)
    lines = [
        ["inspect", f"{name}/a.png", "--at", "1,1", "-m", os.fspath(weights)],
        ["data", "check", "Set5", name],
        ["eval", "--data", name, "--scales", "2", "--methods", "bicubic", "-o", "results"],
    ]
    run = subprocess.run(
        [sys.executable, "-c", f"import gsr.cli\nfor line in {lines!a}: gsr.cli.run(line)"],
        cwd=tmp_path, capture_output=True, timeout=120,
        env=environment(PYTHONIOENCODING=encoding),
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert odd + b"/a.png at (1, 1)" in run.stdout
    assert b"Set5 in " + odd in run.stdout
    assert b"## b\xff\xe2\x86\x92 (1 image)" in run.stdout
    assert b"b\xff\xe2\x86\x92" in (tmp_path / "results" / "liif-pil.md").read_bytes()


def test_ctrl_c_leaves_whole_files_only_and_says_what_was_done(weights, tmp_path):
    quick, slow = picture(tmp_path / "quick.png"), picture(tmp_path / "slow.png", (64, 64))
    out = tmp_path / "out"
    run = process(
        "-m", "gsr", "upscale", quick, slow, "-s", "64", "-m", weights, "-o", out,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert run.stdout is not None
    assert run.stdout.readline() == f"{out / 'quick-x64.png'}\n"
    time.sleep(0.3)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert err.endswith("error: interrupted, 1 of 2 pictures were written.\n")
    assert "Traceback" not in err
    assert [path.name for path in out.iterdir()] == ["quick-x64.png"]
    assert size_of(out / "quick-x64.png") == (768, 576)


def test_a_process_that_fails(photo):
    run = process(
        "-m", "gsr", "upscale", photo, "-s", "abc", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )  # fmt: skip
    out, err = run.communicate(timeout=60)
    assert (run.returncode, out) == (2, b"")
    assert err.startswith(b"error: Invalid value")
    assert err.count(b"\n") == 1


# --- gsr inspect -----------------------------------------------------------------------------


def test_inspect_as_json(cli, weights, photo):
    result = cli("inspect", photo, "--at", "3.5,4", "--scale", 3, "--model", weights, "--json")
    told = json.loads(result.out)
    assert (told["x"], told["y"], told["column"], told["row"]) == (3.5, 4.0, 3, 4)
    assert told["scale"] == [3.0, 3.0]
    assert math.isclose(sum(part["share"] for part in told["contributions"]), 1, abs_tol=1e-5)
    for band in range(3):
        shown = told["splatted"][band] + told["residual"][band]
        assert math.isclose(shown, told["rgb"][band], abs_tol=1e-5)


def test_inspect_as_a_table(cli, weights, tmp_path):
    one = picture(tmp_path / "one.png", (1, 1), mode="RGBA")
    result = cli("inspect", one, "--at", "0.5,0.5", "-m", weights)
    assert result.code == 0, result.err
    assert "100.0%" in result.out
    assert [line[:12].strip() for line in result.out.splitlines()[-3:]] == [
        "splatted", "+ residual", "= shown"
    ]  # fmt: skip


def test_inspect_refuses(cli, weights, photo, tmp_path):
    for point in ("3", "a,b", "1,2,3", "nan,1", "inf,1", ","):
        refused(cli("inspect", photo, "--at", point, "-m", weights), "--at", "is not a point")
    for point in ("-1,2", "13,2", "2,9.5"):
        refused(cli("inspect", photo, "--at", point, "-m", weights), "outside the image")
    refused(cli("inspect", photo, "--at", "1,1", "-s", 0, "-m", weights), "scale must be")
    refused(cli("inspect", photo, "--at", "1,1", "-m", "nonsense"), "'nonsense'")
    refused(cli("inspect", tmp_path / "none.png", "--at", "1,1", "-m", weights), "no such file")


# --- gsr info --------------------------------------------------------------------------------


def test_info_of_the_installation(cli):
    told = json.loads(cli("info", "--json").out)
    assert told["gsr"] == gsr.__version__
    assert told["presets"].keys() == PRESETS.keys()
    assert all(preset["parameters"] > 100_000 for preset in told["presets"].values())
    assert "reference" in told["back-ends"]
    assert told["threads"] >= 1
    table = cli("info").out
    assert all(word in table for word in (gsr.__version__, "threads", "paper", "weights"))


def test_info_of_weights(cli, weights, photo, tmp_path):
    told = json.loads(cli("info", weights, "--json").out)
    assert told["config"]["name"] == "lite"
    assert told["about"] == {"steps": 7}
    assert told["bytes"] == weights.stat().st_size
    assert "num_kernels" in cli("info", weights).out
    strange = tmp_path / "strange.safetensors"
    content = weights.read_bytes().replace(b'"checksum"', b'"checksun"')
    strange.write_bytes(content.replace(rb"{\"steps\": 7}", rb"{\"steps\"= 7}"))
    assert strange.read_bytes() != content
    refused(cli("info", strange), str(strange), "must be JSON, and this is not")
    refused(cli("info", photo), "damaged")
    refused(cli("info", "nonsense"), "'nonsense'")


def test_info_of_bundled_weights(cli, weights, tmp_path, monkeypatch):
    shutil.copy(weights, tmp_path / "tiny.safetensors")
    checksum = gsr.base.files.checksum(weights)
    (tmp_path / "manifest.toml").write_text(
        f'[tiny]\nfile = "tiny.safetensors"\nsha256 = "{checksum}"\n'
        "[tiny.metrics]\nset5_x2 = 37.0\n"
    )
    monkeypatch.setattr(gsr.methods.weights, "weights_folder", lambda: tmp_path)
    assert "set5_x2 37.0" in cli("info").out
    assert json.loads(cli("info", "tiny", "--json").out)["manifest"]["metrics"]["set5_x2"] == 37.0


# --- gsr app ---------------------------------------------------------------------------------


@pytest.fixture
def fake_app(tmp_path, monkeypatch):
    """An installed app that writes down how it was launched."""

    for name in [name for name in sys.modules if name.split(".")[0] == "gsr_apps"]:
        monkeypatch.delitem(sys.modules, name)

    def install(code: str) -> None:
        studio = tmp_path / "site" / "gsr_apps" / "studio"
        studio.mkdir(parents=True)
        (studio.parent / "__init__.py").touch()
        (studio / "__init__.py").touch()
        (studio / "launch.py").write_text(code)
        monkeypatch.syspath_prepend(studio.parents[1])

    yield install
    for name in ("gsr_apps", "gsr_apps.studio", "gsr_apps.studio.launch"):
        sys.modules.pop(name, None)


def test_app_is_launched_with_what_was_asked(cli, fake_app, photo, tmp_path):
    fake_app("calls = []\ndef launch(**how): calls.append(how)")
    assert cli("app", photo, "-m", "base", "--port", 7999, "--no-open").code == 0
    assert cli("app", "--port", 7998, "--strength", 0).code == 0
    named = ("--allow-host", "a.b", "--allow-host", "c.d", "--allow-embed", "http://e.f")
    assert cli("app", *named).code == 0
    first, second, third = sys.modules["gsr_apps.studio.launch"].calls
    assert first == {
        "model": "base", "image": photo, "host": "127.0.0.1", "port": 7999, "open_browser": False,
        "auth": None,
    }  # fmt: skip
    assert (second["model"], second["image"], second["open_browser"]) == ("lite", None, True)
    assert second["strength"] == 0
    assert (third["allow_hosts"], third["allow_embed"]) == (["a.b", "c.d"], ["http://e.f"])


# Gradio may be imported at once or only when it is needed.
@pytest.mark.parametrize(
    "code", ["import gradio\ndef launch(**how): pass", "def launch(**how): import gradio"]
)
def test_app_refuses(cli, fake_app, tmp_path, monkeypatch, code):
    fake_app(code)
    monkeypatch.setitem(sys.modules, "gradio", None)
    refused(cli("app"), 'pip install "gaussiansr[app]"', "gradio")
    refused(cli("app", tmp_path / "none.png"), "none.png", "does not exist")
    refused(cli("app", "--port", 70000), "--port")


def test_app_errors_are_sentences_and_bugs_are_not(cli, fake_app):
    fake_app(
        "from gsr.base.errors import ConfigError\n"
        "def launch(port, **how):\n"
        "    if port == 1: raise ConfigError('port 1 may not be used.')\n"
        "    import a_part_that_was_forgotten"
    )
    refused(cli("app", "--port", 1), "port 1 may not be used.")
    with pytest.raises(ModuleNotFoundError, match="forgotten"):
        cli("app")


def test_the_app_is_one_package_from_anywhere(tmp_path, monkeypatch):
    from gsr.base.optional import part

    (tmp_path / "gsr_apps").mkdir()
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    assert part("gsr_apps.studio").__name__ == "gsr_apps.studio"
    assert sys.path == before


def test_a_missing_part_is_named():
    from gsr.base.optional import part

    with pytest.raises(GsrError, match=r"^gsr_nothing is missing: reinstall gaussiansr\.$"):
        part("gsr_nothing.studio")
