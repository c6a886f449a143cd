"""Being stopped from outside: by Ctrl-C, or by whoever asks the process to end."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

INTERRUPTED, TERMINATED = 130, 143
"""Exit codes, as shells count them: 128 and the number of the signal."""
STOPPING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""SIGHUP comes when the terminal is closed; Windows has none."""
_AGAIN = 0.05
"""Seconds after which a signal that came during an import is sent again."""


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP came; work ends as it does for Ctrl-C.

    Attributes:
        number: The signal.
    """

    def __init__(self, number: int = signal.SIGTERM):
        super().__init__(number)
        self.number = number


class _Handler:
    """Raises what a signal means.

    An import is finished first: libraries in C print what is raised in the middle of one.
    """

    def __init__(self) -> None:
        self.received: list[int] = []

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if _is_importing(frame):
            again = threading.Timer(_AGAIN, os.kill, (os.getpid(), number))
            again.daemon = True
            again.start()
            return
        self.received.append(number)
        raise KeyboardInterrupt if number == signal.SIGINT else Terminated(number)


@contextmanager
def stoppable() -> Iterator[list[int]]:
    """Within, signals raise: `KeyboardInterrupt` for Ctrl-C, `Terminated` for the others.

    Those that whoever started this wants ignored, or handled otherwise, are left alone.

    Yields:
        The signals that came, of the outermost `stoppable` around.
    """
    if threading.current_thread() is not threading.main_thread():
        yield []  # signals are the business of another
        return
    before = {number: signal.getsignal(number) for number in STOPPING}
    around = next((one for one in before.values() if isinstance(one, _Handler)), None)
    handler = around or _Handler()
    usual = (signal.SIG_DFL, signal.default_int_handler)
    taken = {number: one for number, one in before.items() if one in usual}
    for number in taken:
        signal.signal(number, handler)
    try:
        yield handler.received
    finally:
        for number, one in taken.items():
            signal.signal(number, one)


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def exit_code(stopped: KeyboardInterrupt) -> int:
    """What the process ends with."""
    return 128 + stopped.number if isinstance(stopped, Terminated) else INTERRUPTED


def leave(code: int) -> NoReturn:
    """End the process.

    Threads that work in a library in C++ while the interpreter is taken down abort the process;
    where there are any left, it ends without that.
    """
    if threading.active_count() == 1:
        sys.exit(code)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
