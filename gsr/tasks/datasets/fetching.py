"""Bring a data set from its own page into a folder, one archive after the other."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gsr.base.errors import ConfigError, OutputError
from gsr.base.files import READABLE_SUFFIXES, checksum, prepare_folder
from gsr.base.progress import SILENT, Steps
from gsr.tasks.datasets.downloading import (
    Arrived,
    check_room,
    download,
    partial,
)
from gsr.tasks.datasets.registry import Dataset, RemoteFile
from gsr.tasks.datasets.unpacking import ArchiveError, unpack

ROOM = 2.1
"""Sizes of an archive that fetching it takes: itself, and what is in it, which hardly shrinks."""


@dataclass(frozen=True)
class Fetched:
    """What became of one file.

    Attributes:
        file: Which one.
        status: `complete` where its folders had been there before.
        folders: Those that were asked for and those that came with them, by their names.
        arrived: Of a file that was unpacked.
    """

    file: RemoteFile
    status: Literal["fetched", "complete"]
    folders: tuple[str, ...]
    arrived: Arrived | None = None


def choose(dataset: Dataset, only: str | None) -> tuple[RemoteFile, ...]:
    """The files of a set whose names hold a text, all of them without one.

    Raises:
        ConfigError: there are none.
    """
    files = tuple(file for file in dataset.files if not only or only.lower() in file.name.lower())
    if dataset.files and not files:
        names = ", ".join(file.name for file in dataset.files)
        raise ConfigError(f"no file of {dataset.name} has {only!r} in its name; there are {names}.")
    return files


def fetch(
    file: RemoteFile, folder: Path, *, within: str = "", keep: bool = False, steps: Steps = SILENT
) -> Fetched:
    """Download a file and unpack it, unless its folders are there.

    Args:
        file: What to fetch.
        folder: Where its folders go; it is made if it does not exist.
        within: Only the folders inside this one are asked for. Others that come with them are
            put next to them where there is nothing yet.
        keep: Keep the archive next to the folders.
        steps: Hears of the work.

    Raises:
        DownloadError: it cannot be had, or is not the file that is known.
        ArchiveError: it is damaged, not safe to unpack, or holds something else.
        OutputError: the folder cannot be written to, the disk has no room for it, or a folder
            that is asked for is there and not complete.
    """
    asked = _asked(file, within)
    missing = [name for name in asked if not _is_complete(folder, file, name)]
    if not missing:
        return Fetched(file, "complete", tuple(asked))
    missing += [name for name in file.folders if name not in asked and _is_free(folder / name)]
    prepare_folder(folder, create=True)
    archive = folder / file.name
    arrived = _on_disk(file, archive, steps) or _download(file, archive, steps)
    _unpack(file, archive, folder, missing, steps)
    if not keep:
        archive.unlink(missing_ok=True)
    return Fetched(file, "fetched", tuple(missing), arrived)


def check_space(
    files: tuple[RemoteFile, ...], folder: Path, *, within: str = "", keep: bool = False
) -> None:
    """Refuse before the first byte if the disk is too small, as far as sizes are known.

    Raises:
        OutputError: it is, or a folder that is asked for is there and not complete.
    """
    missing = [
        file
        for file in files
        if not all(_is_complete(folder, file, name) for name in _asked(file, within))
    ]
    sizes = [file.size or 0 for file in missing]
    here = sum(_size(partial(folder / file.name)) + _size(folder / file.name) for file in missing)
    archives = sum(sizes) if keep else max(sizes, default=0)
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    check_room(existing, sum(sizes) + archives - here)


def _asked(file: RemoteFile, within: str) -> list[str]:
    return [name for name in file.folders if not within or name.startswith(f"{within}/")]


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _is_free(folder: Path) -> bool:
    """Whether a folder can be put there without replacing anything."""
    return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))


def _is_complete(folder: Path, file: RemoteFile, name: str) -> bool:
    """Whether a folder is there with all its pictures.

    Raises:
        OutputError: it is there with other than all its pictures.
    """
    where, expected = folder / name, file.folders[name]
    if _is_free(where):
        return False
    if not where.is_dir():
        raise OutputError(f"{where} is a file, and the folder of that name belongs there.")
    count = _count(where)
    if count != expected:
        raise OutputError(
            f"{where} is there with {count} pictures, and {expected} belong into it; "
            "complete it or move it away."
        )
    return True


def _count(folder: Path) -> int:
    return sum(
        path.suffix.lower() in READABLE_SUFFIXES and not path.name.startswith(".")
        for path in folder.iterdir()
    )


def _on_disk(file: RemoteFile, archive: Path, steps: Steps) -> Arrived | None:
    """An archive that an earlier run, or somebody, has put there."""
    if not archive.exists():
        return None
    size = archive.stat().st_size
    found = checksum(archive)
    if size != (file.size or size) or found != (file.sha256 or found):
        raise OutputError(f"{archive} is there and is not the file that is known; move it away.")
    steps.note(f"{archive} is there already and was not downloaded again.")
    return Arrived(archive, size, found)


def _download(file: RemoteFile, archive: Path, steps: Steps) -> Arrived:
    with steps.bar(f"{file.name}, downloading") as advance:
        return download(
            file.url,
            archive,
            size=file.size,
            sha256=file.sha256,
            room=ROOM,
            told=lambda done, total: advance(done / total) if total else None,
            retrying=steps.note,
        )


def _unpack(
    file: RemoteFile, archive: Path, folder: Path, missing: list[str], steps: Steps
) -> None:
    """Put the missing folders into place, each of them whole or not at all."""
    size = archive.stat().st_size or 1
    free = shutil.disk_usage(folder).free
    with _staging(folder) as staging, steps.bar(f"{file.name}, unpacking") as advance:
        unpack(archive, staging, max_bytes=free, told=lambda done: advance(min(1.0, done / size)))
        source = staging / file.root
        for name in missing:
            _check_content(file, name, source / name)
        for name in missing:
            _move(source / name, folder / name)


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """A folder on the same disk that is gone afterwards, whatever happens."""
    with tempfile.TemporaryDirectory(
        prefix=".unpacking-", dir=folder, ignore_cleanup_errors=True
    ) as staging:
        yield Path(staging)


def _check_content(file: RemoteFile, name: str, where: Path) -> None:
    expected = file.folders[name]
    count = _count(where) if where.is_dir() else 0
    if count != expected:
        raise ArchiveError(
            f"{file.name} holds {count} pictures in {name} and {expected} are expected."
        )


def _move(source: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            target.rmdir()
        os.replace(source, target)
    except OSError as error:
        raise OutputError(f"{target} cannot be written ({error}).") from error
