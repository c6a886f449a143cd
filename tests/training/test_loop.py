"""The loop: it learns, keeps its schedule, and stops when it is told to."""

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from gsr.model import PRESETS, GaussianSR
from training.data import Crops
from training.loop import learning_rate, losses, new_state, train, train_step
from training.recipe import Recipe

ROOT = Path(__file__).parents[2]
RECIPE = Recipe(preset="tiny", steps=30, batch=2, crop=8, queries=64, warmup=2, save_every=1000)


def photo() -> Tensor:
    """Stripes and a gradient. uint8 [3, 48, 48]"""
    y, x = torch.meshgrid(torch.arange(48), torch.arange(48), indexing="ij")
    planes = (x * 5, 128 + 90 * torch.sin((x + 2 * y) / 5), y * 4)
    return torch.stack([p.to(torch.uint8) for p in planes])


@pytest.fixture(autouse=True)
def tiny_preset(make_model: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("lite", "paper"):
        name = "tiny" if kind == "lite" else "tiny-paper"
        monkeypatch.setitem(PRESETS, name, replace(make_model(kind).config, name=name))


def measured(recipe: Recipe, model: GaussianSR) -> float:
    """L1 on a batch that is always the same, with the same draws and hard choices."""
    batch = Crops([photo()], replace(recipe, batch=8)).batch(torch.Generator().manual_seed(77))
    draws = torch.Generator().manual_seed(78)
    with torch.no_grad():
        found = model(batch.lr, batch.points, batch.scale, generator=draws)
    return float((found.rgb - batch.rgb).abs().mean())


@pytest.mark.parametrize(("preset", "share"), [("tiny", 0.8), ("tiny-paper", 0.8)])
def test_the_loss_goes_down(preset: str, share: float, tmp_path: Path) -> None:
    recipe = replace(RECIPE, preset=preset, lr=5e-3)
    state = train(recipe, Crops([photo()], recipe), tmp_path)
    assert state.step == 30
    before = measured(recipe, new_state(recipe).model)
    assert measured(recipe, state.model) < share * before


def test_the_average_follows_the_weights(tmp_path: Path) -> None:
    state = train(replace(RECIPE, steps=4), Crops([photo()], RECIPE), tmp_path)
    start = new_state(RECIPE).model.state_dict()
    now, average = state.model.state_dict(), state.ema.module.state_dict()
    name = "encoder.head.weight"
    moved = (now[name] - start[name]).abs().mean()
    lagging = (average[name] - start[name]).abs().mean()
    assert 0 < lagging < moved
    assert state.ema.module.encode(torch.rand(3, 5, 5)).lr_size == (5, 5)


def test_new_states_are_seeded_and_leave_the_global_state_alone() -> None:
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    first = new_state(RECIPE).model.state_dict()
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(8)
    second = new_state(RECIPE).model.state_dict()
    third = new_state(replace(RECIPE, seed=1)).model.state_dict()
    assert all(torch.equal(first[k], second[k]) for k in first)
    assert not torch.equal(first["encoder.head.weight"], third["encoder.head.weight"])


def test_learning_rate_by_hand() -> None:
    recipe = Recipe(lr=1e-3, lr_end=1e-5, warmup=10)
    assert learning_rate(recipe, 100, 0.0) == pytest.approx(1e-3)
    assert learning_rate(recipe, 100, 0.5) == pytest.approx((1e-3 + 1e-5) / 2)
    assert learning_rate(recipe, 100, 1.0) == pytest.approx(1e-5)
    assert learning_rate(recipe, 100, 1.7) == pytest.approx(1e-5)
    assert learning_rate(recipe, 4, 0.0) == pytest.approx(0.5e-3)
    assert learning_rate(replace(recipe, warmup=0), 0, 0.0) == pytest.approx(1e-3)


def test_bank_and_classifier_have_their_own_rates() -> None:
    state = new_state(RECIPE)
    batch = Crops([photo()], RECIPE).batch(state.generator)
    train_step(RECIPE, state, batch, 0.0)
    names = {id(p): n for n, p in state.model.named_parameters()}
    rates = {names[id(p)]: g["lr"] for g in state.optimizer.param_groups for p in g["params"]}
    assert rates.keys() == set(names.values())
    rate = learning_rate(RECIPE, 0, 0.0)
    assert rates["bank.raw"] == pytest.approx(0.3 * rate)
    assert rates["classifier.head.weight"] == pytest.approx(3 * rate)
    assert rates["encoder.head.weight"] == pytest.approx(rate)
    assert rates["sampler.raw_footprint"] == pytest.approx(rate)


def test_losses_add_up() -> None:
    from training.data import Batch

    recipe = Recipe(color_loss=0.5, commitment=0.1)
    rgb = torch.zeros(1, 2, 3)
    batch = Batch(rgb, rgb, rgb, rgb)
    from gsr.model import Prediction

    found = losses(recipe, Prediction(rgb + 0.2, rgb - 0.4, torch.tensor(3.0)), batch)
    values = {k: float(v) for k, v in found.items()}
    assert values == pytest.approx(
        {"loss": 0.2 + 0.5 * 0.4 + 0.1 * 3, "l1": 0.2, "color": 0.4, "commitment": 3.0}
    )


def test_a_step_is_a_function_of_its_arguments() -> None:
    found = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        state = new_state(RECIPE)
        batch = Crops([photo()], RECIPE).batch(state.generator)
        found.append((train_step(RECIPE, state, batch, 0.9), state.model.state_dict()))
    assert found[0][0] == found[1][0]
    assert all(torch.equal(v, found[1][1][k]) for k, v in found[0][1].items())


def test_a_budget_in_minutes_ends(tmp_path: Path) -> None:
    fractions: list[float] = []
    started = time.monotonic()
    state = train(
        replace(RECIPE, steps=10**9),
        Crops([photo()], RECIPE),
        tmp_path,
        minutes=1 / 60,
        report=lambda _s, done, _v: fractions.append(done),
    )
    assert time.monotonic() - started < 10
    assert state.step == len(fractions) > 1
    assert fractions == sorted(fractions)
    assert fractions[-1] < 1
    assert (tmp_path / "checkpoint.safetensors").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_step_and_saves(number: int, tmp_path: Path) -> None:
    before = signal.getsignal(number)

    def report(step: int, _done: float, _values: dict) -> None:
        if step == 2:
            os.kill(os.getpid(), number)

    crops = Crops([photo()], RECIPE)
    state = train(RECIPE, crops, tmp_path, report=report)
    assert state.step == 2
    assert signal.getsignal(number) == before
    again = train(replace(RECIPE, steps=3), crops, tmp_path)
    assert again.step == 3


def test_validation_and_log(tmp_path: Path) -> None:
    recipe = replace(RECIPE, steps=5, log_every=2, save_every=4)
    seen: list[GaussianSR] = []

    def validate(model: GaussianSR) -> dict[str, float]:
        seen.append(model)
        return {"val_x2": 30.5, "val_x4": 25.25}

    state = train(recipe, Crops([photo()], recipe), tmp_path, validate=validate)
    assert seen == [state.ema.module]
    with (tmp_path / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["2", "4"]
    assert [row["val_x2"] for row in rows] == ["", "30.5"]
    assert all(float(row["loss"]) > 0 for row in rows)


@pytest.mark.slow
def test_sigterm_to_a_real_run_leaves_a_checkpoint(tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    # Sides of 192 for the validation; the recipe's own crops are small.
    pixels = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    for name in "ab":
        Image.fromarray(pixels).save(images / f"{name}.png")
    recipe = tmp_path / "recipe.toml"
    debug = (ROOT / "training" / "configs" / "debug.toml").read_text()
    recipe.write_text(debug.replace("steps = 6", "steps = 1000000"))
    out = tmp_path / "run"
    command = [sys.executable, "-m", "training.train", recipe, "--data", images, "--out", out]
    run = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 120
        while not (out / "log.csv").exists() or len((out / "log.csv").read_text().split()) < 3:
            assert run.poll() is None, run.stdout.read().decode()
            assert time.monotonic() < deadline
            time.sleep(0.2)
        run.send_signal(signal.SIGTERM)
        output, _ = run.communicate(timeout=60)
    finally:
        run.kill()
    assert run.returncode == 0, output.decode()
    assert (out / "checkpoint.safetensors").exists()
    assert (out / "lite.safetensors").exists()
