"""Pictures that come through standard input and go to standard output."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from gsr.base.errors import ConfigError, OutputError, reason
from gsr.base.files import STDIN
from gsr.cli.streams import silence

STDOUT = "-"
"""As an output: standard output."""


def source(text: str) -> Path:
    """An input of the command line: `-` is standard input, and `./-` a file of that name."""
    path = Path(text)
    return Path.cwd() / path if path == STDIN and text != "-" else path


Source = Annotated[
    Path,
    typer.Argument(
        help="Picture, or field file; - is standard input.", metavar="IN", parser=source
    ),
]


def is_stdout(output: str | os.PathLike[str] | None) -> bool:
    """Whether a result goes to standard output."""
    return output is not None and os.fspath(output) in (STDOUT, "/dev/stdout")


def check_terminals(*, reads: bool, writes: bool) -> None:
    """Refuse to wait for a picture from a keyboard, or to print one on a screen.

    Raises:
        ConfigError: that is what would happen.
    """
    if reads and sys.stdin.isatty():
        raise ConfigError("standard input is a terminal; pipe a picture into it.")
    if writes and sys.stdout.isatty():
        raise ConfigError("standard output is a terminal; pipe it on, or name a file for it.")


@contextmanager
def to_stdout(suffix: str) -> Iterator[Path]:
    """A file of a format, whose bytes go to standard output once it is whole.

    Formats are written with seeking, which no pipe can do.
    """
    with tempfile.TemporaryDirectory(prefix="gsr-") as folder:
        path = Path(folder, f"stdout{suffix}")
        yield path
        if path.exists():
            _send(path)


def _send(path: Path) -> None:
    try:
        with path.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer, 2**20)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        silence(sys.stdout)
        said = reason(error).lower()
        raise OutputError(f"standard output cannot be written: {said}.") from error
