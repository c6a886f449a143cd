"""Where a running app keeps what it needs for a while: one folder, gone when the app is.

An app that is killed cannot clear up. The next one does: the folder of a living app holds a file
that it keeps locked, and the system lets go of a lock when its process ends, however that was.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows: there what a killed app left stays until the system clears up
    fcntl = None  # type: ignore[assignment]

PREFIX = "gsr-app-"
_LOCK = "in-use"


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder for everything temporary, private to this account, instead of the system's own."""
    sweep()
    usual, named = tempfile.gettempdir(), os.environ.get("GRADIO_TEMP_DIR")
    folder = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
    with _locked(folder):
        tempfile.tempdir = str(folder)
        os.environ["GRADIO_TEMP_DIR"] = str(folder / "uploads")  # Gradio asks nothing else
        try:
            yield folder
        finally:
            tempfile.tempdir = usual
            os.environ.pop("GRADIO_TEMP_DIR")
            if named is not None:
                os.environ["GRADIO_TEMP_DIR"] = named
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """The folder with a file in it that says, by its lock, that its app is alive."""
    if fcntl is None:
        yield
        return
    with (folder / f"{_LOCK}-soon").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (folder / f"{_LOCK}-soon").rename(folder / _LOCK)  # never seen unlocked
        yield


def sweep() -> None:
    """Remove the folders of this account's apps that ended without doing so."""
    if fcntl is None:
        return
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            with _lock_of(folder) as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails where one is alive
                shutil.rmtree(folder, ignore_errors=True)


def _lock_of(folder: Path) -> IO[str]:
    return (folder / _LOCK).open("r+")
