"""`gsr export`: a picture's field as a page that opens anywhere, or in another format."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from gsr.base.errors import OutputError
from gsr.base.files import PAGE_SUFFIX
from gsr.cli import single
from gsr.cli.names import print_path
from gsr.cli.pipes import Source
from gsr.cli.progress import Reporter

if TYPE_CHECKING:
    from gsr.field import GaussianField


def export(
    image: Source,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help=f"{PAGE_SUFFIX}, .gsf or .svg file. Default: a page next to the input.",
            metavar="OUT",
        ),
    ] = None,
    model: single.Model = "lite",
    strength: single.Strength = 1.0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a page that exists already.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Errors only on stderr.")] = False,
) -> None:
    """Write one page that holds the field: zoom, ellipses, which Gaussians made a pixel.

    It opens from disk with the network off; the browser's graphics processor renders it.

    The suffix of OUT chooses another format: the field itself, or its ellipses as a drawing.
    """
    target = output or single.beside(image, PAGE_SUFFIX)
    suffix = _checked(target)
    single.check_target(target, image, overwrite=overwrite)
    reporter = Reporter(quiet)
    with single.interruptible(target, reporter):
        source = single.open_noted(image, reporter)
        field = single.encode(source, single.method_for(source, model, strength=strength), reporter)
        from gsr.tasks.exports import EXPORTS

        EXPORTS[suffix].write(cast("GaussianField", field), target)
    height, width = source.lr_size
    reporter.line(f"{image}: {width} x {height} Gaussians, {target.stat().st_size / 1e6:.1f} MB")
    print_path(target)


def _checked(target: Path) -> str:
    """The suffix of a file that can be written."""
    from gsr.tasks.exports import EXPORTS

    first, *others = EXPORTS
    suffix = target.suffix.lower()
    if suffix not in EXPORTS:
        raise OutputError(
            f"{target} must end in {first}, as pages do; other formats are {' and '.join(others)}."
        )
    return suffix
