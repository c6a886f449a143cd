"""`gsr encode`: the field of a picture as a file, for rendering later without the network."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from gsr.base.errors import ImageError, OutputError
from gsr.base.files import FIELD_SUFFIX, is_field_file
from gsr.cli import single
from gsr.cli.names import print_path
from gsr.cli.pipes import Source
from gsr.cli.progress import Reporter

if TYPE_CHECKING:
    from gsr.field import GaussianField


def encode(
    image: Source,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help=f"{FIELD_SUFFIX} file. Default: next to the input.",
            metavar="OUT",
        ),
    ] = None,
    model: single.Model = "lite",
    strength: single.Strength = 1.0,
    best: single.Best = False,
    white: single.White = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a field that exists already.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Errors only on stderr.")] = False,
) -> None:
    """Write the field of a picture. `gsr upscale`, `inspect` and `sweep` take it as input."""
    target = output or single.beside(image, FIELD_SUFFIX)
    if is_field_file(image):
        raise ImageError(f"{image} is a field already, and a picture is needed.")
    if not is_field_file(target):
        raise OutputError(f"{target} must end in {FIELD_SUFFIX}, as fields do.")
    single.check_target(target, image, overwrite=overwrite)
    reporter = Reporter(quiet)
    with single.interruptible(target, reporter):
        source = single.open_noted(image, reporter, white)
        field = single.encode(
            source, single.method_for(source, model, best=best, strength=strength), reporter
        )
        cast("GaussianField", field).save(target)
    height, width = source.lr_size
    reporter.line(f"{image}: {width} x {height} Gaussians, {target.stat().st_size / 1e6:.1f} MB")
    print_path(target)
