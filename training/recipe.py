"""What a training run is: frozen dataclasses, checked where they are made.

`recipe_files` reads them from TOML.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

from gsr.coords import MAX_SCALE
from gsr.errors import ConfigError


def _name(part: object, key: str) -> str:
    return f"{type(part).__name__.removesuffix('Recipe').lower()}.{key}"


def _at_least(low: float, part: object, *keys: str) -> None:
    for key in keys:
        if not low <= getattr(part, key) < math.inf:
            raise ConfigError(
                f"{_name(part, key)} must be at least {low:g} and finite, got "
                f"{getattr(part, key)!r}."
            )


def _within(low: float, high: float, part: object, *keys: str) -> None:
    for key in keys:
        if not low <= getattr(part, key) <= high:
            raise ConfigError(
                f"{_name(part, key)} must be from {low:g} to {high:g}, got {getattr(part, key)!r}."
            )


def _one_of(known: tuple[str, ...], part: object, key: str) -> None:
    if getattr(part, key) not in known:
        raise ConfigError(
            f"{_name(part, key)} must be one of {', '.join(known)}, got {getattr(part, key)!r}."
        )


@dataclass(frozen=True)
class ModelRecipe:
    """Which network.

    Attributes:
        preset: Architecture, a name of `gsr.PRESETS` or of the comparison methods.
        channels, blocks: Of the EDSR encoder; 0 takes the preset's.
        finest: Magnification beyond which the decoder is told this one; 0 takes the preset's.
        init: Weights to start from, a bundled name or a file; empty starts anew.
        slopes: Whether a Gaussian's colour has a slope: `preset`, `yes` or `no`.
    """

    preset: str = "lite"
    channels: int = 0
    blocks: int = 0
    finest: float = 0.0
    init: str = ""
    slopes: str = "preset"

    def __post_init__(self) -> None:
        _at_least(0, self, "channels", "blocks", "finest")
        _one_of(("preset", "yes", "no"), self, "slopes")


@dataclass(frozen=True)
class DataRecipe:
    """What a sample is.

    Attributes:
        crop: Side of an LR crop, pixels.
        queries: HR pixels that are looked at per crop.
        scale_min, scale_max: Each sample's magnification is uniform between them.
        far: Fraction of the samples that is seen at a magnification beyond `scale_max`.
        far_max: Largest of those, where the image has the pixels for it.
        min_contrast: Crops whose standard deviation is below this are avoided.
        rare: Beginnings of image names (below the data folder) that are drawn half as often as
            others of their size: sets with visible compression, for example.
        patterns: Share of samples drawn instead of cut from photos: dither, lines, text, panels,
            frames; see `training.patterns`.
        degraded: Share of samples whose LR is blurred, noisy, resampled, sharpened or compressed;
            see `training.degrade`.
        shrink: Factor by which photos are reduced by area before all else, as far as they stay
            large enough for a crop. Photos that were reduced with Lanczos ring at edges, and a
            network learns to.
        drawn: How often an image is drawn: in proportion to its `pixels`, or all `images` alike.
        held_out: One image in so many is set aside for validation; 0 trains on all of them.
    """

    crop: int = 48
    queries: int = 2304
    scale_min: float = 1.0
    scale_max: float = 4.0
    far: float = 0.0
    far_max: float = 12.0
    min_contrast: float = 0.02
    rare: tuple[str, ...] = ()
    patterns: float = 0.0
    degraded: float = 0.0
    shrink: float = 1.0
    drawn: str = "pixels"
    held_out: int = 60

    def __post_init__(self) -> None:
        _at_least(1, self, "crop", "queries")
        _within(1, MAX_SCALE, self, "scale_min", "scale_max", "far_max")
        _within(0, 1, self, "far", "min_contrast", "patterns", "degraded")
        _within(1, MAX_SCALE, self, "shrink")
        _one_of(("pixels", "images"), self, "drawn")
        _at_least(0, self, "held_out")
        if self.held_out == 1:
            raise ConfigError("data.held_out = 1 would set all images aside; 0 sets none aside.")
        if self.scale_max < self.scale_min:
            raise ConfigError(
                f"data.scale_max ({self.scale_max:g}) is below data.scale_min ({self.scale_min:g})."
            )
        if self.far and self.far_max < self.scale_max:
            raise ConfigError(
                f"data.far_max ({self.far_max:g}) is below data.scale_max ({self.scale_max:g})."
            )


@dataclass(frozen=True)
class LossRecipe:
    """What is made small, and weights beside the error of the result, which is 1.

    Attributes:
        pixel: How an error is measured: `l1`, or `rms`, the root of an image's mean square error,
            which is what PSNR judges.
        color: Error of the Gaussians alone.
        commitment: Pull between wishes and bank.
        direction: Pull of kernels along edges, so that people who look inside see kernels follow
            them.
    """

    pixel: str = "l1"
    color: float = 0.3
    commitment: float = 0.02
    direction: float = 0.0

    def __post_init__(self) -> None:
        _one_of(("l1", "rms"), self, "pixel")
        _at_least(0, self, "color", "commitment", "direction")


SCHEDULES = ("cosine", "multistep")
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class TrainRecipe:
    """How the weights move.

    Attributes:
        steps: Optimiser steps.
        batch: Samples per optimiser step, over all processes and accumulated parts together.
        accumulate: Parts that a process takes its share of a batch in.
        lr: Peak learning rate of Adam.
        schedule: `cosine` from `lr` to `lr_end`, or `multistep`: times `gamma` at each milestone.
        lr_end: Learning rate of the last step of a cosine.
        milestones: Fractions of the run, ascending.
        gamma: Factor at a milestone.
        warmup: Steps of linear warm-up, at most a tenth of the run.
        betas: Of Adam.
        bank_lr, classifier_lr: Factors on the learning rate. A bank as fast as the rest
            collapses into one shape.
        clip: Largest gradient norm; 0 does not clip.
        ema: Decay of the weights' moving average, which is what ships; 0 ships the last weights.
            Early in the run it is less.
        soft: Fraction of the run before choices become hard.
        precision: Of the networks; coordinates, Gaussian weights and sums stay float32.
        compile: Whether the encoder is compiled by torch.
        seed: Of everything that is drawn.
    """

    steps: int = 8000
    batch: int = 16
    accumulate: int = 1
    lr: float = 1e-3
    schedule: str = "cosine"
    lr_end: float = 1e-5
    milestones: tuple[float, ...] = ()
    gamma: float = 0.5
    warmup: int = 100
    betas: tuple[float, ...] = (0.9, 0.99)
    bank_lr: float = 0.3
    classifier_lr: float = 3.0
    clip: float = 1.0
    ema: float = 0.995
    soft: float = 0.3
    precision: str = "float32"
    compile: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        _at_least(1, self, "steps", "batch", "accumulate")
        _at_least(0, self, "warmup", "clip", "seed")
        _within(0, 1e30, self, "lr", "lr_end")  # beyond, a step is no float32
        _within(0, 1e3, self, "bank_lr", "classifier_lr")
        _within(0, 1, self, "gamma", "ema", "soft")
        _one_of(SCHEDULES, self, "schedule")
        _one_of(PRECISIONS, self, "precision")
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise ConfigError(f"train.betas must be two numbers below 1, got {list(self.betas)}.")
        steps = (0.0, *self.milestones, 1.0)
        if not all(a <= b for a, b in pairwise(steps)):
            raise ConfigError(
                "train.milestones must be ascending fractions of the run, got "
                f"{list(self.milestones)}."
            )
        if (self.schedule == "multistep") != bool(self.milestones):
            raise ConfigError("train.milestones and train.schedule = 'multistep' need each other.")
        if self.batch % self.accumulate:
            raise ConfigError(
                f"train.batch ({self.batch}) cannot be taken in {self.accumulate} equal parts."
            )


@dataclass(frozen=True)
class RunRecipe:
    """What a run writes, in steps.

    Attributes:
        log_every: A row of means in `log.csv` and TensorBoard.
        save_every: A checkpoint, a validation and sample pictures.
    """

    log_every: int = 50
    save_every: int = 250

    def __post_init__(self) -> None:
        _at_least(1, self, "log_every", "save_every")


@dataclass(frozen=True)
class Recipe:
    """One training run: a section for each question."""

    model: ModelRecipe = ModelRecipe()
    data: DataRecipe = DataRecipe()
    loss: LossRecipe = LossRecipe()
    train: TrainRecipe = TrainRecipe()
    run: RunRecipe = RunRecipe()
