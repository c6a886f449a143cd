"""`gsr train RECIPE --data DIR`: train, resume, stop with Ctrl-C at any time."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from accelerate import Accelerator
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from gsr.cli import run
from gsr.errors import ConfigError, GsrError, OutputError
from gsr.files import is_file, prepare_folder
from gsr.weights import save_weights

from .checkpoint import TrainState
from .data import Crops, ImageStore
from .images import Images, list_images, read_images, shrunk
from .loop import train
from .recipe import Recipe
from .recipe_files import load_recipe, parse_overrides
from .throughput import show_profile
from .validation import SIDE, Validate, split, validator

app = typer.Typer(add_completion=False)
console = Console(stderr=True)

CONFIGS = Path(__file__).parent / "configs"


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def main(
    context: typer.Context,
    recipe: Annotated[str, typer.Argument(help="A TOML file, or the name of a shipped recipe.")],
    data: Annotated[Path, typer.Option(help="Folder of training images.")],
    out: Annotated[Path | None, typer.Option(help="Run folder; default runs/RECIPE.")] = None,
    names: Annotated[
        Path | None,
        typer.Option(help="Text file: use only these images.", exists=True, dir_okay=False),
    ] = None,
    minutes: Annotated[float | None, typer.Option(help="Fit the schedule to this time.")] = None,
    pause_after: Annotated[
        float | None, typer.Option(help="Save and stop after so many minutes of it; go on later.")
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
        console.print(f"on {described(engine.device)}", highlight=False)
    crops, validate = prepare(chosen, data, names, engine.device, strict=strict)
    if profile:
        return show_profile(chosen, crops, engine.device)
    clock = {"minutes": minutes, "extend": extend, "pause_after": pause_after}
    state = with_progress(chosen, crops, folder, clock, validate, engine)
    finish(chosen, state, folder, engine)
    return None


def finish(recipe: Recipe, state: TrainState, folder: Path, engine: Accelerator) -> None:
    """Write the weights of a run, and say where they are."""
    if engine.is_main_process:
        target = save_weights(state.average, weights_of(recipe, folder))
        typer.echo(f"{target} after {state.step} steps")
    engine.end_training()


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
            f"there is no recipe {name!r}: give the path of a TOML file or one of "
            f"{', '.join(shipped_recipes())}."
        )
    return own


def shipped_recipes() -> list[str]:
    """Their names, as `recipe_file` takes them."""
    found = (file.relative_to(CONFIGS).with_suffix("") for file in CONFIGS.rglob("*.toml"))
    return sorted(name.as_posix() for name in found if name.name != "common")


def run_folder(file: Path) -> Path:
    """Where a recipe runs unless told: `runs/compare/liif` for the shipped one of that name."""
    name = file.relative_to(CONFIGS) if file.is_relative_to(CONFIGS) else Path(file.name)
    return Path("runs") / name.with_suffix("")


def check_run_folder(folder: Path) -> None:
    """Whether a run can be kept there, told before the images are read. Nothing is made yet.

    Raises:
        OutputError: it cannot.
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


def engine_on(device: str) -> Accelerator:
    """Where training runs, from `--device`: `auto` takes the GPU if there is one.

    Other accelerators, such as Apple's, lack double precision, which reductions need.

    Raises:
        ConfigError: another word, or no GPU for `cuda`.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise ConfigError(f"--device must be auto, cpu or cuda, got {device!r}.")
    if device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("--device cuda: torch finds no GPU of NVIDIA's here that it can use.")
    return Accelerator(cpu=device == "cpu" or not torch.cuda.is_available())


def described(device: torch.device) -> str:
    """A device as people know it."""
    if device.type == "cuda":
        return f"{device}, {torch.cuda.get_device_name(device)}"
    return f"{device}, {torch.get_num_threads()} threads"


def prepare(
    recipe: Recipe,
    data: Path,
    names: Path | None,
    device: torch.device | str = "cpu",
    *,
    strict: bool = False,
) -> tuple[Crops, Validate | None]:
    """Training crops and the validation of the images set aside.

    Raises:
        GsrError: when no image can be used.
    """
    chosen, aside = split(list_images(data, _listed(names) if names else None))
    smallest = round(recipe.data.crop * recipe.data.scale_max)
    images = _read(chosen, smallest, strict)
    if not images.found and not images.small:
        first = next(iter(images.broken.values()))
        raise GsrError(f"no training image can be read; the first: {first}")
    # Not `relative_to`: a list may name images by paths of any kind.
    below = [Path(os.path.relpath(path, data)).as_posix() for path in images.found]
    rare = [name.startswith(recipe.data.rare) for name in below]
    pixels = [shrunk(image, recipe.data.shrink, smallest) for image in images.found.values()]
    store = ImageStore.of(pixels, rare, device)
    held_out = list(_read(aside, SIDE, strict).found.values())
    crops = Crops(store, recipe.data, recipe.train.batch, recipe.train.seed)
    return crops, validator(held_out, device, degraded=recipe.data.degraded > 0)


def _listed(names: Path) -> list[str]:
    """The lines of a file, in bytes: names of files need not be Unicode.

    Raises:
        ConfigError: there is none.
    """
    lines = [os.fsdecode(line) for line in names.read_bytes().splitlines() if line.strip()]
    if not lines:
        raise ConfigError(f"{names} names no image; each line must be a path below --data.")
    return lines


def _read(paths: list[Path], smallest: int, strict: bool) -> Images:
    with Progress(
        TextColumn("reading images"), BarColumn(), MofNCompleteColumn(), console=console,
        transient=True,
    ) as bar:  # fmt: skip
        task = bar.add_task("", total=len(paths))
        images = read_images(
            paths,
            smallest,
            strict=strict,
            progress=lambda done, _total: bar.update(task, completed=done),
        )
    for reason in images.broken.values():
        console.print(f"warning: left out: {reason}", highlight=False, soft_wrap=True)
    if images.small:
        console.print(
            f"warning: left out {len(images.small)} of {len(paths)} images with a side below "
            f"{smallest} pixels.",
            highlight=False,
            soft_wrap=True,
        )
    return images


def with_progress(
    recipe: Recipe,
    crops: Crops,
    folder: Path,
    clock: dict[str, Any],
    validate: Validate | None,
    engine: Accelerator,
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
            bar.update(task, completed=min(done, 1.0), step=step, l1=l1)

        return train(
            recipe,
            crops,
            folder,
            **clock,
            validate=validate,
            report=report,
            accelerator=engine,
        )


if __name__ == "__main__":
    sys.exit(run(["train", *sys.argv[1:]]))
