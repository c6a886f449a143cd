"""What a viewer in a notebook asks besides the questions of every host. Lengths are LR pixels."""

from dataclasses import dataclass

from gsr import View
from gsr.base.reading import Checked

from ..viewer.questions import Region, Word


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
class Frame(Checked):
    """See `payloads.FrameRequest`."""

    view: Pixels
    method: Word
    layer: Word
    quality: Word


@dataclass(frozen=True)
class Scores(Checked):
    """Methods, with commas between them, in a region."""

    view: Region
    methods: Word
