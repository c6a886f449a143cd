"""The viewer's modules as one module text, which is what a notebook can carry.

A notebook front end loads a widget from text, without a server to ask for further modules. Each
module becomes a function that returns its exports, in the order in which they need each other. It
imports "./name.js" of its own folder or, as hosts do, of the viewer's, and "../folder/name.js".
"""

import re
from functools import cache
from pathlib import Path

from . import STATIC

_IMPORT = re.compile(
    r'^import (?:\* as (\w+)|\{([^}]*)\}) from "(\.\.?/(?:\w+/)?\w+\.js)";\n', re.MULTILINE
)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const|let) )", re.MULTILINE)
_NAME = re.compile(r"^export (?:async )?(?:function|class|const|let) (\w+)", re.MULTILINE)


@cache
def bundle(host: Path, folder: Path = STATIC) -> str:
    """One module text with the default export of `host`.

    Args:
        host: A module that may import from `folder` as if it lay there, and ends in
            `export default NAME;`.
        folder: Where the viewer's modules lie.

    Raises:
        ValueError: an import or export of a form that this cannot carry over.
    """
    return _Bundle(folder.resolve()).of(host)


class _Bundle:
    """The modules that one needs."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._parts: dict[Path, str] = {}

    def of(self, host: Path) -> str:
        body, _ = self._converted(host)
        return "\n".join([*self._parts.values(), body])

    def _converted(self, path: Path) -> tuple[str, list[str]]:
        """A module's text without imports and exports, and what it exports. Adds what it needs."""
        text = path.read_text(encoding="utf-8")
        for match in _IMPORT.finditer(text):
            self._add(self._file(match[3], path))
        names = _NAME.findall(text)
        plain = _EXPORT.sub("", _IMPORT.sub(lambda match: self._binding(match, path), text))
        left = re.search(r"^(import .*|export (?!default).*)$", plain, re.MULTILINE)
        if left:
            raise ValueError(f"this form cannot be bundled: {left[0]}")
        return plain, names

    def _add(self, path: Path) -> None:
        if path in self._parts:
            return
        self._parts[path] = ""  # two modules that need each other would never end
        body, names = self._converted(path)
        del self._parts[path]  # to stand behind what it needs
        returned = f"return {{ {', '.join(names)} }};"
        self._parts[path] = f"const {self._variable(path)} = (() => {{\n{body}\n{returned}\n}})();"

    def _file(self, name: str, importer: Path) -> Path:
        """The module that `importer` calls `name`."""
        own = (importer.parent / name).resolve()
        return own if own.is_file() else self._folder / name

    def _binding(self, match: re.Match[str], importer: Path) -> str:
        whole, some, name = match.groups()
        variable = self._variable(self._file(name, importer))
        if whole:
            return f"const {whole} = {variable};\n"
        renamed = re.sub(r"(\w+) as (\w+)", r"\1: \2", " ".join(some.split()))
        return f"const {{ {renamed} }} = {variable};\n"

    def _variable(self, path: Path) -> str:
        part = "" if path.parent == self._folder else f"{path.parent.name}_"
        return f"gsr_{part}{path.stem}"
