"""A picture whose field fills in while people look at it."""

import threading
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from gsr import GaussianField, View
from gsr.base.errors import GsrError, shown
from gsr.field.filling import Filling
from gsr.field.filling import Point as Place
from gsr.field.mosaic import Mosaic
from gsr.field.protocol import ContinuousImage, Layer
from gsr.network.tiles import Slices, widened

from ..viewer.questions import QUESTIONS, Inside, One, Point, Region, Some, answer

MOST_CUT = 4_000_000
"""LR pixels that a question may be about at a time."""


FINISHED: dict[str, Any] = {"done": 1, "total": 1, "missing": [], "failed": None}
"""Progress of what is all there."""


class NotYet(Exception):
    """A question to Gaussians that are still to be made, or to more of them than there can be."""

    def __init__(self, said: str = "The Gaussians of this place are being made."):
        super().__init__(said)


@dataclass(frozen=True)
class Part:
    """The field of a rectangle of a picture.

    Attributes:
        field: Its places begin at the corner of the rectangle.
        left, top: That corner, in LR pixels of the picture.
    """

    field: GaussianField
    left: int = 0
    top: int = 0

    def placed(self, answer: dict[str, Any]) -> dict[str, Any]:
        """An answer of the part with its places as those of the picture."""
        by = {"x": self.left, "column": self.left, "y": self.top, "row": self.top}
        return answer | {name: _moved(answer[name], by[name]) for name in by if name in answer}


def _moved(place: Any, by: int) -> Any:
    """A number, or each of a list of numbers, by so much larger."""
    if not by:
        return place
    return [_moved(one, by) for one in place] if isinstance(place, list) else round(place + by, 6)


