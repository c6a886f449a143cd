"""What can be asked about a field, in one table that every host carries without knowing it.

A question has the name that a page asks with, a dataclass of what it is asked with, and a function
of the field and that. Its answer is plain values for JSON, or bytes. To add one, add it here: the
server has a route for it, a notebook takes its message, and a page calls `ask(name, args)`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from gsr import GaussianField, GsrError, View
from gsr.base.errors import shown
from gsr.base.limits import whole_pixels
from gsr.base.reading import Checked, read_values
from gsr.field.mosaic import Mosaic

from . import payloads

Word = Annotated[str, Field(max_length=512)]


@dataclass(frozen=True)
class Region(Checked):
    """A rectangle where only the place counts, LR pixels."""

    x: float
    y: float
    width: float
    height: float

    def view(self) -> View:
        """The rectangle as a view, which cannot do without a size; it says what is no rectangle."""
        rows, columns = (
            whole_pixels(side) if 0 < side < 1e6 else 1 for side in (self.height, self.width)
        )
        return View(self.x, self.y, self.width, self.height, (rows, columns))


@dataclass(frozen=True)
class Plain(Checked):
    """A question that says all by its name."""


@dataclass(frozen=True)
class Inside(Checked):
    """Of a region."""

    view: Region


@dataclass(frozen=True)
class Some(Checked):
    """Of a region, up to a limit."""

    view: Region
    limit: int = 4000


@dataclass(frozen=True)
class Point(Checked):
    """A point (LR pixels), seen at a magnification."""

    x: float
    y: float
    scale: float


@dataclass(frozen=True)
class One(Checked):
    """A Gaussian by its LR pixel, seen at a magnification."""

    column: int
    row: int
    scale: float = 8.0


@dataclass(frozen=True)
class Question:
    """See the module.

    Attributes:
        args: A dataclass of numbers, words and at most one `view: Region`.
        answer: Raises `GsrError` for what cannot be answered.
        whole: Whether it is of all of a field, whatever region it names.
    """

    args: type
    answer: Callable[[Any, Any], Any]
    whole: bool = False


QUESTIONS: dict[str, Question] = {
    "ellipses": Question(
        Some, lambda field, asked: payloads.ellipses(field, asked.view.view(), asked.limit)
    ),
    "explain": Question(
        Point, lambda field, asked: payloads.explanation(field, asked.x, asked.y, asked.scale)
    ),
    "choices": Question(Plain, lambda field, _: payloads.choices(field), whole=True),
    "payload": Question(
        Inside, lambda field, asked: payloads.part(field, asked.view.view()), whole=True
    ),
    "footprint": Question(
        One, lambda field, asked: payloads.reach(field, asked.column, asked.row, asked.scale)
    ),
    "usage": Question(
        Inside, lambda field, asked: {"shares": payloads.region_usage(field, asked.view.view())}
    ),
}


def answer(field: GaussianField | Mosaic, what: Any, args: Any) -> Any:
    """The answer to a question: plain values, or bytes.

    Args:
        field: Of one picture. One in tiles answers what is asked about a point.
        what: A key of `QUESTIONS`.
        args: Plain values, as JSON holds them.

    Raises:
        GsrError: an unknown question, or one that makes no sense here.
    """
    if not isinstance(what, str) or what not in QUESTIONS:
        raise GsrError(f"unknown question {shown(what)}; choose one of {', '.join(QUESTIONS)}.")
    question = QUESTIONS[what]
    return question.answer(field, read_values(question.args, args, f"the message {what}", GsrError))
