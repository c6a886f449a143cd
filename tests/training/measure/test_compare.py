import csv
import re
from dataclasses import replace

import pytest
from gsr_training.measure.compare import METHODS, app
from gsr_training.measure.compare_costs import Expense
from gsr_training.measure.compare_tables import cost_table, mean_table, means, page
from gsr_training.train import CONFIGS
from gsr_training.trainer.recipe_files import load_recipe
from PIL import Image
from typer.testing import CliRunner

from gsr.cli import run
from gsr.methods.weights import load_network
from gsr.tasks.evaluation.tables import Mean, Summary

QUICK = [
    "--model.channels=8", "--model.blocks=1", "--data.crop=12", "--data.queries=32",
    "--train.steps=2", "--train.batch=2", "--train.warmup=0", "--run.log_every=1",
]  # fmt: skip


def test_every_row_differs_from_the_others_in_its_method_only():
    recipes = {name: load_recipe(CONFIGS / "compare" / f"{name}.toml") for name in METHODS}
    assert [recipe.model.preset for recipe in recipes.values()] == list(METHODS)
    assert len({(r.model.channels, r.model.blocks) for r in recipes.values()}) == 1
    for section in ("data", "loss", "train", "run"):
        found = {getattr(recipe, section) for name, recipe in recipes.items() if name != "paper"}
        assert len(found) == 1
    first = recipes["lite"]
    assert (first.train.steps, first.train.batch) == (3000, 16)


def test_the_head_of_the_paper_is_trained_as_the_paper_trains_it():
    own, paper, common = (
        load_recipe(CONFIGS / f"{name}.toml") for name in ("compare/paper", "paper", "compare/lite")
    )
    assert own.loss == paper.loss
    shared = ("steps", "lr", "batch", "ema", "precision")
    assert own.train == replace(paper.train, **{k: getattr(common.train, k) for k in shared})
    assert own.data == common.data


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("compare")
    for i in range(14):
        path = root / "train" / f"{i}.png"
        path.parent.mkdir(exist_ok=True)
        Image.effect_noise((64, 64), 60).convert("RGB").save(path)
    path = root / "sets" / "Set5" / "HR" / "one.png"
    path.parent.mkdir(parents=True)
    Image.effect_noise((48, 40), 60).convert("RGB").save(path)
    return root


@pytest.fixture(scope="module")
def command(folders):
    return [
        "--data", str(folders / "train"), "--benchmarks", str(folders / "sets"),
        "--out", str(folders / "out"), "--methods", "lite,liif", "--scales", "2,3.4",
        "--side", "8", "--runs", "1", "--device", "cpu", *QUICK,
    ]  # fmt: skip


def test_one_command_trains_measures_and_writes(command, folders):
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    text = (folders / "out" / "compare.md").read_text()
    for method in ("bicubic", "lanczos", "lite", "liif"):
        assert text.count(f"| {method} |") >= 2
    page = (folders / "out" / "compare.html").read_text()
    assert "Set5" in page
    assert not re.search(r"<(script|link)[^>]+(src|href)=", page)
    with (folders / "out" / "costs.csv").open() as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    network = load_network(folders / "out" / "liif" / "liif.safetensors")
    assert int(rows["liif"]["parameters"]) == sum(p.numel() for p in network.parameters())
    assert float(rows["liif"]["render_ms"]) > 0

    # Again: nothing is trained or measured a second time.
    weights = folders / "out" / "liif" / "liif.safetensors"
    before, lines = weights.stat().st_mtime_ns, (folders / "out" / "results.csv").read_text()
    assert CliRunner().invoke(app, command).exit_code == 0
    assert weights.stat().st_mtime_ns == before
    assert (folders / "out" / "results.csv").read_text() == lines


def test_weights_of_other_settings_are_not_reported(command, capsys):
    assert run([*command, "--train.lr=0.01"], app) == 2
    assert "belongs to another recipe: train.lr was" in capsys.readouterr().err
    assert run([*command, "--train.steps=1"], app) == 2
    assert "use another --out for a shorter run" in capsys.readouterr().err


def test_unknown_methods_are_named(command, capsys):
    wrong = [*command, "--methods", "lite,magic"]
    assert run(wrong, app) == 2
    assert "'magic'; choose one of lite, paper, liif" in capsys.readouterr().err


def summary(**values):
    rows = {name: [Mean(v, 0.9, None) for v in row] for name, row in values.items()}
    return Summary("Set5 (5 images)", "luma", (2.0, 4.0), rows)


COST = Expense("ours", 1000, 400, 300, 12.0, 3.5, 60.0, 96, 100)


def test_the_mean_is_over_sets_and_scales_and_ties_are_told():
    summaries = [
        summary(bicubic=(30, 26), ours=(33, 28), other=(33.03, 28)),
        summary(bicubic=(28, 24), ours=(30, 25), other=(30, 25)),
    ]
    assert means(summaries) == pytest.approx({"bicubic": 27, "ours": 29, "other": 29.0075})
    table = mean_table(summaries)
    assert "| other | 29.01 |  |" in table
    assert "| ours | 29.00 | -0.01 (tie) |" in table
    assert "| bicubic | 27.00 | -2.00 |" in table


def test_costs_and_page():
    assert "| ours | 1,000 | 400 | 300 | 12.0 | 3.5 | 60 |" in cost_table([COST])
    shown = page([summary(bicubic=(30, 26), ours=(33, 28))], [COST])
    assert shown.count("<h2>") == 1
