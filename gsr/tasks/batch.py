"""Many pictures, each into its own file: one code path for the command line and for the app."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

from gsr.base.atomic import check_replaceable, remove_leftovers
from gsr.base.compression import Compression
from gsr.base.errors import GsrError, OutputError, ScaleError, out_of_memory, reason
from gsr.base.files import (
    check_not_an_input,
    copy_times,
    free_memory,
    identities,
    is_field_file,
    is_newer,
    is_stream,
    prepare_folder,
)
from gsr.base.naming import check_length
from gsr.base.output_size import Layout, OutputSize
from gsr.base.planning import Job, Plan
from gsr.base.progress import SILENT, Advance, Steps
from gsr.decoding.header import header_size

if TYPE_CHECKING:
    from gsr.base.coords import View
    from gsr.decoding.pool import Pool
    from gsr.field.protocol import ContinuousImage, Method, Progress
    from gsr.images import Depth
    from gsr.images.samples import Samples
    from gsr.tasks.source import Opened

Status = Literal["written", "skipped", "failed"]

OWN_BYTES, OUTPUT_BYTES, INPUT_BYTES = 500_000_000, 4, 210
"""Memory of the program at work, per output pixel of 8 bits and per input pixel, measured with
`lite`; only used to warn.
"""
ENCODING_COST = 30
"""Encoding an input pixel takes about as long as rendering this many; only moves the bar."""


@dataclass(frozen=True)
class Outcome:
    """What became of one job."""

    input: str
    output: str
    status: Status
    error: str | None = None
    width: int | None = None
    height: int | None = None
    scale_x: float | None = None
    scale_y: float | None = None
    model: str | None = None
    weights: str | None = None
    edits: int = 0
    seconds: float | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Batch:
    """Pictures and what to make of them.

    Attributes:
        todo: Which files are read and written. Field files (`.gsf`) are rendered as they are.
        wanted: Size of the results.
        method: Called once, when the first picture is to be encoded.
        overwrite: Replace results that exist already; else they are skipped.
        newer: Replace those that are older than their picture.
        background: Colour of the margin where a size is padded, see `gsr.images.margin`.
        strip: Write no metadata.
        keep: Kinds of metadata to keep, see `gsr.images.save`.
        depth: Bits per channel, see `gsr.images.depth_for`.
        compression: See `gsr.images.save`.
        dither: Hide the steps of 8 bits, see `gsr.images.Dither`.
        preserve_times: Give results the times of their pictures.
        white: The value that is white, see `gsr.images.load`.
        pool: Decodes the pictures in other processes, see `gsr.images.load`.
        most_pixels: Refuse larger results, where that is wanted.
        advise: Say in the words of the command line which weights a picture asks for.
        steps: Hears of notes, and of every picture's progress; what it raises ends the run.
    """

    todo: Plan
    wanted: OutputSize
    method: "Callable[[], Method]"
    overwrite: bool = False
    newer: bool = False
    background: str | None = None
    strip: bool = False
    keep: "frozenset[str] | None" = None
    depth: "Depth | None" = None
    compression: Compression = Compression()
    dither: bool = False
    preserve_times: bool = False
    white: float | None = None
    pool: "Pool | None" = None
    most_pixels: int | None = None
    advise: bool = False
    steps: Steps = SILENT

    def run(self) -> Iterator[Outcome]:
        """Do the jobs, one by one; a job that fails is an outcome and stops no other.

        Everything that can be known without reading pixels is looked at before the first picture.
        Where one result alone is asked for, an error that nobody foresaw is raised as it is.

        Raises:
            GsrError: the weights, or a folder for results, cannot be used.
        """
        for folder in {job.output.parent for job in self.todo.jobs}:
            remove_leftovers(folder)
        inputs = identities(job.source for job in self.todo.jobs)
        jobs = []
        for job in self.todo.jobs:
            outcome = self._attempt(job, partial(self._check, inputs=inputs))
            if outcome is None:
                jobs.append(job)
            else:
                yield outcome
        yield from self._run(jobs)

    def _run(self, jobs: list[Job]) -> Iterator[Outcome]:
        pictures = [job for job in jobs if not is_field_file(job.source)]
        method = self.method() if pictures else None
        for folder in sorted({job.output.parent for job in jobs}):
            prepare_folder(folder, create=self.todo.named_folder)
        total = len(self.todo.jobs)
        for number, job in enumerate(jobs, total - len(jobs) + 1):
            many = f" ({number} of {total})" if self.todo.many else ""
            title = job.source.name + many
            outcome = self._attempt(job, partial(self._upscale, method=method, title=title))
            assert outcome is not None  # `_upscale` always has one
            yield outcome

    def _check(self, job: Job, inputs: set[tuple[int, int]]) -> Outcome | None:
        """All that can be known before the work: existing files, size, memory, format."""
        if job.problem:
            raise OutputError(job.problem)
        check_not_an_input(job.output, inputs)
        check_length(job.output)
        if os.path.exists(job.output) and not self._replaces(job):
            return Outcome(str(job.source), str(job.output), "skipped")
        check_replaceable(job.output)
        from gsr.images import MAX_INPUT_PIXELS, check_output

        lr_size = header_size(job.source, self.pool)
        if lr_size is not None and lr_size[0] * lr_size[1] <= MAX_INPUT_PIXELS:
            size = self._layout(job, lr_size).canvas
            self.compression.options(check_output(job.output, size), job.output)
            self._warn_of_memory(job, lr_size, size)
        return None

    def _replaces(self, job: Job) -> bool:
        return self.overwrite or (self.newer and is_newer(job.source, job.output))

    def _layout(self, job: Job, lr_size: tuple[int, int]) -> Layout:
        try:
            layout = self.wanted.layout(lr_size)
            size = layout.canvas
            if self.most_pixels is not None and size[0] * size[1] > self.most_pixels:
                raise ScaleError(
                    f"{size[1]} x {size[0]} pixels are more than the "
                    f"{self.most_pixels / 1e6:.3g} megapixels a result may have here."
                )
        except ScaleError as error:
            raise ScaleError(f"{job.source} ({lr_size[1]} x {lr_size[0]}): {error}") from error
        return layout

    def _warn_of_memory(self, job: Job, lr_size: tuple[int, int], size: tuple[int, int]) -> None:
        need = memory_needed(lr_size, size, self.depth or 8)
        free = free_memory()
        if free is not None and need > free:
            self.steps.note(
                f"{job.source} at {size[1]} x {size[0]} needs about {need / 1e9:.1f} GB of memory, "
                f"and {free / 1e9:.1f} GB are free."
            )

    def _upscale(self, job: Job, method: "Method | None", title: str) -> Outcome:
        from gsr.field.edits import count
        from gsr.field.provenance import made
        from gsr.images import check_output, depth_for, save
        from gsr.images.margin import with_margin
        from gsr.tasks.source import open_source

        start = time.perf_counter()
        source = open_source(job.source, white=self.white, pool=self.pool)
        lr_size = source.lr_size
        layout = self._layout(job, lr_size)
        check_output(job.output, layout.canvas, transparent=source.transparent, info=source.info)
        depth = depth_for(job.output, source.info, self.depth)
        advice = source.advice(method) if self.advise else None
        before = [note for note in (layout.note, advice) if note]
        for note in before:
            self.steps.note(f"{job.source}: {note}")
        with self.steps.bar(title) as advance:
            encoded, image = _render(
                source, method, layout.view, depth, self.dither, _ending(advance)
            )
        image = with_margin(image, layout.canvas, self.background)
        scale = layout.view.scale
        by = made(encoded, scale)
        comment, notes = by.for_file(job.output, strip=self.strip)
        for note in notes:
            self.steps.note(f"{job.source}: {note}")
        left_out = save(
            image,
            job.output,
            source.info,
            strip=self.strip,
            keep=self.keep,
            comment=comment,
            compression=self.compression,
        )
        left_out += self._times(job)
        for note in left_out:
            self.steps.note(f"{job.output}: {note}")
        return Outcome(
            input=str(job.source),
            output=str(job.output),
            status="written",
            width=layout.canvas[1],
            height=layout.canvas[0],
            scale_x=scale[1],
            scale_y=scale[0],
            model=encoded.model,
            weights=encoded.weights or None,
            edits=count(encoded.edits),
            seconds=round(time.perf_counter() - start, 3),
            notes=[*before, *notes, *left_out],
        )

    def _times(self, job: Job) -> tuple[str, ...]:
        """Set a result's times, where that is wanted; a note if they cannot be."""
        if not self.preserve_times or is_stream(job.source):
            return ()
        try:
            copy_times(job.source, job.output)
        except OutputError as error:
            return (str(error),)
        return ()

    def _attempt(self, job: Job, step: Callable[[Job], Outcome | None]) -> Outcome | None:
        """Do one step of a job; whatever goes wrong is the outcome of this job alone."""
        try:
            return step(job)
        except _EndError as end:
            raise end.cause from None
        except GsrError as error:
            said = str(error)
        except Exception as error:
            if out_of_memory(error):
                said = f"{job.source}: there is not enough memory for a result of this size."
            elif self.todo.named_folder:
                said = f"{job.source} failed ({type(error).__name__}: {reason(error)})."
            else:
                raise
        return Outcome(str(job.source), str(job.output), "failed", error=said)


