"""A field in a file: encode today, render and look inside tomorrow, without the model.

A `.gsf` file is a safetensors file, see `gsr.base.tensorfile`. Its tensors carry the names of
`GaussianField`'s members, those of the sampler below `sampler.`, and a transparency's all again
below `alpha.`; numbers are float32, the index int64. The rest is JSON in the header, next to the
name and the version of the format, which weights made the field, and what was changed in it since.
The same field gives the same bytes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from math import prod
from pathlib import Path
from typing import Annotated, Any, ClassVar

import torch
from pydantic import ConfigDict, Field, TypeAdapter
from torch import Tensor

from gsr.base.atomic import writing
from gsr.base.errors import ConfigError, ImageError, OutputError, check_shape, reason, shown
from gsr.base.files import FIELD_SUFFIX, is_field_file, is_file
from gsr.base.reading import STRICT, read_json
from gsr.base.tensorfile import CHECKSUM, Entry, entries, opened, write
from gsr.decoding.metadata import is_profile, kept_exif
from gsr.field import FIELD_TYPES, GaussianField, edits
from gsr.images import PictureInfo
from gsr.network.classifier import CLASSIFIERS, Kind
from gsr.network.sampler import Sampler, SamplerConfig

FORMAT, VERSION = "gsr-field", 3
"""Versions 1 and 2 have no checksum, and version 1 knows no slopes; both are read."""
MOST_FACTS = 8 * 2**20
"""Bytes of the JSON in the header, most of which is metadata of the picture."""

_MAPS = {
    "lr": "[b, 3, h, w]",
    "bank_raw": "[n, 4]",
    "index": "[b, h, w]",
    "evidence": "[b, h, w, e]",
    "offsets": "[b, h, w, 2]",
    "colors": "[b, h, w, 3]",
    "feat": "[b, h, w, d]",
    "context": "[b, h, w, c]",
}
_OPTIONAL = {"slopes": "[b, h, w, 3, 2]", "mixed": "[b, h, w, 4]", "presence": "[b, h, w]"}
"""`slopes`: of some models; `mixed`: of edited fields; `presence`: of transparent pictures."""
_CHANNELS_LAST = ("evidence", "context")
"""Stored as they lie in memory after encoding, so that a render reads them in the same order."""
_BETWEEN, _MOST_OPTIONS = ", ", 400
_FINGERPRINT = re.compile("[0-9a-f]{64}")
_FARTHEST = 0.5 + 1e-3
"""LR pixels between a mean and its pixel's centre: half a pixel, and rounding."""
_FOOTPRINT = 10.0
"""Of the logarithm of the footprint: beyond it a weight is nothing or everything."""


@dataclass(frozen=True)
class _Facts:
    """What a field knows besides its tensors; the JSON in the header is checked against it."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    model: Annotated[str, Field(max_length=200)]
    classifier: Kind
    batch_shape: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(max_length=16)]
    sampler: SamplerConfig
    info: PictureInfo | None
    alpha: "_Facts | None"
    sloped: bool = False
    faithful: bool = False


@cache
def _json() -> TypeAdapter[_Facts]:
    return TypeAdapter(_Facts)


# --- writing ---------------------------------------------------------------------------------


def save_field(field: GaussianField, path: str | Path) -> Path:
    """Write a field whole or not at all; nothing is rounded or left out.

    Args:
        field: What to write, on any device.
        path: A `.gsf` file; an existing one is replaced at the very end.

    Raises:
        OutputError: another suffix, a field of float64, or a failing file system.
    """
    path = Path(path)
    if not is_field_file(path):
        raise OutputError(f"{path} must end in {FIELD_SUFFIX}, got {path.suffix or 'no suffix'!r}.")
    if field.lr.dtype != FIELD_TYPES[0]:
        raise OutputError(
            f"{path} cannot be written: field files hold float32, and this field is of "
            f"{field.lr.dtype}; encode with a float32 model."
        )
    facts = _json().dump_json(_facts(field))
    if len(facts) > MOST_FACTS:
        facts = _json().dump_json(_facts(_without_metadata(field)))
    metadata = {"format": FORMAT, "version": str(VERSION), "field": facts.decode()} | _origin(field)
    with writing(path) as file:
        write(file, _tensors(field), metadata)
    return path


def _without_metadata(field: GaussianField) -> GaussianField:
    """The field without what a picture's file may hold megabytes of."""
    assert field.info is not None  # nothing else is long
    note = "The metadata is too long for a field file and was left out."
    info = replace(
        field.info,
        icc=None,
        exif=None,
        xmp=None,
        iptc=None,
        text={},
        notes=(*field.info.notes, note),
    )
    return replace(field, info=info)


def _origin(field: GaussianField) -> dict[str, str]:
    """Which weights and edits made it, as far as there are any."""
    said = {"weights": field.weights} if field.weights else {}
    if field.options:
        said["options"] = _BETWEEN.join(field.options)
    if field.edits:
        listed = edits.bounded(field.edits, edits.MAX_BYTES)
        said["edits"] = edits.dumps(listed, compact=True)
    return said


