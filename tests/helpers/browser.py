"""A running app, and pages of it in a real browser."""

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from helpers.checkout import environment

ROOT = Path(__file__).parents[2]
READY = ".gsr-stage[data-ready=true]"
EDITED = "() => document.querySelector('.gsr-viewer').gsr.picture.edited"
_TIDY = """() => {
  document.querySelectorAll('.gsr-menu, .gsr-look').forEach((menu) => { menu.open = false; });
  const ours = '.gsr-panel:not([hidden]) .gsr-plain, .gsr-notice [aria-label=Dismiss]';
  document.querySelectorAll(ours).forEach((button) => button.click());
  const reset = (button) => button.textContent === 'Reset';
  [...document.querySelectorAll('.gsr-whatif button')].find(reset).click();
}"""


@contextmanager
def running_app(
    weights: Path, photo: Path, port: int = 0, options: Sequence[str] = ()
) -> Iterator[str]:
    """The address of an app that shows `photo`."""
    command = [sys.executable, "-m", "gsr_apps.studio", str(photo), "--model", str(weights)]
    env = environment()
    app = subprocess.Popen(
        [*command, "--port", str(port), "--no-open", *options],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert app.stdout is not None
    try:
        line = app.stdout.readline()
        assert re.fullmatch(r"gsr app: http://127\.0\.0\.1:\d+\n", line), line
        yield line.split(": ", 1)[1].strip()
    finally:
        app.terminate()
        app.wait(20)
        app.stdout.close()


def opened_page(browser: Any, address: str, **options: Any) -> Any:
    """The page when its first picture is shown; `problems` collects all that should not happen."""
    page = browser.new_page(viewport={"width": 1100, "height": 700}, **options)
    page.problems = []
    page.on("console", lambda m: page.problems.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("request", lambda request: _outside(page, request.url))
    page.goto(address)
    page.wait_for_selector(READY, timeout=60_000)
    return page


def _outside(page: Any, url: str) -> None:
    if not re.match(r"(https?://127\.0\.0\.1[:/]|data:|blob:)", url):
        page.problems.append(f"request to {url}")


def more(page: Any) -> Any:
    """The menu of what is not needed at first, open."""
    page.evaluate("() => { document.querySelector('.gsr-more').open = true; }")
    return page.locator(".gsr-more")


def look(page: Any) -> Any:
    """The popup that says how things are shown, open."""
    page.evaluate("() => { document.querySelector('.gsr-look').open = true; }")
    return page.locator(".gsr-look")


def settle(page: Any) -> None:
    """Wait until the exact frame is shown."""
    page.wait_for_timeout(60)
    page.wait_for_selector(READY, timeout=30_000)


def tidy(page: Any) -> None:
    """Take edits, panels, menus and notices away; nothing may have gone wrong."""
    page.evaluate(_TIDY)
    page.wait_for_function(f"() => !({EDITED})()")
    settle(page)
    page.wait_for_function("() => !location.hash.includes('edits')")  # a moment later
    # The browser itself reports every refusal of a server; those here were meant.
    assert [text for text in page.problems if "status of 4" not in text] == []
