"""`gsr upscale`: one code path for one picture and for a thousand."""

import json
import os
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from gsr.cli.progress import Reporter
from gsr.cli.sizes import Wanted, number, wanted_size
from gsr.errors import ConfigError, GsrError, OutputError, ScaleError
from gsr.files import (
    Job,
    Plan,
    check_not_an_input,
    free_memory,
    header_size,
    identities,
    plan,
    prepare_folder,
)

if TYPE_CHECKING:
    from PIL import Image

    from gsr.images import Picture
    from gsr.model import GaussianSR

Format = Literal["png", "webp", "jpg", "tiff"]
Status = Literal["written", "skipped", "failed"]

SOME_FAILED, INTERRUPTED = 1, 130
MAX_SIDE = 2**30
OUTPUT_BYTES, INPUT_BYTES = 8, 500
"""Memory per output and per input pixel, measured and rounded up; only used to warn."""
ENCODING_COST = 30
"""Encoding an input pixel takes about as long as rendering this many; only moves the bar."""


@dataclass(frozen=True)
class Outcome:
    """What became of one job; one line of --json."""

    input: str
    output: str
    status: Status
    error: str | None = None
    width: int | None = None
    height: int | None = None
    scale_x: float | None = None
    scale_y: float | None = None
    model: str | None = None
    seconds: float | None = None
    notes: list[str] = field(default_factory=list)


def upscale(
    inputs: Annotated[
        list[Path], typer.Argument(help="Pictures, or folders of them.", metavar="IN")
    ],
    scale: Annotated[
        float | None,
        typer.Option(
            "--scale",
            "-s",
            help="Any number up to 64, such as 3.7; below 1 reduces.",
            parser=number,
            metavar="FACTOR",
        ),
    ] = None,
    size: Annotated[
        str | None, typer.Option("--size", help="Exact size in pixels.", metavar="WxH")
    ] = None,
    width: Annotated[
        int | None, typer.Option(help="Width in pixels, proportions kept.", min=1, max=MAX_SIDE)
    ] = None,
    height: Annotated[
        int | None, typer.Option(help="Height in pixels, proportions kept.", min=1, max=MAX_SIDE)
    ] = None,
    longest: Annotated[
        int | None, typer.Option(help="Longer side in pixels.", min=1, max=MAX_SIDE)
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="File for one picture, folder for several. Default: beside the input.",
            metavar="OUT",
        ),
    ] = None,
    model: Annotated[
        str, typer.Option("--model", "-m", help="Name of bundled weights, or a file.")
    ] = "lite",
    file_format: Annotated[
        Format | None,
        typer.Option("--format", "-f", help="Format where OUT does not name a file. Default: png."),
    ] = None,
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Also the folders inside folders.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace results that exist already.")
    ] = False,
    strip: Annotated[
        bool, typer.Option("--strip", help="Write no metadata: no EXIF, ICC profile, comment.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object per picture on stdout.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Errors only on stderr.")] = False,
) -> None:
    """Render pictures at any scale. The paths of the results are printed on stdout."""
    wanted = wanted_size(scale, size, width, height, longest)
    target = Path(output) if output is not None else None
    todo = plan(
        inputs,
        target,
        label=wanted.label,
        suffix=f".{file_format or 'png'}",
        into=bool(output) and str(output).endswith(("/", os.sep)),
        recursive=recursive,
    )
    _check_format(todo, target, file_format)
    batch = Batch(
        todo,
        wanted,
        model=model,
        overwrite=overwrite,
        strip=strip,
        as_json=as_json,
        reporter=Reporter(quiet),
    )
    raise typer.Exit(batch.run())


def _check_format(todo: Plan, target: Path | None, file_format: Format | None) -> None:
    alike = {"jpg": (".jpg", ".jpeg"), "tiff": (".tif", ".tiff")}
    if file_format and target is not None and target == todo.jobs[0].output:
        accepted = alike.get(file_format, (f".{file_format}",))
        if target.suffix.lower() not in accepted:
            raise ConfigError(f"--format {file_format} does not fit the name {target}.")


