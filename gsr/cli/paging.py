"""`gsr page`: one page that encodes pictures by itself, without a server."""

import os
from pathlib import Path
from typing import Annotated

import typer

from gsr.base.errors import OutputError
from gsr.base.files import PAGE_SUFFIX, is_page_file, prepare_folder
from gsr.base.optional import part
from gsr.cli import single
from gsr.cli.names import print_path
from gsr.cli.progress import Reporter


def page(
    output: Annotated[
        Path, typer.Option("--output", "-o", help=f"{PAGE_SUFFIX} file.", metavar="OUT")
    ] = Path("gsr.html"),
    model: single.Model = "lite",
    strength: single.Strength = 1.0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a page that exists already.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Errors only on stderr.")] = False,
) -> None:
    """Write one page that encodes pictures: drop one on it, nothing is sent or installed.

    It opens from disk with the network off. A graphics processor makes it fast; without one it
    takes seconds for a small picture.
    """
    if not is_page_file(output):
        raise OutputError(f"{output} must end in {PAGE_SUFFIX}, as pages do.")
    if os.path.exists(output) and not overwrite:
        raise OutputError(f"{output} exists already; add --overwrite to replace it.")
    prepare_folder(output.parent, create=False)
    reporter = Reporter(quiet)
    with single.interruptible(output, reporter):
        from gsr.methods.weights import load

        loaded = load(model, strength=strength)
        part("gsr_apps.page").write_encoder_page(loaded, output)
    reporter.line(f"the model {loaded.name}, {output.stat().st_size / 1e6:.1f} MB")
    print_path(output)
