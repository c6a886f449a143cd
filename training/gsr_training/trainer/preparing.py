"""From folders of images to what a run trains on and is judged by."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from gsr.base.errors import ConfigError, GsrError
from gsr_training.trainer.data import Crops, ImageStore
from gsr_training.trainer.images import Images, list_images, parted, read_images, shrunk
from gsr_training.trainer.recipe import DataRecipe, Recipe
from gsr_training.trainer.sharing import read_once
from gsr_training.trainer.validation import SIDE, Validate, split, validator

if TYPE_CHECKING:
    from accelerate import Accelerator

console = Console(stderr=True)


@dataclass(frozen=True)
class Sources:
    """Where images come from.

    Attributes:
        data: Folder of training images.
        names: Text file: use only these images of it.
        validate: Folder of images to validate on; None sets some of `data` aside.
        strict: Whether a file that cannot be read is an error.
    """

    data: Path
    names: Path | None = None
    validate: Path | None = None
    strict: bool = False


def prepare(
    recipe: Recipe, sources: Sources, engine: "Accelerator", folder: Path | None = None
) -> tuple[Crops, Validate | None]:
    """Training crops, and what judges the network; the latter in the first process only.

    Args:
        engine: The processes; those of one machine read the images once.
        folder: The run's, where the pixels lie while they are handed from one to the others.

    Raises:
        GsrError: when no image can be used.
    """
    chosen, aside = _divided(recipe.data, sources, engine.is_main_process)
    smallest = round(recipe.data.crop * recipe.data.scale_max)

    def read() -> ImageStore:
        images = _read(chosen, smallest, sources.strict)
        if not images.found and not images.small:
            first = next(iter(images.broken.values()))
            raise GsrError(f"no training image can be read; the first: {first}")
        return _stored(images, recipe.data, sources.data, smallest)

    store = read_once(read, engine, folder).to(engine.device)
    crops = Crops(store, recipe.data, recipe.train.batch, recipe.train.seed)
    degraded = recipe.data.degraded > 0
    return crops, _judge(aside, sources, engine, degraded) if engine.is_main_process else None


def _stored(images: Images, recipe: DataRecipe, data: Path, smallest: int) -> ImageStore:
    # Not `relative_to`: a list may name images by paths of any kind.
    below = [Path(os.path.relpath(path, data)).as_posix() for path in images.found]
    rare = [name.startswith(recipe.rare) for name in below]
    # One by one, so that what is read needs memory once.
    paths = list(images.found)
    found = (shrunk(images.found.pop(path), recipe.shrink, smallest) for path in paths)
    return ImageStore.of(found, rare, alike=recipe.drawn == "images")


def _divided(recipe: DataRecipe, sources: Sources, telling: bool) -> tuple[list[Path], list[Path]]:
    """Paths of images to train on, and to validate on; what is left out is reported."""
    paths = _training_images(sources, telling)
    if sources.validate:
        return paths, list_images(sources.validate)
    chosen, aside = split(paths, recipe.held_out)
    if telling and not aside:
        _tell(_unjudged(len(paths), recipe.held_out))
    return chosen, aside


def _training_images(sources: Sources, telling: bool) -> list[Path]:
    if sources.names:
        return list_images(sources.data, _listed(sources.names))
    paths, others = parted(list_images(sources.data), sources.data)
    if telling and others:
        _tell(
            f"left out, as folders of reduced or of validation images: {', '.join(others)}; one "
            "that is meant is named as --data itself."
        )
    if not paths:
        raise GsrError(
            f"{sources.data} holds reduced or validation images only: {', '.join(others)}."
        )
    return paths


def _unjudged(count: int, held_out: int) -> str:
    if not held_out:
        return "no validation: data.held_out is 0; --validate FOLDER names images for it."
    return (
        f"no validation: one image in {held_out} is set aside and {count} are too few for that; "
        f"--validate FOLDER names others, --data.held_out={max(2, count // 2)} sets some aside."
    )


def _judge(
    paths: list[Path], sources: Sources, engine: "Accelerator", degraded: bool
) -> Validate | None:
    images = _read(paths, SIDE, sources.strict)
    if paths and not images.found:
        _tell(f"no validation: none of its {len(paths)} images has sides of {SIDE} pixels.")
    return validator(list(images.found.values()), engine.device, degraded=degraded)


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
        _tell(f"left out: {reason}")
    if images.small:
        _tell(
            f"left out {len(images.small)} of {len(paths)} images with a side below "
            f"{smallest} pixels."
        )
    return images


def _tell(text: str) -> None:
    console.print(f"warning: {text}", highlight=False, soft_wrap=True)
