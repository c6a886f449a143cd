"""Files that are whole or not there.

Until it is whole, a file is called `.HEX.part` and locked by the process that writes it. Locks end
with their process, so that what a killed run has left is known by having none.
"""

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from gsr.base.errors import OutputError, reason

try:
    import fcntl
except ImportError:  # Windows, where a file that is open cannot be removed anyway
    fcntl = None  # type: ignore[assignment]

_ANY_WRITE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
_PART = re.compile(r"\.[0-9a-f]{16}\.part")


@contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """A new file in the same folder that takes the place of ``target`` if all goes well.

    It may be read and written by those who might the one before. What runs that were killed have
    left in the folder is removed.
    """
    remove_leftovers(target.parent)
    temporary, stream = _part_beside(target)
    try:
        with stream:
            _permit_as(target, stream)
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
            if fcntl is not None:
                os.replace(temporary, target)  # while it is locked
        if fcntl is None:
            os.replace(temporary, target)
    except BaseException:
        # BaseException: an interrupt from the keyboard must not leave a half-written file either.
        with suppress(OSError):
            temporary.unlink()
        raise


def _permit_as(target: Path, stream: BinaryIO) -> None:
    """Owner and permissions of the file that is replaced, as far as this account may give them."""
    with suppress(OSError, AttributeError):  # no file there, or no such thing on Windows
        old = target.stat()
        if stat.S_ISREG(old.st_mode):
            with suppress(OSError):
                os.fchown(stream.fileno(), old.st_uid, old.st_gid)
            os.fchmod(stream.fileno(), stat.S_IMODE(old.st_mode))


def check_replaceable(path: Path) -> None:
    """Refuse to replace a file that was made read-only, which renaming would not heed.

    Raises:
        OutputError: it is.
    """
    with suppress(OSError):
        found = path.stat()
        if stat.S_ISREG(found.st_mode) and not found.st_mode & _ANY_WRITE:
            raise OutputError(f"{path} is read-only, and is not replaced.")


def remove_leftovers(folder: Path) -> None:
    """Remove the half-written files of processes that have ended; those of others stay."""
    with suppress(OSError), os.scandir(folder) as entries:
        parts = [Path(entry.path) for entry in entries if _PART.fullmatch(entry.name)]
        for part in parts:
            with suppress(OSError):
                _remove_if_dead(part)


def _remove_if_dead(part: Path) -> None:
    if fcntl is None:
        part.unlink()  # refused where it is open
        return
    with part.open("rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)  # refused where another has it
        part.unlink()


def _part_beside(target: Path) -> tuple[Path, BinaryIO]:
    """A new file with a lock on it."""
    while True:
        temporary = target.with_name(f".{secrets.token_hex(8)}.part")
        stream = temporary.open("x+b")
        try:
            if fcntl is None or _is_ours(temporary, stream):
                return temporary, stream
        except BaseException:  # as of `replacing`
            with suppress(OSError):
                temporary.unlink()
            raise
        stream.close()  # taken for a leftover before it was locked


def _is_ours(path: Path, stream: BinaryIO) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without locks: nobody removes what cannot be locked
    try:
        return os.path.samestat(path.stat(), os.fstat(stream.fileno()))
    except FileNotFoundError:
        return False


@contextmanager
def writing(path: str | Path) -> Iterator[BinaryIO]:
    """As `replacing`, for a file that a user named; a symbolic link is followed.

    Raises:
        OutputError: the file system does not let it be written, or it is read-only.
    """
    check_replaceable(Path(path))
    with _named(path) as target, replacing(target) as stream:
        yield stream


@contextmanager
def _named(path: str | Path) -> Iterator[Path]:
    try:
        yield Path(os.path.realpath(path))
    except OSError as error:
        raise OutputError(_failure(Path(path), error)) from error


def _failure(path: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{path} cannot be written: the disk is full."
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return f"{path} cannot be written: the folder {path.parent} does not exist."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{path} cannot be written: there is no permission to write there."
    if error.errno == errno.EISDIR:
        return f"{path} cannot be written: it is a folder."
    if error.errno == errno.EFBIG:
        return f"{path} cannot be written: files may not be as large here."
    if str(error).startswith("encoder error"):  # how Pillow passes on what a library hides
        return f"{path} cannot be written: not all of it could be stored; is the disk full?"
    return f"{path} cannot be written: {reason(error)}."
