"""Files that people uploaded for Gradio's part of the page: the only ones it ever reads."""

import os
import secrets
import shutil
import stat
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from gradio_client.utils import strip_invalid_filename_characters

from gsr.base.errors import ImageError

from .budget import Budget

KEPT_SECONDS = 3600.0
MAX_USED_BYTES = 2**30
"""Of one person, that were read once and may be wanted again."""


class NotUploadedError(ImageError):
    """A path that no upload made. All of them get this one answer, whatever is there or not."""

    def __init__(self) -> None:
        super().__init__(
            "Only files that you uploaded here are read, for an hour; upload it again."
        )


@dataclass
class Upload:
    """A kept file: who sent it, how long it is, when that was, whether it was read since."""

    person: str
    size: int
    at: float
    used: bool = False


class Uploads:
    """Keeps files under paths that nobody can guess. For several threads.

    Args:
        folder: Where; made when it is needed.
        budget: What people may have there.
        clock: Seconds.
    """

    def __init__(self, folder: Path, budget: Budget, clock: Callable[[], float] = time.monotonic):
        self.folder = folder
        self.budget = budget
        self._clock = clock
        self._kept: OrderedDict[str, Upload] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, person: str, name: str, file: IO[bytes], size: int) -> str:
        """Copy a file in; returns its path.

        Raises:
            FullError: if it does not fit.
        """
        with self._lock:
            self._tidy(person)
        self.budget.take(person, size)
        path = self.folder / secrets.token_hex(16) / _clean(name)
        try:
            path.parent.mkdir(parents=True, mode=0o700)
            with path.open("xb") as copy:
                shutil.copyfileobj(file, copy, 2**20)
        except BaseException:
            self.budget.give_back(person, size)
            shutil.rmtree(path.parent, ignore_errors=True)
            raise
        with self._lock:
            self._kept[str(path)] = Upload(person, size, self._clock())
        return str(path)

    def find(self, path: str, person: str | None = None) -> Path:
        """The same path, if an upload made it and its file is still what it was then.

        Nothing is asked of the file system for any other path.

        Args:
            path: Exactly as `keep` gave it.
            person: Whose upload it has to be; None where that was looked at before.

        Raises:
            NotUploadedError: it did not.
        """
        with self._lock:
            found = self._kept.get(path)
            if found is None or person not in (None, found.person):
                raise NotUploadedError
            found.used = True
        if not _is_plain(path):
            raise NotUploadedError
        return Path(path)

    def __contains__(self, path: str) -> bool:
        with self._lock:
            return path in self._kept

    def _tidy(self, person: str) -> None:
        """Drop what is old, and of one person what was used when that comes to too much."""
        now = self._clock()
        old = [path for path, kept in self._kept.items() if now - kept.at > KEPT_SECONDS]
        for path in old:
            self._drop(path)
        used = [path for path, kept in self._kept.items() if kept.used and kept.person == person]
        for path in used:
            if self.budget.of(person) <= MAX_USED_BYTES:
                break
            self._drop(path)

    def _drop(self, path: str) -> None:
        kept = self._kept.pop(path)
        self.budget.give_back(kept.person, kept.size)
        shutil.rmtree(Path(path).parent, ignore_errors=True)


def _clean(name: str) -> str:
    """A name of a file, without folders, that any file system takes."""
    last = strip_invalid_filename_characters(name.replace("\\", "/").rpartition("/")[2])
    stem, suffix = os.path.splitext(last)
    short = stem.encode()[:100].decode(errors="ignore") + suffix.encode()[:20].decode(
        errors="ignore"
    )
    return short if short.strip(". ") else "file"


def _is_plain(path: str) -> bool:
    with suppress(OSError):
        return stat.S_ISREG(os.lstat(path).st_mode)
    return False
