"""Recipes as TOML files. Unknown keys are errors.

A file may start from another one (`extends = "lite.toml"`) and say only what differs; the command
line comes last (`--train.lr=1e-4`).
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from gsr.errors import ConfigError

from .recipe import Recipe


def load_recipe(path: Path, overrides: Mapping[str, Any] | None = None) -> Recipe:
    """A recipe file, the files it extends below it and `overrides` on top.

    Args:
        path: A TOML file.
        overrides: Values by `section.key`.

    Raises:
        ConfigError: for a file that is not TOML, an unknown key, a value that is not accepted.
    """
    recipe = Recipe()
    for file in reversed(_chain(path)):
        recipe = _applied(recipe, _flat(file, _read(file)), f"{file}: ")
    return _applied(recipe, overrides or {}, "")


def parse_overrides(arguments: Iterable[str]) -> dict[str, Any]:
    """`--train.lr=1e-4` from the command line, as values by `section.key`.

    Raises:
        ConfigError: for an argument of another form.
    """
    found: dict[str, Any] = {}
    for argument in arguments:
        key, equals, text = argument.removeprefix("--").partition("=")
        if not argument.startswith("--") or not equals or "." not in key:
            raise ConfigError(
                f"{argument!r} is not understood; a value of the recipe is changed with "
                "--section.key=value, for example --train.lr=1e-4."
            )
        found[key] = _toml_value(text)
    return found


def _toml_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text  # a word needs no quotes on a command line


def _chain(path: Path) -> list[Path]:
    """The file and what it extends, nearest first."""
    chain = [path]
    while base := _read(chain[-1]).get("extends"):
        after = chain[-1].parent / str(base)
        if after in chain:
            raise ConfigError(f"{after} extends itself.")
        chain.append(after)
    return chain


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} is not a readable TOML recipe: {error}.") from error


def _flat(path: Path, values: dict[str, Any]) -> dict[str, Any]:
    """Values by `section.key`."""
    flat: dict[str, Any] = {}
    for section, content in values.items():
        if section == "extends":
            continue
        if not isinstance(content, dict):
            raise ConfigError(f"{path}: {section!r} stands outside of the sections {_sections()}.")
        flat |= {f"{section}.{key}": value for key, value in content.items()}
    return flat


def _sections() -> str:
    return ", ".join(f"[{field.name}]" for field in fields(Recipe))


def _applied(recipe: Recipe, values: Mapping[str, Any], where: str) -> Recipe:
    """The recipe with values by `section.key` in their places. A section is checked as a whole."""
    changed: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        section, _, key = name.partition(".")
        part = getattr(recipe, section, None)
        known = {f.name: f.default for f in fields(part)} if part is not None else {}
        if key not in known:
            near = ", ".join(known) if known else f"the sections {_sections()}"
            raise ConfigError(f"{where}unknown key {name!r}; known are {near}.")
        changed.setdefault(section, {})[key] = _converted(where + name, value, known[key])
    try:
        parts = {name: replace(getattr(recipe, name), **new) for name, new in changed.items()}
    except ConfigError as error:
        raise ConfigError(f"{where}{error}") from error
    return replace(recipe, **parts)


def _converted(name: str, value: Any, default: Any) -> Any:
    """A TOML value as the type of the key's default."""
    if isinstance(default, tuple):
        kind = str if name.endswith("rare") else float
        wanted = "names" if kind is str else "numbers"
        if not isinstance(value, list) or not all(_fits(v, kind) for v in value):
            raise ConfigError(f"{name} must be a list of {wanted}, got {value!r}.")
        return tuple(kind(v) for v in value)
    if not _fits(value, type(default)):
        raise ConfigError(f"{name} must be of type {type(default).__name__}, got {value!r}.")
    return type(default)(value)


def _fits(value: Any, kind: type) -> bool:
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    return isinstance(value, int | float) if kind is float else isinstance(value, kind)
