"""One strict reader of everything that comes back from outside: files, links, requests, messages.

What is read is a dataclass whose annotations say all that is accepted:

    @dataclass(frozen=True)
    class SamplerConfig(Checked):
        radius: Annotated[int, Field(ge=1, le=16)] = 2

To add a key, add a member with a type, a range (`Field(ge=..., le=...)`, `max_length` for text and
lists, `Literal` for words) and a default, so that older files are read as before. `Checked` classes
refuse other values where they are made, from Python too; `read_json` and `read_values` make any
such dataclass from JSON or from plain values, and what depends on several members belongs in
`__post_init__`. Types are taken literally: no "3" for 3, no 1.0 or true for 1. Unknown keys,
duplicate keys, NaN, infinity and deep nesting are refused before anything is built.
"""

import base64
import json
import math
from collections import Counter
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, ClassVar, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from gsr.base.errors import ConfigError, GsrError, reason, shown

T = TypeVar("T")

MOST_BYTES = 16 * 2**20
"""Of a text, unless its reader says otherwise."""
MOST_DEPTH = 32
"""Lists and objects within each other."""
MOST_DIGITS = 300
"""Of one number: more than any that has a meaning here."""

STRICT = ConfigDict(
    strict=True,
    extra="forbid",
    allow_inf_nan=False,
    ser_json_bytes="base64",
    val_json_bytes="base64",
)
"""For dataclasses that are read but not `Checked`: `__pydantic_config__ = STRICT`."""


class Checked:
    """Base of frozen dataclasses that refuse what their annotations do not allow.

    Raises:
        ConfigError: a member of another type or out of range.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    called: ClassVar[str] = ""
    """What stands before a member's name where it is spoken of."""

    def __post_init__(self) -> None:
        kind: Any = type(self)
        try:
            _members(kind).model_validate({f.name: getattr(self, f.name) for f in fields(kind)})
        except ValidationError as error:
            raise ConfigError(f"{self.called}{_said(error, kind)}.") from error


@cache
def _members(kind: Any) -> type[BaseModel]:
    """A model of the members alone: a dataclass's own would make another one, without end."""
    known: dict[str, Any] = {}
    for member in fields(kind):
        default: Any = ... if member.default is MISSING else member.default
        if member.default_factory is not MISSING:
            default = Field(default_factory=member.default_factory)
        known[member.name] = (_hints(kind)[member.name], default)
    return create_model(kind.__name__, __config__=STRICT, **known)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def read_json(
    kind: type[T],
    text: str | bytes,
    what: str,
    refusal: type[GsrError] = ConfigError,
    *,
    most: int = MOST_BYTES,
) -> T:
    """A dataclass from JSON text.

    Args:
        kind: What is made; its annotations say what is accepted.
        text: JSON, in UTF-8 if it is bytes.
        what: Begins the sentence of a refusal: "the sampler of a.gsf". May be empty.
        refusal: What is raised.
        most: Bytes.

    Raises:
        GsrError: as `refusal`, in one sentence.
    """
    return read_values(kind, parse_json(text, what, refusal, most=most), what, refusal)


def read_values(kind: type[T], values: Any, what: str, refusal: type[GsrError] = ConfigError) -> T:
    """As `read_json`, of plain values such as JSON or TOML holds: lists stand for tuples."""
    _check_depth(values, what, refusal)
    try:
        made: T = _made(kind, values, ())
    except GsrError as error:
        said = f"{str(error).rstrip('.')}."
        raise refusal(f"{what}: {said}" if what else said) from error
    return made


def _made(kind: Any, values: Any, place: tuple[str, ...]) -> Any:
    """A dataclass from a dictionary, those within it first."""
    if not isinstance(values, dict):
        where = ".".join(place) or "it"
        raise ConfigError(f"{where} must be an object, got {shown(values)}")
    hints = _hints(kind)
    plain = {name: _plain(hints.get(name), v, (*place, str(name))) for name, v in values.items()}
    try:
        checked = _members(kind).model_validate(plain)
    except ValidationError as error:
        raise ConfigError(_said(error, kind, place)) from error
    return kind(**{name: getattr(checked, name) for name in checked.model_fields_set})


