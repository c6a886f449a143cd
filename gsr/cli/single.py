"""What the commands share that make one file of one picture: `gsr encode` and `gsr sweep`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gsr.base.atomic import check_replaceable
from gsr.base.errors import ConfigError, ImageError, OutputError
from gsr.base.files import STDIN, check_not_an_input, identities, prepare_folder, result_stem
from gsr.base.naming import check_length
from gsr.cli.progress import Reporter
from gsr.cli.sizes import number
from gsr.cli.stopping import exit_code, stoppable

if TYPE_CHECKING:
    from gsr.decoding.pool import Pool
    from gsr.field.protocol import ContinuousImage, Method
    from gsr.tasks.source import Opened

Model = Annotated[str, typer.Option("--model", "-m", help="Name of bundled weights, or a file.")]
Strength = Annotated[
    float,
    typer.Option(
        help="How much of these weights, from 0 to 1; the rest is of lite.",
        parser=number,
        metavar="PART",
    ),
]
Best = Annotated[
    bool, typer.Option("--best", help="Average eight turned encodings: better, 8 times slower.")
]
White = Annotated[
    float | None,
    typer.Option(
        "--white",
        help="Value that is white, of pictures of numbers (float, 32 bit). Default: as they say.",
        parser=number,
        metavar="VALUE",
    ),
]


def beside(source: Path, ending: str) -> Path:
    """Where a result goes by default: `photo.png` to `photo` + `ending`, in the same folder.

    Raises:
        ImageError: `source` is a folder; not all of them have a name to start from.
        ConfigError: it is standard input.
    """
    if source == STDIN:
        raise ConfigError("what is made of a picture from standard input needs a name; see -o.")
    if os.path.isdir(source):
        raise ImageError(f"{source} is a folder, and a picture file is needed.")
    return source.with_name(result_stem(source) + ending)


def check_target(output: Path, source: Path, *, overwrite: bool) -> None:
    """Whether a result may be written, before any work on it.

    Raises:
        OutputError: it is the source, exists already or is read-only, its name is too long, or its
            folder cannot be written to.
    """
    check_not_an_input(output, identities([source]))
    if os.path.exists(output) and not overwrite:
        raise OutputError(f"{output} exists already; add --overwrite to replace it.")
    check_replaceable(output)
    check_length(output)
    prepare_folder(output.parent, create=False)


@contextmanager
def decoders() -> Iterator["Pool"]:
    """A process to decode pictures in, which comes up while PyTorch is imported here."""
    from gsr.decoding.pool import Pool

    with Pool() as pool:
        pool.warm()
        yield pool


def open_noted(path: Path, reporter: Reporter, white: float | None = None) -> "Opened":
    """A picture or a field file, and a note of what was changed in it."""
    with decoders() as pool:
        from gsr.tasks.source import open_source

        source = open_source(path, white=white, pool=pool)
    for note in (*source.info.notes, *(f"The field is {c}." for c in source.changes)):
        reporter.note(f"{path}: {note}")
    return source


def method_for(
    source: "Opened", model: str, *, best: bool = False, strength: float = 1.0
) -> "Method | None":
    """The model, where there is something to encode.

    Raises:
        ConfigError: the best of it is wanted, and there is nothing to encode.
    """
    if not source.is_field:
        return method_called(model, best=best, strength=strength)
    if best:
        raise ConfigError("--best is a way of encoding, and a field is encoded already.")
    return None


def method_called(model: str, *, best: bool, strength: float) -> "Method":
    """The model of a name, or the best it can do; see `Best` and `gsr.load`."""
    from gsr.methods.registry import Best as Turned
    from gsr.methods.weights import load

    loaded = load(model, strength=strength)
    return Turned.of(loaded) if best else loaded


def encode(source: "Opened", method: "Method | None", reporter: Reporter) -> "ContinuousImage":
    """The continuous image, with a bar while the network runs; better weights are named before."""
    if advice := source.advice(method):
        reporter.note(advice)
    with reporter.bar(source.info.name) as advance:
        return source.encode(method, lambda done, total: advance(done / total))


@contextmanager
def interruptible(output: Path, reporter: Reporter) -> Iterator[None]:
    """Ctrl-C is a sentence and an exit code; files are whole or not there anyway."""
    try:
        with stoppable():
            yield
    except KeyboardInterrupt as stopped:
        reporter.error(f"interrupted, {output} was not written.")
        raise typer.Exit(exit_code(stopped)) from None
