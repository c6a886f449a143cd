"""`gsr data`: data sets by name, what of them is on the disk and how to get them."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gsr.base.errors import GsrError
from gsr.base.progress import Steps
from gsr.cli.progress import Reporter
from gsr.cli.stopping import exit_code, stoppable
from gsr.cli.streams import show
from gsr.tasks.datasets import DATASETS, Dataset, RemoteFile, find

if TYPE_CHECKING:
    from gsr.tasks.datasets.checking import Finding, Group, Report
    from gsr.tasks.datasets.fetching import Fetched

INCOMPLETE = 1
NAMED_FILES = 5
"""More than these are only counted, except in JSON."""

data = typer.Typer(help="Check and download the data sets that papers measure on.")

NameArgument = Annotated[
    str, typer.Argument(help=f"One of {', '.join(DATASETS)}.", metavar="NAME", show_default=False)
]
QuietFlag = Annotated[bool, typer.Option("--quiet", "-q", help="Errors only on stderr.")]


@data.callback(invoke_without_command=True)
def _root(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        show(context.get_help())


# --- gsr data check --------------------------------------------------------------------------


@data.command("check")
def check_data(
    name: NameArgument,
    folder: Annotated[Path, typer.Argument(help="Where the set is.", metavar="DIR")],
    only: Annotated[
        str | None, typer.Option("--only", help="One part of DIV2K: train or valid.")
    ] = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Decode every picture, not only its header.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
    quiet: QuietFlag = False,
) -> None:
    """Check a data set for missing and unexpected files. Exit code 1 if it is incomplete."""
    from gsr.tasks.datasets.checking import check

    reporter = Reporter(quiet)
    try:
        with stoppable(), reporter.bar(folder.name) as advance:
            report = check(find(name), folder, only=only, deep=deep, told=advance)
    except KeyboardInterrupt as stopped:
        reporter.error("interrupted, the set was not read to its end.")
        raise typer.Exit(exit_code(stopped)) from None
    if as_json:
        show(json.dumps({**asdict(report), "complete": report.is_complete}, indent=2))
    else:
        for line in _lines(report):
            show(line)
    raise typer.Exit(0 if report.is_complete else INCOMPLETE)


def _lines(report: "Report") -> list[str]:
    verdict = "complete" if report.is_complete else "not complete or not as it should be"
    return [
        f"{report.name} in {report.folder}: {verdict}",
        *map(_group_line, report.groups),
        *map(_finding_line, report.findings),
    ]


def _group_line(group: "Group") -> str:
    scale = f" x{group.scale}" if group.scale else ""
    what = f"{group.part} {group.kind}{scale}".strip()
    sizes = ""
    if group.smallest and group.largest:
        ends = [f"{width} x {height}" for width, height in (group.smallest, group.largest)]
        sizes = f", {ends[0]}" if ends[0] == ends[1] else f", {ends[0]} to {ends[1]}"
    return f"  {what:<13}{group.pictures:>4} of {group.expected:<4} {group.folder}{sizes}"


def _finding_line(finding: "Finding") -> str:
    named = list(finding.files[:NAMED_FILES])
    if len(finding.files) > len(named):
        named.append(f"and {len(finding.files) - len(named)} more")
    files = f": {', '.join(named)}" if named else ""
    return f"  {finding.grade}: {finding.text}{files}"


# --- gsr data fetch --------------------------------------------------------------------------


@data.command("fetch")
def fetch_data(
    name: NameArgument,
    folder: Annotated[
        Path, typer.Argument(help="Where the set goes.", metavar="DIR", file_okay=False)
    ],
    only: Annotated[
        str | None,
        typer.Option("--only", help="Only the files with this in their names, such as valid_HR."),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep-archives", help="Keep the archives next to the pictures.")
    ] = False,
    quiet: QuietFlag = False,
) -> None:
    """Download a data set from its own page. The checksums of what arrived go to stdout.

    Run again, it resumes where it was cut, and does nothing if everything is there.
    """
    from gsr.tasks.datasets.fetching import check_space, choose

    dataset, reporter = find(name), Reporter(quiet)
    files = choose(dataset, only)
    if not files:
        reporter.error(f"{dataset.name} has no file to download: {dataset.asking}, {dataset.page}")
        raise typer.Exit(INCOMPLETE)
    try:
        with stoppable():
            check_space(files, folder, within=dataset.within, keep=keep)
            failed = [
                file for file in files if not _fetch_one(dataset, file, folder, keep, reporter)
            ]
    except GsrError as error:
        reporter.error(str(error))
        raise typer.Exit(INCOMPLETE) from None
    except KeyboardInterrupt as stopped:
        reporter.error("interrupted; what has arrived is kept, and the next run resumes after it.")
        raise typer.Exit(exit_code(stopped)) from None
    raise typer.Exit(INCOMPLETE if failed else 0)


def _fetch_one(
    dataset: Dataset, file: RemoteFile, folder: Path, keep: bool, reporter: Reporter
) -> bool:
    from gsr.tasks.datasets.fetching import fetch

    try:
        fetched = fetch(
            file,
            folder,
            within=dataset.within,
            keep=keep,
            steps=Steps(bar=reporter.bar, note=reporter.note),
        )
    except GsrError as error:
        reporter.error(str(error))
        return False
    _tell(fetched, folder, reporter)
    return True


def _tell(fetched: "Fetched", folder: Path, reporter: Reporter) -> None:
    file, arrived = fetched.file, fetched.arrived
    if arrived is None:
        reporter.summary(f"{file.name}: all of it is there already.")
        return
    show(f"{arrived.sha256}  {file.name}")
    if file.sha256 is None:
        reporter.note(f"no checksum of {file.name} is known, so it could not be compared.")
    for name in fetched.folders:
        reporter.line(f"{folder / name}: {file.folders[name]} pictures")
