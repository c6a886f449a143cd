"""Recipes as files: frozen dataclasses read from TOML. Unknown keys are errors."""

import tomllib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from gsr.errors import ConfigError
from gsr.model import PRESETS


@dataclass(frozen=True)
class Recipe:
    """One training run.

    Attributes:
        preset: Architecture, a name of `gsr.PRESETS`.
        steps: Optimiser steps.
        batch: LR crops per step.
        crop: Side of an LR crop, pixels.
        queries: HR pixels that are looked at per crop.
        scale_min, scale_max: Each sample's magnification is uniform between them.
        min_contrast: A crop whose standard deviation is below this is drawn again.
        rare: Beginnings of image names (below the data folder) that are drawn half as often as
            others of their size: sets with visible compression, for example.
        lr: Peak learning rate; a cosine takes it to `lr_end`.
        lr_end: Learning rate of the last step.
        warmup: Steps of linear warm-up.
        betas: Of Adam.
        bank_lr, classifier_lr: Factors on the learning rate. A bank as fast as the rest
            collapses into one shape.
        clip: Largest gradient norm.
        ema: Decay of the weights' moving average, which is what ships.
        soft: Fraction of the steps before choices become hard.
        color_loss: Weight of the L1 loss on the Gaussians alone.
        commitment: Weight of the pull between wishes and bank.
        seed: Of everything that is drawn.
        log_every, save_every: In steps.
    """

    preset: str = "lite"
    steps: int = 8000
    batch: int = 16
    crop: int = 48
    queries: int = 2304
    scale_min: float = 1.0
    scale_max: float = 4.0
    min_contrast: float = 0.02
    rare: tuple[str, ...] = ()
    lr: float = 1e-3
    lr_end: float = 1e-5
    warmup: int = 100
    betas: tuple[float, float] = (0.9, 0.99)
    bank_lr: float = 0.3
    classifier_lr: float = 3.0
    clip: float = 1.0
    ema: float = 0.995
    soft: float = 0.3
    color_loss: float = 0.3
    commitment: float = 0.02
    seed: int = 0
    log_every: int = 50
    save_every: int = 250


def load_recipe(path: Path, **overrides: Any) -> Recipe:
    """A recipe file, with values from the command line on top.

    Raises:
        ConfigError: for a file that is not TOML, an unknown key or a value of the wrong type.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8")) | overrides
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} is not a readable TOML recipe: {error}.") from error
    known = {f.name: type(f.default) for f in fields(Recipe)}
    for key, value in values.items():
        if key not in known:
            raise ConfigError(f"{path}: unknown key {key!r}; known are {', '.join(known)}.")
        values[key] = _converted(path, key, value, known[key])
    recipe = replace(Recipe(), **values)
    if recipe.preset not in PRESETS:
        raise ConfigError(
            f"{path}: unknown preset {recipe.preset!r}; known are {', '.join(PRESETS)}."
        )
    return recipe


def _converted(path: Path, key: str, value: Any, kind: type) -> Any:
    if key == "rare" and isinstance(value, list) and all(isinstance(v, str) for v in value):
        return tuple(value)
    if key == "betas" and isinstance(value, list) and len(value) == 2:
        return tuple(_converted(path, key, v, float) for v in value)
    if isinstance(value, int | float) and not isinstance(value, bool) and kind is float:
        return float(value)
    if not isinstance(value, kind) or isinstance(value, bool):
        wanted = {"betas": "two numbers", "rare": "a list of names"}.get(key, kind.__name__)
        raise ConfigError(f"{path}: {key} must be {wanted}, got {value!r}.")
    return value
