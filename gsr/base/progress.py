"""Progress reporting, independent of how it is displayed."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

Advance = Callable[[float], None]
"""Takes the finished part of a step, in [0, 1]; an exception it raises cancels."""


@dataclass(frozen=True)
class Steps:
    """How a caller hears of the work.

    Attributes:
        bar: Makes a bar for a step of a title.
        note: Takes a sentence.
    """

    bar: Callable[[str], AbstractContextManager[Advance]]
    note: Callable[[str], None]


SILENT = Steps(bar=lambda title: nullcontext(lambda part: None), note=lambda sentence: None)
