"""`gsr sweep`: a zoom into a picture as a video."""

from pathlib import Path
from typing import Annotated

import typer

from gsr.base.output_size import parse_size
from gsr.cli.looking import point
from gsr.cli.names import print_path
from gsr.cli.pipes import Source
from gsr.cli.progress import Reporter
from gsr.cli.single import (
    Best,
    Model,
    Strength,
    White,
    beside,
    check_target,
    encode,
    interruptible,
    method_for,
    open_noted,
)
from gsr.cli.sizes import number


def sweep(
    image: Source,
    start: Annotated[
        float,
        typer.Option("--from", help="Scale of the first frame.", parser=number, metavar="FACTOR"),
    ] = 1.0,
    stop: Annotated[
        float,
        typer.Option("--to", help="Scale of the last frame.", parser=number, metavar="FACTOR"),
    ] = 16.0,
    at: Annotated[
        str | None,
        typer.Option(
            "--at", help="Point in pixels of the picture. Default: its middle.", metavar="X,Y"
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help=".webp, .gif or .mp4 file. Default: IN-sweep.webp next to the input.",
            metavar="OUT",
        ),
    ] = None,
    seconds: Annotated[
        float, typer.Option(help="Duration.", parser=number, metavar="SECONDS")
    ] = 4.0,
    fps: Annotated[
        float, typer.Option(help="Frames per second.", parser=number, metavar="RATE")
    ] = 24.0,
    size: Annotated[
        str | None,
        typer.Option(help="Size of the video. Default: near the picture's.", metavar="WxH"),
    ] = None,
    caption: Annotated[
        bool, typer.Option("--caption", help="Write the scale into a corner of the video.")
    ] = False,
    model: Model = "lite",
    strength: Strength = 1.0,
    best: Best = False,
    white: White = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a video that exists already.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Errors only on stderr.")] = False,
) -> None:
    """Zoom into a picture, as a video. Its path is printed on stdout."""
    where = point(at) if at is not None else None
    width, height = parse_size(size) if size is not None else (None, None)
    target = output or beside(image, "-sweep.webp")
    check_target(target, image, overwrite=overwrite)
    from gsr.tasks.sweep import Sweep, check_sweep, save_sweep

    wanted = Sweep(start, stop, where, (height, width) if height and width else None, seconds, fps)
    reporter = Reporter(quiet)
    with interruptible(target, reporter):
        source = open_noted(image, reporter, white)
        check_sweep(target, wanted, source.lr_size)
        method = method_for(source, model, best=best, strength=strength)
        encoded = encode(source, method, reporter)
        with reporter.bar(target.name) as advance:
            notes = save_sweep(
                encoded,
                target,
                wanted,
                info=source.info,
                caption=caption,
                progress=lambda done, total: advance(done / total),
            )
    for note in notes:
        if note not in source.info.notes:  # reported when it was opened
            reporter.note(f"{target}: {note}")
    reporter.line(f"{image}: {wanted.num_frames} frames")
    print_path(target)
