"""Checkpoints: a run that was stopped ends as one that was not."""

import csv
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from gsr.errors import ConfigError
from gsr.model import PRESETS
from training.checkpoint import TrainState, load_checkpoint, save_checkpoint
from training.data import Crops
from training.loop import TrainingError, new_state, train, train_step
from training.recipe import Recipe

RECIPE = Recipe(
    preset="tiny", steps=6, batch=2, crop=8, queries=32, warmup=2, log_every=1, save_every=3
)


class StoppedError(Exception):
    """The power goes out."""


@pytest.fixture
def tiny_preset(make_model: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("lite", "paper"):
        name = "tiny" if kind == "lite" else "tiny-paper"
        monkeypatch.setitem(PRESETS, name, replace(make_model(kind).config, name=name))


@pytest.fixture
def crops(tiny_preset: None) -> Crops:
    g = torch.Generator().manual_seed(0)
    images = [torch.randint(0, 256, (3, 40, 44), generator=g, dtype=torch.uint8) for _ in range(2)]
    return Crops(images, RECIPE)


def everything(state: TrainState) -> dict[str, Tensor]:
    found = {f"model.{k}": v for k, v in state.model.state_dict().items()}
    found |= {f"ema.{k}": v for k, v in state.ema.state_dict().items()}
    for name, parameter in state.model.named_parameters():
        found |= {f"adam.{name}.{k}": v for k, v in state.optimizer.state[parameter].items()}
    return found | {"generator": state.generator.get_state()}


def assert_equal(a: TrainState, b: TrainState) -> None:
    left, right = everything(a), everything(b)
    assert left.keys() == right.keys()
    different = [name for name in left if not torch.equal(left[name], right[name])]
    assert different == []
    assert a.step == b.step


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "log.csv").open(newline="") as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def stop_after(step: int) -> Callable[..., None]:
    def report(done: int, _fraction: float, _values: dict) -> None:
        if done == step:
            raise StoppedError

    return report


def stopped(recipe: Recipe, crops: Crops, folder: Path, step: int) -> None:
    """A run that ends in the middle of a step."""
    with pytest.raises(StoppedError):
        train(recipe, crops, folder, report=stop_after(step))


@pytest.mark.parametrize("preset", ["tiny", "tiny-paper"])
@pytest.mark.parametrize("step", [4, 6])
def test_resuming_is_never_having_stopped(
    preset: str, step: int, crops: Crops, tmp_path: Path
) -> None:
    recipe = replace(RECIPE, preset=preset)
    whole = train(recipe, crops, tmp_path / "whole")
    stopped(recipe, crops, tmp_path / "parts", step)
    torch.manual_seed(99)
    parts = train(recipe, crops, tmp_path / "parts")
    assert whole.step == 6
    assert_equal(whole, parts)
    assert rows(tmp_path / "whole") == rows(tmp_path / "parts")
    assert len(rows(tmp_path / "parts")) == 6


def test_a_finished_run_is_left_alone(crops: Crops, tmp_path: Path) -> None:
    first = train(RECIPE, crops, tmp_path)
    before = rows(tmp_path)
    again = train(RECIPE, crops, tmp_path, report=stop_after(7))
    assert_equal(first, again)
    assert rows(tmp_path) == before


def test_there_and_back(crops: Crops, tmp_path: Path) -> None:
    state = train(RECIPE, crops, tmp_path)
    other = new_state(replace(RECIPE, seed=5))
    load_checkpoint(other, tmp_path / "checkpoint.safetensors", RECIPE)
    assert_equal(state, other)
    assert other.seconds == pytest.approx(state.seconds)


def test_a_half_written_file_does_not_disturb(crops: Crops, tmp_path: Path) -> None:
    whole = train(RECIPE, crops, tmp_path / "whole")
    stopped(RECIPE, crops, tmp_path / "parts", 5)
    (tmp_path / "parts" / "checkpoint.partial").write_bytes(b"\x10\x00\x00half of a file")
    assert_equal(whole, train(RECIPE, crops, tmp_path / "parts"))


def test_a_failing_write_keeps_the_old_checkpoint(
    crops: Crops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "checkpoint.safetensors"
    state = new_state(RECIPE)
    save_checkpoint(state, path, RECIPE)
    before = path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    state.step = 3
    with pytest.raises(OSError, match="No space"):
        save_checkpoint(state, path, RECIPE)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("change", [{"crop": 9}, {"lr": 1e-5}, {"preset": "base"}])
def test_another_recipe_does_not_go_on(crops: Crops, tmp_path: Path, change: dict) -> None:
    state = new_state(RECIPE)
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(state, path, RECIPE)
    (key,) = change
    with pytest.raises(ConfigError, match=rf"another recipe: {key} was .*; use another run folder"):
        load_checkpoint(state, path, replace(RECIPE, **change))
    load_checkpoint(state, path, replace(RECIPE, steps=99))


def test_a_damaged_checkpoint(crops: Crops, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(b"no checkpoint")
    with pytest.raises(ConfigError, match="is damaged or no checkpoint"):
        load_checkpoint(new_state(RECIPE), path, RECIPE)


def test_a_gradient_that_is_not_finite_stops(crops: Crops, tmp_path: Path) -> None:
    train(replace(RECIPE, steps=3), crops, tmp_path)
    path = tmp_path / "checkpoint.safetensors"
    before = path.read_bytes()
    broken = replace(RECIPE, steps=6)
    state = new_state(broken)
    load_checkpoint(state, path, broken)
    weights = {k: v.clone() for k, v in state.model.state_dict().items()}
    batch = crops.batch(state.generator)
    nan = replace(batch, rgb=batch.rgb * float("nan"))
    with pytest.raises(TrainingError, match=r"the loss is nan .* at step 4; nothing of this step"):
        train_step(broken, state, nan, 0.5)
    assert all(v.equal(weights[k]) for k, v in state.model.state_dict().items())
    assert path.read_bytes() == before


def test_the_recipe_travels_along(crops: Crops, tmp_path: Path) -> None:
    import json

    from safetensors import safe_open

    path = tmp_path / "deep" / "checkpoint.safetensors"
    save_checkpoint(new_state(RECIPE), path, RECIPE)
    with safe_open(path, framework="pt") as file:
        about = json.loads(file.metadata()["training"])
    assert about["recipe"]["preset"] == "tiny"
    assert about["step"] == 0
