"""Which pictures are measured: one set, or a folder of sets."""

import os
from dataclasses import dataclass
from pathlib import Path

from gsr.base.errors import ImageError, reason
from gsr.base.files import READABLE_SUFFIXES

HR = "HR"
"""Folder of the ground truth inside a set, in the archives that benchmarks come in."""


@dataclass(frozen=True)
class ImageSet:
    """Pictures whose means are one column of a table.

    Attributes:
        name: Of its folder.
        paths: The HR files, sorted.
        total: How many there are, when only the first are in `paths`.
    """

    name: str
    paths: tuple[Path, ...]
    total: int


def find_sets(folder: Path, limit: int | None = None) -> list[ImageSet]:
    """The sets of a folder: itself, if it holds pictures or `HR/`, else those inside it.

    Args:
        folder: Where to look.
        limit: Take the first pictures of each set only.

    Raises:
        ImageError: if no picture is found.
    """
    candidates = [folder, *_folders(folder)]
    if _pictures(folder):
        candidates = [folder]
    sets = [
        _as_set(candidate, paths, limit)
        for candidate in candidates
        if (paths := _pictures(candidate))
    ]
    if not sets:
        raise ImageError(
            f"{folder} holds no pictures: name a folder of pictures, one with {HR}/ below it, or "
            "a folder of such folders."
        )
    return sets


def _pictures(folder: Path) -> list[Path]:
    inside = folder / HR
    where = inside if inside.is_dir() else folder
    return sorted(
        path
        for path in _entries(where)
        if path.suffix.lower() in READABLE_SUFFIXES and not path.name.startswith(".")
    )


def _folders(folder: Path) -> list[Path]:
    return sorted(
        path for path in _entries(folder) if path.is_dir() and not path.name.startswith(".")
    )


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise ImageError(f"the folder {folder} cannot be read: {reason(error)}.") from error


def _as_set(folder: Path, paths: list[Path], limit: int | None) -> ImageSet:
    place = Path(os.path.abspath(folder))  # a set that is a link is called as the link is
    name = place.parent.name if place.name == HR else place.name
    return ImageSet(name, tuple(paths[:limit]), len(paths))
