"""Standard streams that may be missing, full or closed on the other side."""

import os
import sys
from typing import TextIO

import typer

from gsr.base.errors import OutputError, reason


def fill_missing() -> None:
    """Put the null device where a service, `pythonw` or a shell's `>&-` left no stream.

    Otherwise the next file to be opened would get the number of the missing one, and with it
    whatever a library in C prints.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode, encoding="utf-8")  # noqa: SIM115 - as long as we live
            setattr(sys, name, stream)


def show(line: str | bytes, *, end: bool = True) -> None:
    """Write a result on stdout, a line unless it brings its own end.

    Raises:
        OutputError: stdout takes nothing more, as a file on a full disk does.
        BrokenPipeError: its reader has left.
    """
    try:
        typer.echo(line, nl=end)
    except BrokenPipeError:
        raise
    except OSError as error:
        silence(sys.stdout)
        said = reason(error).lower()
        raise OutputError(f"standard output cannot be written: {said}.") from error


def say(line: str) -> None:
    """A line on stderr. Where it cannot be written, the work is worth more than the words."""
    try:
        typer.echo(line, err=True)
    except OSError:
        silence(sys.stderr)


def silence(stream: TextIO) -> None:
    """Let a stream that failed take anything, so that Python does not complain of it at exit."""
    try:
        number = stream.fileno()
    except OSError:
        return  # of no file
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, number)
    os.close(nothing)
