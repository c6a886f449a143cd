"""Tiles made in the background: those that someone looks at first, nearest to the pointer first."""

import math
import threading
import time
from contextlib import AbstractContextManager, nullcontext

from gsr.base.coords import View
from gsr.base.errors import GsrError, out_of_memory, reason
from gsr.field.mosaic import Mosaic

LINGER = 30.0
"""Seconds that work goes on after the last look."""
YIELD = 0.002
"""Seconds between two tiles, in which others can take the gate."""

Point = tuple[float, float]
"""(x, y) in LR pixels."""


class Filling:
    """Makes the tiles of a mosaic in a thread of its own while someone looks at it.

    What is in view comes first; then the rest, where all tiles can be kept. There is a thread only
    while there is work.

    Args:
        mosaic: What is filled.
        gate: Held while a tile is made: where several mosaics share a machine.
    """

    def __init__(self, mosaic: Mosaic, gate: AbstractContextManager[object] | None = None):
        self.mosaic = mosaic
        self.failure: GsrError | None = None
        self._gate: AbstractContextManager[object] = gate or nullcontext()
        self._wanted: frozenset[int] = frozenset()
        self._point: Point = (0.0, 0.0)
        self._looked = -math.inf
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def look(self, view: View, point: Point | None = None) -> None:
        """Say what is looked at now; it takes the place of what was before.

        Args:
            view: What is in view.
            point: What is looked at most; the middle of the view unless given.
        """
        middle = view.x + view.width / 2, view.y + view.height / 2
        with self._lock:
            self._wanted = frozenset(self.mosaic.below(view))
            self._point = point or middle
            self._looked = time.monotonic()
            if self._thread is None and self.failure is None and self._next() is not None:
                self._thread = threading.Thread(target=self._work)
                self._thread.start()

    def stop(self) -> None:
        """Begin no further tile until someone looks again; one that is being made is finished."""
        self._looked = -math.inf

    def join(self) -> None:
        """Wait until nothing is being made."""
        thread = self._thread
        if thread is not None:
            thread.join()

    def _work(self) -> None:
        while True:
            with self._lock:
                number = self._next()
                if number is None:
                    self._thread = None
                    return
            try:
                with self._gate:
                    if self._next() is not None:  # it may have waited long
                        self.mosaic.ensure(number)
                time.sleep(YIELD)
            except Exception as error:
                self.failure = _failure(error)
                self.stop()

    def _next(self) -> int | None:
        """The tile to make now; None if there is none to make."""
        if time.monotonic() - self._looked > LINGER or not threading.main_thread().is_alive():
            return None  # nobody looks any more, or the program is ending
        return following(self.mosaic, self._wanted, self._point)


def _failure(error: Exception) -> GsrError:
    """What people are told."""
    if isinstance(error, GsrError):
        return error
    if out_of_memory(error):
        return GsrError("there is not enough memory to make more of the picture's Gaussians.")
    return GsrError(f"no more of the picture's Gaussians can be made: {reason(error)}.")


def following(mosaic: Mosaic, wanted: frozenset[int], point: Point) -> int | None:
    """The missing tile that should be made next.

    Args:
        mosaic: What it is missing of.
        wanted: Tiles in view, which come first.
        point: Of two tiles the one nearer to this place comes first.
    """
    missing = {number for number in wanted if not mosaic.is_ready(number)}
    if not missing and mosaic.fits:
        missing = {n for n in range(len(mosaic.grid)) if not mosaic.is_ready(n)}

    def distance(number: int) -> float:
        rows, columns = mosaic.grid.core(number)
        x, y = (columns.start + columns.stop) / 2, (rows.start + rows.stop) / 2
        return (x - point[0]) ** 2 + (y - point[1]) ** 2

    return min(missing, key=lambda number: (distance(number), number), default=None)
