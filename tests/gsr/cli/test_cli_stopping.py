"""Signals end work where it can be ended."""

import os
import signal
import subprocess
import sys
import time

import pytest
from helpers.checkout import environment

from gsr.cli.stopping import STOPPING, Terminated, exit_code, stoppable

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


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there are no terminals to close")
def test_a_closed_terminal_ends_work_unless_it_was_meant_to_go_on(handlers):
    with pytest.raises(Terminated) as stopped, stoppable() as received:
        signalled(signal.SIGHUP)
    assert exit_code(stopped.value) == 129
    assert received == [signal.SIGHUP]
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup has it
    try:
        with stoppable():
            os.kill(os.getpid(), signal.SIGHUP)
            time.sleep(0.1)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_one_inside_another_is_the_same(handlers):
    with pytest.raises(Terminated), stoppable() as outer, stoppable() as inner:
        signalled(signal.SIGTERM)
    assert outer is inner
    assert outer == [signal.SIGTERM]


STOPPED = """
import os, signal, sys
import gsr.cli, gsr.cli.looking
gsr.cli.looking._installation = lambda: os.kill(os.getpid(), int(sys.argv[1]))
sys.exit(gsr.cli.run(["info"]))
"""


@pytest.mark.parametrize("number", STOPPING)
def test_a_command_that_makes_no_file_ends_with_the_signals_code(number):
    command = [sys.executable, "-c", STOPPED, str(int(number))]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (128 + number, "", "")


FIRST = """
import os, signal, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
sys.argv[1:] = ["--version"]
from gsr.__main__ import main
main()
"""


@pytest.mark.parametrize("module", ["gsr.cli", "typer", "gsr.base.errors", "gsr.cli.upscaling"])
def test_ctrl_c_in_the_first_imports_is_no_traceback(module):
    script = FIRST.replace("sys.argv[1]:", f"{module!r}:")
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


LEFT = """
import threading, time
from gsr.cli.stopping import leave
print("said", end="")
if {others}:
    threading.Thread(target=time.sleep, args=(60,), daemon={daemon}).start()
leave(3)
"""


@pytest.mark.parametrize("others", [True, False])
@pytest.mark.parametrize("daemon", [True, False])
def test_the_process_ends_whatever_threads_are_at(others, daemon):
    script = LEFT.format(others=others, daemon=daemon)
    done = subprocess.run([sys.executable, "-c", script], env=environment(), capture_output=True)
    assert (done.returncode, done.stdout) == (3, b"said")
