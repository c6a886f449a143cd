"""What a viewer in a notebook asks, as `gsr.base.reading` reads it. Lengths are LR pixels."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from gsr import View
from gsr.base.reading import Checked

Word = Annotated[str, Field(max_length=512)]


@dataclass(frozen=True)
class Region(Checked):
    """A rectangle where only the place counts."""

    x: float
    y: float
    width: float
    height: float

    def view(self) -> View:
        """The rectangle as a view, which cannot do without a size."""
        whole = (max(1, round(side)) if side < 1e6 else 1 for side in (self.height, self.width))
        return View(self.x, self.y, self.width, self.height, tuple(whole))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Pixels(Checked):
    """A rectangle, and how many pixels show it."""

    x: float
    y: float
    width: float
    height: float
    columns: int
    rows: int

    def view(self) -> View:
        """The same as a view."""
        return View(self.x, self.y, self.width, self.height, (self.rows, self.columns))


@dataclass(frozen=True)
class Plain(Checked):
    """A question that says all by its name."""


@dataclass(frozen=True)
class Frame(Checked):
    """See `payloads.FrameRequest`."""

    view: Pixels
    method: Word
    layer: Word
    quality: Word


@dataclass(frozen=True)
class Inside(Checked):
    """Of a region."""

    view: Region


@dataclass(frozen=True)
class Ellipses(Checked):
    """Gaussians of a region, so many at most."""

    view: Region
    limit: int


@dataclass(frozen=True)
class Point(Checked):
    """A point, seen at a magnification."""

    x: float
    y: float
    scale: float


@dataclass(frozen=True)
class Footprint(Checked):
    """A Gaussian by its LR pixel, seen at a magnification."""

    column: int
    row: int
    scale: float


@dataclass(frozen=True)
class Scores(Checked):
    """Methods, with commas between them, in a region."""

    view: Region
    methods: Word
