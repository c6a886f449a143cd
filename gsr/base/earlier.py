"""Results of earlier runs, which must not be taken for pictures to start from."""

import mmap
import re
from collections.abc import Iterable
from pathlib import Path

_LABEL = re.compile(r"-(?:(?:x|w|h|max)[0-9][0-9.e+-]*|[0-9]+x[0-9]+(?:-(?:crop|pad|stretch))?)$")
"""The end of the stem of a result, see `gsr.base.output_size.OutputSize.label`."""
_MARK = b"gsr:scale"
"""Stands in every result with metadata, uncompressed: in PNG text, else in the EXIF block."""

_LOOKED_AT = 2**20
"""Bytes at both ends of a file, where formats have room for it."""


def results_among(paths: Iterable[Path], suffixes: tuple[str, ...]) -> set[Path]:
    """Those that were made of another one, of any scale and format.

    Both must speak for it: the name, which begins with that of the other, and what the file says
    of itself. So a folder of nothing but results can be enlarged further.

    Args:
        paths: What was found in a folder and below it.
        suffixes: Of pictures, with their dots.
    """
    paths = list(paths)
    stems = {path.stem.lower() for path in paths}
    return {path for path in paths if _sources(path, suffixes) & stems and _is_marked(path)}


def _sources(path: Path, suffixes: tuple[str, ...]) -> set[str]:
    """Stems that a result of this name may have been made of: `a-png-x2` of `a-png` or `a`."""
    stem = path.stem.lower()
    label = _LABEL.search(stem)
    if label is None:
        return set()
    begin = stem[: label.start()]
    return {begin} | {begin.removesuffix(suffix.replace(".", "-")) for suffix in suffixes}


def _is_marked(path: Path) -> bool:
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            begin = data.find(_MARK, 0, _LOOKED_AT)
            return begin >= 0 or data.find(_MARK, max(0, len(data) - _LOOKED_AT)) >= 0
    except (OSError, ValueError):  # not to be read, or empty
        return False
