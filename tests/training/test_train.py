"""The command: `gsr train`."""

import errno
import os
from pathlib import Path

import pytest
import torch

from gsr.cli import run
from training.recipe_files import load_recipe
from training.train import prepare, recipe_file

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
    assert "of another recipe" not in refused(capsys, *start[1:], "--train.lr=1")
    assert "train.lr was 0.001, is 1.0" in refused(capsys, *start[1:], "--train.lr=1")


def test_what_is_refused(photo_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert "there is no folder" in refused(capsys, "debug", "--data", tmp_path / "none")
    assert "is not understood" in refused(capsys, "debug", "--data", photo_folder, "stray")
    assert "'train.epochs'" in refused(capsys, "debug", "--data", photo_folder, "--train.epochs=3")
    assert "there is no recipe 'nothing'" in refused(capsys, "nothing", "--data", photo_folder)
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
    assert "unknown 'huge'; known are metasr" in refused(
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
    monkeypatch.setattr("training.train.read_images", lambda *_, **__: pytest.fail("read"))
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
    chance = prepare(recipe, data, names)[0].store.chance
    assert chance.tolist() == [200 * 210, 200 * 210 / 2]

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
