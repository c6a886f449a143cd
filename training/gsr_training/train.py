"""`gsr train RECIPE --data DIR`: train, resume, stop with Ctrl-C at any time."""

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import torch
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from gsr.base.atomic import remove_leftovers
from gsr.base.errors import ConfigError, OutputError
from gsr.base.files import is_file, prepare_folder
from gsr.cli import run
from gsr.methods.weights import save_weights
from gsr_training.measure.throughput import show_profile
from gsr_training.trainer.checkpoint import TrainState
from gsr_training.trainer.data import Crops
from gsr_training.trainer.loop import train
from gsr_training.trainer.preparing import Sources, console, prepare
from gsr_training.trainer.recipe import Recipe
from gsr_training.trainer.recipe_files import load_recipe, parse_overrides
from gsr_training.trainer.validation import Validate

if TYPE_CHECKING:
    from accelerate import Accelerator

app = typer.Typer(add_completion=False)

CONFIGS = Path(__file__).parent / "configs"


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def main(
    context: typer.Context,
    recipe: Annotated[str, typer.Argument(help="A TOML file, or the name of a shipped recipe.")],
    data: Annotated[
        Path,
        typer.Option(
            help="Folder of training images; LR and validation folders in it are left out."
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="Run folder; default runs/RECIPE.")] = None,
    names: Annotated[
        Path | None,
        typer.Option(help="Text file: use only these images.", exists=True, dir_okay=False),
    ] = None,
    validate: Annotated[
        Path | None,
        typer.Option(help="Folder of images to validate on, instead of some of --data."),
    ] = None,
    minutes: Annotated[float | None, typer.Option(help="Fit the schedule to this time.")] = None,
    pause_after: Annotated[
        float | None,
        typer.Option(help="Save and stop after this many minutes of it; resume later."),
    ] = None,
    extend: Annotated[bool, typer.Option(help="Add --minutes to the time spent so far.")] = False,
    device: Annotated[
        str, typer.Option(help="cpu, cuda, or auto: a GPU if there is one.")
    ] = "auto",
    threads: Annotated[
        int, typer.Option(help="CPU threads; 0 leaves torch's choice.", min=0, max=4096)
    ] = 0,
    strict: Annotated[bool, typer.Option(help="Refuse a folder with a damaged image.")] = False,
    profile: Annotated[
        bool, typer.Option("--profile", help="Time the parts of a step instead of training.")
    ] = False,
) -> None:
    """Train a network. A run folder that exists is continued.

    Values of the recipe are changed with --section.key=value, for example --train.lr=1e-4.
    """
    file = recipe_file(recipe)
    chosen = load_recipe(file, parse_overrides(context.args))
    _check_options(minutes, extend, pause_after)
    if threads:
        torch.set_num_threads(threads)
    engine = engine_on(device)
    folder = out or run_folder(file)
    if engine.is_main_process and not profile:
        check_run_folder(folder)
        remove_leftovers(folder)
        console.print(f"on {described(engine)}", highlight=False)
    sources = Sources(data, names, validate, strict)
    if profile:
        return show_profile(chosen, prepare(chosen, sources, engine)[0], engine.device)
    crops, judge = prepare(chosen, sources, engine, folder)
    clock = {"minutes": minutes, "extend": extend, "pause_after": pause_after}
    state = with_progress(chosen, crops, folder, clock, judge, engine)
    finish(chosen, state, folder, engine)
    if exit_code(state):
        raise typer.Exit(exit_code(state))
    return None


def finish(recipe: Recipe, state: TrainState, folder: Path, engine: "Accelerator") -> None:
    """Write the weights of a run as far as it came, and say where they are and how far that is."""
    if engine.is_main_process:
        target = save_weights(state.average, weights_of(recipe, folder))
        if not state.stopped:
            typer.echo(f"{target} after {state.step} steps")
        else:
            why = "paused" if state.stopped == "pause" else f"stopped by {state.stopped}"
            console.print(
                f"{why} at step {state.step}, before the run's end: the same command resumes from "
                f"there. {target} holds the weights so far.",
                highlight=False,
                soft_wrap=True,
            )
    engine.end_training()


