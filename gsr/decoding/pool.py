"""Processes that decode pictures, so that one that crashes, hangs or fills the memory is one
picture lost.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from gsr.base.errors import ConfigError, ImageError
from gsr.decoding.info import MAX_INPUT_PIXELS, Decoded, check_pixels
from gsr.decoding.messages import Blob, BrokenMessageError, Message, receive, send, unpack

MEMORY = 2**32
"""Bytes of address space of a worker; 64 megapixels of any format take less."""
SECONDS = 20.0
"""A picture may take so long, or a second for each megapixel."""
_DECODE = "gsr.decoding.decode:decode"
_BYTES_PER_PIXEL, _MOST_METADATA = 16, 2**28
_BOOT = "import sys; sys.path[:] = {path!r}; from gsr.decoding.worker import serve; serve{args!r}"
_ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}


class Pool:
    """Worker processes. Any thread may ask; each picture has a worker to itself.

    Whoever makes a pool closes it, best by `with`. Workers start when they are first needed, or
    with `warm`; one that was lost is replaced.

    Args:
        workers: How many pictures are decoded at a time.
        seconds: See `SECONDS`.
        memory: See `MEMORY`; limited where the platform can do it.
        decode: What the workers call, as `module:name`; see `gsr.decoding.worker.Decode`.
    """

    def __init__(
        self,
        workers: int = 1,
        *,
        seconds: float = SECONDS,
        memory: int = MEMORY,
        decode: str = _DECODE,
    ):
        self._seconds = seconds
        self._arguments = (decode, memory)
        self._lock = threading.Lock()
        self._alive: set[_Worker] = set()
        self._closed = False
        self._places: queue.LifoQueue[_Worker | None] = queue.LifoQueue()
        for _ in range(workers):
            self._places.put(None)

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def warm(self) -> None:
        """Start the workers without waiting for them."""
        places = [self._places.get() for _ in range(self._places.qsize())]
        for place in places:
            self._places.put(place or self._start())

    def close(self) -> None:
        """End the workers; what they are at is refused."""
        with self._lock:
            self._closed = True
            workers = list(self._alive)
        for worker in workers:
            self._end(worker)

    def decode(
        self,
        source: Path | bytes,
        label: str,
        max_pixels: int = MAX_INPUT_PIXELS,
        white: float | None = None,
    ) -> Decoded:
        """As `gsr.decoding.decode.decode`, of a regular file or of its bytes.

        Raises:
            ImageError: also where decoding crashes, takes too long or too much memory.
        """
        height, width = self.size(source, label)
        check_pixels(label, width, height, max_pixels)
        seconds = max(self._seconds, height * width / 1e6)
        question = {"ask": "decode", "label": label, "max_pixels": max_pixels, "white": white}
        most = _BYTES_PER_PIXEL * height * width + _MOST_METADATA
        message, blobs = self._ask(source, label, question, seconds, most)
        try:
            return unpack(message, blobs, max_pixels)
        except BrokenMessageError:
            raise ImageError(_crashed(label)) from None

    def size(self, source: Path | bytes, label: str) -> tuple[int, int]:
        """As `gsr.decoding.decode.read_size`.

        Raises:
            ImageError: as `decode`.
        """
        question = {"ask": "size", "label": label}
        message, _ = self._ask(source, label, question, self._seconds, 0)
        if "error" in message:
            raise ImageError(str(message["error"]))
        try:
            height, width = (int(side) for side in message["size"])
        except (KeyError, ValueError, TypeError):
            raise ImageError(_crashed(label)) from None
        return height, width

    def _ask(
        self, source: Path | bytes, label: str, question: Message, seconds: float, most: int
    ) -> tuple[Message, list[bytearray]]:
        path = os.path.abspath(source) if isinstance(source, Path) else None
        message = question | {"path": path, "seconds": seconds}
        blobs = [source] if isinstance(source, bytes) else []
        place = self._places.get()
        try:
            if place is not None:
                # An earlier picture may have broken it without a sign; that is not this one's.
                with suppress(_CrashedError):
                    return place.ask(message, blobs, seconds, most)
                self._end(place)
            place = self._start()
            return place.ask(message, blobs, seconds, most)
        except _CrashedError:
            raise ImageError(_crashed(label)) from None
        except _LateError:
            raise ImageError(
                f"{label} was given up: it took longer than {seconds:.0f} s to decode."
            ) from None
        finally:
            if place is not None and not place.usable:
                self._end(place)
                place = None
            self._places.put(place)
            self._reap()

    def _start(self) -> _Worker:
        with self._lock:
            if self._closed:
                raise ConfigError("the pool of decoders is closed.")
            worker = _Worker(self._arguments)
            self._alive.add(worker)
            return worker

    def _reap(self) -> None:
        """No zombies of workers that were killed while they had nothing to do."""
        with self._lock:
            for worker in self._alive:
                worker.poll()

    def _end(self, worker: _Worker) -> None:
        worker.end()
        with self._lock:
            self._alive.discard(worker)


def _crashed(label: str) -> str:
    return f"{label} is damaged or hostile: it made the decoder crash."


class _CrashedError(Exception):
    """The worker is gone, or says what it never would."""


class _LateError(Exception):
    """The worker was ended for taking too long."""


class _Worker:
    """One process. `usable` is false once anything was not as it should be."""

    def __init__(self, arguments: tuple[Any, ...]):
        # Not multiprocessing: that would import the caller's main module again, and has helper
        # processes of its own to look after.
        self._process = subprocess.Popen(
            [sys.executable, "-c", _BOOT.format(path=sys.path, args=arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | _ONE_THREAD,
            start_new_session=True,  # Ctrl-C is for the parent
        )
        self._greeted = False
        self.usable = True

    def ask(
        self, message: Message, blobs: Sequence[Blob], seconds: float, most: int
    ) -> tuple[Message, list[bytearray]]:
        """Put a question and wait for the answer.

        Raises:
            _CrashedError, _LateError: there is none.
            ConfigError: it never came up.
        """
        late = threading.Event()

        def give_up() -> None:
            late.set()
            self._process.kill()

        self.usable = False  # until all has gone well, an interrupt included
        clock = threading.Timer(seconds, give_up)
        clock.daemon = True
        clock.start()
        try:
            answer = self._exchange(message, blobs, most)
        except (OSError, ValueError, BrokenMessageError):
            if late.is_set():
                raise _LateError from None
            if not self._greeted:
                raise ConfigError("a process to decode pictures in cannot be started.") from None
            raise _CrashedError from None
        finally:
            clock.cancel()
        self.usable = not late.is_set()
        return answer

    def _exchange(
        self, message: Message, blobs: Sequence[Blob], most: int
    ) -> tuple[Message, list[bytearray]]:
        assert self._process.stdin is not None  # both are pipes
        assert self._process.stdout is not None
        send(self._process.stdin, message, blobs)  # type: ignore[arg-type]
        if not self._greeted:
            self._hear(0)
            self._greeted = True
        return self._hear(most)

    def _hear(self, most: int) -> tuple[Message, list[bytearray]]:
        answer = receive(self._process.stdout, most)  # type: ignore[arg-type]
        if answer is None:
            raise BrokenMessageError
        return answer

    def poll(self) -> None:
        """Take notice if the process has ended."""
        self._process.poll()

    def end(self) -> None:
        """Kill the process and wait for it, so that no zombie stays."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                assert pipe is not None
                pipe.close()
        self._process.wait()
