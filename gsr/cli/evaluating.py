"""`gsr eval`: methods on benchmark sets, in numbers that say how they were measured."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gsr.base.atomic import writing
from gsr.base.errors import ConfigError, GsrError, reason
from gsr.base.optional import needing, part
from gsr.cli.progress import Reporter
from gsr.cli.single import decoders
from gsr.cli.stopping import exit_code, stoppable
from gsr.cli.streams import show

if TYPE_CHECKING:
    from gsr.tasks.evaluation.contenders import Contender
    from gsr.tasks.evaluation.perceptual import Lpips
    from gsr.tasks.evaluation.results import Results, Row
    from gsr.tasks.evaluation.running import Evaluation
    from gsr.tasks.evaluation.sets import ImageSet
    from gsr.tasks.evaluation.tables import Summary

SOME_FAILED = 1
PLOTTING = ("plotly",)
"""What the figure needs and the rest of an evaluation does not."""


def evaluate(
    data: Annotated[
        Path,
        typer.Option("--data", help="A set (pictures, or HR/ with them), or a folder of sets."),
    ],
    scales: Annotated[
        str, typer.Option(help="Comma-separated, such as 2,3.4,12.", metavar="LIST")
    ] = "2,3,4",
    methods: Annotated[
        str,
        typer.Option(
            help="Comma-separated: bicubic, lanczos, nearest, sinc, matlab-bicubic, bundled "
            "weights, weights files, and sinc:WEIGHTS for sinc resampling of their x4 result.",
            metavar="LIST",
        ),
    ] = "bicubic,lanczos,sinc:lite,lite",
    protocol: Annotated[
        str,
        typer.Option(help="liif (float), basicsr (8 bit) or matlab (8 bit, as most papers)."),
    ] = "liif",
    lr: Annotated[
        str, typer.Option(help="How LR is made: pil, torch, matlab; or a folder of LR files.")
    ] = "pil",
    set_type: Annotated[
        str | None,
        typer.Option(
            help="Under liif: benchmark (luma) or div2k (RGB). Default: by the name of each set."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Folder for CSV, table and figure; resumed if it has results."
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(help="Only the first N pictures of each set.", min=1)
    ] = None,
    lpips: Annotated[
        bool, typer.Option("--lpips", help="LPIPS too, where the package lpips is installed.")
    ] = False,
    device: Annotated[str, typer.Option(help="Where methods compute: cpu, cuda.")] = "cpu",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Errors only on stderr.")] = False,
) -> None:
    """Measure methods on benchmark sets. Markdown tables are printed on stdout.

    The same command with the same folder resumes where it was stopped. Results of other settings
    are kept apart in it.
    """
    from gsr.tasks.evaluation.pairs import parse_scales
    from gsr.tasks.evaluation.protocols import check_protocol
    from gsr.tasks.evaluation.reduction import find_reduction
    from gsr.tasks.evaluation.results import Results
    from gsr.tasks.evaluation.running import Evaluation
    from gsr.tasks.evaluation.sets import find_sets
    from gsr.tasks.evaluation.tables import markdown, summarise

    reporter = Reporter(quiet)
    with _interruptible(output, reporter), decoders() as pool:
        plan = Evaluation(
            protocol=protocol,
            set_type=check_protocol(protocol, set_type),
            scales=parse_scales(scales),
            reduction=find_reduction(lr),
            sets=find_sets(data, limit),
            contenders=_contenders(methods, device),
            lpips=_lpips(device, reporter) if lpips else None,
            pool=pool,
        )
        plan.check()
        results = Results(output)
        _tell(plan, reporter)
        rows, incomplete = _run(plan, results, reporter)
        whole = replace(plan, sets=[one for one in plan.sets if one.name not in incomplete])
        summaries = summarise(whole, rows)
        text = "\n".join(map(markdown, summaries))
        show(text, end=False)
        if output:
            _write(output / f"{plan.protocol}-{plan.reduction.name}", summaries, text, reporter)
    if incomplete:
        raise typer.Exit(SOME_FAILED)


@contextmanager
def _interruptible(output: Path | None, reporter: Reporter) -> Iterator[None]:
    try:
        with stoppable():
            yield
    except KeyboardInterrupt as stopped:
        kept = f"{output} has all finished results, and the same command resumes from there"
        reporter.error(f"interrupted; {kept if output else 'nothing is kept without --output'}.")
        raise typer.Exit(exit_code(stopped)) from None


def _contenders(methods: str, device: str) -> "list[Contender]":
    from gsr.tasks.evaluation.contenders import find_contender

    check_device(device)
    names = dict.fromkeys(name.strip() for name in methods.split(","))
    return [find_contender(name, device=device) for name in names]


def check_device(device: str) -> None:
    """Whether methods can compute on a device of this machine.

    Raises:
        ConfigError: they cannot.
    """
    import torch

    try:
        torch.zeros(1, device=device).tolist()  # there are devices that give no numbers back
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(
            f"this machine has no device {device!r} that torch can compute on; cpu is always there."
        ) from error


def _lpips(device: str, reporter: Reporter) -> "Lpips | None":
    from gsr.tasks.evaluation.perceptual import load_lpips

    try:
        return load_lpips(device)
    except ConfigError as error:
        reporter.note(str(error))
        return None


def _tell(plan: "Evaluation", reporter: Reporter) -> None:
    from gsr.tasks.evaluation.protocols import depends_on_type

    for one in plan.sets:
        guessed = plan.set_type is None and depends_on_type(plan.protocol)
        kind = f", taken as {plan.type_of(one)} by its name" if guessed else ""
        reporter.note(f"{one.name}: {len(one.paths)} pictures{kind}; {plan.rules(one)}.")


def _run(
    plan: "Evaluation", results: "Results", reporter: Reporter
) -> "tuple[list[Row], set[str]]":
    """The rows, and which sets have pictures that failed: their means would be of others."""
    incomplete: set[str] = set()

    def failed(one: "ImageSet", path: Path, error: Exception) -> None:
        incomplete.add(one.name)
        kind = f"{type(error).__name__}: {reason(error)}"
        reporter.error(f"{path} failed ({kind}); there will be no table of {one.name}.")

    with reporter.bar("evaluating") as advance:

        def told(row: "Row", done: int, total: int) -> None:
            advance(done / total)
            if done % plan.per_picture == 0:
                reporter.line(f"{row.case.set} {row.case.image}: {done} of {total} results")

        return plan.run(results, told, failed), incomplete


def _write(stem: Path, summaries: "list[Summary]", text: str, reporter: Reporter) -> None:
    """The tables, and the figure where there is plotly."""
    table, page = (stem.with_name(stem.name + suffix) for suffix in (".md", ".html"))
    with writing(table) as file:
        file.write(os.fsencode(text))  # names of sets need not be Unicode
    reporter.summary(f"written: {table}")
    try:
        with needing("app", PLOTTING):
            html = part("gsr_apps.figures").psnr_page(summaries)
    except GsrError as error:
        reporter.note(f"the figure is left out: {error}")
        return
    with writing(page) as file:
        file.write(html.encode("utf-8", "replace"))
    reporter.summary(f"written: {page}")
