"""`python -m training.train RECIPE --data DIR`: train, resume, stop with Ctrl-C at any time."""

from pathlib import Path
from statistics import fmean
from typing import Annotated

import torch
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import Tensor

from gsr.errors import GsrError
from gsr.images import downscale
from gsr.metrics import Protocol, psnr
from gsr.model import GaussianSR
from gsr.weights import save_weights
from training.checkpoint import TrainState
from training.data import Crops, list_images, read_images
from training.loop import Validate, train
from training.recipe import Recipe, load_recipe

HELD_OUT_EVERY = 60
"""One training image in so many is set aside for validation."""


VALIDATION_SIDE = 192


def split(paths: list[Path]) -> tuple[list[Path], list[Path]]:
    """Images to train on and images set aside; benchmarks never choose anything."""
    aside = paths[HELD_OUT_EVERY // 2 :: HELD_OUT_EVERY]
    return [p for p in paths if p not in set(aside)], aside


def validator(images: list[Tensor], side: int = VALIDATION_SIDE) -> Validate | None:
    """Mean luma PSNR at x2 and x4 on the middle of the images; None when there are none."""
    crops = []
    for image in images:
        top, left = (image.shape[1] - side) // 2, (image.shape[2] - side) // 2
        crops.append(image[:, top : top + side, left : left + side].float() / 255)

    def validate(model: GaussianSR) -> dict[str, float]:
        found = {}
        for scale in (2, 4):
            scores = []
            for hr in crops:
                lr = (downscale(hr[None], (side // scale, side // scale))[0] * 255).round() / 255
                sr = model.encode(lr).render(size=(side, side))
                scores.append(float(psnr(sr, hr, protocol=Protocol.benchmark(scale))))
            found[f"val_x{scale}"] = fmean(scores)
        return found

    return validate if crops else None


def prepare(recipe: Recipe, data: Path, names: Path | None) -> tuple[Crops, Validate | None]:
    """Training crops and the validation of the images set aside."""
    listed = [line for line in names.read_text().splitlines() if line] if names else None
    chosen, aside = split(list_images(data, listed))
    images = read_images(chosen, round(recipe.crop * recipe.scale_max))
    rare = [path.relative_to(data).as_posix().startswith(recipe.rare) for path in images]
    validation = read_images(aside, VALIDATION_SIDE)
    return Crops(list(images.values()), recipe, rare), validator(list(validation.values()))


def main(
    recipe_file: Annotated[Path, typer.Argument(help="A TOML recipe of training/configs.")],
    data: Annotated[Path, typer.Option(help="Folder of training images.")],
    out: Annotated[Path | None, typer.Option(help="Run folder; default runs/RECIPE.")] = None,
    names: Annotated[Path | None, typer.Option(help="Text file: use only these images.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Fit the schedule to this time.")] = None,
    steps: Annotated[int | None, typer.Option(help="Instead of the recipe's.")] = None,
    threads: Annotated[int, typer.Option(help="CPU threads; 0 leaves torch's choice.")] = 0,
) -> None:
    """Train a preset. A run folder that exists is continued."""
    if threads:
        torch.set_num_threads(threads)
    try:
        recipe = load_recipe(recipe_file, **({} if steps is None else {"steps": steps}))
        crops, validate = prepare(recipe, data, names)
        folder = out or Path("runs") / recipe_file.stem
        state = with_progress(recipe, crops, folder, minutes, validate)
    except GsrError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    target = folder / f"{recipe.preset}.safetensors"
    save_weights(state.averaged, target)
    typer.echo(f"{target} after {state.step} steps")


def with_progress(
    recipe: Recipe, crops: Crops, folder: Path, minutes: float | None, validate: Validate | None
) -> TrainState:
    """`train` behind a progress bar."""
    columns = (
        BarColumn(),
        TextColumn("{task.completed:.1%} step {task.fields[step]}"),
        TextColumn("L1 {task.fields[l1]:.4f}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns) as bar:
        task = bar.add_task("train", total=1.0, step=0, l1=float("nan"))

        def report(step: int, done: float, values: dict[str, float]) -> None:
            bar.update(task, completed=min(done, 1.0), step=step, l1=values["l1"])

        return train(recipe, crops, folder, minutes=minutes, validate=validate, report=report)


if __name__ == "__main__":
    typer.run(main)
