"""What a run says about itself, on stderr: a bar on a terminal, a line per file elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gsr.base.progress import Advance
from gsr.cli.names import printable
from gsr.cli.streams import say

if TYPE_CHECKING:
    from rich.progress import Progress


@dataclass(frozen=True)
class Reporter:
    """Talks on stderr.

    Attributes:
        quiet: Say nothing but errors.
        hidden: What is left out of everything that is said: a folder of ours, say.
    """

    quiet: bool = False
    hidden: str = ""

    def shown(self, text: str) -> str:
        """What is said of a text."""
        return printable(text.replace(self.hidden, "") if self.hidden else text)

    def note(self, text: str) -> None:
        """Something worth knowing that is not an error."""
        if not self.quiet:
            say(self.shown(f"note: {text}"))

    def line(self, text: str) -> None:
        """One finished step; on a terminal the bar has shown it already."""
        if not self.quiet and not sys.stderr.isatty():
            say(self.shown(text))

    def summary(self, text: str) -> None:
        """How it ended, terminal or not."""
        if not self.quiet:
            say(self.shown(text))

    def error(self, text: str) -> None:
        """Something failed and the run continues."""
        say(self.shown(f"error: {text}"))

    @contextmanager
    def bar(self, text: str) -> Iterator[Advance]:
        """A bar that is gone when the work is done; nothing where it could not be seen."""
        if self.quiet or not sys.stderr.isatty():
            yield lambda part: None
            return
        with _bar() as bar:
            task = bar.add_task(self.shown(text), total=1.0)
            yield lambda part: bar.update(task, completed=part)


def _bar() -> "Progress":
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        # Redirected, results would be printed on stderr.
        redirect_stdout=False,
        redirect_stderr=False,
    )
