"""Many pictures at once, by the code of `gsr upscale`, into one archive with a report.

Nothing here knows the page; `batch_tab` shows it.
"""

import csv
import io
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast, get_args

from gsr.base.coords import parse_scale
from gsr.base.errors import ConfigError
from gsr.base.naming import Names
from gsr.base.output_size import Kind, OutputSize, parse_size
from gsr.base.planning import plan
from gsr.base.progress import Advance, Steps
from gsr.decoding.pool import Pool
from gsr.field.protocol import Method
from gsr.tasks.batch import Batch, Outcome

from .export import MAX_EXPORT_PIXELS
from .jobs import Cancelled

Format = Literal["png", "webp", "jpg", "tiff"]
MAX_FILES = 500
REPORT = "report.csv"
HEADERS = ("picture", "status", "result", "size", "seconds", "remarks")

Watch = Callable[[float, str], None]
"""Takes the finished part of all work, in [0, 1], and what is being done; it may raise."""


@dataclass(frozen=True)
class Options:
    """The options of `gsr upscale`.

    Attributes:
        wanted: How large.
        format: Of the results.
        strip: Write no metadata.
    """

    wanted: OutputSize
    format: Format = "png"
    strip: bool = False

    @classmethod
    def typed(
        cls, kind: str, value: str, file_format: str = "png", strip: bool = False
    ) -> "Options":
        """From a form: `kind` says what `value` is.

        Raises:
            GsrError: it is not what it should be.
        """
        if file_format not in get_args(Format):
            raise ConfigError(f"format must be one of {', '.join(get_args(Format))}.")
        return cls(_wanted(kind, value.strip()), cast(Format, file_format), strip)


def _wanted(kind: str, value: str) -> OutputSize:
    if kind not in get_args(Kind):
        raise ConfigError(f"the size must be one of {', '.join(get_args(Kind))}, got {kind!r}.")
    if kind == "size":
        return OutputSize("size", parse_size(value))
    try:
        number = float(value.replace(",", ".")) if kind == "scale" else int(value)
    except ValueError:
        example = "a number such as 3.7" if kind == "scale" else "a whole number of pixels"
        raise ConfigError(f"{kind} must be {example}, got {value!r}.") from None
    if kind == "scale":
        parse_scale(number)
    elif not 1 <= number <= 2**30:
        raise ConfigError(f"{kind} must be at least 1 pixel, got {number}.")
    return OutputSize(cast(Kind, kind), number)


@dataclass
class Report:
    """What has become of the pictures so far, one row each.

    Attributes:
        rows: Values under `HEADERS`.
        archive: The results and the report, once the run has ended.
        summary: One sentence.
    """

    rows: list[list[str]] = field(default_factory=list)
    archive: Path | None = None
    summary: str = ""


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="gsr-batch-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(
    files: list[Path],
    options: Options,
    method: Method,
    folder: Path,
    watch: Watch,
    pool: Pool | None = None,
) -> Iterator[Report]:
    """Upscale files one by one; yields after each, and at the end with the archive.

    Args:
        files: Pictures and field files, of any names.
        options: What to make of them.
        method: What encodes.
        folder: Where to work, see `workplace`.
        watch: Hears of the progress. If it raises `Cancelled`, the archive holds what was done.
        pool: Decodes the pictures, see `gsr.images.load`.

    Raises:
        GsrError: nothing could be started.
    """
    if not files:
        raise ConfigError("choose the pictures first.")
    if len(files) > MAX_FILES:
        raise ConfigError(f"at most {MAX_FILES} files at once, got {len(files)}.")
    sources = _gathered(files, folder / "in")
    report = Report([[path.name, "waiting", "", "", "", ""] for path in sources])
    yield report
    archive = folder / f"gsr-{options.wanted.label}.zip"
    with zipfile.ZipFile(archive, "w") as results:  # pictures are compressed already
        try:
            for outcome in _outcomes(sources, options, method, folder, watch, pool):
                _enter(report, sources, outcome, results, folder)
                yield report
        except Cancelled:
            report.summary = "Stopped. "
            for row in report.rows:
                row[1] = "stopped" if row[1] == "waiting" else row[1]
        results.writestr(REPORT, _as_csv(report.rows), zipfile.ZIP_DEFLATED)
    done = sum(row[1] == "written" for row in report.rows)
    report.summary += f"{done} of {len(sources)} pictures were made."
    report.archive = archive
    yield report


def _gathered(files: list[Path], folder: Path) -> list[Path]:
    """Copies under distinct names: two uploads may have the same."""
    folder.mkdir()
    taken: set[str] = set()
    sources = []
    for path in files:
        name, number = path.name, 1
        while name.lower() in taken:
            number += 1
            name = f"{path.stem} ({number}){path.suffix}"
        taken.add(name.lower())
        sources.append(Path(shutil.copyfile(path, folder / name)))
    return sources


def _outcomes(
    sources: list[Path],
    options: Options,
    method: Method,
    folder: Path,
    watch: Watch,
    pool: Pool | None,
) -> Iterator[Outcome]:
    todo = plan(
        sources,
        folder / "out",
        names=Names(options.wanted.label, f".{options.format}"),
        into=True,
    )
    done = 0

    @contextmanager
    def bar(title: str) -> Iterator[Advance]:
        yield lambda part: watch((done + part) / len(sources), title)

    batch = Batch(
        todo,
        options.wanted,
        method=lambda: method,
        strip=options.strip,
        pool=pool,
        most_pixels=MAX_EXPORT_PIXELS,
        steps=Steps(bar=bar, note=lambda sentence: None),
    )
    for outcome in batch.run():
        done += 1
        yield outcome


def _enter(
    report: Report,
    sources: list[Path],
    outcome: Outcome,
    results: zipfile.ZipFile,
    folder: Path,
) -> None:
    """Note what became of a picture, and move its result into the archive."""
    number = sources.index(Path(outcome.input))
    output = Path(outcome.output)
    if outcome.status == "written":
        results.write(output, output.name)
        output.unlink()
    said = [outcome.error] if outcome.error else outcome.notes
    remarks = " ".join(said).replace(f"{folder / 'in'}/", "").replace(f"{folder / 'out'}/", "")
    made = outcome.status == "written"
    report.rows[number] = [
        sources[number].name,
        outcome.status,
        output.name if made else "",
        f"{outcome.width} x {outcome.height}" if made else "",
        f"{outcome.seconds:.1f}" if made else "",
        remarks,
    ]


def _as_csv(rows: list[list[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADERS)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return text.getvalue()


def _harmless(cell: str) -> str:
    """A name that a spreadsheet would take for a formula, as text."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@")) else cell
