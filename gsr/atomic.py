"""Files that are whole or not there."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from gsr.errors import OutputError, reason


@contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """A new file in the same folder that takes the place of ``target`` if all goes well."""
    with _beside(target) as temporary, temporary.open("r+b") as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())


@contextmanager
def writing(path: str | Path) -> Iterator[BinaryIO]:
    """As `replacing`, for a file that a user named; a symbolic link is followed.

    Raises:
        OutputError: the file system does not let it be written.
    """
    with _named(path) as target, replacing(target) as stream:
        yield stream


@contextmanager
def writing_by_name(path: str | Path) -> Iterator[Path]:
    """As `writing`, for libraries that want the name of a file and not a stream."""
    with _named(path) as target, _beside(target) as temporary:
        permissions = temporary.stat().st_mode
        yield temporary
        temporary.chmod(permissions)  # some put a file of their own in its place


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    temporary = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        temporary.open("xb").close()
        yield temporary
        os.replace(temporary, target)
    except BaseException:
        # BaseException: an interrupt from the keyboard must not leave a half-written file either.
        with suppress(OSError):
            temporary.unlink()
        raise


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
    return f"{path} cannot be written: {reason(error)}."
