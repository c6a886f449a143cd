"""The evaluation itself: every picture of every set, at every scale, by every method."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch

from gsr.base.errors import GsrError
from gsr.base.files import checksum
from gsr.decoding.header import header_size
from gsr.decoding.pool import Pool
from gsr.tasks.evaluation.code import code_version
from gsr.tasks.evaluation.contenders import Contender
from gsr.tasks.evaluation.pairs import CROP, Pair, Size, as_pair, check_size, read_hr, sizes_at
from gsr.tasks.evaluation.perceptual import Lpips
from gsr.tasks.evaluation.protocols import PROTOCOLS, Rules, SetType, guess_type
from gsr.tasks.evaluation.reduction import Reduction
from gsr.tasks.evaluation.results import Case, Results, Row, Scores
from gsr.tasks.evaluation.scoring import measure
from gsr.tasks.evaluation.sets import ImageSet

Told = Callable[[Row, int, int], None]
"""Called with each row, how many are done, and how many there are in all."""
Failed = Callable[[ImageSet, Path, Exception], None]
"""Called with a picture that raised what nobody foresaw."""


@dataclass(frozen=True)
class Evaluation:
    """What is to be measured, and how.

    Attributes:
        sets: The pictures.
        scales: Magnifications above 1.
        contenders: The methods.
        protocol: A key of `gsr.tasks.evaluation.protocols.PROTOCOLS`.
        reduction: Where LR comes from.
        set_type: Of every set; None guesses each from its name.
        lpips: The metric, where it is wanted too.
        pool: Decodes the pictures of the sets, see `gsr.images.load`.
    """

    sets: Sequence[ImageSet]
    scales: Sequence[float]
    contenders: Sequence[Contender]
    protocol: str
    reduction: Reduction
    set_type: SetType | None = None
    lpips: Lpips | None = None
    pool: Pool | None = None

    @property
    def per_picture(self) -> int:
        """How many rows a picture has."""
        return len(self.scales) * len(self.contenders)

    @property
    def total(self) -> int:
        """How many rows there will be."""
        return self.per_picture * sum(len(one.paths) for one in self.sets)

    def type_of(self, one: ImageSet) -> SetType:
        """Of a set, as it was said or guessed."""
        return self.set_type or guess_type(one.name)

    def rules(self, one: ImageSet) -> Rules:
        """How a set is measured."""
        return PROTOCOLS[self.protocol][self.type_of(one)]

    def check(self) -> None:
        """Everything that file headers show, before any work.

        Raises:
            ScaleError: a picture is too small for a scale.
            ImageError: a picture cannot be read, an LR file is missing or has the wrong size.
        """
        for one in self.sets:
            for path in one.paths:
                size = _size(path, self.pool)
                for scale in self.scales:
                    check_size(str(path), size, scale, self.rules(one).at(scale))
                    self.reduction.file(one.name, path, scale, sizes_at(size, scale)[0])

    def run(
        self, results: Results, told: Told | None = None, failed: Failed | None = None
    ) -> list[Row]:
        """All rows, those that `results` has already and those that are computed.

        Args:
            results: Keeps them.
            told: Called with each.
            failed: Called with pictures that raise unexpected exceptions; the run continues without
                them.

        Raises:
            GsrError: a picture cannot be read or measured; rows until then are kept.
            Exception: what nobody foresaw, unless there is `failed`.
        """
        rows: list[Row] = []
        for one in self.sets:
            for path in one.paths:
                try:
                    for row in _Picture(self, one, path).rows(results):
                        rows.append(row)
                        if told:
                            told(row, len(rows), self.total)
                except GsrError:
                    raise  # a caller can correct it and resume from there
                except Exception as error:
                    if failed is None:
                        raise
                    failed(one, path, error)
        return rows


def _size(path: Path, pool: Pool | None) -> Size:
    """(height, width) from the header, or from the whole file, which finds the words for damage."""
    if size := header_size(path, pool):
        return size
    height, width = read_hr(path, pool).shape[-2:]
    return height, width


@dataclass(frozen=True)
class _Picture:
    """One picture of an evaluation. It is not read before something must be computed."""

    plan: Evaluation
    set: ImageSet
    path: Path

    @cached_property
    def hr(self) -> torch.Tensor:
        return read_hr(self.path, self.plan.pool)

    @cached_property
    def size(self) -> Size:
        return _size(self.path, self.plan.pool)

    @cached_property
    def checksum(self) -> str:
        return checksum(self.path)

    def rows(self, results: Results) -> Iterator[Row]:
        for scale in self.plan.scales:
            lr_size = sizes_at(self.size, scale)[0]
            file = self.plan.reduction.file(self.set.name, self.path, scale, lr_size)
            pair: Pair | None = None
            for contender in self.plan.contenders:
                case = self._case(contender, scale, file)
                scores = results.scores.get(case)
                if scores is None or (self.plan.lpips and scores.lpips is None):
                    pair = pair or self._pair(scale, file)
                    scores = self._measure(contender, pair, scale)
                    results.add(Row(case, scores))
                yield Row(case, scores)

    def _case(self, contender: Contender, scale: float, file: Path | None) -> Case:
        rules = self.plan.rules(self.set)
        return Case(
            set=self.set.name,
            image=self.path.name,
            scale=scale,
            method=contender.name,
            weights=contender.weights,
            protocol=rules.protocol,
            set_type=self.plan.type_of(self.set),
            channel=rules.channel,
            shave=rules.at(scale).shave,
            rounding=rules.rounding,
            lr=self.plan.reduction.name,
            crop=CROP,
            image_sha256=self.checksum,
            lr_sha256=checksum(file) if file else "",
            gsr=code_version(),
        )

    def _pair(self, scale: float, file: Path | None) -> Pair:
        lr_size, (height, width) = sizes_at(self.size, scale)
        hr = self.hr[:, :height, :width]
        return as_pair(self.plan.reduction.reduce(hr, lr_size, file), hr)

    def _measure(self, contender: Contender, pair: Pair, scale: float) -> Scores:
        protocol = self.plan.rules(self.set).at(scale)
        scores = measure(contender, pair, protocol, self.plan.lpips)
        if math.isnan(scores.psnr):
            raise GsrError(
                f"{contender.name} gave values that are not numbers for {self.path} at scale "
                f"{scale:g}."
            )
        return scores
