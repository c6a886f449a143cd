"""`gsr upscale`: one code path for one picture and for a thousand."""

import json
import os
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Literal

import typer

from gsr.base.compression import Compression, Subsampling
from gsr.base.errors import ConfigError, GsrError, OutputError
from gsr.base.files import STDIN, is_folder, is_newer
from gsr.base.metadata_kinds import KINDS, kinds
from gsr.base.naming import USUAL, Names
from gsr.base.output_size import Fit
from gsr.base.planning import Plan, plan
from gsr.base.progress import Steps
from gsr.cli.names import print_path
from gsr.cli.pipes import check_terminals, is_stdout, source, to_stdout
from gsr.cli.progress import Reporter
from gsr.cli.single import Best, Model, Strength, White, decoders, method_called
from gsr.cli.sizes import number, wanted_size
from gsr.cli.stopping import exit_code, stoppable
from gsr.cli.streams import show
from gsr.tasks.batch import Batch, Outcome, Status

Format = Literal["png", "webp", "jpg", "tiff"]

_DEPTHS: dict[str, Literal[8, 16, 32]] = {"8": 8, "16": 16, "float": 32}
SOME_FAILED = 1
MAX_SIDE = 2**30


def upscale(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            help="Pictures, folders of them, or field files; - is standard input.",
            metavar="IN",
            parser=source,
        ),
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
        str | None,
        typer.Option("--size", help="Pixels; proportions are kept, see --fit.", metavar="WxH"),
    ] = None,
    fit: Annotated[
        Fit | None,
        typer.Option(
            help="How other proportions fit --size: inside it (default), by a crop of the middle, "
            "with a margin (pad), or distorted (stretch)."
        ),
    ] = None,
    background: Annotated[
        str | None,
        typer.Option(
            help="Colour of the margin of --fit pad: a name or #rrggbb. Default: transparent where "
            "the picture is, else black.",
            metavar="COLOR",
        ),
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
            help="File for one picture, folder for several; a slash at the end says folder, and - "
            "is standard output. Default: next to the input.",
            metavar="OUT",
        ),
    ] = None,
    model: Model = "lite",
    strength: Strength = 1.0,
    best: Best = False,
    name: Annotated[
        str,
        typer.Option(
            help="Names of results in a folder, of {stem}, {type}, {folder} of the picture, "
            "{label} or {scale} and {suffix} of the result.",
            metavar="TEXT",
        ),
    ] = USUAL,
    file_format: Annotated[
        Format | None,
        typer.Option("--format", "-f", help="Format where OUT does not name a file. Default: png."),
    ] = None,
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Also the folders inside folders.")
    ] = False,
    white: White = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace results that exist already.")
    ] = False,
    newer: Annotated[
        bool, typer.Option("--newer", help="Replace results that are older than their picture.")
    ] = False,
    quality: Annotated[
        int | None,
        typer.Option(
            help="Of JPEG, 95 if not given; or of a WebP that is not lossless.", min=1, max=100
        ),
    ] = None,
    subsampling: Annotated[
        Subsampling | None,
        typer.Option(help="Resolution of colour in a JPEG. Default: 4:4:4, all of it."),
    ] = None,
    lossless: Annotated[
        bool, typer.Option("--lossless", help="Refuse formats that lose something.")
    ] = False,
    strip: Annotated[
        bool, typer.Option("--strip", help="Write no metadata: no EXIF, ICC profile, comment.")
    ] = False,
    keep: Annotated[
        str | None,
        typer.Option(
            "--keep",
            help=f"Write these kinds of metadata only, of {','.join(KINDS)}. Default: all.",
            metavar="LIST",
        ),
    ] = None,
    depth: Annotated[
        Literal["8", "16", "float"] | None,
        typer.Option(
            "--depth",
            help="Bits per channel: 16 for PNG and TIFF, float for TIFF. Default: the picture's.",
        ),
    ] = None,
    dither: Annotated[
        bool, typer.Option("--dither", help="Noise of half a level, where 8 bits show steps.")
    ] = False,
    preserve_times: Annotated[
        bool, typer.Option("--preserve-times", help="Give results the times of their pictures.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object per picture on stdout.")
    ] = False,
    null: Annotated[
        bool, typer.Option("--null", "-0", help="End each path on stdout with a zero byte.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Errors only on stderr.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Name every file of a folder not taken.")
    ] = False,
) -> None:
    """Render pictures at any scale. The paths of the results are printed on stdout.

    One path a line, as $'...' of bash where it holds control characters.
    """
    wanted = wanted_size(scale, size, width, height, longest, fit)
    if background is not None:
        _check_background(background, fit)
    if newer and overwrite:
        raise ConfigError("--overwrite replaces every result, and --newer some; choose one.")
    compression = Compression(quality, subsampling, lossless)
    names = Names(wanted.label, f".{file_format or 'png'}", name)
    piped = is_stdout(output)
    check_terminals(reads=STDIN in inputs, writes=piped)
    with ExitStack() as stack:
        if piped:
            _check_pipe(inputs, as_json=as_json)
            output = str(stack.enter_context(to_stdout(names.suffix)))
        elif output is None and STDIN in inputs:
            raise ConfigError("a picture from standard input needs --output for its result.")
        target = Path(output) if output is not None else None
        todo = plan(
            inputs,
            target,
            names=names,
            into=bool(output) and str(output).endswith(("/", os.sep)),
            recursive=recursive,
        )
        _check_names(todo, target, name, file_format)
        reporter = Reporter(quiet, hidden=f"{target.parent}{os.sep}" if piped and target else "")
        _tell_left_out(todo, reporter, verbose=verbose)
        pool = stack.enter_context(decoders())
        batch = Batch(
            todo,
            wanted,
            method=lambda: method_called(model, best=best, strength=strength),
            advise=True,
            overwrite=overwrite,
            newer=newer,
            background=background,
            strip=strip,
            keep=None if keep is None else kinds(keep),
            depth=None if depth is None else _DEPTHS[depth],
            compression=compression,
            dither=dither,
            preserve_times=preserve_times,
            white=white,
            pool=pool,
            steps=Steps(bar=reporter.bar, note=reporter.note),
        )
        code = _run(batch, reporter, as_json=as_json, null=null, piped=piped)
    raise typer.Exit(code)


