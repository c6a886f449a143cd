"""The loop: it learns, keeps its schedule, and stops when it is told to."""

import csv
import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from gsr_training.trainer.checkpoint import new_state
from gsr_training.trainer.data import Batch
from gsr_training.trainer.loop import train, train_step
from gsr_training.trainer.losses import losses
from gsr_training.trainer.optimise import learning_rate, update_average
from gsr_training.trainer.recipe import LossRecipe, Recipe, TrainRecipe
from helpers.training import make_crops, make_recipe
from PIL import Image

from gsr.field.protocol import Prediction
from gsr.methods.gaussiansr import GaussianSR
from gsr.network.kernels import Kernels

ROOT = Path(__file__).parents[3]
RECIPE = make_recipe(steps=30)

pytestmark = pytest.mark.usefixtures("tiny_preset")


def stripes() -> torch.Tensor:
    """Stripes and a gradient. uint8 [3, 48, 48]"""
    y, x = torch.meshgrid(torch.arange(48), torch.arange(48), indexing="ij")
    planes = (x * 5, 128 + 90 * torch.sin((x + 2 * y) / 5), y * 4)
    return torch.stack([p.to(torch.uint8) for p in planes])


def measured(recipe: Recipe, model: GaussianSR) -> float:
    """L1 on a batch that is always the same, with the same draws and hard choices."""
    batch = make_crops(make_recipe(batch=8), [stripes()]).batch(77)
    draws = torch.Generator().manual_seed(78)
    with torch.no_grad():
        found = model(batch.lr, batch.points, batch.scale, generator=draws)
    return float((found.rgb - batch.rgb).abs().mean())


@pytest.mark.parametrize(
    ("preset", "share"), [("tiny", 0.8), ("tiny-paper", 0.8), ("liif", 0.8), ("metasr", 0.8)]
)
def test_the_loss_goes_down(preset: str, share: float, tmp_path: Path) -> None:
    small = {} if preset.startswith("tiny") else {"channels": 8, "blocks": 1}
    recipe = make_recipe(steps=30, preset=preset, lr=5e-3, **small)
    state = train(recipe, make_crops(recipe, [stripes()]), tmp_path)
    assert state.step == 30
    before = measured(recipe, new_state(recipe).network)
    assert measured(recipe, state.network) < share * before


def test_the_average_follows_the_weights(tmp_path: Path) -> None:
    state = train(make_recipe(steps=4), make_crops(RECIPE), tmp_path)
    start = new_state(RECIPE).network.state_dict()
    now, average = state.network.state_dict(), state.average.state_dict()
    name = "encoder.head.weight"
    moved = (now[name] - start[name]).abs().mean()
    lagging = (average[name] - start[name]).abs().mean()
    assert 0 < lagging < moved
    assert state.average.encode(torch.rand(3, 5, 5)).lr_size == (5, 5)


def test_new_states_are_seeded_and_leave_the_global_state_alone() -> None:
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    first = new_state(RECIPE).network.state_dict()
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(8)
    second = new_state(RECIPE).network.state_dict()
    third = new_state(make_recipe(seed=1)).network.state_dict()
    assert all(torch.equal(first[k], second[k]) for k in first)
    assert not torch.equal(first["encoder.head.weight"], third["encoder.head.weight"])


def test_cosine_by_hand() -> None:
    recipe = TrainRecipe(lr=1e-3, lr_end=1e-5, warmup=10)
    assert learning_rate(recipe, 100, 0.0) == pytest.approx(1e-3)
    assert learning_rate(recipe, 100, 0.5) == pytest.approx((1e-3 + 1e-5) / 2)
    assert learning_rate(recipe, 100, 1.0) == pytest.approx(1e-5)
    assert learning_rate(recipe, 100, 1.7) == pytest.approx(1e-5)
    assert learning_rate(recipe, 4, 0.0) == pytest.approx(0.5e-3)
    assert learning_rate(TrainRecipe(lr=1e-3, warmup=0), 0, 0.0) == pytest.approx(1e-3)


def test_a_warm_up_ends_with_the_first_tenth_of_a_run() -> None:
    recipe = TrainRecipe(lr=1e-3, lr_end=1e-3, warmup=100)
    rates = [learning_rate(recipe, 4, done) for done in (0.0, 0.05, 0.1, 0.9)]
    assert rates == pytest.approx([5e-5, 5e-4, 1e-3, 1e-3])


