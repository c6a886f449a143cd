"""Unpack an archive from the net as if its author were an enemy.

An archive is refused as a whole when one entry has an absolute path or climbs out with `..`, is a
link or a device, would replace another entry, or when what comes out is out of proportion.
"""

import gzip
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from gsr.base.errors import GsrError, OutputError

MAX_RATIO = 20.0
"""Unpacked over packed bytes; pictures are packed already, uncompressed ones give about 3."""
MAX_ENTRIES = 100_000
SLACK = 1 << 20
"""Bytes that are allowed whatever the ratio: headers of small archives are large in proportion."""
_BLOCK = 1 << 20

_DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
)

Told = Callable[[int], None]
"""Takes the bytes of the archive that are done with."""


class ArchiveError(GsrError):
    """An archive is damaged, of an unknown kind, or not safe to unpack."""


def unpack(
    archive: Path, into: Path, *, max_bytes: int | None = None, told: Told | None = None
) -> None:
    """Unpack a zip, tar or tar.gz file.

    Args:
        archive: The file.
        into: An empty folder. After an error it holds what was written so far.
        max_bytes: Most bytes that may come out; None leaves it to `MAX_RATIO`.
        told: Called as the work proceeds.

    Raises:
        ArchiveError: the archive is damaged, of another kind, or not safe.
        OutputError: a file could not be written.
    """
    packed = archive.stat().st_size
    limit = int(packed * MAX_RATIO) + SLACK
    limit = limit if max_bytes is None else min(limit, max_bytes)
    budget = _Budget(archive.name, limit)
    try:
        if _starts_with(archive, b"PK"):
            _unpack_zip(archive, into, budget, told)
        else:
            _unpack_tar(archive, into, budget, told)
    except _DAMAGED as error:
        raise ArchiveError(f"{archive.name} is damaged or no archive ({error}).") from error
    except (NotImplementedError, RuntimeError) as error:
        raise ArchiveError(f"{archive.name} is packed in an unknown way ({error}).") from error
    except FileExistsError as error:
        raise ArchiveError(f"{archive.name} holds {error.filename} twice.") from error
    except OSError as error:
        reason = (error.strerror or str(error)).rstrip(".").lower()
        raise OutputError(f"{archive.name} could not be unpacked to {into}: {reason}.") from error


class _Budget:
    """How many bytes and entries may still come out of an archive."""

    def __init__(self, name: str, limit: int) -> None:
        self.name = name
        self.limit = limit
        self.spent = 0
        self.entries = 0

    def spend(self, count: int) -> None:
        self.spent += count
        if self.spent > self.limit:
            raise ArchiveError(
                f"{self.name} would unpack to more than {self.limit:,} bytes, "
                "which is more than its size allows for."
            )

    def enter(self) -> None:
        self.entries += 1
        if self.entries > MAX_ENTRIES:
            raise ArchiveError(f"{self.name} holds more than {MAX_ENTRIES:,} entries.")


def _starts_with(path: Path, magic: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(magic)) == magic


def _inside(name: str, archive: str) -> PurePosixPath:
    """An entry's path, once it is known to stay inside the folder."""
    # A backslash separates on some systems, so it is taken for a separator on all of them.
    slashed = name.replace("\\", "/")
    path = PurePosixPath(slashed)
    drive = len(slashed) > 1 and slashed[1] == ":"
    if path.is_absolute() or drive:
        raise ArchiveError(f"{archive} holds the absolute path {name!r}.")
    if ".." in path.parts:
        raise ArchiveError(f"{archive} holds {name!r}, which leads out of the folder.")
    if "\0" in slashed or any(":" in part for part in path.parts):
        raise ArchiveError(f"{archive} holds {name!r}, which is not a plain name.")
    return path


def _copy(source: IO[bytes], target: Path, budget: _Budget | None) -> int:
    target.parent.mkdir(parents=True, exist_ok=True)
    total = 0
    with target.open("xb") as file:
        while block := source.read(_BLOCK):
            if budget is not None:
                budget.spend(len(block))
            file.write(block)
            total += len(block)
    return total


# --- zip -------------------------------------------------------------------------------------


def _unpack_zip(archive: Path, into: Path, budget: _Budget, told: Told | None) -> None:
    with zipfile.ZipFile(archive) as file:
        entries = [(_checked_zip(entry, budget), entry) for entry in file.infolist()]
        declared = sum(entry.file_size for _, entry in entries)
        # From the table of contents; what really comes out is counted while copying.
        _Budget(archive.name, budget.limit).spend(declared)
        done = 0
        for path, entry in entries:
            if entry.is_dir():
                (into / path).mkdir(parents=True, exist_ok=True)
            else:
                with file.open(entry) as source:
                    _copy(source, into / path, budget)
            done += entry.compress_size
            if told is not None:
                told(done)


def _checked_zip(entry: zipfile.ZipInfo, budget: _Budget) -> PurePosixPath:
    budget.enter()
    path = _inside(entry.filename, budget.name)
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ArchiveError(f"{budget.name} holds {entry.filename!r}, a link or a device.")
    if entry.flag_bits & 1:
        raise ArchiveError(f"{budget.name} holds {entry.filename!r}, which is encrypted.")
    return path


# --- tar -------------------------------------------------------------------------------------


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Counted:
    """A stream that spends the budget as it is read, headers and skipped parts included."""

    def __init__(self, stream: _Readable, budget: _Budget) -> None:
        self.stream = stream
        self.budget = budget

    def read(self, size: int) -> bytes:
        block = self.stream.read(size)
        self.budget.spend(len(block))
        return block


def _unpack_tar(archive: Path, into: Path, budget: _Budget, told: Told | None) -> None:
    with archive.open("rb") as raw:
        zipped = _starts_with(archive, b"\x1f\x8b")
        stream: _Readable = gzip.GzipFile(fileobj=raw) if zipped else raw
        # One pass: nothing of the archive is read that was not counted.
        with tarfile.open(fileobj=_Counted(stream, budget), mode="r|") as file:  # type: ignore[call-overload]
            for entry in _checked_tar(file, budget):
                if entry.isdir():
                    (into / entry.name).mkdir(parents=True, exist_ok=True)
                else:
                    _unpack_one(file, entry, into)
                if told is not None:
                    told(raw.tell())


def _checked_tar(file: tarfile.TarFile, budget: _Budget) -> Iterator[tarfile.TarInfo]:
    for entry in file:
        budget.enter()
        entry.name = str(_inside(entry.name, budget.name))
        if entry.issparse() or not (entry.isreg() or entry.isdir()):
            raise ArchiveError(f"{budget.name} holds {entry.name!r}, a link or a device.")
        yield entry


def _unpack_one(file: tarfile.TarFile, entry: tarfile.TarInfo, into: Path) -> None:
    source = file.extractfile(entry)
    if source is None:
        raise ArchiveError(f"{entry.name!r} is not a file.")
    with source:
        if _copy(source, into / entry.name, None) != entry.size:
            raise ArchiveError(f"{entry.name!r} is cut short.")
