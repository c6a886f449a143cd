"""Edits as values: each makes another field, and a list of them can be kept and applied again.

A field lists the edits it was made by, so that whatever is made of it can name them.

    edits = (Without((3, 4)), Soft())
    changed = apply(field, edits)
    Path("edits.json").write_text(dumps(edits))

To add a kind of edit, write a class with its members, `changed` and `label`, and name it in
`EDITS`.
"""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from numbers import Integral
from operator import eq
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from pydantic import ConfigDict, Field
from torch import Tensor

from gsr.base.errors import ConfigError, GsrError, check_shape, shown
from gsr.base.reading import STRICT, parse_json, read_values
from gsr.field.protocol import Pixels
from gsr.network.classifier import by_bands, class_scores
from gsr.network.kernels import RHO_LIMIT, SIGMA_RANGE, Kernels, raw

if TYPE_CHECKING:
    from gsr.field import GaussianField

FORMAT = "gsr-edits"
VERSION = 1
MAX_EDITS = 1000
MAX_BYTES = 4 * 2**20
"""Of a file of edits."""
MAX_RUNS = 100_000
"""Of one painted mark."""

Number = Annotated[int, Field(ge=0, le=2**31)]
"""Of a kernel, a row, a column; whether the field has it is asked when the edit is applied."""


