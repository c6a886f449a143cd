"""Tensors and facts about them in one file: safetensors, written and read with more care.

Written so that the same content gives the same bytes, and with a checksum over all of them. Read
in two steps: first the header, so that names, shapes and types can be compared with what is
expected while nothing is in memory yet; then the numbers. Any reader of safetensors opens them.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from gsr.base.errors import GsrError, reason
from gsr.base.reading import parse_json

MOST_HEADER = 24 * 2**20
"""Bytes of a header that is read."""
CHECKSUM = "checksum"
"""Key of the metadata: SHA-256 of the file with zeros in the place of it."""
_UNKNOWN = "0" * 64
_TYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
FLOATS = ("F64", "F32", "F16", "BF16")
"""Types of the numbers of networks."""


@dataclass(frozen=True)
class Entry:
    """A tensor as the header describes it; `type` is safetensors' word, such as F32 or I64."""

    shape: tuple[int, ...]
    type: str


def entries(tensors: Mapping[str, Tensor]) -> dict[str, Entry]:
    """Tensors, on torch's meta device perhaps, as a header would describe them."""
    return {name: Entry(tuple(t.shape), _TYPES[t.dtype]) for name, t in tensors.items()}


# --- writing -------------------------------------------------------------------------------------


def write(file: BinaryIO, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write tensors and facts; nothing but them decides about a byte.

    Args:
        file: Open for writing, at its beginning, and seekable.
        tensors: On any device.
        metadata: Facts by name; `checksum` is added.
    """
    # Wide types first, so that each tensor is aligned; the header is a multiple of 8 as well.
    names = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))
    header: dict[str, Any] = {
        "__metadata__": dict(sorted((metadata | {CHECKSUM: _UNKNOWN}).items()))  # type: ignore[operator]
    }
    end = 0
    for name in names:
        start, end = end, end + tensors[name].numel() * tensors[name].element_size()
        entry = Entry(tuple(tensors[name].shape), _TYPES[tensors[name].dtype])
        header[name] = {
            "dtype": entry.type,
            "shape": entry.shape,
            "data_offsets": (start, end),
        }
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    digest = hashlib.sha256()
    for part in (len(text).to_bytes(8, "little"), text, *(_bytes(tensors[n]) for n in names)):
        digest.update(part)
        file.write(part)
    file.seek(8 + _place(text, _UNKNOWN))
    file.write(digest.hexdigest().encode())


def _bytes(tensor: Tensor) -> Any:
    """The numbers as they lie in the file, row by row."""
    flat = tensor.detach().cpu().contiguous().flatten()
    return flat.view(torch.uint8).numpy()


def _place(header: bytes, digits: str) -> int:
    """Where the checksum's digits begin; within a text its quotes would have backslashes."""
    key = f'"{CHECKSUM}":"'
    return header.index(f'{key}{digits}"'.encode()) + len(key)


def _without(header: bytes, digits: str) -> bytes:
    """The header as it was when the checksum was taken."""
    with suppress(ValueError):  # spelled as nothing of ours is: the checksum will not fit
        at = _place(header, digits)
        return header[:at] + _UNKNOWN.encode() + header[at + len(digits) :]
    return header


# --- reading -------------------------------------------------------------------------------------


@contextmanager
def opened(path: Path, refusal: type[GsrError], foreign: str) -> Iterator["TensorFile"]:
    """The header of a file, and the file behind it.

    Args:
        path: A file that is there.
        refusal: What is raised for damage.
        foreign: What is said, behind the path, of a file that is none of this kind.

    Raises:
        GsrError: as `refusal`.
    """
    with ExitStack() as stack:
        try:
            header = _header(path)
            file = stack.enter_context(safe_open(path, framework="pt"))
            metadata, told = _parsed(header)
        except PermissionError:
            raise refusal(f"{path}: there is no permission to read this file.") from None
        except (_Foreign, SafetensorError, OSError, UnicodeError) as error:
            raise refusal(f"{path} {foreign} ({reason(error)}).") from error
        yield TensorFile(path, metadata, told, refusal, file)


class _Foreign(GsrError):
    """What the file is not."""


def _header(path: Path) -> bytes:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > MOST_HEADER:
            raise _Foreign(f"its header would be {length:,} bytes long")
        return file.read(length)


def _parsed(header: bytes) -> tuple[dict[str, str], dict[str, Entry]]:
    """Metadata and tensors of a header that safetensors found well-formed."""
    values = parse_json(header, "its header", _Foreign, most=MOST_HEADER)
    metadata = values.pop("__metadata__", None) or {}
    return metadata, {name: Entry(tuple(v["shape"]), v["dtype"]) for name, v in values.items()}


@dataclass(frozen=True)
class TensorFile:
    """An open file of which the header was read.

    Attributes:
        path: Where it is.
        metadata: Facts by name.
        entries: What tensors there are.
        refusal: What is raised for damage.
    """

    path: Path
    metadata: dict[str, str]
    entries: dict[str, Entry]
    refusal: type[GsrError]
    _file: Any = field(repr=False)

    def expect(self, expected: Mapping[str, Entry], types: tuple[str, ...] = ()) -> None:
        """Compare the header with what is expected, before a number is read.

        Args:
            expected: Names and shapes that must be there, and no others.
            types: Accepted types; those of `expected` if none are given.

        Raises:
            GsrError: as `refusal`.
        """
        wrong = self.misfits(expected, types)
        if wrong:
            raise self.refusal(
                f"{self.path} does not fit its configuration in {len(wrong)} tensors: "
                f"{', '.join(wrong[:5])}."
            )

    def misfits(self, expected: Mapping[str, Entry], types: tuple[str, ...] = ()) -> list[str]:
        """What is missing, too many, or of another shape or type; arguments as `expect`."""
        return [
            _told(name, self.entries, expected, types)
            for name in sorted(expected.keys() | self.entries.keys())
            if not _fits(self.entries.get(name), expected.get(name), types)
        ]

    def read(self) -> dict[str, Tensor]:
        """All tensors; they do not change or vanish with the file.

        Raises:
            GsrError: as `refusal`: the checksum is another, or a number is not finite.
        """
        try:
            self._check_sum()
            tensors = {name: self._file.get_tensor(name).clone() for name in self.entries}
        except (SafetensorError, OSError) as error:
            raise self.refusal(f"{self.path} cannot be read: {reason(error)}.") from error
        broken = sorted(name for name, value in tensors.items() if not _all_finite(value))
        if broken:
            raise self.refusal(
                f"{self.path} holds numbers that are not finite in {', '.join(broken[:5])}."
            )
        return tensors

    def _check_sum(self) -> None:
        """Files of before there were checksums have none."""
        told = self.metadata.get(CHECKSUM)
        if told is None:
            return
        with self.path.open("rb") as file:
            start = file.read(8)
            header = file.read(int.from_bytes(start, "little"))
            digest = hashlib.sha256(start + _without(header, told))
            while part := file.read(2**20):
                digest.update(part)
        if digest.hexdigest() != told:
            raise self.refusal(
                f"{self.path} is damaged: its checksum is not the one that was written into it."
            )


def _fits(found: Entry | None, expected: Entry | None, types: tuple[str, ...]) -> bool:
    if found is None or expected is None or found.shape != expected.shape:
        return False
    return found.type in (types or (expected.type,))


def _told(
    name: str,
    found: Mapping[str, Entry],
    expected: Mapping[str, Entry],
    types: tuple[str, ...],
) -> str:
    if name not in found:
        return f"{name} missing"
    shape, wanted = found[name].shape, expected.get(name)
    if wanted is None or wanted.shape != shape:
        return f"{name} {shape}"
    accepted = " or ".join(types or (wanted.type,))
    return f"{name} of type {found[name].type} instead of {accepted}"


def _all_finite(value: Tensor) -> bool:
    return not value.is_floating_point() or bool(torch.isfinite(value).all())
