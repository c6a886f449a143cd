"""Long work that a page can watch and cancel."""

import threading
from collections import OrderedDict
from dataclasses import dataclass


class Cancelled(Exception):
    """The page asked to stop."""

    def __str__(self) -> str:
        return "Cancelled."


@dataclass
class Job:
    """Progress of one piece of work; the worker calls `step`, the page reads and cancels."""

    done: int = 0
    total: int = 0
    cancelled: bool = False

    def step(self, done: int, total: int) -> None:
        """A progress callback: note how far the work is, stop it if that was asked for."""
        self.done, self.total = done, total
        if self.cancelled:
            raise Cancelled


class Jobs:
    """Jobs by the id that the page made up. Only the latest few are remembered."""

    def __init__(self, limit: int = 64):
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._limit = limit
        self._lock = threading.Lock()

    def get(self, key: str) -> Job:
        """The job of that id, new if there is none."""
        with self._lock:
            job = self._jobs.setdefault(key[:64], Job())
            while len(self._jobs) > self._limit:
                self._jobs.popitem(last=False)
            return job

    def forget(self, key: str) -> None:
        """The work is over."""
        with self._lock:
            self._jobs.pop(key[:64], None)