class Edit(ABC):
    """What all edits have in common: called with a field, they make another that lists them."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    def __call__(self, field: "GaussianField[Pixels]") -> "GaussianField[Pixels]":
        """The field after this edit; the one given stays as it is.

        A kernel that an earlier edit turned off is not chosen again by a later choice or mixture;
        whoever forces or paints it has it back.

        Raises:
            GsrError: when the edit does not fit the field.
        """
        return replace(self.changed(field), edits=(*field.edits, self))

    @abstractmethod
    def changed(self, field: "GaussianField[Pixels]") -> "GaussianField[Pixels]":
        """What the edit does, without listing it."""

    @property
    @abstractmethod
    def label(self) -> str:
        """The edit in a few words, for a list."""


@dataclass(frozen=True)
class Reshape(Edit):
    """Another shape for a kernel of the bank; sigmas in LR pixels, opacity in (0, 1)."""

    kernel: Number
    sigma_x: float
    sigma_y: float
    rho: float
    opacity: float

    @property
    def label(self) -> str:
        return f"Kernel {self.kernel} reshaped"

    def changed(self, field: "GaussianField[Pixels]") -> "GaussianField[Pixels]":
        number, bank = _checked(field, self.kernel), field.bank_raw.clone()
        bank[number] = raw(self._shape()).to(bank)
        return replace(field, bank_raw=bank)

    def _shape(self) -> Kernels:
        shape = Kernels(
            sigmas=torch.tensor((self.sigma_x, self.sigma_y)),
            rho=torch.tensor(self.rho),
            opacities=torch.tensor(self.opacity),
        )
        low, high = SIGMA_RANGE
        if not ((shape.sigmas >= low) & (shape.sigmas <= high)).all():
            raise GsrError(f"sigmas must be between {low:g} and {high:g} LR pixels.")
        if not float(shape.rho.abs()) < RHO_LIMIT:
            raise GsrError(f"rho must lie between -{RHO_LIMIT:g} and {RHO_LIMIT:g}.")
        if not 0 < float(shape.opacities) < 1:
            raise GsrError("opacity must lie between 0 and 1.")
        return shape


@dataclass(frozen=True)
class Force(Edit):
    """One kernel for every pixel."""

    kernel: Number

    @property
    def label(self) -> str:
        return f"Kernel {self.kernel} everywhere"

    def changed(self, field: "GaussianField[Pixels]") -> "GaussianField[Pixels]":
        return _with_index(field, torch.full_like(field.index, _checked(field, self.kernel)))


@dataclass(frozen=True)
class Shuffle(Edit):
    """The choices of the pixels in random order: the same kernels in the wrong places."""

    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] = 0

    @property
    def label(self) -> str:
        return "Choices shuffled"

    def changed(self, field: "GaussianField[Pixels]") -> "GaussianField[Pixels]":
        return _shuffled(field, torch.Generator().manual_seed(self.seed % 2**63))


@dataclass(frozen=True)
class Soft(Edit):
    """Each pixel's kernel as the mean of all, weighted by the classifier's probabilities."""

    @property
    def label(self) -> str:
        return "Soft mixture of all kernels"

    def changed(self, field: "GaussianField[Pixels]") -> "GaussianField[Pixels]":
        return _mixture(field, len(field.bank_raw))


@dataclass(frozen=True)
class Top(Edit):
    """The same of the `k` likeliest kernels alone."""

    k: Number

    @property
    def label(self) -> str:
        return f"Mixture of the best {self.k}"

    def changed(self, field: "GaussianField[Pixels]") -> "GaussianField[Pixels]":
        count = len(field.bank_raw)
        if not (isinstance(self.k, Integral) and 1 <= self.k <= count):
            raise GsrError(f"top must be a whole number from 1 to {count}, got {shown(self.k)}.")
        return _mixture(field, int(self.k))


@dataclass(frozen=True)
class Mean(Edit):
    """One kernel for every pixel of an image, the mean of those its pixels have: content plays no
    part any more.
    """

    @property
    def label(self) -> str:
        return "One mean kernel for all"

    def changed(self, field: "GaussianField[Pixels]") -> "GaussianField[Pixels]":
        own = field.mixed if field.mixed is not None else field.bank_raw[field.index]
        mean = own.mean(dim=(1, 2), keepdim=True)
        return replace(field, mixed=mean.expand(*field.index.shape, 4).contiguous())


@dataclass(frozen=True)
class Without(Edit):
    """Some kernels turned off; their pixels take the likeliest one that is left."""

    kernels: Annotated[tuple[Number, ...], Field(max_length=4096)]

    @property
    def label(self) -> str:
        one = len(self.kernels) == 1
        return (
            f"Without kernel {self.kernels[0]}" if one else f"Without {len(self.kernels)} kernels"
        )

    def changed(self, field: "GaussianField[Pixels]") -> "GaussianField[Pixels]":
        off = _off(field, self.kernels)
        closed = _off(field, (*self.kernels, *turned_off(field.edits)))
        bank = field.bank_raw.float()

        def likeliest(evidence: Tensor) -> Tensor:
            scores = class_scores(evidence.float(), bank, field.classifier)
            return scores.masked_fill(closed[:, None, None], -torch.inf).argmax(1)

        rest = by_bands(likeliest, field.evidence)
        return _with_index(field, torch.where(off[field.index], rest, field.index))


@dataclass(frozen=True)
class Paint(Edit):
    """One kernel for some pixels, given as runs (row, first column, length)."""

    kernel: Number
    runs: Annotated[tuple[tuple[Number, Number, Number], ...], Field(max_length=MAX_RUNS)]

    @property
    def label(self) -> str:
        return f"Kernel {self.kernel} painted on {sum(run[2] for run in self.runs)} pixels"

    def changed(self, field: "GaussianField[Pixels]") -> "GaussianField[Pixels]":
        kernel, pixels = _checked(field, self.kernel), self._pixels(field.lr_size)
        index = field.index.clone(memory_format=torch.contiguous_format)
        index.flatten(1)[:, pixels] = kernel
        if field.mixed is None:
            return _with_index(field, index)
        mixed = field.mixed.clone(memory_format=torch.contiguous_format)
        mixed.flatten(1, 2)[:, pixels] = field.bank_raw[kernel]
        return replace(field, index=index, mixed=mixed)

    def _pixels(self, size: tuple[int, int]) -> Int[Tensor, " n"]:
        """Which pixels, counted row by row."""
        height, width = size
        runs = np.array(self.runs, dtype=np.int64).reshape(-1, 3)
        row, column, length = runs.T
        inside = (row >= 0) & (row < height) & (column >= 0)
        out = ~(inside & (length > 0) & (length <= width - column))
        if out.any():
            run = tuple(runs[out.argmax()].tolist())
            raise GsrError(f"run {run} leaves the picture of {width} x {height}.")
        first = np.repeat(row * width + column - (length.cumsum() - length), length)
        return torch.from_numpy(first + np.arange(len(first)))


@dataclass(frozen=True)
class Other(Edit):
    """Changes that are known to have been made, and cannot be made again from here.

    Attributes:
        what: Which changes, in a few words.
        count: How many.
    """

    what: Annotated[str, Field(max_length=200)]
    count: Annotated[int, Field(ge=1, le=2**31)] = 1

    @property
    def label(self) -> str:
        return f"{'A change' if self.count == 1 else f'{self.count} changes'}: {self.what}"

    def changed(self, field: "GaussianField[Pixels]") -> "GaussianField[Pixels]":
        raise GsrError(f"this change cannot be made again from a list: {self.what}.")


EDITS: dict[str, type[Edit]] = {
    "kernel": Reshape,
    "force": Force,
    "shuffle": Shuffle,
    "soft": Soft,
    "top": Top,
    "mean": Mean,
    "without": Without,
    "paint": Paint,
}
"""Every kind that can be applied, by its name in a file."""
OTHER = "other"
"""The name of changes that cannot be applied."""


# --- applying --------------------------------------------------------------------------------


def apply(field: "GaussianField[Pixels]", edits: Iterable[Edit]) -> "GaussianField[Pixels]":
    """The field after all edits, one after the other, each as if it were called itself.

    Raises:
        GsrError: an edit that does not fit the field.
    """
    for edit in edits:
        field = edit(field)
    return field


class Applied:
    """A field and what was last made of it, so that one edit more costs that edit alone.

    Args:
        first: The field before all edits.
    """

    def __init__(self, first: "GaussianField"):
        self.first = first
        self._kept: tuple[GaussianField, ...] = ()
        self._read: tuple[list[Any], tuple[Edit, ...]] = [], ()

    @property
    def nbytes(self) -> int:
        """Memory of what is kept besides the first field."""
        own = (part for field in self._kept for part in (field.index, field.mixed))
        return sum(part.nbytes for part in own if part is not None)

    def __call__(self, edits: Sequence[Edit]) -> "GaussianField":
        """As `apply(first, edits)`. What is kept is used as far as it goes, undone edits too.

        Raises:
            GsrError: an edit that does not fit the field; what is kept stays.
        """
        start = len(self.first.edits)
        fields = (self.first, *self._kept)
        known = [field for field in fields if _begins(edits, field.edits[start:])]
        field = max(known, key=lambda field: len(field.edits))
        kept = self._kept
        for edit in edits[len(field.edits) - start :]:
            before, field = field, edit(field)
            kept = (before, field)
        self._kept = kept
        return field

    def of_values(self, values: Any) -> "GaussianField":
        """The same for plain values as `from_values` takes them, of which the new ones are read.

        Raises:
            GsrError: an edit that makes no sense, or does not fit the field.
        """
        old, edits = self._read
        known = _shared(old, _checked_list(values))
        edits = (*edits[:known], *from_values(values[known:]))
        field = self(edits)
        self._read = values, edits
        return field


def _shared(old: list[Any], new: list[Any]) -> int:
    """How many values at the beginning are the same in both."""
    pairs = zip(old, new, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _begins(edits: Sequence[Edit], with_these: Sequence[Edit]) -> bool:
    return len(with_these) <= len(edits) and all(map(eq, with_these, edits))


def turned_off(edits: Iterable[Edit]) -> tuple[int, ...]:
    """Kernels that no later choice may take."""
    return tuple(k for edit in edits if isinstance(edit, Without) for k in edit.kernels)


def _checked(field: "GaussianField", kernel: int) -> int:
    count = len(field.bank_raw)
    if not isinstance(kernel, Integral):
        raise GsrError(f"kernel must be an integer, got {shown(kernel)}.")
    if not 0 <= kernel < count:
        raise GsrError(f"kernel must be between 0 and {count - 1}, got {shown(kernel)}.")
    return int(kernel)


def _off(field: "GaussianField", kernels: Sequence[int]) -> Bool[Tensor, " n"]:
    """Mask of the kernels that are named."""
    off = torch.zeros(len(field.bank_raw), dtype=torch.bool, device=field.index.device)
    for kernel in kernels:
        off[_checked(field, kernel)] = True
    if off.all():
        raise GsrError("at least one kernel must be left.")
    return off


def _with_index(
    field: "GaussianField[Pixels]", index: Int[Tensor, "b h w"]
) -> "GaussianField[Pixels]":
    return replace(field, index=index, mixed=None)


def _shuffled(
    field: "GaussianField[Pixels]", generator: torch.Generator
) -> "GaussianField[Pixels]":
    """Pictures of a batch do not mix."""
    orders = (torch.randperm(image.numel(), generator=generator) for image in field.index)
    mixed_up = [
        image.flatten()[order.to(image.device)]
        for image, order in zip(field.index, orders, strict=True)
    ]
    return _with_index(field, torch.stack(mixed_up).reshape(field.index.shape))


def _mixture(field: "GaussianField[Pixels]", top: int) -> "GaussianField[Pixels]":
    """The `top` likeliest kernels of each pixel, without those that were turned off."""
    off, bank = _off(field, turned_off(field.edits)), field.bank_raw.float()

    def mixture(evidence: Tensor) -> Tensor:
        scores = class_scores(evidence.float(), bank, field.classifier)
        scores = scores.masked_fill(off[:, None, None], -torch.inf)
        if top < len(bank):
            least = scores.topk(top, dim=1).values[:, -1:]
            scores = scores.masked_fill(scores < least, -torch.inf)
        return scores.softmax(1).movedim(1, -1) @ bank

    return replace(field, mixed=by_bands(mixture, field.evidence))


# --- changes that are not values --------------------------------------------------------------


def with_index(
    field: "GaussianField[Pixels]", index: Int[Tensor, "b h w"]
) -> "GaussianField[Pixels]":
    """Another class map.

    Raises:
        GsrError: for a class the bank does not have.
    """
    check_shape("index", index, tuple(field.index.shape))
    count = len(field.bank_raw)
    if index.numel() and not (int(index.min()) >= 0 and int(index.max()) < count):
        raise GsrError(f"kernel must be between 0 and {count - 1}.")
    return _listed(field, _with_index(field, index.to(field.index)), "another class map")


def with_kernel(
    field: "GaussianField[Pixels]", kernel: int, pixels: Bool[Tensor, "b h w"] | None = None
) -> "GaussianField[Pixels]":
    """One kernel for the marked pixels, or for all.

    Args:
        field: What to change.
        kernel: Its number in the bank.
        pixels: A mask, as a tensor or an array; all if not given.

    Raises:
        GsrError: for a kernel the bank does not have, or for an invalid mask.
    """
    number = _checked(field, kernel)
    if pixels is None:
        pixels = torch.ones_like(field.index, dtype=torch.bool)
    pixels = torch.as_tensor(pixels, device=field.index.device)
    check_shape("pixels", pixels, tuple(field.index.shape))
    if pixels.dtype != torch.bool:
        raise GsrError(f"pixels must be a boolean mask, got {pixels.dtype}.")
    index = field.index.masked_fill(pixels, number)
    mixed = field.mixed
    if mixed is not None:
        mixed = torch.where(pixels[..., None], field.bank_raw[number], mixed)
    return _listed(field, replace(field, index=index, mixed=mixed), "one kernel for some pixels")


def with_bank(
    field: "GaussianField[Pixels]", bank_raw: Float[Tensor, "n 4"]
) -> "GaussianField[Pixels]":
    """Other kernels for the same classes; raw numbers, see `gsr.network.kernels.physical`.

    A mixture (`Soft`, `Mean`) keeps the shapes it was made of.
    """
    check_shape("bank_raw", bank_raw, tuple(field.bank_raw.shape))
    return _listed(
        field, replace(field, bank_raw=bank_raw.to(field.bank_raw)), "another bank of kernels"
    )


def shuffled(field: "GaussianField[Pixels]", generator: torch.Generator) -> "GaussianField[Pixels]":
    """As `Shuffle`, with a generator that continues from field to field."""
    return _listed(field, _shuffled(field, generator), "choices shuffled")


def _listed(
    field: "GaussianField", changed: "GaussianField[Pixels]", what: str
) -> "GaussianField[Pixels]":
    return replace(changed, edits=(*field.edits, Other(what)))


# --- lists as text ---------------------------------------------------------------------------


def from_values(values: Any) -> tuple[Edit, ...]:
    """Edits from plain values, as JSON holds them: `{"kind": "force", "kernel": 3}`.

    Raises:
        ConfigError: an unknown kind, or members that do not fit it.
    """
    return tuple(map(_edit, _checked_list(values)))


def _checked_list(values: Any) -> list[Any]:
    if not isinstance(values, list) or len(values) > MAX_EDITS:
        raise ConfigError(f"edits must be a list of at most {MAX_EDITS}.")
    return values


def _edit(value: Any) -> Edit:
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in (*EDITS, OTHER):
        raise ConfigError(f"an edit's kind must be one of {', '.join(EDITS)}, got {shown(kind)}.")
    members = {name: member for name, member in value.items() if name != "kind"}
    return read_values(EDITS.get(kind, Other), members, f"an edit of kind {kind}")


def to_values(edits: Iterable[Edit]) -> list[dict[str, Any]]:
    """The inverse of `from_values`."""
    names = {kind: name for name, kind in (*EDITS.items(), (OTHER, Other))}
    return [{"kind": names[type(edit)], **vars(edit)} for edit in edits]


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
        ConfigError: if the text is not such a file.
    """
    found = parse_json(text, "a file of edits", most=MAX_BYTES)
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ConfigError(f'edits must be a JSON object whose "format" is "{FORMAT}".')
    if found.get("version") != VERSION:
        raise ConfigError(
            f"edits of version {VERSION} are read, got {shown(found.get('version'))}."
        )
    return from_values(found.get("edits"))