def _plain(hint: Any, value: Any, place: tuple[str, ...]) -> Any:
    """A value as its member's type wants it from outside."""
    kinds = _kinds(hint)
    inner = next((kind for kind in kinds if _is_made(kind) and kind is not bytes), None)
    if inner is not None:
        return None if value is None else _made(_of_kind(inner, value, place), value, place)
    if isinstance(value, str) and bytes in kinds:
        return _decoded(value, place)
    if isinstance(value, list) and _is_bare(hint):
        return _tuples(value)
    if isinstance(value, list):
        items = next((get_args(kind) for kind in kinds if get_origin(kind) is tuple), ())
        if items[1:] == (...,):
            items = (items[0],) * len(value)
        items += (None,) * (len(value) - len(items))  # too many: their number is refused
        pairs = enumerate(zip(items, value, strict=False))
        return tuple(_plain(item, v, (*place, str(i))) for i, (item, v) in pairs)
    if isinstance(value, dict):
        item = next((get_args(kind)[1] for kind in kinds if get_origin(kind) is dict), None)
        return {key: _plain(item, v, (*place, str(key))) for key, v in value.items()}
    return value


@cache
def _kinds(hint: Any) -> tuple[Any, ...]:
    """What a member may be, without what is said of its range."""
    if get_origin(hint) is Annotated:
        return _kinds(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        return tuple(kind for part in get_args(hint) for kind in _kinds(part))
    return (hint,)


@cache
def _is_bare(hint: Any) -> bool:
    """Whether no dataclass and no bytes may be inside: there may be very many numbers."""
    inner = [part for kind in _kinds(hint) for part in get_args(kind) if part is not ...]
    return not any(map(_is_made, _kinds(hint))) and all(map(_is_bare, inner))


def _is_made(kind: Any) -> bool:
    made = isinstance(kind, type) and (is_dataclass(kind) or hasattr(kind, "kinds"))
    return made or kind is bytes


def _of_kind(kind: Any, value: Any, place: tuple[str, ...]) -> Any:
    """Which dataclass is meant, where the member's type has several; the first unless it is said.

    Such a type has a class method `kinds`, which gives them by the `kind` that they have.
    """
    if is_dataclass(kind):
        return kind
    kinds = kind.kinds()
    usual = next(iter(kinds))
    said = value.get("kind", usual) if isinstance(value, dict) else usual
    if not isinstance(said, str) or said not in kinds:
        where = ".".join((*place, "kind"))
        raise ConfigError(f"{where} must be one of {', '.join(kinds)}, got {shown(said)}")
    return kinds[said]


def _tuples(value: Any) -> Any:
    """A plain value with a tuple for every list."""
    if isinstance(value, list):
        return tuple([_tuples(v) if isinstance(v, list | dict) else v for v in value])
    return {key: _tuples(v) for key, v in value.items()} if isinstance(value, dict) else value


def _decoded(text: str, place: tuple[str, ...]) -> bytes:
    """Bytes, which JSON holds as base64."""
    try:
        return base64.b64decode(text, b"-_", validate=True)
    except ValueError:
        raise ConfigError(f"{'.'.join(place)} must be base64, got {shown(text)}") from None


def parse_json(
    text: str | bytes, what: str, refusal: type[GsrError] = ConfigError, *, most: int = MOST_BYTES
) -> Any:
    """JSON as plain values: bounded in size, depth and digits, each key once, all numbers finite.

    Raises:
        GsrError: as `refusal`, in one sentence.
    """
    if len(text) > most:
        raise refusal(f"{what} is too long: at most {most:,} bytes are accepted.")
    try:
        values = json.loads(
            text.decode("utf-8") if isinstance(text, bytes) else text,
            object_pairs_hook=_object,
            parse_int=_whole,
            parse_float=_finite,
            parse_constant=_finite,
        )
    except RecursionError:
        raise refusal(f"{what} is nested too deeply: {_DEPTH}.") from None
    except UnicodeDecodeError:
        raise refusal(f"{what} must be JSON in UTF-8, and this is not.") from None
    except ValueError as error:
        raise refusal(f"{what} must be JSON, and this is not: {reason(error)}.") from error
    _check_depth(values, what, refusal)
    return values


_DEPTH = f"at most {MOST_DEPTH} lists and objects within each other are accepted"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = counts.most_common(1)[0][0]
        raise ValueError(f"the key {shown(twice)} is there twice")
    return found


def _whole(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise ValueError(f"a number has more than {MOST_DIGITS} digits")
    return int(text)


def _finite(text: str) -> float:
    value = float(text) if len(text) <= MOST_DIGITS else math.inf
    if not math.isfinite(value):
        raise ValueError(f"the number {shown(text)} is not finite")
    return value


def _check_depth(values: Any, what: str, refusal: type[GsrError]) -> None:
    """Level by level, so that no depth is too much for this itself."""
    level = [values]
    for _ in range(MOST_DEPTH):
        level = (
            [
                inner
                for outer in level
                for inner in (outer.values() if isinstance(outer, dict) else outer)
                if isinstance(inner, _NESTED)
            ]
            if isinstance(values, _NESTED)
            else []
        )
        if not level:
            return
    raise refusal(f"{what} is nested too deeply: {_DEPTH}.")


_NESTED = (dict, list, tuple)


# --- bytes of files ------------------------------------------------------------------------------


def read_text(path: Path, what: str, refusal: type[GsrError], *, most: int = 2**20) -> str:
    """The text of a file.

    Args:
        path: A regular file; a device or a pipe might never end.
        what: What it should be, as in "... is not a readable TOML recipe".
        refusal: What is raised.
        most: Bytes.

    Raises:
        GsrError: as `refusal`: not there, not readable, too long or not UTF-8.
    """
    try:
        if path.exists() and not path.is_file():
            raise OSError("it is not a file")
        with path.open("rb") as file:
            data = file.read(most + 1)
        if len(data) > most:
            raise OSError(f"it has more than {most:,} bytes")
        return data.decode("utf-8")
    except (OSError, ValueError) as error:
        raise refusal(f"{path} is not {what}: {reason(error)}.") from error


# --- sentences -----------------------------------------------------------------------------------


def _said(error: ValidationError, kind: Any, place: tuple[str, ...] = ()) -> str:
    """The first thing that is wrong with a dataclass, as the end of a sentence."""
    first = error.errors(include_url=False)[0]
    where = ".".join(map(str, (*place, *first["loc"])))
    if first["type"] == "missing":
        return f"{where} is missing"
    if first["type"] == "extra_forbidden":
        return (
            f"unknown key {shown(where)}; choose one of {', '.join(f.name for f in fields(kind))}"
        )
    text = first["msg"]
    for theirs, ours in _WORDS:
        text = text.replace(theirs, ours)
    said = f"{where or 'it'} {text[:1].lower()}{text[1:]}" if text.startswith("must") else text
    return f"{said}, got {shown(first['input'])}" if first["type"] not in _TELLING else said


_WORDS = (
    ("Value error, ", ""),
    ("Input should", "must"),
    ("Tuple should", "must"),
    ("String should", "must"),
    (" after validation", ""),
    ("greater than or equal to", "at least"),
    ("less than or equal to", "at most"),
    ("greater than", "above"),
    ("less than", "below"),
    ("a valid integer", "a whole number"),
    ("a valid number", "a number"),
    ("a valid string", "text"),
    ("a valid boolean", "true or false"),
    ("a valid tuple", "a list"),
    ("a valid dictionary", "an object"),
)
_TELLING = ("too_long", "too_short", "string_too_long")
"""Errors that say enough without the value, which may be long."""
