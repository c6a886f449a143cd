"""Being stopped from outside: by Ctrl-C, or by whoever asks the process to end."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED, TERMINATED = 130, 143
"""Exit codes, as shells count them: 128 and the number of the signal."""


class Terminated(KeyboardInterrupt):
    """SIGTERM came; work ends as it does for Ctrl-C."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Within, SIGTERM raises `Terminated` instead of ending the process with work half done."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the business of another
        return
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated


def exit_code(stopped: KeyboardInterrupt) -> int:
    """What the process ends with."""
    return TERMINATED if isinstance(stopped, Terminated) else INTERRUPTED
