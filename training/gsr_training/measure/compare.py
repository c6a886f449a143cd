"""The methods under one roof.

    python -m gsr_training.measure.compare --data IMAGES --benchmarks SETS

Each is trained with the same encoder, data, steps and seed (`configs/compare/`), then measured on
every benchmark set that is there. What is finished is not done again: the same command goes on
where it was stopped.
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console

from gsr.base.atomic import writing
from gsr.base.errors import ConfigError
from gsr.cli import run
from gsr.methods.baselines import BASELINES
from gsr.tasks.evaluation.contenders import Contender, find_contender
from gsr.tasks.evaluation.pairs import parse_scales
from gsr.tasks.evaluation.reduction import find_reduction
from gsr.tasks.evaluation.results import Results, Row
from gsr.tasks.evaluation.running import Evaluation
from gsr.tasks.evaluation.sets import find_sets
from gsr.tasks.evaluation.tables import markdown, summarise
from gsr_training.measure.compare_costs import Expense, expense
from gsr_training.measure.compare_tables import cost_table, mean_table, page, write_costs
from gsr_training.train import CONFIGS, engine_on, exit_code, finish, weights_of, with_progress
from gsr_training.trainer.checkpoint import CHECKPOINT, steps_done
from gsr_training.trainer.preparing import Sources, prepare
from gsr_training.trainer.recipe import Recipe
from gsr_training.trainer.recipe_files import load_recipe, parse_overrides

app = typer.Typer(add_completion=False)
console = Console(stderr=True)

METHODS = ("lite", "paper", "liif", *(name for name in BASELINES if name != "liif"))
"""The rows: the two heads of GaussianSR, LIIF, whose protocol this is, and the other methods."""
CLASSICAL = ("bicubic", "lanczos")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def main(
    context: typer.Context,
    data: Annotated[Path, typer.Option(help="Folder of training images.")],
    benchmarks: Annotated[Path, typer.Option(help="A benchmark set, or a folder of sets.")],
    out: Annotated[
        Path, typer.Option(help="Folder of runs and results; resumed if it exists.")
    ] = Path("runs/compare"),
    methods: Annotated[str, typer.Option(help="Comma-separated.")] = ",".join(METHODS),
    scales: Annotated[str, typer.Option(help="Comma-separated.")] = "2,2.6,3,3.4,4,6,8,12",
    limit: Annotated[int | None, typer.Option(help="Images per set.", min=1)] = None,
    side: Annotated[int, typer.Option(help="LR side of the image that is timed.", min=8)] = 96,
    runs: Annotated[int, typer.Option(help="Times are the mean of N runs.", min=1)] = 100,
    device: Annotated[
        str, typer.Option(help="cpu, cuda, or auto: a GPU if there is one.")
    ] = "auto",
) -> None:
    """Train all, measure all, write results.csv, compare.md and compare.html.

    Values of all recipes are changed with --section.key=value: --train.steps=20000.
    """
    recipes = {name: _recipe(name, context.args) for name in _names(methods)}
    plan_scales = parse_scales(scales)
    sets = find_sets(benchmarks, limit)
    where = engine_on(device).device
    weights = {name: _trained(recipe, data, out / name, device) for name, recipe in recipes.items()}
    plan = Evaluation(
        sets=sets,
        scales=plan_scales,
        contenders=[
            *(find_contender(name, device=where) for name in CLASSICAL),
            *(_contender(name, path, where) for name, path in weights.items()),
        ],
        protocol="liif",
        reduction=find_reduction("pil"),
    )
    plan.check()
    rows = _measured(plan, out)
    costs = [expense(name, path, side, runs, where.type) for name, path in weights.items()]
    _write(plan, rows, costs, out)


def _names(methods: str) -> list[str]:
    names = [name.strip() for name in methods.split(",")]
    for name in names:
        if name not in METHODS:
            raise ConfigError(f"unknown method {name!r}; choose one of {', '.join(METHODS)}.")
    return list(dict.fromkeys(names))


def _recipe(name: str, overrides: list[str]) -> Recipe:
    return load_recipe(CONFIGS / "compare" / f"{name}.toml", parse_overrides(overrides))


def _trained(recipe: Recipe, data: Path, folder: Path, device: str) -> Path:
    """The weights of a run, which is begun, continued or finished already.

    Raises:
        ConfigError: the folder holds a run of another recipe, or a longer one.
    """
    weights = weights_of(recipe, folder)
    finished = _is_finished(recipe, folder / CHECKPOINT)
    if weights.is_file() and finished:
        console.print(f"{weights} is there", highlight=False)
        return weights
    console.rule(folder.name)
    engine = engine_on(device)
    crops, validate = prepare(recipe, Sources(data), engine, folder)
    clock = {"minutes": None, "extend": False, "pause_after": None}
    state = with_progress(recipe, crops, folder, clock, validate, engine)
    if state.stopped:  # the checkpoint is written
        console.print("stopped; the same command resumes from here.")
        raise typer.Exit(exit_code(state))
    finish(recipe, state, folder, engine)
    return weights


def _is_finished(recipe: Recipe, checkpoint: Path) -> bool:
    """Whether weights that are there are those of the recipe. Without a checkpoint, they were
    given, and are taken as they are.
    """
    done = steps_done(checkpoint, recipe) if checkpoint.is_file() else recipe.train.steps
    if done > recipe.train.steps:
        raise ConfigError(
            f"{checkpoint} has {done} steps, and train.steps is {recipe.train.steps}; use another "
            "--out for a shorter run."
        )
    return done == recipe.train.steps


def _contender(name: str, path: Path, device: torch.device) -> Contender:
    return replace(find_contender(str(path), device=device), name=name)


def _measured(plan: Evaluation, out: Path) -> list[Row]:
    def told(row: Row, done: int, total: int) -> None:
        if done % plan.per_picture == 0:
            text = f"{row.case.set} {row.case.image}: {done} of {total} results"
            console.print(text, highlight=False)

    return plan.run(Results(out), told)


def _write(plan: Evaluation, rows: list[Row], costs: list[Expense], out: Path) -> None:
    summaries = summarise(plan, rows)
    tables = [mean_table(summaries), cost_table(costs), *map(markdown, summaries)]
    text = "\n".join(tables)
    write_costs(costs, out / "costs.csv")
    for name, content in (("compare.md", text), ("compare.html", page(summaries, costs))):
        with writing(out / name) as file:
            file.write(content.encode())
    typer.echo(text, nl=False)


if __name__ == "__main__":
    sys.exit(run(None, app))