def test_the_average_of_a_short_run_is_not_its_start() -> None:
    average, network = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    start, values = average.weight.item(), torch.linspace(-1, 1, 30).tolist()
    expected = start
    for step, value in enumerate(values):
        torch.nn.init.constant_(network.weight, value)
        update_average(average, network, 0.995, step)
        decay = min(0.995, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * value
    assert average.weight.item() == pytest.approx(expected, abs=1e-6)
    still = math.prod((1 + step) / (10 + step) for step in range(30))
    assert still < 1e-6 < 0.995**30  # of the start
    update_average(average, network, 0.0, 5)
    assert average.weight.item() == pytest.approx(values[-1])


def test_multistep_by_hand() -> None:
    recipe = TrainRecipe(lr=1e-4, schedule="multistep", milestones=(0.25, 0.5), warmup=0)
    rates = [learning_rate(recipe, 9, done) for done in (0.0, 0.24, 0.25, 0.49, 0.5, 1.0)]
    assert rates == pytest.approx([1e-4, 1e-4, 5e-5, 5e-5, 2.5e-5, 2.5e-5])


def test_bank_and_classifier_have_their_own_rates() -> None:
    state = new_state(RECIPE)
    train_step(RECIPE, state, [make_crops(RECIPE).batch(0)], 0.0)
    names = {id(p): n for n, p in state.network.named_parameters()}
    rates = {names[id(p)]: g["lr"] for g in state.optimizer.param_groups for p in g["params"]}
    assert rates.keys() == set(names.values())
    rate = learning_rate(RECIPE.train, 0, 0.0)
    assert rates["bank.raw"] == pytest.approx(0.3 * rate)
    assert rates["classifier.head.weight"] == pytest.approx(3 * rate)
    assert rates["encoder.head.weight"] == pytest.approx(rate)
    assert rates["sampler.raw_footprint"] == pytest.approx(rate)


def test_losses_add_up() -> None:
    recipe = LossRecipe(color=0.5, commitment=0.1)
    rgb = torch.zeros(1, 2, 3)
    batch = Batch(rgb, rgb, rgb, rgb)
    found = losses(recipe, Prediction(rgb + 0.2, rgb - 0.4, torch.tensor(3.0)), batch)
    values = {k: float(v) for k, v in found.items()}
    assert values == pytest.approx(
        {"loss": 0.2 + 0.5 * 0.4 + 0.1 * 3, "l1": 0.2, "color": 0.4, "commitment": 3.0}
    )
    edge = torch.rand(1, 3, 5, 6, generator=torch.Generator().manual_seed(0))
    round_ones = Kernels(torch.ones(1, 5, 6, 2), torch.zeros(1, 5, 6), torch.ones(1, 5, 6))
    pulled = losses(
        LossRecipe(direction=0.25),
        Prediction(rgb + 0.2, kernels=round_ones),
        Batch(edge, rgb, rgb, rgb),
    )
    assert float(pulled["loss"] - pulled["l1"]) == pytest.approx(0.25 * float(pulled["direction"]))
    assert float(pulled["direction"]) > 0.5
    apart = torch.tensor((0.1, 0.3)).expand(1, 3, 2).mT  # of two points
    squared = losses(LossRecipe(pixel="rms"), Prediction(apart), batch)
    assert float(squared["loss"]) == pytest.approx(math.sqrt(0.05))
    assert float(squared["l1"]) == pytest.approx(0.2)
    plain = losses(recipe, Prediction(rgb + 0.2), batch)
    assert {k: float(v) for k, v in plain.items()} == pytest.approx({"loss": 0.2, "l1": 0.2})


@pytest.mark.parametrize("direction", [0.0, 0.5])
def test_accumulated_parts_are_the_whole_batch(direction: float) -> None:
    recipe = make_recipe(batch=4, preset="tiny")
    recipe = replace(recipe, loss=replace(recipe.loss, direction=direction))
    crops, whole, parts = make_crops(recipe), new_state(recipe), new_state(recipe)
    first = train_step(recipe, whole, [crops.batch(0)], 0.9)
    second = train_step(recipe, parts, [crops.batch(0, i, 2) for i in range(2)], 0.9)
    for name, value in first.items():
        torch.testing.assert_close(second[name], value, rtol=1e-4, atol=1e-7)
    for (name, a), b in zip(
        whole.network.named_parameters(), parts.network.parameters(), strict=True
    ):
        torch.testing.assert_close(a.grad, b.grad, rtol=1e-3, atol=1e-6, msg=name)


def test_bfloat16_is_close_and_keeps_kernels_in_float32() -> None:
    rough = make_recipe(precision="bfloat16")
    state, other = new_state(RECIPE), new_state(rough)
    batch = make_crops(RECIPE).batch(0)
    found = [train_step(r, s, [batch], 0.9) for r, s in ((RECIPE, state), (rough, other))]
    assert float(found[1]["loss"]) == pytest.approx(float(found[0]["loss"]), rel=0.02)
    assert not torch.equal(found[1]["loss"], found[0]["loss"])
    assert all(p.dtype == torch.float32 for p in other.network.parameters())
    with torch.autocast("cpu", torch.bfloat16):
        evidence, members = other.network.maps(batch.lr)
    assert evidence.dtype == torch.float32
    assert {value.dtype for value in members.values()} == {torch.float32}


def test_a_step_is_a_function_of_its_arguments() -> None:
    found = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        state = new_state(RECIPE)
        values = train_step(RECIPE, state, [make_crops(RECIPE).batch(0)], 0.9)
        found.append((values, state.network.state_dict()))
    assert found[0][0] == found[1][0]
    assert all(torch.equal(v, found[1][1][k]) for k, v in found[0][1].items())


def test_a_budget_in_minutes_ends(tmp_path: Path) -> None:
    fractions: list[float] = []
    started = time.monotonic()
    state = train(
        make_recipe(steps=10**9),
        make_crops(RECIPE),
        tmp_path,
        minutes=1 / 60,
        report=lambda _s, done, _v: fractions.append(done),
    )
    assert time.monotonic() - started < 10
    assert state.step == len(fractions) > 1
    assert fractions == sorted(fractions)
    assert 0.9 < fractions[-1] <= 1
    assert not state.stopped
    assert (tmp_path / "checkpoint.safetensors").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_step_and_saves(number: int, tmp_path: Path) -> None:
    before = signal.getsignal(number)

    def report(step: int, _done: float, _values: dict) -> None:
        if step == 2:
            os.kill(os.getpid(), number)

    crops = make_crops(RECIPE)
    state = train(RECIPE, crops, tmp_path, report=report)
    assert state.step == 2
    assert state.stopped == signal.Signals(number).name
    assert signal.getsignal(number) == before
    done: list[float] = []
    again = train(make_recipe(steps=3), crops, tmp_path, report=lambda _s, d, _v: done.append(d))
    assert again.step == 3
    assert not again.stopped
    assert done == [1.0]


def test_validation_and_log(tmp_path: Path) -> None:
    recipe = make_recipe(steps=5, log_every=2, save_every=4)
    seen: list[GaussianSR] = []

    def validate(model: GaussianSR) -> tuple[dict[str, float], torch.Tensor]:
        seen.append(model)
        return {"val_x2": 30.5, "val_x4": 25.25}, torch.full((3, 4, 6), 0.5)

    state = train(recipe, make_crops(recipe), tmp_path, validate=validate)
    assert seen == [state.average]
    with (tmp_path / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["2", "4"]
    assert [row["val_x2"] for row in rows] == ["", "30.5"]
    assert all(float(row["loss"]) > 0 for row in rows)
    (picture,) = (tmp_path / "samples").iterdir()
    with Image.open(picture) as image:
        assert image.size == (6, 4)
    assert list((tmp_path / "tensorboard").iterdir())


def test_a_pause_keeps_the_schedule(tmp_path: Path) -> None:
    recipe = make_recipe(steps=10**9)
    fractions: list[float] = []
    first = train(
        recipe,
        make_crops(recipe),
        tmp_path,
        minutes=60,
        pause_after=0.5 / 60,
        report=lambda _s, done, _v: fractions.append(done),
    )
    assert first.stopped == "pause"
    assert 0 < first.seconds < 10
    assert fractions[-1] < 10 / 3600
    assert (tmp_path / "checkpoint.safetensors").exists()


@pytest.mark.slow
def test_sigterm_to_a_real_run_leaves_a_checkpoint(tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    # Sides of 192 for the validation; the recipe's own crops are small.
    pixels = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    for name in "ab":
        Image.fromarray(pixels).save(images / f"{name}.png")
    recipe = tmp_path / "recipe.toml"
    debug = (ROOT / "training" / "gsr_training" / "configs" / "debug.toml").read_text()
    recipe.write_text(debug.replace("steps = 6", "steps = 1000000"))
    out = tmp_path / "run"
    command = [sys.executable, "-m", "gsr_training.train", recipe, "--data", images, "--out", out]
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
    assert run.returncode == 143, output.decode()
    assert (out / "checkpoint.safetensors").exists()
    assert (out / "lite.safetensors").exists()
