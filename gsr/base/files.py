"""What names of files and folders stand for, before anything is read from them."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from gsr.base.atomic import remove_leftovers
from gsr.base.errors import GsrError, OutputError

STDIN = Path("-")
"""As an input: a picture that comes through standard input."""

READABLE_SUFFIXES = (
    ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".jif", ".mpo", ".webp",
    ".tif", ".tiff", ".bmp", ".dib", ".gif", ".avif", ".avifs",
    ".jp2", ".j2k", ".jpc", ".jpf", ".jpx", ".j2c", ".jph", ".jhc",
    ".ppm", ".pgm", ".pbm", ".pnm", ".pfm", ".heic", ".heif", ".hif", ".jxl",
)  # fmt: skip
"""Files of a folder with these suffixes are taken, and others that begin as pictures do; a file
named on its own may have any.
"""
FIELD_SUFFIX = ".gsf"
"""Fields in files; in a folder they are skipped, since their pictures usually lie next to them."""


PAGE_SUFFIX = ".html"
"""Of pages that hold a field."""


def is_page_file(path: Path) -> bool:
    """Whether a name says that a page is in the file."""
    return path.suffix.lower() == PAGE_SUFFIX


def is_field_file(path: Path) -> bool:
    """Whether a name says that a field is in the file."""
    return path.suffix.lower() == FIELD_SUFFIX


EDITED = "-edited"
"""In the names of results of an edited field."""


MAX_HEADER = 100_000_000
"""Bytes of a field's header, as its format has it."""


def is_stream(path: Path) -> bool:
    """Whether only this process can read it: standard input, or a descriptor by its number."""
    return path == STDIN or os.path.abspath(path).startswith(("/dev/", "/proc/self/"))


def is_folder(path: Path) -> bool:
    """Whether a name stands for a folder. Unlike pathlib's, this raises nothing."""
    return path != STDIN and os.path.isdir(path)


def result_stem(path: Path) -> str:
    """How results made of a file are called before a mark and a suffix."""
    if path == STDIN:
        return "stdin"
    return marked(path.stem, edited=is_field_file(path) and _lists_edits(path))


def marked(stem: str, *, edited: bool) -> str:
    """The beginning of a name, which says that a field was edited."""
    return stem + EDITED if edited and not stem.endswith(EDITED) else stem


def _lists_edits(path: Path) -> bool:
    """By the header alone; of a damaged file nothing is known, and who opens it says so."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(min(length, MAX_HEADER)))
        return "edits" in header["__metadata__"]
    except Exception:
        return False


def is_file(path: Path, refusal: type[GsrError]) -> bool:
    """Whether a file is there.

    Raises:
        GsrError: as `refusal`, where the file system does not let anybody look.
    """
    try:
        return path.is_file()
    except PermissionError:
        raise refusal(f"{path}: there is no permission to read this file.") from None
    except OSError as error:
        raise refusal(f"{path} cannot be opened: {_reason(error)}.") from error


def copy_times(source: Path, result: Path) -> None:
    """Give a result the times of access and change of what it was made from."""
    try:
        times = source.stat()
        os.utime(result, ns=(times.st_atime_ns, times.st_mtime_ns))
    except OSError as error:
        raise OutputError(f"the times of {result} cannot be set: {_reason(error)}.") from error


def identities(paths: Iterable[Path]) -> set[tuple[int, int]]:
    """What identifies a file, whatever its name is; files that do not exist have none."""
    return {found for path in paths if (found := identity(path))}


def check_not_an_input(output: Path, inputs: set[tuple[int, int]]) -> None:
    """Refuse to write over a picture that is read, under whatever name.

    Raises:
        OutputError: `output` is one of `inputs`, directly or through a link.
    """
    if identity(output) in inputs:
        raise OutputError(f"{output} is an input itself, and inputs are never replaced.")


def is_newer(source: Path, result: Path) -> bool:
    """Whether a file was changed after the one made of it."""
    try:
        return source.stat().st_mtime_ns > result.stat().st_mtime_ns
    except OSError:
        return False


def identity(path: Path) -> tuple[int, int] | None:
    """What identifies a file or a folder, whatever its name is; None where nothing is."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def prepare_folder(folder: Path, *, create: bool) -> None:
    """Make sure that files can be written to a folder, and clear it of what killed runs left.

    Args:
        folder: The folder.
        create: Make it, and those above it, if it does not exist.

    Raises:
        OutputError: it does not exist, is a file, or cannot be written to.
    """
    try:
        if create:
            folder.mkdir(parents=True, exist_ok=True)
        if not folder.is_dir():
            raise OutputError(f"the folder {folder} does not exist.")
        # Permissions do not reveal read-only file systems; a file without a name does.
        with tempfile.TemporaryFile(dir=folder):
            pass
        remove_leftovers(folder)
    except OSError as error:
        raise OutputError(f"the folder {folder} cannot be written to: {_reason(error)}.") from error


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).rstrip(".").lower()


def free_memory() -> int | None:
    """Bytes that can still be allocated without swapping, where the system reports it."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        entries = dict(line.split(":", 1) for line in lines)
        free = int(entries["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None
    return min(free, _free_in_group() or free)


def _free_in_group() -> int | None:
    """What a container's limit leaves; files that are only cached make room."""
    group = Path("/sys/fs/cgroup")
    try:
        limit, used = ((group / f"memory.{name}").read_text() for name in ("max", "current"))
        parts = (group / "memory.stat").read_text(encoding="ascii").split()
        cached = int(parts[parts.index("inactive_file") + 1])
        return int(limit) - int(used) + cached
    except (OSError, ValueError):
        return None


def checksum(path: Path) -> str:
    """SHA-256 of a file's content, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