def _read_origin(metadata: Mapping[str, str]) -> dict[str, Any]:
    """Members of a field. A ConfigError or ValueError if they make no sense."""
    weights = metadata.get("weights", "")
    if weights and not _FINGERPRINT.fullmatch(weights):
        raise ValueError("which weights made it cannot be read")
    options = metadata.get("options", "")
    if len(options) > _MOST_OPTIONS:
        raise ValueError("what was asked of the network is too long")
    return {
        "weights": weights,
        "options": tuple(options.split(_BETWEEN)) if options else (),
        "edits": edits.loads(metadata["edits"]) if "edits" in metadata else (),
    }


def _facts(field: GaussianField) -> _Facts:
    return _Facts(
        model=field.model,
        classifier=field.classifier,
        batch_shape=field.batch_shape,
        sampler=field.sampler.config,
        info=field.info and _in_unicode(field.info),
        alpha=_facts(field.alpha) if field.alpha is not None else None,
        sloped=field.slopes is not None,
        faithful=field.faithful,
    )


def _in_unicode(info: PictureInfo) -> PictureInfo:
    """File names may hold bytes that are not Unicode, which JSON cannot."""
    return replace(info, name=info.name.encode("utf-8", "replace").decode())


def _tensors(field: GaussianField) -> dict[str, Tensor]:
    """Every tensor by its name in the file."""
    found = {name: getattr(field, name) for name in _MAPS}
    found |= {name: v for name in _OPTIONAL if (v := getattr(field, name)) is not None}
    found |= {name: found[name].movedim(1, -1) for name in _CHANNELS_LAST}
    found |= {"index": found["index"].long()}
    found |= {f"sampler.{name}": value for name, value in field.sampler.state_dict().items()}
    if field.alpha is not None:
        found |= {f"alpha.{name}": value for name, value in _tensors(field.alpha).items()}
    return found


# --- reading ---------------------------------------------------------------------------------


def open_field(path: str | Path, *, device: str | torch.device = "cpu") -> GaussianField:
    """A field from a file that `GaussianField.save` wrote; it renders the same, bit for bit.

    Args:
        path: A `.gsf` file.
        device: Where the field goes.

    Raises:
        ImageError: a missing, damaged or foreign file, or one of a newer version of gsr.

    Examples:
        >>> import torch
        >>> import gsr
        >>> field = gsr.load("lite").encode(torch.rand(3, 6, 8))
        >>> again = gsr.open_field(field.save("photo.gsf"))
        >>> bool((again.render(scale=2) == field.render(scale=2)).all())
        True
    """
    path = Path(path)
    if not is_file(path, ImageError):
        what = "is a folder, and a field is needed" if path.is_dir() else "there is no such file"
        raise ImageError(f"{path}: {what}.")
    foreign = (
        f"is damaged, cut short or not a field: fields are {FIELD_SUFFIX} files, written by "
        "GaussianField.save and gsr encode"
    )
    with opened(path, ImageError, foreign) as file:
        _check_format(path, file.metadata)
        what = f"{path} is damaged and cannot be opened as a field"
        facts = read_json(_Facts, file.metadata.get("field", ""), what, ImageError, most=MOST_FACTS)
        try:
            samplers = _plan(facts, file.entries)
        except ValueError as error:
            raise _damaged(path, reason(error)) from error
        tensors = file.read()
    try:
        field = replace(_field(facts, tensors, samplers), **_read_origin(file.metadata))
    except (ConfigError, ValueError) as error:
        raise _damaged(path, reason(error)) from error
    return field if torch.device(device).type == "cpu" else field.to(device)


def _damaged(path: Path, said: str) -> ImageError:
    return ImageError(f"{path} is damaged and cannot be opened as a field: {said}.")


def _check_format(path: Path, metadata: dict[str, str]) -> None:
    written, version = metadata.get("format"), metadata.get("version", "")
    if written != FORMAT:
        what = "weights of a model" if (written or "").startswith("gsr-") else "something else"
        raise ImageError(f"{path} is not a {FIELD_SUFFIX} field file; it contains {what}.")
    if version not in map(str, range(1, VERSION + 1)):
        newer = version.isdecimal() and len(version) < 9 and int(version) > VERSION
        raise ImageError(
            f"{path} has version {shown(version) if version else 'unknown'} of the format and this "
            f"gsr reads versions up to {VERSION}{'; install a newer gaussiansr' if newer else ''}."
        )
    if version == str(VERSION) and CHECKSUM not in metadata:
        raise _damaged(path, "its checksum is missing")


