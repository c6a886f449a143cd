"""The command: `gsr train`."""

import errno
import os
import signal
from pathlib import Path

import gsr_training.trainer.loop
import pytest
import torch
from accelerate import Accelerator
from gsr_training.train import recipe_file
from gsr_training.trainer.preparing import Sources, prepare
from gsr_training.trainer.recipe_files import load_recipe
from helpers.training import photo
from PIL import Image

from gsr.cli import run

SMALL = ["--model.channels=8", "--model.blocks=1", "--device=cpu"]


def refused(capsys: pytest.CaptureFixture, *arguments: object) -> str:
    assert run(["train", *map(str, arguments)]) == 2
    sentence = capsys.readouterr().err.strip().splitlines()[-1]
    assert sentence.startswith("error: ")
    return sentence


def test_a_run_and_going_on(
    photo_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (photo_folder / "c.png").write_bytes(b"damaged")
    out = tmp_path / "run"
    start = ["train", "debug", "--data", str(photo_folder), "--out", str(out), *SMALL]
    assert run(start) == 0
    said = capsys.readouterr()
    assert "lite.safetensors after 6 steps" in said.out.replace("\n", "")
    assert "c.png is not an image" in said.err.replace("\n", " ")
    assert run([*start, "--train.steps=8"]) == 0
    assert "after 8 steps" in capsys.readouterr().out.replace("\n", " ")
    said = refused(capsys, *start[1:], "--train.soft=1", "--train.lr=1")
    assert "train.soft was 0.3, is 1.0" in said
    assert "train.lr was" not in said
    assert "Only train.lr, train.lr_end, " in said


def test_what_is_refused(photo_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert "does not exist; name a folder" in refused(capsys, "debug", "--data", tmp_path / "none")
    assert "is not understood" in refused(capsys, "debug", "--data", photo_folder, "stray")
    assert "'train.epochs'" in refused(capsys, "debug", "--data", photo_folder, "--train.epochs=3")
    assert "unknown recipe 'nothing'" in refused(capsys, "nothing", "--data", photo_folder)
    assert "--minutes must be above 0" in refused(
        capsys, "debug", "--data", photo_folder, "--minutes", "-1"
    )
    assert "--extend adds --minutes" in refused(capsys, "debug", "--data", photo_folder, "--extend")
    assert "--device must be auto, cpu or cuda, got 'tpu'" in refused(
        capsys, "debug", "--data", photo_folder, "--device", "tpu"
    )
    if not torch.cuda.is_available():
        assert "torch finds no GPU" in refused(
            capsys, "debug", "--data", photo_folder, "--device", "cuda"
        )
    assert "does not exist" in refused(
        capsys, "debug", "--data", photo_folder, "--names", tmp_path / "none.txt"
    )
    assert "large enough for the crop" in refused(
        capsys, "debug", "--data", photo_folder, "--data.crop=100"
    )
    assert "unknown 'huge'; choose one of metasr" in refused(
        capsys, "debug", "--data", photo_folder, "--model.preset=huge"
    )
    assert "another architecture" in refused(
        capsys, "debug", "--data", photo_folder, *SMALL, "--model.init=lite"
    )
    (photo_folder / "c.png").write_bytes(b"damaged")
    assert "c.png is not an image" in refused(capsys, "debug", "--data", photo_folder, "--strict")


def test_a_run_folder_that_cannot_be_is_told_before_images_are_read(
    photo_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch
) -> None:
    monkeypatch.setattr(
        "gsr_training.trainer.preparing.read_images", lambda *_, **__: pytest.fail("read")
    )
    (tmp_path / "file").write_text("")
    for out in ("file", "file/below"):
        assert "file is a file, and a folder is needed" in refused(
            capsys, "debug", "--data", photo_folder, "--out", tmp_path / out
        )
    monkeypatch.setattr("tempfile.TemporaryFile", _no_permission)
    assert "cannot be written to: permission denied" in refused(
        capsys, "debug", "--data", photo_folder, "--out", tmp_path / "run"
    )
    assert not (tmp_path / "run").exists()
    assert "--threads" in refused(capsys, "debug", "--data", photo_folder, "--threads", "-1")


def _no_permission(**_: object) -> None:
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_is_no_end(
    number: int, code: int, photo_folder: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    step, seen = gsr_training.trainer.loop.train_step, []

    def interrupted(*arguments: object) -> dict:
        seen.append(1)
        if len(seen) == 2:
            os.kill(os.getpid(), number)
        return step(*arguments)

    monkeypatch.setattr("gsr_training.trainer.loop.train_step", interrupted)
    start = ["train", "debug", "--data", str(photo_folder), "--out", str(tmp_path / "run"), *SMALL]
    assert run(start) == code
    said = capsys.readouterr()
    assert "after" not in said.out
    assert f"stopped by {signal.Signals(number).name} at step 2, before the run's end" in said.err
    assert run(start) == 0
    assert "after 6 steps" in capsys.readouterr().out


def test_what_killed_runs_left_goes_when_a_run_goes_on(
    photo_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out = tmp_path / "run"
    start = ["train", "debug", "--data", str(photo_folder), "--out", str(out), *SMALL]
    assert run(start) == 0
    (out / ".0123456789abcdef.part").write_bytes(b"half a checkpoint")
    assert run(start) == 0
    assert not list(out.glob(".*.part"))


def test_a_pause_is_no_end(
    photo_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    start = ["debug", "--data", str(photo_folder), "--out", str(tmp_path / "run"), *SMALL]
    pieces = ["--train.steps=1000000", "--pause-after=0.001"]
    assert run(["train", *start, *pieces]) == 0
    said = capsys.readouterr()
    assert "after" not in said.out
    assert "paused at step" in said.err


def test_after_numbers_that_are_not_finite_the_advice_works(
    photo_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    start = ["debug", "--data", photo_folder, "--out", tmp_path / "run", *SMALL, "--train.steps=40"]
    wild = ["--train.lr=1e30", "--train.clip=0", "--train.warmup=0"]
    said = refused(capsys, *start, *wild)
    assert "no checkpoint was written yet: begin again with a lower --train.lr" in said
    assert run(["train", *map(str, start), "--train.steps=3"]) == 0
    said = refused(capsys, *start, *wild)
    assert "checkpoint.safetensors is from before that: the same command resumes" in said
    assert run(["train", *map(str, start), "--train.lr=1e-4", "--train.clip=0.5"]) == 0
    assert "after 40 steps" in capsys.readouterr().out


@pytest.mark.parametrize("key", ["lr", "lr_end", "clip", "warmup", "gamma", "bank_lr"])
@pytest.mark.parametrize("value", ["inf", "nan"])
def test_settings_are_finite(
    key: str, value: str, photo_folder: Path, capsys: pytest.CaptureFixture
) -> None:
    said = refused(capsys, "debug", "--data", photo_folder, f"--train.{key}={value}")
    assert f"train.{key} must be" in said


def test_images_set_aside_and_where_else_they_come_from(
    photo_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    recipe = load_recipe(recipe_file("debug"))
    engine = Accelerator(cpu=True)
    crops, judge = prepare(recipe, Sources(photo_folder), engine)
    assert len(crops.store.size) == 2
    assert judge is None
    said = " ".join(capsys.readouterr().err.split())
    assert "one image in 60 is set aside and 2 are too few" in said
    half = load_recipe(recipe_file("debug"), {"data.held_out": 2})
    crops, judge = prepare(half, Sources(photo_folder), engine)
    assert len(crops.store.size) == 1
    assert judge is not None
    crops, judge = prepare(recipe, Sources(photo_folder, validate=photo_folder), engine)
    assert len(crops.store.size) == 2
    assert judge is not None
    assert "held_out = 1 would set all" in refused(
        capsys, "debug", "--data", photo_folder, "--data.held_out=1"
    )


def test_a_data_set_is_trained_on_as_it_was_unpacked(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    layout = {
        "DIV2K_train_HR/0001.png": 100, "DIV2K_train_HR/0002.png": 100,
        "DIV2K_train_LR_bicubic/X2/0001x2.png": 90, "DIV2K_valid_HR/0801.png": 200,
        "DIV2K_valid_LR_bicubic/X2/0801x2.png": 80, "Set5/LR_bicubic/X2/babyx2.png": 80,
    }  # fmt: skip
    for name, side in layout.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        pixels = photo(side, side).permute(1, 2, 0).numpy()
        Image.fromarray(pixels).save(tmp_path / name)
    sources = Sources(tmp_path, validate=tmp_path / "DIV2K_valid_HR")
    crops, judge = prepare(load_recipe(recipe_file("debug")), sources, Accelerator(cpu=True))
    assert crops.store.size.tolist() == [[100, 100], [100, 100]]
    assert judge is not None
    said = " ".join(capsys.readouterr().err.split())
    assert "DIV2K_train_LR_bicubic, DIV2K_valid_HR, DIV2K_valid_LR_bicubic, Set5/LR_bicubic" in said
    only = refused(capsys, "debug", "--data", tmp_path / "Set5")
    assert "holds reduced or validation images only: LR_bicubic" in only


def test_lists_of_names(
    photo_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch
) -> None:
    monkeypatch.chdir(photo_folder.parent)
    data = Path(photo_folder.name)
    names = tmp_path / "names.txt"
    first, second = sorted(photo_folder.glob("*.png"))[:2]
    odd = photo_folder / os.fsdecode(b"caf\xe9.png")
    second.rename(odd)
    recipe = load_recipe(recipe_file("debug"), {"data.rare": [odd.name]})

    # Absolute paths, twice the same one, and bytes that are no UTF-8.
    names.write_bytes(b"%b\n\n%b\ncaf\xe9.png\n" % (2 * (os.fsencode(first),)))
    engine, sources = Accelerator(cpu=True), Sources(data, names)
    chance = prepare(recipe, sources, engine)[0].store.chance
    assert chance.tolist() == [200 * 210, 200 * 210 / 2]
    alike = load_recipe(recipe_file("debug"), {"data.drawn": "images", "data.rare": [odd.name]})
    assert prepare(alike, sources, engine)[0].store.chance.tolist() == [1, 0.5]

    arguments = ("debug", "--data", data, "--names", names)
    names.write_text(" \n\n")
    assert "names no image; each line must be" in refused(capsys, *arguments)
    names.write_text("gone.png\n")
    assert "no training image can be read; the first: " in refused(capsys, *arguments)


def test_help(capsys: pytest.CaptureFixture) -> None:
    assert run(["train", "--help"]) == 0
    assert "--pause-after" in capsys.readouterr().out


def test_profile(photo_folder: Path, capsys: pytest.CaptureFixture) -> None:
    assert run(["train", "debug", "--data", str(photo_folder), "--profile", *SMALL]) == 0
    said = capsys.readouterr().out
    for part in ("data", "encoder", "splat", "decoder", "optimiser", "steps a second", "MB"):
        assert part in said
