"""Who comes next, where only so much can be done at a time. For one event loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from .crowd import BusyError
from .store import Superseded


class Gate:
    """Lets work through one by one in the order it came; turns away what would wait too long.

    Args:
        said: The message for whoever is turned away.
    """

    def __init__(self, said: str):
        self._free = asyncio.Semaphore()
        self._said, self._waiting = said, 0

    @asynccontextmanager
    async def passed(self, most: int) -> AsyncIterator[None]:
        """While one's own work is done.

        Args:
            most: Pieces of work that may wait.

        Raises:
            BusyError: too much waits already.
        """
        if self._waiting >= most:
            raise BusyError(self._said)
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._free.release()


class Turns:
    """Frames of many viewers, in the order they came; of each viewer only the newest waits.

    Args:
        at_once: Frames under way.
    """

    def __init__(self, at_once: int = 1):
        self._free = asyncio.Semaphore(at_once)
        self._waiting: dict[str, asyncio.Future[Any]] = {}

    @asynccontextmanager
    async def turn(self, viewer: str) -> AsyncIterator[None]:
        """While one's own frame is made.

        Args:
            viewer: Who asks; a nameless one never takes the place of another.

        Raises:
            Superseded: when a newer request of the same viewer came while this one waited.
        """
        await self._wait(viewer)
        try:
            yield
        finally:
            self._free.release()

    async def _wait(self, viewer: str) -> None:
        older = self._waiting.pop(viewer, None)
        if older is not None:
            older.cancel()
        mine: asyncio.Future[Any] = asyncio.ensure_future(self._free.acquire())
        if viewer:
            self._waiting[viewer] = mine
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self._free.release()
            if self._waiting.get(viewer) is not mine and viewer:
                raise Superseded from None
            raise
        finally:
            if self._waiting.get(viewer) is mine:
                del self._waiting[viewer]