class Growing:
    """A mosaic, the work on it, and the whole field once someone needs that.

    Args:
        mosaic: What grows.
        gate: Held while a tile is made.
        most_bytes: Memory that the whole field may take.
    """

    def __init__(self, mosaic: Mosaic, gate: AbstractContextManager[object], most_bytes: int):
        self.mosaic = mosaic
        self.filling = Filling(mosaic, gate)
        self.most_bytes = most_bytes
        self._whole: GaussianField | None = None
        self._lock = threading.Lock()

    @property
    def image(self) -> ContinuousImage:
        """What can be shown without waiting."""
        return self._whole or self.mosaic.now

    @property
    def complete(self) -> GaussianField | Mosaic:
        """What makes the tiles that are missing when it is rendered."""
        return self._whole or self.mosaic

    @property
    def ready(self) -> GaussianField:
        """The whole field, if nothing of it is still to be made.

        Raises:
            NotYet: when something is, or the field is too large to be had as a whole.
        """
        try:
            self._check_size()
        except GsrError as error:
            raise NotYet(str(error)) from error
        if self._whole is None and not self.mosaic.ready():
            raise NotYet
        return self.whole()

    @property
    def nbytes(self) -> int:
        """Memory that is not that of tiles."""
        picture = self.mosaic.lr.nbytes + self.mosaic.now.nbytes
        return picture + (self._whole.nbytes if self._whole else 0)

    @property
    def can_be_whole(self) -> bool:
        """Whether what needs the whole field can be had: edits, the field as a file, maps."""
        height, width = self.mosaic.lr_size
        return self.mosaic.bytes_per_pixel * height * width <= self.most_bytes

    def whole(self) -> GaussianField:
        """The whole field; waits until it is made.

        Raises:
            GsrError: when it is too large for that.
        """
        with self._lock:
            if self._whole is None:
                self._check_size()
                self._whole = self.mosaic.whole()
                self.mosaic.close()
            return self._whole

    def _check_size(self) -> None:
        if self.can_be_whole:
            return
        height, width = self.mosaic.lr_size
        most = self.most_bytes / self.mosaic.bytes_per_pixel
        raise GsrError(
            f"this needs the whole field at once, which is possible up to {most / 1e6:.3g} "
            f"megapixels with the memory that the app was given, and the picture has "
            f"{width * height / 1e6:.3g}: crop it, or start the app with more --memory."
        )

    def part(self, view: View) -> Part:
        """The field of what a view shows, if it is there.

        Raises:
            NotYet: when tiles of it are missing, which are being made.
            GsrError: when the view shows too much of the picture.
        """
        if self._whole is not None:
            return Part(self._whole)
        part = self._covered(view)
        rows, columns = part
        area = (rows.stop - rows.start) * (columns.stop - columns.start)
        if area > MOST_CUT:
            raise GsrError(
                f"this is answered for up to {MOST_CUT / 1e6:g} megapixels of a picture at a time, "
                f"and {area / 1e6:.3g} are in view: zoom in."
            )
        missing = [n for n in self.mosaic.grid.touched(*part) if not self.mosaic.is_ready(n)]
        if missing:
            self.filling.look(view)
            raise NotYet
        return Part(self.mosaic.cut(part), columns.start, rows.start)

    def around(self, column: int, row: int) -> Part:
        """The field around a Gaussian.

        Raises:
            NotYet: as `part`.
            GsrError: when there is no such Gaussian.
        """
        height, width = self.mosaic.lr_size
        if not (0 <= column < width and 0 <= row < height):
            raise GsrError(
                f"there is no Gaussian at column {shown(column)}, row {shown(row)}: columns go "
                f"from 0 to {width - 1} and rows from 0 to {height - 1}."
            )
        return self.part(View(column - 4, row - 4, 9, 9, (9, 9)))

    def answer(self, what: str, args: dict[str, Any]) -> Any:
        """The answer to a question of `gsr_apps.viewer.questions`, from as much of the field as it
        is about.

        Raises:
            NotYet: when tiles are missing for it.
            GsrError: when it makes no sense.
        """
        question = QUESTIONS[what]
        kind = question.args
        if self._whole is not None or kind is Point:
            return answer(self.complete, what, args)
        if question.whole:
            return answer(self.ready, what, args)
        if kind is One:
            part = self.around(args["column"], args["row"])
            asked = {"column": args["column"] - part.left, "row": args["row"] - part.top}
        elif kind in (Inside, Some):
            part = self.part(Region(**args["view"]).view())
            corner = {"x": args["view"]["x"] - part.left, "y": args["view"]["y"] - part.top}
            asked = {"view": args["view"] | corner}
        else:
            return answer(self.ready, what, args)
        return part.placed(answer(part.field, what, args | asked))

    def _covered(self, view: View) -> Slices:
        """Rows and columns of the LR pixels of a view and those around."""
        xs, ys = view.axes(self.mosaic.lr_size)
        rows, columns = (
            slice(min(int(v[0]), n - 1), min(int(v[-1]), n - 1) + 1)
            for v, n in zip((ys, xs), self.mosaic.lr_size, strict=True)
        )
        return widened((rows, columns), self.mosaic.margin, self.mosaic.lr_size)

    def look(self, view: View, point: Place | None = None) -> None:
        """Have what is in view made first."""
        if self._whole is None:
            self.filling.look(view, point)

    def missing(self, view: View, layer: Layer) -> int:
        """How many tiles a view of a layer lacks."""
        if self._whole is not None:
            return 0
        return sum(not self.mosaic.is_ready(number) for number in self.mosaic.needed(view, layer))

    def progress(self, view: View) -> dict[str, Any]:
        """How far the work is: tiles in all and in view, and where in view some are missing."""
        if self._whole is not None:
            return FINISHED
        mosaic = self.mosaic
        missing = [number for number in mosaic.below(view) if not mosaic.is_ready(number)]
        failure = self.filling.failure
        return {
            "done": mosaic.tiles_ready,
            "total": len(mosaic.grid),
            "missing": [_rectangle(mosaic.grid.core(number)) for number in missing],
            "failed": str(failure) if failure else None,
        }

    def close(self) -> None:
        """Stop the work and give up the tiles, without waiting for the one that is being made."""
        self.filling.stop()
        threading.Thread(target=self._clear).start()

    def _clear(self) -> None:
        self.filling.join()
        self.mosaic.close()


def _rectangle(part: Slices) -> list[int]:
    """[x, y, width, height]"""
    rows, columns = part
    return [columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start]
