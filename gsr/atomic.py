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
    temporary = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with temporary.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, target)
    except BaseException:
        # BaseException: an interrupt from the keyboard must not leave a half-written file either.
        with suppress(OSError):
            temporary.unlink()
        raise


@contextmanager
def writing(path: str | Path) -> Iterator[BinaryIO]:
    """As `replacing`, for a file that a user named; a symbolic link is followed.

    Raises:
        OutputError: the file system does not let it be written.
    """
    target = Path(path)
    try:
        with replacing(Path(os.path.realpath(target))) as stream:
            yield stream
    except OSError as error:
        raise OutputError(_failure(target, error)) from error


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
