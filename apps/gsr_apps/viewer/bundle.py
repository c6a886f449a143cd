"""The viewer's modules as one module text, which is what a notebook can carry.

A notebook front end loads a widget from text, without a server to ask for further modules. Each
module becomes a function that returns its exports, in the order in which they need each other.
"""

import re
from functools import cache
from pathlib import Path

from . import STATIC

_IMPORT = re.compile(r'^import (?:\* as (\w+)|\{([^}]*)\}) from "\./([\w]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const|let) )", re.MULTILINE)
_NAME = re.compile(r"^export (?:async )?(?:function|class|const|let) (\w+)", re.MULTILINE)


@cache
def bundle(host: Path, folder: Path = STATIC) -> str:
    """One module text with the default export of `host`.

    Args:
        host: A module that imports from the viewer as if it lay in its folder, and ends in
            `export default NAME;`.
        folder: Where the viewer's modules lie.

    Raises:
        ValueError: an import or export of a form that this cannot carry over.
    """
    parts: dict[str, str] = {}
    body, _ = _converted(host.read_text(encoding="utf-8"), folder, parts)
    return "\n".join([*parts.values(), body])


def _converted(text: str, folder: Path, parts: dict[str, str]) -> tuple[str, list[str]]:
    """A module's text without imports and exports, and what it exports. Adds what it needs."""
    for match in _IMPORT.finditer(text):
        _add(match[3], folder, parts)
    names = _NAME.findall(text)
    plain = _EXPORT.sub("", _IMPORT.sub(_binding, text))
    left = re.search(r"^(import .*|export (?!default).*)$", plain, re.MULTILINE)
    if left:
        raise ValueError(f"this form cannot be bundled: {left[0]}")
    return plain, names


def _add(name: str, folder: Path, parts: dict[str, str]) -> None:
    key = _variable(name)
    if key in parts:
        return
    parts[key] = ""  # two modules that need each other would never end
    text = (folder / name).read_text(encoding="utf-8")
    body, names = _converted(text, folder, parts)
    del parts[key]  # to stand behind what it needs
    parts[key] = f"const {key} = (() => {{\n{body}\nreturn {{ {', '.join(names)} }};\n}})();"


def _binding(match: re.Match[str]) -> str:
    whole, some, name = match.groups()
    if whole:
        return f"const {whole} = {_variable(name)};\n"
    renamed = re.sub(r"(\w+) as (\w+)", r"\1: \2", " ".join(some.split()))
    return f"const {{ {renamed} }} = {_variable(name)};\n"


def _variable(name: str) -> str:
    return f"gsr_{name.removesuffix('.js')}"
