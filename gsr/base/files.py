"""Which files a run reads and writes, decided before any work starts.

Nothing here reads a pixel or imports PyTorch, so a mistake in a path is reported at once.
"""

import hashlib
import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gsr.base.atomic import remove_leftovers
from gsr.base.earlier import results_among
from gsr.base.errors import GsrError, ImageError, OutputError

if TYPE_CHECKING:
    pass

READABLE_SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".jfif", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".avif",
    ".jp2", ".j2k", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm",
)  # fmt: skip
"""Files of a folder with these suffixes are taken; a file named on its own may have any."""
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


def result_stem(path: Path) -> str:
    """How results made of a file are called before a mark and a suffix."""
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


@dataclass(frozen=True)
class Job:
    """One picture to read and where its result goes."""

    source: Path
    output: Path


@dataclass(frozen=True)
class Plan:
    """The jobs of a run.

    Attributes:
        jobs: In the order of the inputs.
        many: Several pictures, or a folder, were asked for.
        named_folder: Results go into folders that may have to be made.
        left_out: Pictures of a folder that are results of an earlier run.
    """

    jobs: tuple[Job, ...]
    many: bool
    named_folder: bool
    left_out: tuple[Path, ...] = ()


@dataclass(frozen=True)
class _Found:
    """A picture, and its folder relative to the folder it was found in (None: named itself)."""

    source: Path
    inside: Path | None
    root: Path


def plan(
    inputs: list[Path],
    output: Path | None,
    *,
    label: str,
    suffix: str,
    into: bool = False,
    recursive: bool = False,
) -> Plan:
    """Give every input its output.

    Args:
        inputs: Files and folders.
        output: A file for one input file, else a folder; None writes next to the inputs: next
            to a file, and for a folder into a new one next to it.
        label: Marks names made here, `photo.png` becomes `photo-LABEL.png`.
        suffix: Format of names made here, with its dot.
        into: `output` is a folder even for one input, and even if it does not exist yet.
        recursive: Also take the folders inside folders; `output` repeats their structure.

    Raises:
        ImageError: a folder holds no pictures.
        OutputError: many inputs with one output file, or two inputs with one output.
    """
    # Unlike pathlib's, these tests raise nothing where a folder may not be entered; who reads or
    # writes there later has the words for it.
    many = len(inputs) > 1 or any(map(os.path.isdir, inputs))
    to_folder = output is not None and os.path.isdir(output)
    if (many or into) and output is not None and os.path.exists(output) and not to_folder:
        raise OutputError(f"{output} is a file, and a folder is needed.")
    named = output is not None and output.suffix.lower() in READABLE_SUFFIXES
    if (many or into) and named and not to_folder:
        raise OutputError(f"{output} is the name of a picture, and a folder is needed.")
    if not many and output is not None and not into and not to_folder:
        return Plan((Job(inputs[0], output),), many, named_folder=False)
    found = list(_find_all(inputs, output, recursive))
    earlier = _earlier(found)
    kept = [one for one in found if one.source not in earlier]
    folders = [_folder(one, output, label) for one in kept]
    names = _names([one.source for one in kept], folders, f"-{label}{suffix}")
    jobs = [
        Job(one.source, folder / name)
        for one, folder, name in zip(kept, folders, names, strict=True)
    ]
    # Without metadata they cannot be recognized, except those that this very run would make.
    own = _made_here(jobs, {one.source for one in kept if one.inside is not None})
    jobs = [job for job in jobs if job.source not in own]
    _check_distinct(jobs)
    return Plan(tuple(jobs), many, named_folder=many or into, left_out=(*sorted(earlier | own),))


def _earlier(found: list[_Found]) -> set[Path]:
    """Pictures of folders that are results of others next to them."""
    inside = [one.source for one in found if one.inside is not None]
    return results_among(inside, READABLE_SUFFIXES) if inside else set()