def memory_needed(lr_size: tuple[int, int], size: tuple[int, int], depth: int = 8) -> int:
    """Bytes of memory that a picture (height, width) takes at its most, at a size and depth."""
    output = OUTPUT_BYTES * depth // 8 * size[0] * size[1]
    return OWN_BYTES + output + INPUT_BYTES * lr_size[0] * lr_size[1]


class _EndError(BaseException):
    """What a caller raised while progress was reported: it ends the run."""

    def __init__(self, cause: Exception):
        super().__init__(cause)
        self.cause = cause


def _ending(advance: Advance) -> Advance:
    """`advance`, with what it raises marked."""

    def told(part: float) -> None:
        try:
            advance(part)
        except Exception as error:
            raise _EndError(error) from error

    return told


def _render(
    source: "Opened",
    method: "Method | None",
    view: "View",
    depth: "Depth",
    dither: bool,
    advance: Advance,
) -> "tuple[ContinuousImage, Samples]":
    """The continuous image, and its pixels."""
    from gsr.field.render import render_levels

    tiles, rows = _parts(source.lr_size, view, advance)
    encoded = source.encode(method, tiles)
    return encoded, render_levels(encoded, view=view, depth=depth, dither=dither, progress=rows)


def _parts(lr_size: tuple[int, int], view: "View", advance: Advance) -> "tuple[Progress, Progress]":
    """Progress of encoding and of rendering as parts of the whole."""
    cost = ENCODING_COST * lr_size[0] * lr_size[1]
    encoding = cost / (cost + view.size[0] * view.size[1])

    def tiles(done: int, of: int) -> None:
        advance(encoding * done / of)

    def rows(done: int, of: int) -> None:
        advance(encoding + (1 - encoding) * done / of)

    return tiles, rows