@dataclass
class Batch:
    """The jobs of one command, and what became of them so far."""

    todo: Plan
    wanted: Wanted
    model: str
    overwrite: bool
    strip: bool
    as_json: bool
    reporter: Reporter
    counts: Counter[Status] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.inputs = identities(job.source for job in self.todo.jobs)

    def run(self) -> int:
        """Do all jobs and return the exit code.

        Raises:
            GsrError: nothing could be started, or the only job failed.
        """
        try:
            self._run_all()
        except KeyboardInterrupt:
            done, total = self.counts["written"], len(self.todo.jobs)
            self.reporter.error(f"interrupted, {done} of {total} pictures were written.")
            return INTERRUPTED
        if self.todo.many:
            self.reporter.summary(
                ", ".join(f"{self.counts[s]} {s}" for s in ("written", "skipped", "failed")) + "."
            )
        return SOME_FAILED if self.counts["failed"] else 0

    def _run_all(self) -> None:
        jobs = [job for job in self.todo.jobs if self._attempt(job, self._check)]
        if not jobs:
            return
        from gsr.weights import load

        network = load(self.model)
        for folder in sorted({job.output.parent for job in jobs}):
            prepare_folder(folder, create=self.todo.named_folder)
        for job in jobs:
            self._attempt(job, lambda job: self._upscale(job, network))

    def _attempt(self, job: Job, work: Any) -> bool:
        """Do one step of a job; of many jobs, a failing one does not stop the others."""
        try:
            outcome: Outcome | None = work(job)
        except GsrError as error:
            if not self.todo.many:
                raise
            outcome = Outcome(str(job.source), str(job.output), "failed", error=str(error))
            self.reporter.error(str(error))
        if outcome is not None:
            self._conclude(job, outcome)
        return outcome is None

    def _conclude(self, job: Job, outcome: Outcome) -> None:
        self.counts[outcome.status] += 1
        if self.as_json:
            typer.echo(json.dumps(vars(outcome)))
        elif outcome.status == "written":
            # Bytes: a name that is not valid Unicode must reach the next command unchanged.
            typer.echo(os.fsencode(job.output))

    def _check(self, job: Job) -> Outcome | None:
        """All that can be known before the work: existing files, size, memory, format."""
        check_not_an_input(job.output, self.inputs)
        if job.output.exists() and not self.overwrite:
            if not self.todo.many:
                raise OutputError(f"{job.output} exists already; add --overwrite to replace it.")
            self.reporter.note(f"{job.output} exists already and was skipped; see --overwrite.")
            return Outcome(str(job.source), str(job.output), "skipped")
        from gsr.images import MAX_INPUT_PIXELS, check_output

        lr_size = header_size(job.source)
        if lr_size is not None and lr_size[0] * lr_size[1] <= MAX_INPUT_PIXELS:
            size = self._size(job, lr_size)
            check_output(job.output, size)
            self._warn_of_memory(job, lr_size, size)
        return None

    def _size(self, job: Job, lr_size: tuple[int, int]) -> tuple[int, int]:
        try:
            return self.wanted.for_picture(lr_size)
        except ScaleError as error:
            raise ScaleError(f"{job.source} ({lr_size[1]} x {lr_size[0]}): {error}") from error

    def _warn_of_memory(self, job: Job, lr_size: tuple[int, int], size: tuple[int, int]) -> None:
        need = OUTPUT_BYTES * size[0] * size[1] + INPUT_BYTES * lr_size[0] * lr_size[1]
        free = free_memory()
        if free is not None and need > free:
            self.reporter.note(
                f"{job.source} at {size[1]} x {size[0]} needs about {need / 1e9:.1f} GB of memory, "
                f"and {free / 1e9:.1f} GB are free."
            )

    def _upscale(self, job: Job, network: "GaussianSR") -> Outcome:
        from gsr.images import check_output, load, provenance, save

        start = time.perf_counter()
        picture = load(job.source)
        lr_size = picture.rgb.shape[1], picture.rgb.shape[2]
        size = self._size(job, lr_size)
        check_output(job.output, size, transparent=picture.alpha is not None)
        for note in picture.info.notes:
            self.reporter.note(f"{job.source}: {note}")
        image = self._render(job, picture, network, size)
        scale = size[0] / lr_size[0], size[1] / lr_size[1]
        comment = provenance(network.config.name, scale)
        save(image, job.output, picture.info, strip=self.strip, comment=comment)
        seconds = round(time.perf_counter() - start, 3)
        self.reporter.line(f"{job.source}: {size[1]} x {size[0]} pixels in {seconds:.1f} s")
        return Outcome(
            input=str(job.source),
            output=str(job.output),
            status="written",
            width=size[1],
            height=size[0],
            scale_x=scale[1],
            scale_y=scale[0],
            model=network.config.name,
            seconds=seconds,
            notes=list(picture.info.notes),
        )

    def _render(
        self, job: Job, picture: "Picture", network: "GaussianSR", size: tuple[int, int]
    ) -> "Image.Image":
        total = len(self.todo.jobs)
        done = sum(self.counts.values())
        title = f"{job.source.name} ({done + 1} of {total})" if self.todo.many else job.source.name
        cost = ENCODING_COST * picture.rgb[0].numel()
        encoding = cost / (cost + size[0] * size[1])
        with self.reporter.bar(title) as advance:
            encoded = network.encode(
                picture, progress=lambda tile, tiles: advance(encoding * tile / tiles)
            )
            return cast(
                "Image.Image",
                encoded.render(
                    size=size,
                    progress=lambda row, rows: advance(encoding + (1 - encoding) * row / rows),
                ),
            )
