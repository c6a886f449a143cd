"""A field in a file: encode today, render and look inside tomorrow, without the model.

A `.gsf` file is a safetensors file. Its tensors carry the names of `GaussianField`'s members,
those of the sampler below `sampler.`, and a transparency's all again below `alpha.`. The rest is
JSON in the header, beside the name and the version of the format.
"""

from dataclasses import dataclass, replace
from functools import cache
from math import prod
from pathlib import Path
from typing import ClassVar

import torch
from pydantic import ConfigDict, TypeAdapter, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from gsr.atomic import writing_by_name
from gsr.classifier import Kind
from gsr.errors import ImageError, OutputError, check_shape, reason
from gsr.field import GaussianField
from gsr.files import FIELD_SUFFIX, is_field_file, is_file
from gsr.images import PictureInfo
from gsr.sampler import Sampler, SamplerConfig

FORMAT, VERSION = "gsr-field", 2
"""Version 1 knows no slopes; fields without them are still written so."""
MAX_RADIUS, MAX_LAYERS, MAX_WIDTH = 16, 16, 4096
"""More than any sampler has; a damaged file must not ask for memory."""

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
_OPTIONAL = {"slopes": "[b, h, w, 3, 2]", "mixed": "[b, h, w, 4]"}
"""`slopes`: of some models; `mixed`: of edited fields."""
_CHANNELS_LAST = ("evidence", "context")
"""Stored as they lie in memory after encoding, so that a render reads them in the same order."""


@dataclass(frozen=True)
class _Facts:
    """What a field knows besides its tensors; the JSON in the header is checked against it."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid", ser_json_bytes="base64", val_json_bytes="base64", allow_inf_nan=False
    )

    model: str
    classifier: Kind
    batch_shape: tuple[int, ...]
    sampler: SamplerConfig
    info: PictureInfo | None
    alpha: "_Facts | None"
    sloped: bool = False


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
        OutputError: another suffix, or a failing file system.
    """
    path = Path(path)
    if not is_field_file(path):
        raise OutputError(f"{path} must end in {FIELD_SUFFIX}, got {path.suffix or 'no suffix'!r}.")
    metadata = {
        "format": FORMAT,
        "version": str(VERSION if field.slopes is not None else 1),
        "field": _json().dump_json(_facts(field), exclude_defaults=True).decode(),
    }
    with writing_by_name(path) as temporary:
        try:
            save_file(_tensors(field), temporary, metadata=metadata)
        except SafetensorError as error:
            raise OutputError(f"{path} cannot be written: {reason(error)}.") from error
    return path


def _facts(field: GaussianField) -> _Facts:
    return _Facts(
        model=field.model,
        classifier=field.classifier,
        batch_shape=field.batch_shape,
        sampler=field.sampler.config,
        info=field.info and _in_unicode(field.info),
        alpha=_facts(field.alpha) if field.alpha is not None else None,
        sloped=field.slopes is not None,
    )


def _in_unicode(info: PictureInfo) -> PictureInfo:
    """File names may hold bytes that are no Unicode, which JSON cannot."""
    return replace(info, name=info.name.encode("utf-8", "replace").decode())


def _tensors(field: GaussianField) -> dict[str, Tensor]:
    """Every tensor by its name in the file, on the CPU and in one piece."""
    found = {name: getattr(field, name) for name in _MAPS}
    found |= {name: v for name in _OPTIONAL if (v := getattr(field, name)) is not None}
    found |= {name: found[name].movedim(1, -1) for name in _CHANNELS_LAST}
    found |= {f"sampler.{name}": value for name, value in field.sampler.state_dict().items()}
    if field.alpha is not None:
        found |= {f"alpha.{name}": value for name, value in _tensors(field.alpha).items()}
    # Cloned where two members share memory, which the format has no way to say.
    owned: dict[int, str] = {}
    for name, value in found.items():
        value = value.detach().cpu().contiguous()
        shared = owned.setdefault(value.untyped_storage().data_ptr(), name) != name
        found[name] = value.clone() if shared and value.numel() else value
    return found


# --- reading ---------------------------------------------------------------------------------


def open_field(path: str | Path, *, device: str | torch.device = "cpu") -> GaussianField:
    """A field from a file that `GaussianField.save` wrote; it renders the same, bit for bit.

    Args:
        path: A `.gsf` file.
        device: Where the field goes.

    Raises:
        ImageError: a missing, damaged or foreign file, or one of a newer version of gsr.
    """
    path = Path(path)
    metadata, tensors = _read(path)
    _check_format(path, metadata)
    try:
        facts = _json().validate_json(metadata["field"])
        field = _field(facts, tensors)
        if tensors:
            raise ValueError(f"there is no place for {', '.join(sorted(tensors)[:5])}")
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the header"
        raise _damaged(path, f"{where}: {first['msg']}") from error
    except (KeyError, ValueError, RuntimeError, IndexError, TypeError) as error:
        raise _damaged(path, reason(error)) from error
    return field if torch.device(device).type == "cpu" else field.to(device)


