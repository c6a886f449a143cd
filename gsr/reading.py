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

import json
import math
from collections import Counter
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, create_model

from gsr.errors import ConfigError, GsrError, reason, shown

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
        members = _members(kind)
        try:
            members.model_validate({name: getattr(self, name) for name in members.model_fields})
        except ValidationError as error:
            raise ConfigError(f"{self.called}{_said(error, kind)}.") from error


@cache
def _members(kind: Any) -> type[BaseModel]:
    """A model of the members alone: a dataclass's own would make another one, without end."""
    hints = get_type_hints(kind, include_extras=True)
    known: dict[str, Any] = {f.name: (hints[f.name], ...) for f in fields(kind)}
    return create_model(kind.__name__, __config__=STRICT, **known)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


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
        what: Begins the sentence of a refusal: "the sampler of a.gsf".
        refusal: What is raised.
        most: Bytes.

    Raises:
        GsrError: as `refusal`, in one sentence.
    """
    parse_json(text, what, refusal, most=most)
    return _made(kind, text, what, refusal)


def read_values(kind: type[T], values: Any, what: str, refusal: type[GsrError] = ConfigError) -> T:
    """As `read_json`, of plain values such as TOML or a message gives."""
    _check_depth(values, what, refusal)
    try:
        text = json.dumps(values, allow_nan=False)
    except (TypeError, ValueError, OverflowError) as error:
        raise refusal(f"{what} holds what has no place there: {reason(error)}.") from error
    return _made(kind, text, what, refusal)


def _made(kind: type[T], text: str | bytes, what: str, refusal: type[GsrError]) -> T:
    try:
        made: T = _adapter(kind).validate_json(text)  # type: ignore[arg-type]
    except ValidationError as error:
        raise refusal(f"{what}: {_said(error, kind)}.") from error
    except GsrError as error:  # what a `__post_init__` says of several members
        raise refusal(f"{what}: {error}") from error
    return made


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
            text,
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
        path: A regular file; a device or a pipe could go on for ever.
        what: What it should be, as in "... is not a readable TOML recipe".
        refusal: What is raised.
        most: Bytes.

    Raises:
        GsrError: as `refusal`: not there, not readable, too long or not UTF-8.
    """
    try:
        if path.exists() and not path.is_file():
            raise OSError("it is no file")
        with path.open("rb") as file:
            data = file.read(most + 1)
        if len(data) > most:
            raise OSError(f"it has more than {most:,} bytes")
        return data.decode("utf-8")
    except (OSError, ValueError) as error:
        raise refusal(f"{path} is not {what}: {reason(error)}.") from error


# --- sentences -----------------------------------------------------------------------------------


def _said(error: ValidationError, kind: Any) -> str:
    """The first thing that is wrong, as the end of a sentence."""
    first = error.errors(include_url=False)[0]
    where = ".".join(map(str, first["loc"]))
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, GsrError):
        return str(cause).rstrip(".")
    if first["type"] == "missing":
        return f"{where} is missing"
    if first["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        return f"unknown key {shown(where)}; known are {_known(kind, first['loc'])}"
    text = first["msg"]
    for theirs, ours in _WORDS:
        text = text.replace(theirs, ours)
    said = f"{where or 'it'} {text[:1].lower()}{text[1:]}" if text.startswith("must") else text
    return f"{said}, got {shown(first['input'])}" if first["type"] not in _TELLING else said


_WORDS = (
    ("Input should", "must"),
    ("Tuple should", "must"),
    ("List should", "must"),
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
    ("a valid array", "a list"),
)
_TELLING = ("too_long", "too_short", "string_too_long", "json_invalid")
"""Errors that say enough without the value, which may be long."""


def _known(kind: Any, place: tuple[int | str, ...]) -> str:
    """The keys that are accepted where an unknown one stands."""
    for name in place[:-1]:
        hints = get_type_hints(kind) if is_dataclass(kind) else {}
        kind = hints.get(str(name), kind)
    return ", ".join(f.name for f in fields(kind)) if is_dataclass(kind) else "others"
