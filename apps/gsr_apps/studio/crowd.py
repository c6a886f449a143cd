"""How many people are waiting for frames."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from gsr.base.errors import GsrError


class BusyError(GsrError):
    """More people than the app can serve live."""


class Crowd:
    """Counts who waits, and turns away whoever comes when it is full. For several threads.

    Args:
        most: People at a time.
    """

    def __init__(self, most: int):
        self.most = most
        self._waiting: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def place(self, viewer: str) -> Iterator[None]:
        """A place for one request. A viewer has several requests under way, one per pane.

        Args:
            viewer: `PERSON-PANE`.

        Raises:
            BusyError: when it is full.
        """
        person = viewer.rpartition("-")[0] or viewer
        with self._lock:
            if person not in self._waiting and len(self._waiting) >= self.most:
                raise BusyError(
                    f"{self.most} people are using the app; your view will update "
                    "when one of them pauses."
                )
            self._waiting[person] += 1
        try:
            yield
        finally:
            with self._lock:
                self._waiting[person] -= 1
                if not self._waiting[person]:
                    del self._waiting[person]
