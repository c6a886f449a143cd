"""Firefox for tests: Debian's own, driven over WebDriver BiDi by puppeteer-core.

`opened` gives a page with few verbs, named as in `firefox.mjs`:

    with firefox.opened() as page:
        page.goto(file.as_uri())
        page.wait(".gsr-stage[data-ready=true]")
        assert page.evaluate("document.title") == "photo · gsr"
        assert page.problems() == []

It has a screen of its own, made by Xvfb: without a window Firefox offers no WebGL.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from helpers.checkout import ROOT

NAMES = ("firefox-esr", "firefox")
MODULES = ROOT / "apps" / "node_modules" / "puppeteer-core"


def missing() -> str:
    """What is needed and not on this machine; empty where all of it is."""
    needed = {
        f"Firefox ({' or '.join(NAMES)})": executable() is not None,
        "Xvfb": shutil.which("Xvfb") is not None,
        "node": shutil.which("node") is not None,
        "puppeteer-core (npm install in apps)": MODULES.is_dir(),
    }
    return ", ".join(name for name, there in needed.items() if not there)


def executable() -> str | None:
    """The path of a Firefox."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Page:
    """One page in a Firefox of its own; an attribute is a verb of `firefox.mjs`."""

    def __init__(self, process: "subprocess.Popen[str]"):
        self._process = process
        self.version = self._answer()

    def __getattr__(self, verb: str) -> Any:
        return lambda *args: self._ask(verb, args)

    def wait(self, selector: str, milliseconds: int = 60_000) -> None:
        """Until an element is there and visible or not."""
        self._ask("wait", (selector, milliseconds))

    def _ask(self, verb: str, args: tuple[Any, ...]) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"verb": verb, "args": args}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        answer = json.loads(self._process.stdout.readline() or '{"error": "Firefox went away"}')
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer["result"]


@contextmanager
def opened() -> Iterator[Page]:
    """A page of a fresh Firefox, which ends with the block."""
    command = ["node", str(Path(__file__).with_suffix(".mjs")), str(MODULES.parents[1]) + "/"]
    with _screen() as display:
        process = subprocess.Popen(
            [*command, str(executable())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"DISPLAY": display},
        )
        try:
            yield Page(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            _ended(process)
            assert process.stdout is not None
            process.stdout.close()


@contextmanager
def _screen() -> Iterator[str]:
    """The name of a display that nobody sees."""
    read, write = os.pipe()
    size = ("-screen", "0", "1200x900x24", "-nolisten", "tcp")
    process = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), *size], pass_fds=(write,), stderr=subprocess.DEVNULL
    )
    os.close(write)
    try:
        with os.fdopen(read) as numbers:
            yield f":{numbers.readline().strip()}"
    finally:
        process.terminate()
        _ended(process)


def _ended(process: "subprocess.Popen[Any]") -> None:
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