def _damaged(path: Path, said: str) -> ImageError:
    return ImageError(f"{path} is damaged and cannot be opened as a field: {said}.")


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    if not is_file(path, ImageError):
        what = "is a folder, and a field is needed" if path.is_dir() else "there is no such file"
        raise ImageError(f"{path}: {what}.")
    try:
        with safe_open(path, framework="pt") as file:
            # Cloned: the tensors of an open file would change or vanish with the file.
            tensors = {key: file.get_tensor(key).clone() for key in file.keys()}  # noqa: SIM118
            return file.metadata() or {}, tensors
    except PermissionError:
        raise ImageError(f"{path}: there is no permission to read this file.") from None
    except (SafetensorError, OSError, ValueError) as error:
        raise ImageError(
            f"{path} is damaged, cut short or not a field: fields are {FIELD_SUFFIX} files, "
            "written by GaussianField.save and gsr encode."
        ) from error


def _check_format(path: Path, metadata: dict[str, str]) -> None:
    written, version = metadata.get("format"), metadata.get("version", "")
    if written != FORMAT:
        what = "weights of a model" if (written or "").startswith("gsr-") else "something else"
        raise ImageError(f"{path} is no field but {what}: fields are {FIELD_SUFFIX} files.")
    if version not in ("1", str(VERSION)):
        newer = version.isdigit() and int(version) > VERSION
        raise ImageError(
            f"{path} has version {version or 'unknown'} of the format and this gsr reads versions "
            f"up to {VERSION}{'; install a newer gsr' if newer else ''}."
        )


def _field(facts: _Facts, tensors: dict[str, Tensor], prefix: str = "") -> GaussianField:
    """Takes its tensors out of `tensors`; what is left has no place."""
    maps = {name: _map(prefix, name, tensors) for name in _MAPS}
    maps |= {name: maps[name].movedim(-1, 1) for name in _CHANNELS_LAST}
    given = {"slopes": facts.sloped, "mixed": f"{prefix}mixed" in tensors}
    maps |= {name: _map(prefix, name, tensors) for name in _OPTIONAL if given[name]}
    alpha = _field(facts.alpha, tensors, f"{prefix}alpha.") if facts.alpha is not None else None
    channels = maps["feat"].shape[-1] + maps["context"].shape[1]
    field = GaussianField(
        **maps,
        sampler=_sampler(facts.sampler, channels, tensors, f"{prefix}sampler."),
        classifier=facts.classifier,
        model=facts.model,
        batch_shape=facts.batch_shape,
        alpha=alpha,
        info=facts.info,
    )
    _check_field(field)
    return field


def _map(prefix: str, name: str, tensors: dict[str, Tensor]) -> Tensor:
    if prefix + name not in tensors:
        raise ValueError(f"{prefix}{name} is missing")
    value = tensors.pop(prefix + name)
    check_shape(prefix + name, value, (_MAPS | _OPTIONAL)[name])
    wanted = value.dtype == torch.int64 if name == "index" else value.is_floating_point()
    if not wanted:
        raise ValueError(f"{prefix}{name} holds numbers of type {value.dtype}")
    if not torch.isfinite(value).all():
        raise ValueError(f"{prefix}{name} holds numbers that are not finite")
    return value


def _sampler(
    config: SamplerConfig, channels: int, tensors: dict[str, Tensor], prefix: str
) -> Sampler:
    hidden = config.decoder.hidden
    if not (
        1 <= config.radius <= MAX_RADIUS
        and config.finest > 0
        and 1 <= len(hidden) <= MAX_LAYERS
        and all(1 <= width <= MAX_WIDTH for width in hidden)
    ):
        raise ValueError("the numbers of the sampler are out of range")
    with torch.random.fork_rng(devices=[]):  # its first weights are drawn, and not used
        sampler = Sampler(channels, config)
    expected = {name: tuple(value.shape) for name, value in sampler.state_dict().items()}
    state = {name: tensors.pop(prefix + name) for name in expected if prefix + name in tensors}
    if {name: tuple(value.shape) for name, value in state.items()} != expected:
        raise ValueError("the sampler does not fit its configuration")
    if not all(v.is_floating_point() and torch.isfinite(v).all() for v in state.values()):
        raise ValueError("the sampler holds numbers that are not finite")
    sampler.load_state_dict(state, assign=True)
    return sampler.eval().requires_grad_(False)


def _check_field(field: GaussianField) -> None:
    """What `GaussianField` takes for granted."""
    batch, _, height, width = field.lr.shape
    if not batch * height * width or prod(field.batch_shape) != batch:
        raise ValueError(f"{batch} images of {width} x {height} pixels cannot be a field")
    kernels = len(field.bank_raw)
    if not (int(field.index.min()) >= 0 and int(field.index.max()) < kernels):
        raise ValueError(f"index must be from 0 to {kernels - 1}")
    if field.evidence.shape[1] != (kernels if field.classifier == "logits" else 3):
        raise ValueError("the evidence does not fit the classifier")
    if field.alpha is not None and field.alpha.lr.shape != field.lr.shape:
        raise ValueError("the transparency does not fit the picture")
    if field.info is not None and batch != 1:
        raise ValueError("a picture file holds one image")
