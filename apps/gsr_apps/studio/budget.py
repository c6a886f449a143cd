"""How many bytes people may have here, each of them and all together."""

import threading
from collections import Counter

from gsr.base.errors import GsrError


class FullError(GsrError):
    """No room for more bytes."""


class Budget:
    """Counts bytes. For several threads.

    Args:
        each: Bytes of one person.
        together: Bytes of all.
    """

    def __init__(self, each: int, together: int):
        self.each = each
        self.together = together
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, person: str, size: int) -> None:
        """Count bytes in.

        Raises:
            FullError: if they do not fit; none are counted then.
        """
        with self._lock:
            if self._taken[person] + size > self.each:
                raise FullError(
                    f"More than {self.each >> 20} MiB at a time are not accepted from one person; "
                    "try again later with less."
                )
            if self._taken.total() + size > self.together:
                raise FullError("Others are sending too much just now; try again later.")
            self._taken[person] += size

    def give_back(self, person: str, size: int) -> None:
        """Count bytes out."""
        with self._lock:
            self._taken[person] -= size
            if self._taken[person] <= 0:
                del self._taken[person]

    def of(self, person: str) -> int:
        """Bytes of one person."""
        with self._lock:
            return self._taken.get(person, 0)
