"""Edits as values: a list of them can be kept in a file and applied again.

A field lists the edits it was made by, so that whatever is made of it can name them.

edits = (Without((3, 4)), Soft())
changed = apply(field, edits)
Path("edits.json").write_text(dumps(edits))
"""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, ClassVar, cast

import torch
from pydantic import ConfigDict, Field

from gsr.base.errors import ConfigError, GsrError, shown
from gsr.base.reading import STRICT, parse_json, read_values
from gsr.field import GaussianField, editing
from gsr.field.editing import Other
from gsr.network.kernels import Kernels

FORMAT = "gsr-edits"
VERSION = 1
MOST_EDITS = 1000
MOST_BYTES = 4 * 2**20
"""Of a file of edits."""
MOST_RUNS = 100_000
"""Of one painted mark."""

Number = Annotated[int, Field(ge=0, le=2**31)]
"""Of a kernel, a row, a column; whether the field has it is asked when the edit is applied."""


class _Edit(ABC):
    """What all edits have in common: called with a field, they make another that lists them."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    def __call__(self, field: GaussianField) -> GaussianField:
        """The field after this edit; the one given stays as it is.

        Raises:
            GsrError: it does not fit the field.
        """
        return replace(self._changed(field), edits=(*field.edits, cast("Edit", self)))

    @abstractmethod
    def _changed(self, field: GaussianField) -> GaussianField: ...


@dataclass(frozen=True)
class Reshape(_Edit):
    """Another shape for a kernel of the bank; sigmas in LR pixels, opacity in (0, 1)."""

    kernel: Number
    sigma_x: float
    sigma_y: float
    rho: float
    opacity: float

    def _changed(self, field: GaussianField) -> GaussianField:
        shape = Kernels(
            sigmas=torch.tensor((self.sigma_x, self.sigma_y)),
            rho=torch.tensor(self.rho),
            opacities=torch.tensor(self.opacity),
        )
        return editing.reshaped(field, self.kernel, shape)


@dataclass(frozen=True)
class Force(_Edit):
    """One kernel for every pixel."""

    kernel: Number

    def _changed(self, field: GaussianField) -> GaussianField:
        return editing.with_kernel(field, self.kernel)


@dataclass(frozen=True)
class Shuffle(_Edit):
    """The choices of the pixels in random order."""

    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] = 0

    def _changed(self, field: GaussianField) -> GaussianField:
        return editing.shuffled(field, torch.Generator().manual_seed(self.seed % 2**63))


@dataclass(frozen=True)
class Soft(_Edit):
    """The mixture of all kernels that the classifier believes in, pixel by pixel."""

    def _changed(self, field: GaussianField) -> GaussianField:
        return editing.soft(field, off=_turned_off(field))


@dataclass(frozen=True)
class Top(_Edit):
    """The same of the `k` likeliest kernels alone."""

    k: Number

    def _changed(self, field: GaussianField) -> GaussianField:
        return editing.soft(field, self.k, _turned_off(field))


@dataclass(frozen=True)
class Mean(_Edit):
    """One mean kernel for every pixel."""

    def _changed(self, field: GaussianField) -> GaussianField:
        return editing.mean_kernel(field)


@dataclass(frozen=True)
class Without(_Edit):
    """Some kernels turned off; their pixels take the likeliest one that is left."""

    kernels: Annotated[tuple[Number, ...], Field(max_length=4096)]

    def _changed(self, field: GaussianField) -> GaussianField:
        return editing.without(field, self.kernels, barred=_turned_off(field))


@dataclass(frozen=True)
class Paint(_Edit):
    """One kernel for some pixels, given as runs (row, first column, length)."""

    kernel: Number
    runs: Annotated[tuple[tuple[Number, Number, Number], ...], Field(max_length=MOST_RUNS)]

    def _changed(self, field: GaussianField) -> GaussianField:
        height, width = field.lr_size
        pixels = torch.zeros_like(field.index, dtype=torch.bool)
        for row, column, length in self.runs:
            if not (0 <= row < height and column >= 0 and 0 < length <= width - column):
                raise GsrError(
                    f"run ({row}, {column}, {length}) leaves the picture of {width} x {height}."
                )
            pixels[:, row, column : column + length] = True
        return editing.with_kernel(field, self.kernel, pixels)


def _turned_off(field: GaussianField) -> tuple[int, ...]:
    """Kernels that edits of the field have turned off."""
    return tuple(k for edit in field.edits if isinstance(edit, Without) for k in edit.kernels)


Edit = Reshape | Force | Shuffle | Soft | Top | Mean | Without | Paint | Other
KINDS: dict[str, type[Edit]] = {
    "kernel": Reshape,
    "force": Force,
    "shuffle": Shuffle,
    "soft": Soft,
    "top": Top,
    "mean": Mean,
    "without": Without,
    "paint": Paint,
}
_LISTED: dict[str, type[Edit]] = KINDS | {"other": Other}
_NAMES = {kind: name for name, kind in _LISTED.items()}


def apply(field: GaussianField, edits: Iterable[Edit]) -> GaussianField:
    """The field after all edits, one after the other; the one given stays as it is.

    A kernel that was turned off is not chosen again by a later choice or mixture; whoever forces or
    paints it has it back.

    Raises:
        GsrError: an edit that does not fit the field.
    """
    for edit in edits:
        if isinstance(edit, Other):
            raise GsrError(f"this change cannot be made again from a list: {edit.what}.")
        field = edit(field)
    return field


def from_values(values: Any) -> tuple[Edit, ...]:
    """Edits from plain values, as JSON holds them: `{"kind": "force", "kernel": 3}`.

    Raises:
        ConfigError: an unknown kind, or members that do not fit it.
    """
    if not isinstance(values, list) or len(values) > MOST_EDITS:
        raise ConfigError(f"edits must be a list of at most {MOST_EDITS}.")
    return tuple(map(_edit, values))


def _edit(value: Any) -> Edit:
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in _LISTED:
        raise ConfigError(f"an edit's kind must be one of {', '.join(KINDS)}, got {shown(kind)}.")
    members = {name: member for name, member in value.items() if name != "kind"}
    return read_values(_LISTED[kind], members, f"an edit of kind {kind}")


def to_values(edits: Iterable[Edit]) -> list[dict[str, Any]]:
    """The inverse of `from_values`."""
    return [{"kind": _NAMES[type(edit)], **asdict(edit)} for edit in edits]


def dumps(edits: Iterable[Edit], *, compact: bool = False) -> str:
    """Edits as the text of a JSON file, or, `compact`, in one line of ASCII."""
    values = {"format": FORMAT, "version": VERSION, "edits": to_values(edits)}
    return json.dumps(values, default=_plain, **_COMPACT if compact else {"indent": 1})


def _plain(value: Any) -> Any:
    """A number of NumPy's or PyTorch's."""
    return value.item()


_COMPACT: dict[str, Any] = {"separators": (",", ":")}


def count(edits: Iterable[Edit]) -> int:
    """How many edits a list stands for."""
    return sum(edit.count if isinstance(edit, Other) else 1 for edit in edits)


def _can_be_read(text: str) -> bool:
    try:
        return bool(loads(text))
    except ConfigError:  # made by a program, of more or other numbers than a list may have
        return False


def bounded(edits: tuple[Edit, ...], room: int) -> tuple[Edit, ...]:
    """The edits if `dumps` can say them in `room` characters, else their number and a checksum."""
    text = dumps(edits, compact=True)
    if len(text) <= room and _can_be_read(text):
        return edits
    checksum = hashlib.sha256(text.encode()).hexdigest()
    return (Other(f"a longer list, sha256 {checksum}", count(edits)),)


def loads(text: str | bytes) -> tuple[Edit, ...]:
    """Edits from the text of a JSON file.

    Raises:
        ConfigError: it is none.
    """
    found = parse_json(text, "a file of edits", most=MOST_BYTES)
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ConfigError(f'edits must be a JSON object whose "format" is "{FORMAT}".')
    if found.get("version") != VERSION:
        raise ConfigError(
            f"edits of version {VERSION} are read, got {shown(found.get('version'))}."
        )
    return from_values(found.get("edits"))
