"""The command line: `gsr upscale`, `inspect`, `info`, `encode`, `export`, `page`, `sweep`, `app`,
`data`, `train` and `eval`.

Results go to stdout, everything else to stderr. A mistake of the caller is one sentence and exit
code 2; any other exception is a bug and keeps its traceback.
"""

import codecs
import errno
import io
import os
import sys
from typing import Annotated

import typer

from gsr.base.errors import ConfigError, GsrError, reason
from gsr.cli.data import data
from gsr.cli.encoding import encode
from gsr.cli.evaluating import evaluate
from gsr.cli.exporting import export
from gsr.cli.looking import info, inspect
from gsr.cli.names import printable
from gsr.cli.paging import page
from gsr.cli.stopping import INTERRUPTED, leave, stoppable
from gsr.cli.streams import fill_missing, say, show, silence
from gsr.cli.studio import studio
from gsr.cli.sweeping import sweep
from gsr.cli.training import PASSED_ON, train
from gsr.cli.upscaling import upscale

USAGE_ERROR = 2
FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG)
"""What a file system says of a name that a caller gave."""
UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
"""What a device says that takes nothing more."""
FILLED = "give a name or a value there (this folder is called .)"

app = typer.Typer(
    name="gsr",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("upscale")(upscale)
app.command("encode")(encode)
app.command("export")(export)
app.command("page")(page)
app.command("sweep")(sweep)
app.command("inspect")(inspect)
app.command("info")(info)
app.command("app")(studio)
app.command("train", context_settings=PASSED_ON)(train)
app.command("eval")(evaluate)
app.add_typer(data, name="data")


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """An image as a field of 2D Gaussians: encode once, render at any scale, look inside."""
    if version:
        from gsr import __version__

        show(f"gsr {__version__}")
    elif context.invoked_subcommand is None:
        show(context.get_help())


def run(arguments: list[str] | None = None, application: typer.Typer | None = None) -> int:
    """Run one command line, of `gsr` or of another application, and return its exit code."""
    fill_missing()
    _print_any_name()
    try:
        _check_empty(sys.argv[1:] if arguments is None else arguments)
        with stoppable() as signals:
            code = (application or app)(arguments, prog_name="gsr", standalone_mode=False)
    except typer.TyperException as error:
        return _refuse(error.format_message())
    except GsrError as error:
        return _refuse(str(error))
    except BrokenPipeError:
        silence(sys.stdout)  # its reader has left (`gsr info | head -1`)
        return 1
    except OSError as error:
        if error.filename is None and error.errno in UNWRITABLE:
            silence(sys.stdout)  # a page of help; files that are written have names
            return _refuse(f"standard output cannot be written: {reason(error).lower()}")
        # Anything may be in a folder that may not be entered: every look at it ends here.
        if error.errno not in FORBIDDEN or error.filename is None:
            raise
        return _refuse(f"{error.filename} cannot be used: {reason(error).lower()}")
    if code == INTERRUPTED and signals:
        return 128 + signals[-1]
    return code if isinstance(code, int) else 0


def _print_any_name() -> None:
    """Let stdout take file names that are not Unicode, byte for byte; stderr has its own way."""
    codecs.register_error("gsr-names", _in_bytes)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="gsr-names")


def _in_bytes(error: UnicodeError) -> tuple[bytes, int]:
    assert isinstance(error, UnicodeEncodeError)  # nothing is read from stdout
    return os.fsencode(error.object[error.start : error.end]), error.end


def _check_empty(arguments: list[str]) -> None:
    """Refuse what an unset variable of the shell leaves: as a path, it would be this folder.

    Values of a recipe (`--model.init=`) may be empty.
    """
    for before, argument in zip(["gsr", *arguments], arguments, strict=False):
        if not argument:
            raise ConfigError(f"the argument after {before} is empty; {FILLED}.")
        if argument.startswith("--") and argument.endswith("=") and "." not in argument:
            raise ConfigError(f"there is nothing after {argument}; {FILLED}.")


def _refuse(message: str) -> int:
    sentence = printable(" ".join(message.split()))
    end = "" if sentence.endswith((".", "?", "!")) else "."
    say(f"error: {sentence}{end}")
    return USAGE_ERROR


def main() -> None:
    """Entry point of the `gsr` command."""
    leave(run())