def exit_code(state: TrainState) -> int:
    """0 for a run that ended or paused as requested; after a signal, as shells count it."""
    return 128 + signal.Signals[state.stopped] if state.stopped.startswith("SIG") else 0


def weights_of(recipe: Recipe, folder: Path) -> Path:
    """Where a run leaves its weights."""
    return folder / f"{recipe.model.preset}.safetensors"


def recipe_file(name: str) -> Path:
    """A shipped recipe by name, such as `lite` or `compare/liif`; else a path as it is.

    Raises:
        ConfigError: for a name that is neither.
    """
    shipped, own = CONFIGS / f"{name}.toml", Path(name)
    if shipped.is_file():
        return shipped
    if not is_file(own, ConfigError):
        raise ConfigError(
            f"unknown recipe {name!r}; give the path of a TOML file or one of "
            f"{', '.join(shipped_recipes())}."
        )
    return own


def shipped_recipes() -> list[str]:
    """Their names, as `recipe_file` takes them."""
    found = (file.relative_to(CONFIGS).with_suffix("") for file in CONFIGS.rglob("*.toml"))
    return sorted(name.as_posix() for name in found if name.name != "common")


def run_folder(file: Path) -> Path:
    """Where a recipe runs by default: `runs/compare/liif` for the shipped one of that name."""
    name = file.relative_to(CONFIGS) if file.is_relative_to(CONFIGS) else Path(file.name)
    return Path("runs") / name.with_suffix("")


def check_run_folder(folder: Path) -> None:
    """Check that a run can be kept there, before the images are read. Nothing is made yet.

    Raises:
        OutputError: if it cannot be written.
    """
    existing = next(p for p in (folder, *folder.parents) if os.path.exists(p))
    if not existing.is_dir():
        raise OutputError(f"{existing} is a file, and a folder is needed for the run.")
    prepare_folder(existing, create=False)


def _check_options(minutes: float | None, extend: bool, pause_after: float | None) -> None:
    for option, value in (("--minutes", minutes), ("--pause-after", pause_after)):
        if value is not None and not 0 < value < 1e6:
            raise ConfigError(f"{option} must be above 0, got {value:g}.")
    if extend and minutes is None:
        raise ConfigError("--extend adds --minutes to a run, and none are given.")


def engine_on(device: str) -> "Accelerator":
    """Where training runs, from `--device`: `auto` takes the GPU if there is one.

    Other accelerators, such as Apple's, lack double precision, which reductions need.

    Raises:
        ConfigError: another word, or no GPU for `cuda`.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise ConfigError(f"--device must be auto, cpu or cuda, got {device!r}.")
    if device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("--device cuda: torch finds no GPU of NVIDIA's here that it can use.")
    # Reached when training starts: `gsr train --help` works without the extra.
    from accelerate import Accelerator

    return Accelerator(cpu=device == "cpu" or not torch.cuda.is_available())


def described(engine: "Accelerator") -> str:
    """A device as people know it, and how many processes there are."""
    device, count = engine.device, engine.num_processes
    several = f"; {count} processes" if count > 1 else ""
    if device.type == "cuda":
        return f"{device}, {torch.cuda.get_device_name(device)}{several}"
    return f"{device}, {torch.get_num_threads()} threads{several}"


def with_progress(
    recipe: Recipe,
    crops: Crops,
    folder: Path,
    clock: dict[str, Any],
    validate: Validate | None,
    engine: "Accelerator",
) -> TrainState:
    """`train` behind a progress bar, which only the first process shows."""
    columns = (
        BarColumn(),
        TextColumn("{task.completed:.1%} step {task.fields[step]}"),
        TextColumn("L1 {task.fields[l1]:.4f}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not engine.is_main_process) as bar:
        task = bar.add_task("train", total=1.0, step=0, l1=float("nan"))

        def report(step: int, done: float, row: dict[str, float]) -> None:
            l1 = row.get("l1", float("nan"))
            bar.update(task, completed=done, step=step, l1=l1)

        state = train(
            recipe,
            crops,
            folder,
            **clock,
            validate=validate,
            report=report,
            accelerator=engine,
        )
        if not state.stopped:
            bar.update(task, completed=1.0, step=state.step)
        return state


if __name__ == "__main__":
    sys.exit(run(["train", *sys.argv[1:]]))
