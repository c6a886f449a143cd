"""Which files a run reads and writes, decided before any work starts.

Nothing here reads a pixel or imports PyTorch, so a mistake in a path is reported at once.
"""

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from gsr.base.earlier import results_among
from gsr.base.errors import ImageError, OutputError
from gsr.base.files import READABLE_SUFFIXES, identity, is_field_file, is_folder, result_stem
from gsr.base.naming import Names, apart
from gsr.base.signatures import format_of_file, plugin_of


@dataclass(frozen=True)
class Job:
    """One picture to read and where its result goes.

    Attributes:
        source: Picture or field file.
        output: File to write.
        problem: Why it cannot be done; empty if nothing is known that speaks against it.
    """

    source: Path
    output: Path
    problem: str = ""


@dataclass(frozen=True)
class Plan:
    """The jobs of a run.

    Attributes:
        jobs: In the order of the inputs.
        many: Several pictures, or a folder, were asked for.
        named_folder: Results go into folders that may have to be made.
        left_out: Pictures of a folder that are results of an earlier run.
        linked: Folders that links lead to again, which are entered once.
        others: Files of folders that are not taken: no pictures, or of a format that is not read.
    """

    jobs: tuple[Job, ...]
    many: bool
    named_folder: bool
    left_out: tuple[Path, ...] = ()
    linked: tuple[Path, ...] = ()
    others: tuple[Path, ...] = ()


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
    names: Names,
    into: bool = False,
    recursive: bool = False,
) -> Plan:
    """Give every input its output.

    Args:
        inputs: Files and folders.
        output: A file for one input file, else a folder; None writes next to the inputs: next
            to a file, and for a folder into a new one next to it.
        names: How results are called where `output` does not say it.
        into: `output` is a folder even for one input, and even if it does not exist yet.
        recursive: Also take the folders inside folders; `output` repeats their structure.

    Raises:
        ImageError: a folder holds no pictures.
        OutputError: many inputs with one output file.
    """
    many = len(inputs) > 1 or any(map(is_folder, inputs))
    to_folder = output is not None and is_folder(output)
    if output is not None:
        _check_output(output, many=many, into=into, to_folder=to_folder)
    if not many and output is not None and not into and not to_folder:
        return Plan((Job(inputs[0], output),), many, named_folder=False)
    linked: list[Path] = []
    others: list[Path] = []
    found = list(_find_all(inputs, output, recursive, linked, others))
    earlier = _earlier(found)
    kept = [one for one in found if one.source not in earlier]
    jobs = _jobs(kept, _folders(kept, output, names.label), names)
    # Without metadata they cannot be recognized, except those that this very run would make.
    own = _made_here(jobs, {one.source for one in kept if one.inside is not None})
    jobs = _kept_apart([job for job in jobs if job.source not in own])
    left_out = (*sorted(earlier | own),)
    return Plan(tuple(jobs), many, many or into, left_out, tuple(linked), tuple(others))


def _check_output(output: Path, *, many: bool, into: bool, to_folder: bool) -> None:
    """Refuse a file where a folder is needed, and a name that says neither."""
    if to_folder:
        return
    if not (many or into):
        if not output.suffix:
            raise OutputError(
                f"{output} has no suffix that tells the format, such as {output}.png, and is no "
                f"folder that exists; for a new folder, end it with a slash: {output}{os.sep}."
            )
        return
    why = "as there are several pictures" if many else "as the slash at its end says"
    if os.path.exists(output):
        raise OutputError(f"{output} is a file, and a folder is needed, {why}.")
    if output.suffix.lower() in READABLE_SUFFIXES and not into:
        raise OutputError(
            f"{output} is the name of a picture, and a folder is needed, {why}; "
            "for a folder of that name, end it with a slash."
        )


def _earlier(found: list[_Found]) -> set[Path]:
    """Pictures of folders that are results of others next to them."""
    inside = [one.source for one in found if one.inside is not None]
    return results_among(inside, READABLE_SUFFIXES) if inside else set()


def _made_here(jobs: list[Job], inside: set[Path]) -> set[Path]:
    """Which of the sources in folders are what other jobs make."""
    outputs = {os.path.abspath(job.output) for job in jobs}
    return {path for path in inside if os.path.abspath(path) in outputs}


def _find_all(
    inputs: list[Path],
    output: Path | None,
    recursive: bool,
    linked: list[Path],
    others: list[Path],
) -> Iterator[_Found]:
    seen: set[str] = set()
    for path in inputs:
        found = [_Found(path, None, path)]
        if is_folder(path):
            found = _find_in(path, output, recursive, linked, others)
        if not found:
            deeper = "" if recursive else "; add --recursive to look into the folders inside it"
            raise ImageError(f"{path} holds no pictures{deeper}.")
        for one in found:
            # Two links to one picture are two pictures; one place by two ways is one.
            folder = os.path.realpath(one.source.parent)
            if (place := os.path.join(folder, one.source.name)) not in seen:
                seen.add(place)
                yield one