def _made_here(jobs: list[Job], inside: set[Path]) -> set[Path]:
    """Which of the sources in folders are what other jobs make."""
    outputs = {os.path.abspath(job.output) for job in jobs}
    return {path for path in inside if os.path.abspath(path) in outputs}


def _find_all(inputs: list[Path], output: Path | None, recursive: bool) -> Iterator[_Found]:
    seen: set[str] = set()
    for path in inputs:
        is_folder = os.path.isdir(path)
        found = _find_in(path, output, recursive) if is_folder else [_Found(path, None, path)]
        if not found:
            deeper = "" if recursive else "; add --recursive to look into the folders inside it"
            raise ImageError(f"{path} holds no pictures{deeper}.")
        for one in found:
            # Not pathlib's, which raises where links point at each other.
            if (real := os.path.realpath(one.source)) not in seen:
                seen.add(real)
                yield one


def _find_in(folder: Path, output: Path | None, recursive: bool) -> list[_Found]:
    found = []
    own = _identity(output) if output else None
    for where, folders, names in os.walk(folder):
        # Results of an earlier run inside the folder are not pictures to start from.
        folders[:] = sorted(
            name
            for name in folders
            if recursive and not name.startswith(".") and _identity(Path(where, name)) != own
        )
        for name in sorted(names):
            path = Path(where, name)
            if not _may_be_file(path):
                continue
            if path.suffix.lower() in READABLE_SUFFIXES and not name.startswith("."):
                found.append(_Found(path, path.parent.relative_to(folder), folder))
    return found


def _may_be_file(path: Path) -> bool:
    """Not a pipe, a device or a socket: reading these may wait or last for ever."""
    return os.path.isfile(path) or not os.path.exists(path)  # a link to nothing is reported later


def _folder(one: _Found, output: Path | None, label: str) -> Path:
    if one.inside is None:
        return output or one.source.parent
    root = one.root.resolve()
    if output is None and not root.name:
        raise OutputError(f"results cannot be written next to {root}; name an output folder.")
    return (output or root.with_name(f"{root.name}-{label}")) / one.inside


def _names(sources: list[Path], folders: list[Path], ending: str) -> list[str]:
    """`photo-x3.7.png`; where `photo.png` and `photo.jpg` meet, `photo-jpg-x3.7.png`."""
    # Lower case, because some file systems see no difference.
    keys = [(folder, path.stem.lower()) for path, folder in zip(sources, folders, strict=True)]
    taken = Counter(keys)
    return [
        result_stem(path)
        + (path.suffix.lower().replace(".", "-") if taken[key] > 1 else "")
        + ending
        for path, key in zip(sources, keys, strict=True)
    ]


def _check_distinct(jobs: Iterable[Job]) -> None:
    taken: dict[Path, Path] = {}
    for job in jobs:
        other = taken.setdefault(job.output.absolute(), job.source)
        if other != job.source:
            raise OutputError(f"{other} and {job.source} would both be written to {job.output}.")


def copy_times(source: Path, result: Path) -> None:
    """Give a result the times of access and change of what it was made from."""
    try:
        times = source.stat()
        os.utime(result, ns=(times.st_atime_ns, times.st_mtime_ns))
    except OSError as error:
        raise OutputError(f"the times of {result} cannot be set: {_reason(error)}.") from error


def identities(paths: Iterable[Path]) -> set[tuple[int, int]]:
    """What identifies a file, whatever its name is; files that do not exist have none."""
    return {identity for path in paths if (identity := _identity(path))}


def check_not_an_input(output: Path, inputs: set[tuple[int, int]]) -> None:
    """Refuse to write over a picture that is read, under whatever name.

    Raises:
        OutputError: `output` is one of `inputs`, directly or through a link.
    """
    if _identity(output) in inputs:
        raise OutputError(f"{output} is an input itself, and inputs are never replaced.")


def _identity(path: Path) -> tuple[int, int] | None:
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
