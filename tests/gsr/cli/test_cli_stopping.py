"""Signals end work where it can be ended."""

import os
import signal
import sys
import time

import pytest

from gsr.cli.stopping import Terminated, exit_code, stoppable

SIGNALS = pytest.mark.parametrize(
    ("number", "kind", "code"),
    [(signal.SIGTERM, Terminated, 143), (signal.SIGINT, KeyboardInterrupt, 130)],
)
SLOW = """
import os, signal, time
os.kill(os.getpid(), signal.{name})
time.sleep(0.2)
done = True
"""


@pytest.fixture
def handlers():
    """Those of a process of its own, and back to those of the tests."""
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda: [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    signal.signal(signal.SIGINT, before)


def signalled(number):
    os.kill(os.getpid(), number)
    time.sleep(5)


def imported(name):
    __import__(name)
    time.sleep(5)


@SIGNALS
def test_a_signal_is_an_exception_within(handlers, number, kind, code):
    before = handlers()
    with pytest.raises(kind) as stopped, stoppable():
        signalled(number)
    assert exit_code(stopped.value) == code
    assert handlers() == before


@SIGNALS
def test_an_import_goes_on_to_its_end_first(handlers, tmp_path, monkeypatch, number, kind, code):
    name = f"slow_{number.name.lower()}"
    (tmp_path / f"{name}.py").write_text(SLOW.format(name=number.name))
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(kind), stoppable():
        imported(name)
    assert sys.modules.pop(name).done


def test_a_signal_that_is_ignored_stays_so(handlers):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with stoppable():
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)
