"""What a training run is: frozen dataclasses, checked where they are made.

`recipe_files` reads them from TOML. How to add a key: see `gsr.base.reading`.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from gsr.base.coords import MAX_SCALE
from gsr.base.errors import ConfigError
from gsr.base.reading import Checked


def _short(text: str) -> str:
    if len(text) > MOST_WORD:
        raise ValueError(f"must have at most {MOST_WORD} characters")
    return text


MOST_WORD = 4096

Count = Annotated[int, Field(ge=0, le=10**9)]
Number = Annotated[int, Field(ge=1, le=10**9)]
Part = Annotated[float, Field(ge=0, le=1)]
Below = Annotated[float, Field(ge=0, lt=1)]
Scale = Annotated[float, Field(ge=1, le=MAX_SCALE)]
Weight = Annotated[float, Field(ge=0, le=1e6)]
Factor = Annotated[float, Field(ge=0, le=1e3)]
Rate = Annotated[float, Field(ge=0, le=1e30)]
"""Beyond it, float32 cannot hold every step."""
Word = Annotated[str, AfterValidator(_short)]
"""Also a name of a file, which need not be Unicode."""

MOST_PIXELS = 2**28
"""LR pixels of one batch."""


@dataclass(frozen=True)
class ModelRecipe(Checked):
    """Which network.

    Attributes:
        preset: Architecture, a name of `gsr.PRESETS` or of the comparison methods.
        encoder: Its kind, a key of `gsr.network.encoders.ENCODERS`; empty takes the preset's.
        channels, blocks: Of the encoder; 0 takes the preset's.
        finest: Magnification beyond which the decoder gets this one; 0 takes the preset's.
        init: Weights to start from, a bundled name or a file; empty starts from random weights.
        slopes: Whether a Gaussian's colour has a slope: `preset`, `yes` or `no`.
        corrected: Whether encoding with the weights brings the result nearer to its input; not
            where the input is what is mended.
    """

    called: ClassVar[str] = "model."
    preset: Word = "lite"
    encoder: Word = ""
    channels: Annotated[int, Field(ge=0, le=1024)] = 0
    blocks: Annotated[int, Field(ge=0, le=128)] = 0
    finest: Annotated[float, Field(ge=0, le=MAX_SCALE)] = 0.0
    init: Word = ""
    slopes: Literal["preset", "yes", "no"] = "preset"
    corrected: Literal["preset", "yes", "no"] = "preset"


@dataclass(frozen=True)
class DataRecipe(Checked):
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
            frames; see `gsr_training.trainer.patterns`.
        degraded: Share of samples whose LR is blurred, noisy, resampled, sharpened or compressed;
            see `gsr_training.trainer.degrade`.
        shrink: Factor by which photos are reduced by area before all else, as far as they stay
            large enough for a crop. Photos that were reduced with Lanczos ring at edges, and a
            network learns to.
        drawn: How often an image is drawn: in proportion to its `pixels`, or all `images` alike.
        held_out: One image in N is set aside for validation; 0 trains on all of them.
    """

    called: ClassVar[str] = "data."
    crop: Annotated[int, Field(ge=1, le=4096)] = 48
    queries: Annotated[int, Field(ge=1, le=2**24)] = 2304
    scale_min: Scale = 1.0
    scale_max: Scale = 4.0
    far: Part = 0.0
    far_max: Scale = 12.0
    min_contrast: Part = 0.02
    rare: Annotated[tuple[Word, ...], Field(max_length=1000)] = ()
    patterns: Part = 0.0
    degraded: Part = 0.0
    shrink: Scale = 1.0
    drawn: Literal["pixels", "images"] = "pixels"
    held_out: Count = 60

    def __post_init__(self) -> None:
        super().__post_init__()
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
class LossRecipe(Checked):
    """Losses and their weights; the error of the result has weight 1.

    Attributes:
        pixel: How an error is measured: `l1`, or `rms`, the root of an image's mean square error,
            which is what PSNR judges.
        color: Error of the Gaussians alone.
        commitment: Pull between predicted kernels and bank.
        direction: Pull of kernels along edges, so that people who look inside see kernels follow
            them.
        teacher: A function that returns a `Teacher`, as `MODULE:FUNCTION`; empty for none.
        taught: The teacher's share of what is to be met, where it is nearer to the truth than the
            network; the rest is the truth's.
    """

    called: ClassVar[str] = "loss."
    pixel: Literal["l1", "rms"] = "l1"
    color: Weight = 0.3
    commitment: Weight = 0.02
    direction: Weight = 0.0
    teacher: Annotated[str, Field(max_length=1000)] = ""
    taught: Part = 0.8


@dataclass(frozen=True)
class TrainRecipe(Checked):
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

    called: ClassVar[str] = "train."
    steps: Number = 8000
    batch: Annotated[int, Field(ge=1, le=65_536)] = 16
    accumulate: Number = 1
    lr: Rate = 1e-3
    schedule: Literal["cosine", "multistep"] = "cosine"
    lr_end: Rate = 1e-5
    milestones: Annotated[tuple[Part, ...], Field(max_length=1000)] = ()
    gamma: Part = 0.5
    warmup: Count = 100
    betas: tuple[Below, Below] = (0.9, 0.99)
    bank_lr: Factor = 0.3
    classifier_lr: Factor = 3.0
    clip: Weight = 1.0
    ema: Part = 0.995
    soft: Part = 0.3
    precision: Literal["float32", "bfloat16"] = "float32"
    compile: bool = False
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0

    def __post_init__(self) -> None:
        super().__post_init__()
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
class RunRecipe(Checked):
    """What a run writes, in steps.

    Attributes:
        log_every: A row of means in `log.csv` and TensorBoard.
        save_every: A checkpoint, a validation and sample pictures.
    """

    called: ClassVar[str] = "run."
    log_every: Number = 50
    save_every: Number = 250


@dataclass(frozen=True)
class Recipe(Checked):
    """One training run: a section for each question."""

    model: ModelRecipe = ModelRecipe()
    data: DataRecipe = DataRecipe()
    loss: LossRecipe = LossRecipe()
    train: TrainRecipe = TrainRecipe()
    run: RunRecipe = RunRecipe()

    def __post_init__(self) -> None:
        super().__post_init__()
        pixels = self.train.batch * self.data.crop**2
        if pixels > MOST_PIXELS:
            raise ConfigError(
                f"train.batch ({self.train.batch}) samples of data.crop ({self.data.crop}) pixels "
                f"squared are {pixels:,} pixels, and at most {MOST_PIXELS:,} are accepted."
            )
