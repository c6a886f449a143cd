"""Results in one CSV file, a row per picture, scale and method, kept from run to run.

A row says everything that its number depends on. Rows of other settings share
the same file and are never mistaken for one another; a row that is there already is not computed
again. A row is written at once or not at all, so that a file is whole whenever a run is stopped.
"""

import csv
import io
import math
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import astuple, dataclass, fields
from itertools import count
from pathlib import Path
from typing import Any, get_type_hints

from gsr.base.atomic import writing
from gsr.base.errors import OutputError, reason, shown
from gsr.base.files import prepare_folder

FILE = "results.csv"
MOST_BYTES = 2**28
"""Of a file that is continued."""


@dataclass(frozen=True)
class Case:
    """What was measured, and by which rules.

    Attributes:
        set: Name of the set.
        image: Name of the HR file.
        scale: Magnification asked for; the true one is that of the sizes.
        method: Name of the method.
        weights: Checksum of its weights; empty for methods without.
        protocol: Name of the protocol; the next four are its rules for this set and scale.
        set_type: `benchmark` or `div2k`.
        channel: `luma` or `rgb`.
        shave: Pixels left out along each border.
        rounding: What is rounded before pictures are compared.
        lr: How LR was made.
        crop: How HR was cropped.
        image_sha256: Checksum of the HR file.
        lr_sha256: Checksum of the LR file; empty where LR was made.
        gsr: Version of gsr, and a digest of the code that computes.
    """

    set: str
    image: str
    scale: float
    method: str
    weights: str
    protocol: str
    set_type: str
    channel: str
    shave: int
    rounding: str
    lr: str
    crop: str
    image_sha256: str
    lr_sha256: str
    gsr: str


@dataclass(frozen=True)
class Scores:
    """What came out.

    Attributes:
        lr_height, lr_width: Size of LR, in pixels.
        height, width: Size of HR after the crop.
        psnr: In dB.
        ssim: Up to 1.
        lpips: From 0, less is better; None where it was not asked for.
    """

    lr_height: int
    lr_width: int
    height: int
    width: int
    psnr: float
    ssim: float
    lpips: float | None = None


@dataclass(frozen=True)
class Row:
    """One line of the file."""

    case: Case
    scores: Scores


COLUMNS = [field.name for kind in (Case, Scores) for field in fields(kind)]


class Results:
    """Rows by their cases, with a file behind them or in memory only.

    Args:
        folder: Where the file is or will be; made if it is not there.

    Raises:
        OutputError: it cannot be written to, or holds a file that is not of this kind.
    """

    def __init__(self, folder: Path | None = None):
        self.path = folder / FILE if folder else None
        self.scores: dict[Case, Scores] = {}
        if folder:
            prepare_folder(folder, create=True)
            self._open(folder / FILE)

    def add(self, row: Row) -> None:
        """Keep a row; the file has it when this returns.

        Raises:
            OutputError: it cannot be written; the file is as it was before.
        """
        if self.path:
            _append(self.path, _line(astuple(row.case) + astuple(row.scores)))
        self.scores[row.case] = row.scores

    def _open(self, path: Path) -> None:
        header = _line(COLUMNS)
        content = _read(path)
        # What a run that was killed in the middle of a line has left of it.
        whole = content[: content.rfind("\n") + 1]
        if not whole and header.startswith(content):
            whole = header
        if not whole.startswith(header):
            raise OutputError(
                f"{path} is not a file of this version of gsr eval, its columns are others; name "
                "another folder."
            )
        for row in _rows(path, whole[len(header) :]):
            self.scores[row.case] = row.scores
        if whole != content:
            with writing(path) as file:
                file.write(_encoded(whole))


def _rows(path: Path, lines: str) -> Iterator[Row]:
    cells = csv.reader(io.StringIO(lines), strict=True)
    for number in count(2):
        try:
            values = next(cells, None)
            if values is None:
                return
            parts = dict(zip(COLUMNS, values, strict=True))
            row = Row(_from_text(Case, parts), _from_text(Scores, parts))
        except (csv.Error, ValueError) as error:
            raise OutputError(
                f"{path}, row {number} is damaged; name another folder or remove the row."
            ) from error
        yield row


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            text = file.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise OSError(f"it is longer than {MOST_BYTES:,} bytes")
        return text
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise OutputError(f"{path} cannot be read: {reason(error)}.") from error


def _append(path: Path, line: str) -> None:
    """One write of the whole line; what a full disk took of it is taken back."""
    data = _encoded(line)
    try:
        with path.open("ab", buffering=0) as file:
            before = os.fstat(file.fileno()).st_size
            try:
                if file.write(data) != len(data):
                    raise OSError("the disk is full")
            except OSError:
                with suppress(OSError):
                    file.truncate(before)
                raise
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {reason(error)}.") from error


def _encoded(text: str) -> bytes:
    # Names of files need not be valid Unicode.
    return text.encode("utf-8", errors="surrogateescape")


def _line(values: Any) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(map(_text, values))
    return text.getvalue()


def _text(value: Any) -> str:
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return "" if value is None else str(value)


def _from_text(kind: type, parts: dict[str, str]) -> Any:
    hints = get_type_hints(kind)
    made = kind(**{f.name: _value(hints[f.name], parts[f.name]) for f in fields(kind)})
    if isinstance(made, Scores):
        _check_scores(made)
    return made


def _value(hint: Any, text: str) -> Any:
    """A cell, which must be as `_text` writes it."""
    if hint is str:
        return text
    if hint is not int and hint is not float and not text:
        return None
    if not re.fullmatch(_WHOLE if hint is int else _NUMBER, text):
        raise ValueError(f"{shown(text)} is not a number")
    return int(text) if hint is int else float(text)


_WHOLE = r"-?\d{1,12}"
_NUMBER = r"-?\d{1,17}(\.\d{1,20})?(e[+-]?\d{1,3})?|inf"  # PSNR of equal pictures


def _check_scores(scores: Scores) -> None:
    sizes = scores.lr_height, scores.lr_width, scores.height, scores.width
    rest = scores.ssim, scores.lpips or 0.0
    if min(sizes) < 1 or not all(map(math.isfinite, rest)):
        raise ValueError("a size or a score is out of range")