def _check_pipe(inputs: list[Path], *, as_json: bool) -> None:
    if len(inputs) != 1 or is_folder(inputs[0]):
        raise ConfigError("standard output takes the result of one picture; name a folder.")
    if as_json:
        raise ConfigError("standard output takes the picture, and no --json beside it.")


def _tell_left_out(todo: Plan, reporter: Reporter, *, verbose: bool) -> None:
    if todo.others:
        listed = ", ".join(map(str, todo.others)) if verbose else f"such as {todo.others[0]}"
        more = "" if verbose or len(todo.others) == 1 else "; -v names them"
        reporter.note(
            f"files that are not pictures gsr can read here: {len(todo.others)}, {listed}{more}."
        )
    if todo.left_out:
        count = len(todo.left_out)
        reporter.note(
            f"left out as results of an earlier run: {count}, such as {todo.left_out[0]}."
        )
    if todo.linked:
        count = len(todo.linked)
        reporter.note(
            f"links to folders that are taken already: {count}, such as {todo.linked[0]}."
        )


def _check_background(color: str, fit: Fit | None) -> None:
    from gsr.images.margin import check_color

    if fit != "pad":
        raise ConfigError("--background is the colour of a margin, which --fit pad makes.")
    check_color(color)


def _check_names(todo: Plan, target: Path | None, name: str, file_format: Format | None) -> None:
    """Refuse options that name a result in two ways."""
    named = target is not None and bool(todo.jobs) and target == todo.jobs[0].output
    if named and name != USUAL:
        raise ConfigError(f"--name is for results in a folder, and {target} is a file.")
    alike = {"jpg": (".jpg", ".jpeg"), "tiff": (".tif", ".tiff")}
    if file_format and named and target is not None:
        accepted = alike.get(file_format, (f".{file_format}",))
        if target.suffix.lower() not in accepted:
            raise ConfigError(f"--format {file_format} does not fit the name {target}.")


def _run(batch: Batch, reporter: Reporter, *, as_json: bool, null: bool, piped: bool) -> int:
    """Do all jobs and return the exit code."""
    many, total = batch.todo.many, len(batch.todo.jobs)
    counts: Counter[Status] = Counter()
    try:
        with stoppable():
            for outcome in batch.run():
                counts[outcome.status] += 1
                _conclude(outcome, reporter, many=many)
                _print(outcome, as_json=as_json, null=null, piped=piped)
    except KeyboardInterrupt as stopped:
        reporter.error(f"interrupted, {counts['written']} of {total} pictures were written.")
        return exit_code(stopped)
    if many:
        told = ", ".join(f"{counts[s]} {s}" for s in ("written", "skipped", "failed"))
        reporter.summary(f"{told}.")
    return SOME_FAILED if counts["failed"] else 0


def _conclude(outcome: Outcome, reporter: Reporter, *, many: bool) -> None:
    """Report what became of one job.

    Raises:
        GsrError: it was the only one and could not be done.
    """
    if outcome.status == "skipped":
        if not many:
            raise OutputError(f"{outcome.output} exists already; add --overwrite to replace it.")
        if is_newer(Path(outcome.input), Path(outcome.output)):
            why = "is older than its picture and was skipped; see --newer"
        else:
            why = "exists already and was skipped; see --overwrite"
        reporter.note(f"{outcome.output} {why}.")
    if outcome.error is not None:
        if not many:
            raise GsrError(reporter.shown(outcome.error))
        reporter.error(outcome.error)
    if outcome.status == "written":
        size = f"{outcome.width} x {outcome.height} pixels"
        reporter.line(f"{outcome.input}: {size} in {outcome.seconds:.1f} s")


def _print(outcome: Outcome, *, as_json: bool, null: bool, piped: bool) -> None:
    """What goes to stdout, unless the picture itself does."""
    if as_json:
        show(json.dumps(vars(outcome)))
    elif outcome.status == "written" and not piped:
        print_path(outcome.output, null=null)