def _find_in(
    folder: Path,
    output: Path | None,
    recursive: bool,
    linked: list[Path],
    others: list[Path],
) -> list[_Found]:
    own = identity(output) if output else None
    found = []
    for where, names in _walk(folder, own, recursive, linked):
        for path in (Path(where, name) for name in sorted(names) if not name.startswith(".")):
            if _is_picture(path):
                found.append(_Found(path, Path(where).relative_to(folder), folder))
            elif _may_be_file(path) and not is_field_file(path):
                others.append(path)
    return found


def _is_picture(path: Path) -> bool:
    """Whether a file of a folder is taken: for its suffix, or for how it begins. One that needs a
    package is taken where that is installed.
    """
    if not _may_be_file(path):
        return False
    begins = format_of_file(path)
    if begins is None:
        return path.suffix.lower() in READABLE_SUFFIXES
    return plugin_of(begins) is None


def _walk(
    root: Path, own: tuple[int, int] | None, recursive: bool, linked: list[Path]
) -> Iterator[tuple[str, list[str]]]:
    """Folders and the names in them. Those that links lead to come after all others, each once."""
    entered = {identity(root), own}  # results of an earlier run are not to start from
    waiting = [str(root)]
    while waiting:
        links: list[str] = []
        for where, folders, names in os.walk(waiting.pop(0)):
            shown = sorted(name for name in folders if recursive and not name.startswith("."))
            inside = [os.path.join(where, name) for name in shown]
            links += filter(os.path.islink, inside)
            fresh = [path for path in inside if not os.path.islink(path)]
            fresh = [path for path in fresh if identity(Path(path)) not in entered]
            entered |= {identity(Path(path)) for path in fresh}
            folders[:] = map(os.path.basename, fresh)
            yield where, names
        for path in links:
            if identity(Path(path)) not in entered:
                entered.add(identity(Path(path)))
                waiting.append(path)
            elif identity(Path(path)) != own:
                linked.append(Path(path))


def _may_be_file(path: Path) -> bool:
    """Not a pipe, a device or a socket: reading these may wait or last for ever."""
    return os.path.isfile(path) or not os.path.exists(path)  # a link to nothing is reported later


def _folders(found: list[_Found], output: Path | None, label: str) -> list[Path]:
    """Where each result goes. Several folders in one stay folders there, as `cp -r` has it."""
    roots = list(dict.fromkeys(one.root for one in found if one.inside is not None))
    kept = dict(zip(roots, apart(roots), strict=True)) if len(roots) > 1 else {}
    return [_folder(one, output, label, kept.get(one.root, Path())) for one in found]


def _folder(one: _Found, output: Path | None, label: str, kept: Path) -> Path:
    if one.inside is None:
        return output or one.source.parent
    if output is not None:
        return output / kept / one.inside
    root = one.root.resolve()
    if not root.name:
        raise OutputError(f"results cannot be written next to {root}; name an output folder.")
    return root.with_name(f"{root.name}-{label}") / one.inside


def _jobs(found: list[_Found], folders: list[Path], names: Names) -> list[Job]:
    """`photo-x3.7.png`; where `photo.png` and `photo.jpg` meet, `photo-jpg-x3.7.png`."""
    stems = [result_stem(one.source) for one in found]
    plain = [
        folder / names.of(stem, one.source)
        for one, stem, folder in zip(found, stems, folders, strict=True)
    ]
    types: dict[str, set[str]] = defaultdict(set)
    for one, output in zip(found, plain, strict=True):
        # Lower case, because some file systems see no difference.
        types[str(output).lower()].add(one.source.suffix.lower())
    jobs = []
    for one, stem, output in zip(found, stems, plain, strict=True):
        if len(types[str(output).lower()]) > 1:
            typed = stem + one.source.suffix.lower().replace(".", "-")
            output = output.with_name(names.of(typed, one.source))
        jobs.append(Job(one.source, output))
    return jobs


def _kept_apart(jobs: list[Job]) -> list[Job]:
    """The jobs, with a problem where several would write one file."""
    rivals: dict[Path, list[Job]] = defaultdict(list)
    for job in jobs:
        rivals[job.output.absolute()].append(job)
    return [_with_rivals(job, rivals[job.output.absolute()]) for job in jobs]


def _with_rivals(job: Job, rivals: list[Job]) -> Job:
    others = [other.source for other in rivals if other.source != job.source]
    if not others:
        return job
    return replace(
        job,
        problem=f"{job.source} and {others[0]} would both be written to {job.output}; keep them "
        "apart with --name, such as {folder}-{stem}{suffix}, or in runs of their own.",
    )
