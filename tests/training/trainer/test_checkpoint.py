"""Checkpoints: a run that was stopped ends as one that was not."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import gsr_training.trainer.loop
import pytest
import torch
from gsr_training.trainer.checkpoint import (
    TrainState,
    load_checkpoint,
    new_state,
    save_checkpoint,
    steps_done,
)
from gsr_training.trainer.data import Batch, Crops
from gsr_training.trainer.logs import RunLog, TrainingError
from gsr_training.trainer.loop import train
from gsr_training.trainer.recipe import Recipe
from helpers.training import make_crops, make_recipe
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from gsr.base.errors import ConfigError
from gsr.methods.weights import read_weights, save_weights

ROOT = Path(__file__).parents[3]
RECIPE = make_recipe(queries=32, save_every=3)

pytestmark = pytest.mark.usefixtures("tiny_preset")


class StoppedError(Exception):
    """The power goes out."""


@pytest.fixture
def crops() -> Crops:
    g = torch.Generator().manual_seed(0)
    images = [torch.randint(0, 256, (3, 40, 44), generator=g, dtype=torch.uint8) for _ in range(2)]
    return make_crops(RECIPE, images)


def everything(state: TrainState) -> dict[str, Tensor]:
    found = {f"model.{k}": v for k, v in state.network.state_dict().items()}
    found |= {f"average.{k}": v for k, v in state.average.state_dict().items()}
    for name, parameter in state.network.named_parameters():
        found |= {f"adam.{name}.{k}": v for k, v in state.optimizer.state[parameter].items()}
    return found


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
    recipe = make_recipe(queries=32, save_every=3, preset=preset)
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
    other = new_state(make_recipe(queries=32, seed=5))
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


@pytest.mark.parametrize("change", [{"crop": 9}, {"ema": 0.9}, {"preset": "base"}])
def test_another_recipe_does_not_go_on(tmp_path: Path, change: dict) -> None:
    state = new_state(RECIPE)
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(state, path, RECIPE)
    (key,) = change
    other = make_recipe(**({"queries": 32, "save_every": 3} | change))
    with pytest.raises(
        ConfigError, match=rf"another recipe: \w+\.{key} was .*; use another run folder"
    ):
        load_checkpoint(state, path, other)
    load_checkpoint(state, path, make_recipe(queries=32, steps=99, log_every=7, lr=1e-5, clip=0.1))
    with pytest.raises(ConfigError, match=r"another recipe: train\.lr was"):
        steps_done(path, make_recipe(queries=32, lr=1e-5))


def test_a_checkpoint_from_before_a_key_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(new_state(RECIPE), path, RECIPE)
    with safe_open(path, framework="pt") as file:
        about = json.loads(file.metadata()["training"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    del about["recipe"]["loss"]["direction"]
    save_file(tensors, path, metadata={"training": json.dumps(about)})
    load_checkpoint(new_state(RECIPE), path, RECIPE)
    pulled = replace(RECIPE, loss=replace(RECIPE.loss, direction=0.1))
    with pytest.raises(ConfigError, match=r"loss\.direction was 0.0, is 0.1"):
        load_checkpoint(new_state(RECIPE), path, pulled)


def test_a_checkpoint_of_another_architecture(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(new_state(make_recipe(blocks=2)), path, RECIPE)
    with pytest.raises(ConfigError, match="is a checkpoint of another architecture"):
        load_checkpoint(new_state(RECIPE), path, RECIPE)


def test_a_damaged_checkpoint(crops: Crops, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(b"no checkpoint")
    with pytest.raises(ConfigError, match="is damaged or no checkpoint"):
        load_checkpoint(new_state(RECIPE), path, RECIPE)


class Broken:
    """Batches of which one has a hole."""

    def __init__(self, crops: Crops, at: int):
        self.crops, self.at = crops, at

    def batch(self, step: int, part: int, parts: int) -> Batch:
        batch = self.crops.batch(step, part, parts)
        return replace(batch, rgb=batch.rgb * float("nan")) if step == self.at else batch


@pytest.mark.parametrize("log_every", [1, 4, 100])
def test_a_loss_that_is_not_finite_stops(log_every: int, crops: Crops, tmp_path: Path) -> None:
    recipe = make_recipe(queries=32, steps=8, save_every=3, log_every=log_every)
    path = tmp_path / "checkpoint.safetensors"
    message = r"the loss is nan and the gradient .* at step 5; .*checkpoint\.safetensors is from"
    with pytest.raises(TrainingError, match=message):
        train(recipe, Broken(crops, 4), tmp_path)  # type: ignore[arg-type]
    state = new_state(recipe)
    load_checkpoint(state, path, recipe)
    assert state.step == 3
    assert all(torch.isfinite(v).all() for v in state.network.state_dict().values())
    assert train(recipe, crops, tmp_path).step == 8


def test_weights_that_are_not_finite_are_not_saved(
    crops: Crops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = gsr_training.trainer.loop.train_step

    def exploding(recipe: Recipe, state: TrainState, *rest: object) -> dict[str, Tensor]:
        values = step(recipe, state, *rest)  # type: ignore[arg-type]
        torch.nn.init.constant_(next(state.network.parameters()), float("inf"))
        return values

    monkeypatch.setattr("gsr_training.trainer.loop.train_step", exploding)
    with pytest.raises(TrainingError, match="no checkpoint was written yet"):
        train(make_recipe(queries=32, steps=1), crops, tmp_path)
    assert not (tmp_path / "checkpoint.safetensors").exists()


def test_a_full_disk_is_a_sentence(
    crops: Crops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TrainingError, match=r"cannot be written \(No space left on device\)"):
        train(RECIPE, crops, tmp_path)


def test_the_recipe_travels_along(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "checkpoint.safetensors"
    save_checkpoint(new_state(RECIPE), path, RECIPE)
    with safe_open(path, framework="pt") as file:
        about = json.loads(file.metadata()["training"])
    assert about["recipe"]["model"]["preset"] == "tiny"
    assert about["step"] == 0


@pytest.mark.slow
def test_killed_at_any_moment(tmp_path: Path, photo_folder: Path) -> None:
    """A checkpoint after every step, so that a kill most often meets a write."""
    command = [sys.executable, "-m", "gsr_training.train", "debug", "--data", str(photo_folder)]
    changes = ["--train.steps=40", "--run.save_every=1", "--run.log_every=1", "--device=cpu"]
    command += [*changes, "--model.channels=8", "--model.blocks=1", "--threads=1"]
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    subprocess.run([*command, "--out", whole], cwd=ROOT, check=True, capture_output=True)
    run = subprocess.Popen([*command, "--out", parts], cwd=ROOT, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    log = parts / "log.csv"
    while not log.exists() or len(log.read_text().splitlines()) < 8:
        assert time.monotonic() < deadline
        assert run.poll() is None
        time.sleep(0.01)
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert not (parts / "lite.safetensors").exists()
    subprocess.run([*command, "--out", parts], cwd=ROOT, check=True, capture_output=True)
    first, second = (read_weights(f / "lite.safetensors").state_dict() for f in (whole, parts))
    assert all(torch.equal(first[k], second[k]) for k in first)
    assert rows(whole) == rows(parts)


def test_what_a_run_started_from_may_be_gone(crops: Crops, tmp_path: Path) -> None:
    start = save_weights(new_state(RECIPE).network, tmp_path / "start.safetensors")
    recipe = replace(RECIPE, model=replace(RECIPE.model, init=str(start)))
    stopped(recipe, crops, tmp_path / "run", 4)
    start.unlink()
    resumed = train(recipe, crops, tmp_path / "run")
    assert resumed.step == recipe.train.steps


def test_all_losses_reach_the_log(crops: Crops, tmp_path: Path) -> None:
    recipe = replace(RECIPE, loss=replace(RECIPE.loss, direction=0.1))
    recipe = replace(recipe, run=replace(recipe.run, log_every=1))
    train(recipe, crops, tmp_path)
    assert all(float(row["direction"]) > 0 for row in rows(tmp_path))


def test_a_log_of_a_time_with_fewer_columns_goes_on(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("step,seconds,loss\n1,0.5,0.25\n")
    with RunLog(tmp_path, 1) as log:
        log.write(2, 1.0, {"loss": 0.125, "direction": 0.5})
    first, second = rows(tmp_path)
    assert (first["loss"], first["direction"]) == ("0.25", "")
    assert (second["loss"], second["direction"]) == ("0.125", "0.5")


def test_moments_lie_in_memory_as_the_parameters_do(crops: Crops, tmp_path: Path) -> None:
    """The fused Adam of a GPU refuses others."""
    state = train(RECIPE, crops, tmp_path)
    back = new_state(RECIPE)
    load_checkpoint(back, tmp_path / "checkpoint.safetensors", RECIPE)
    parameters = [p for p in back.network.parameters() if p.ndim == 4]
    assert any(not p.is_contiguous() for p in parameters)
    for parameter in parameters:
        moments = back.optimizer.state[parameter]
        assert moments["exp_avg"].stride() == moments["exp_avg_sq"].stride() == parameter.stride()
    assert_equal(state, back)


def _rewritten(path: Path, change: Callable[[dict, dict], None]) -> None:
    """The file with other tensors or other facts, as a foreign program would write it."""
    with safe_open(path, framework="pt") as file:
        about = json.loads(file.metadata()["training"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    change(tensors, about)
    save_file(tensors, path, metadata={"training": json.dumps(about)})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t, a: a.update(step="3"), "step must be a whole number, got '3'"),
        (lambda t, a: a.update(step=-1), "step must be at least 0"),
        (lambda t, a: a.update(step=10**400), "more than 300 digits"),
        (lambda t, a: a.update(seconds=float("nan")), "not finite"),
        (lambda t, a: a.update(sums={"loss": [1.0]}), r"sums.loss.1 is missing"),
        (lambda t, a: a.update(recipe=[]), "recipe must be an object"),
        (lambda t, a: a.update(recipe={"train": 3}), "recipe.train must be an object"),
        (lambda t, a: a.pop("step"), "step is missing"),
        (lambda t, a: a.update(more=1), "unknown key 'more'"),
        (lambda t, a: t.update(more=torch.zeros(1)), "another architecture: more"),
        (lambda t, a: t.pop("model.bank.raw"), "another architecture: model.bank.raw missing"),
        (
            lambda t, a: t.update({"model.bank.raw": t["model.bank.raw"].half()}),
            "model.bank.raw of type F16 instead of F32",
        ),
        (lambda t, a: t["average.bank.raw"].fill_(float("inf")), "not finite in average.bank.raw"),
        (
            lambda t, a: t.update({"adam.bank.raw:exp_avg": t["model.bank.raw"].clone()}),
            "another architecture: adam.bank.raw:exp_avg_sq missing",
        ),
        (
            lambda t, a: t.update({"adam.nothing:exp_avg": torch.zeros(2)}),
            "another architecture: adam.nothing:exp_avg",
        ),
    ],
)
def test_checkpoints_that_do_not_fit(
    tmp_path: Path, change: Callable[[dict, dict], None], said: str
) -> None:
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(new_state(RECIPE), path, RECIPE)
    _rewritten(path, change)
    with pytest.raises(ConfigError, match=said):
        load_checkpoint(new_state(RECIPE), path, RECIPE)


def test_a_flipped_checkpoint_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(new_state(RECIPE), path, RECIPE)
    whole = bytearray(path.read_bytes())
    whole[-3] ^= 1
    path.write_bytes(whole)
    with pytest.raises(ConfigError, match="its checksum is not the one"):
        load_checkpoint(new_state(RECIPE), path, RECIPE)


@pytest.mark.parametrize(
    "text",
    [
        "loss\n1\n",
        "step\nmany\n",
        "step,loss\n1\n",
        "step\n1,2\n",
        'step\n"1\n',
        "\xff",
        "step\n\0\n",
    ],
)
def test_a_log_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "log.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match=r"log\.csv is not a log of training"):
        RunLog(tmp_path, 1)


def test_a_line_of_the_log_that_a_kill_has_cut_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("step,seconds,loss\n1,0.5,0.25\n1")
    with RunLog(tmp_path, 12):
        assert [row["step"] for row in rows(tmp_path)] == ["1"]
