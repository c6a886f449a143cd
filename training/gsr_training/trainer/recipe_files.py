"""Recipes as TOML files. Unknown keys are errors.

A file may start from another one (`extends = "lite.toml"`) and say only what differs; the command
line comes last (`--train.lr=1e-4`).
"""

import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gsr.base.errors import ConfigError, reason, shown
from gsr.base.reading import read_text, read_values
from gsr_training.trainer.recipe import Recipe

MOST_BYTES = 2**16
"""Of a recipe, and of a value on the command line."""
_DEEP = "is nested too deeply: a recipe has sections, keys and lists of values."


def load_recipe(path: Path, overrides: Mapping[str, Any] | None = None) -> Recipe:
    """A recipe file, the files it extends below it and `overrides` on top.

    Args:
        path: A TOML file.
        overrides: Values by `section.key`.

    Raises:
        ConfigError: for a file that is not TOML, an unknown key, a value that is not accepted.
    """
    values: dict[str, Any] = {}
    recipe = Recipe()
    for file in reversed(_chain(path)):
        own = {name: value for name, value in _read(file).items() if name != "extends"}
        values = _over(values, own)
        recipe = read_values(Recipe, values, str(file))
    if overrides:
        recipe = read_values(Recipe, _over(values, _nested(overrides)), "the command line")
    return recipe


def _over(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Sections with values of others on top of them, key by key."""
    merged = dict(below)
    for section, content in above.items():
        old = below.get(section)
        both = isinstance(old, dict) and isinstance(content, dict)
        merged[section] = {**old, **content} if both else content  # type: ignore[dict-item]
    return merged


def _nested(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Values by section and key, from values by `section.key`."""
    found: dict[str, Any] = {}
    for name, value in overrides.items():
        section, _, key = name.partition(".")
        found.setdefault(section, {})[key] = value
    return found


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
        if len(text) > MOST_BYTES:
            raise ConfigError(f"{shown(text)} is too long for a value of a recipe.")
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text  # a word needs no quotes on a command line
    except RecursionError:
        raise ConfigError(f"{shown(text)} {_DEEP}") from None
    except ConfigError:
        raise
    except ValueError as error:  # a number of thousands of digits
        raise ConfigError(f"{shown(text)} is not a value of a recipe: {reason(error)}.") from error


def _chain(path: Path) -> list[Path]:
    """The file and what it extends, nearest first."""
    chain = [path]
    while (base := _read(chain[-1]).get("extends")) is not None:
        if not isinstance(base, str) or not 0 < len(base) < MOST_NAME:
            raise ConfigError(f"{chain[-1]}: extends must name a file, got {shown(base)}.")
        after = chain[-1].parent / base
        if os.path.realpath(after) in map(os.path.realpath, chain):
            raise ConfigError(f"{after} extends itself.")
        chain.append(after)
    return chain


MOST_NAME = 1024
"""Characters of a file's name."""


def _read(path: Path) -> dict[str, Any]:
    what = "a readable TOML recipe"
    text = read_text(path, what, ConfigError, most=MOST_BYTES)
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError(f"{path} {_DEEP}") from None
    except ValueError as error:
        raise ConfigError(f"{path} is not {what}: {reason(error)}.") from error