def _plan(facts: _Facts, found: Mapping[str, Entry], prefix: str = "") -> dict[str, Sampler]:
    """The samplers of a field and of its transparency, without numbers: all is as it should be.

    Raises:
        ValueError: a tensor is missing, too many, or of another shape or type than the facts say.
    """
    own = {name.removeprefix(prefix): e for name, e in found.items() if name.startswith(prefix)}
    maps = _MAPS | {name: _OPTIONAL[name] for name in ("slopes",) if facts.sloped}
    maps |= {name: _OPTIONAL[name] for name in ("mixed", "presence") if name in own}
    sizes: dict[str, int] = {}
    for name, shape in maps.items():
        _check_map(prefix + name, own.get(name), shape, sizes)
    _check_sizes(facts, sizes)
    with torch.device("meta"):
        sampler = Sampler(sizes["d"] + sizes["c"], facts.sampler)
    expected = {f"sampler.{name}": e for name, e in entries(sampler.state_dict()).items()}
    if {name: e for name, e in own.items() if name.startswith("sampler.")} != expected:
        raise ValueError(f"the {prefix}sampler does not fit its configuration")
    samplers, alpha = {prefix: sampler}, f"{prefix}alpha."
    if facts.alpha is not None:
        if prefix or facts.alpha.alpha is not None:
            raise ValueError("a transparency has no transparency")
        samplers |= _plan(facts.alpha, found, alpha)
    known = {*maps, *expected, *(n for n in own if facts.alpha and n.startswith("alpha."))}
    if more := sorted(own.keys() - known):
        raise ValueError(f"unexpected {', '.join(prefix + name for name in more[:5])}")
    return samplers


def _check_map(name: str, entry: Entry | None, shape: str, sizes: dict[str, int]) -> None:
    """Compare a map with its shape, in which a letter is the same size everywhere."""
    if entry is None:
        raise ValueError(f"{name} is missing")
    wanted = "I64" if name.endswith("index") else "F32"
    if entry.type != wanted:
        raise ValueError(f"{name} holds numbers of type {entry.type}, and {wanted} is accepted")
    for letter, size in check_shape(name, entry, shape).items():
        if sizes.setdefault(letter, size) != size:
            raise ValueError(
                f"{name} has shape {entry.shape} where {letter} of {shape} is {sizes[letter]}"
            )


def _check_sizes(facts: _Facts, sizes: Mapping[str, int]) -> None:
    batch, height, width, kernels = (sizes[letter] for letter in "bhwn")
    if not batch * height * width or prod(facts.batch_shape) != batch:
        raise ValueError(f"{batch} images of {width} x {height} pixels cannot be a field")
    if not kernels:
        raise ValueError("the bank has no kernel")
    if sizes["e"] != CLASSIFIERS[facts.classifier].channels(kernels):
        raise ValueError("the evidence does not fit the classifier")
    if facts.info is not None and batch != 1:
        raise ValueError("a picture file holds one image")


def _field(
    facts: _Facts,
    tensors: Mapping[str, Tensor],
    samplers: Mapping[str, Sampler],
    prefix: str = "",
) -> GaussianField:
    names = [name for name in (*_MAPS, *_OPTIONAL) if prefix + name in tensors]
    maps = {name: tensors[prefix + name] for name in names}
    _check_numbers(maps, tensors[f"{prefix}sampler.raw_footprint"])
    maps |= {name: maps[name].movedim(-1, 1) for name in _CHANNELS_LAST}
    alpha = None
    if facts.alpha is not None:
        alpha = _field(facts.alpha, tensors, samplers, f"{prefix}alpha.")
        if alpha.lr.shape != maps["lr"].shape:
            raise ValueError("the transparency does not fit the picture")
    sampler, own = samplers[prefix], f"{prefix}sampler."
    state = {name: tensors[own + name] for name in sampler.state_dict()}
    sampler.load_state_dict(state, assign=True)
    return GaussianField(
        **maps,
        sampler=sampler.eval().requires_grad_(False),
        classifier=facts.classifier,
        model=facts.model,
        batch_shape=facts.batch_shape,
        alpha=alpha,
        info=facts.info and _sound(facts.info),
        faithful=facts.faithful,
        edits=(),
        weights="",
        options=(),
    )


def _check_numbers(maps: Mapping[str, Tensor], raw_footprint: Tensor) -> None:
    """What rendering takes for granted of the numbers; that they are finite is known."""
    kernels = len(maps["bank_raw"])
    if not (int(maps["index"].min()) >= 0 and int(maps["index"].max()) < kernels):
        raise ValueError(f"index must be between 0 and {kernels - 1}")
    if float(maps["offsets"].abs().max()) > _FARTHEST:
        raise ValueError("offsets must be within half a pixel")
    if float(raw_footprint.abs()) > _FOOTPRINT:
        raise ValueError(
            f"sampler.raw_footprint must be between -{_FOOTPRINT:g} and {_FOOTPRINT:g}"
        )


def _sound(info: PictureInfo) -> PictureInfo:
    """What a file says of its picture, without what no picture could be written with."""
    notes = list(info.notes)
    if info.exif is not None and not _is_exif(info.exif):
        info = replace(info, exif=None)
        notes.append("The EXIF data could not be read and was left out.")
    if info.icc is not None and not is_profile(info.icc):
        info = replace(info, icc=None)
        notes.append("The colour profile is damaged and was left out.")
    # A name only, wherever the file says the picture was.
    name = Path(info.name.replace("\\", "/").replace("\0", "")).name or "image"
    return replace(info, name=name, notes=tuple(notes))


def _is_exif(block: bytes) -> bool:
    try:
        return bool(kept_exif(block))
    except Exception:  # Pillow raises almost anything for a damaged block
        return False
