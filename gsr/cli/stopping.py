"""Being stopped from outside: by Ctrl-C, or by whoever asks the process to end."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED, TERMINATED = 130, 143
"""Exit codes, as shells count them: 128 and the number of the signal."""
_AGAIN = 0.05
"""Seconds after which a signal that came during an import is sent again."""


class Terminated(KeyboardInterrupt):
    """SIGTERM came; work ends as it does for Ctrl-C."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Within, SIGTERM raises `Terminated` instead of ending the process with work half done.

    An import goes on to its end first: libraries in C print what is raised in the middle of one.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the business of another
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    if before[signal.SIGINT] is not signal.default_int_handler:
        del before[signal.SIGINT]  # whoever started this wants it otherwise
    for number in before:
        signal.signal(number, _stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, frame: FrameType | None) -> None:
    if _is_importing(frame):
        again = threading.Timer(_AGAIN, os.kill, (os.getpid(), number))
        again.daemon = True
        again.start()
        return
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def exit_code(stopped: KeyboardInterrupt) -> int:
    """What the process ends with."""
    return TERMINATED if isinstance(stopped, Terminated) else INTERRUPTED
