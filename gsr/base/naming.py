"""What results are called: templates, folders kept apart, and names a file system takes."""

import os
import string
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gsr.base.errors import ConfigError, OutputError

FIELDS = {
    "stem": "the picture's name without its suffix",
    "type": "the picture's suffix without its dot",
    "folder": "the name of the folder the picture is in",
    "label": "the size that was asked for, such as x3.7 or w1920",
    "scale": "the number given with --scale",
    "suffix": "of the result, with its dot",
}
"""What a template may hold, in braces."""
USUAL = "{stem}-{label}{suffix}"
_NAME_BYTES, _PATH_BYTES = 255, 4096


@dataclass(frozen=True)
class Names:
    """How results are called.

    Attributes:
        label: Of the size that was asked for.
        suffix: Of results, with its dot.
        template: Text with `FIELDS` in braces.

    Raises:
        ConfigError: the template cannot be filled, or is more than one name.
    """

    label: str
    suffix: str
    template: str = USUAL

    def __post_init__(self) -> None:
        example = self.of("photo", Path("folder/photo.png"))
        if example.strip(". ") == "" or os.path.basename(example) != example or "\0" in example:
            raise ConfigError(
                f"--name {self.template!r} is no name of a file; folders are given with --output."
            )

    def of(self, stem: str, source: Path) -> str:
        """The name of the result made of `source`."""
        scale = self.label[1:] if self.label.startswith("x") else None
        values = {
            "stem": stem,
            "type": source.suffix[1:].lower(),
            "folder": Path(os.path.abspath(source)).parent.name,
            "label": self.label,
            "scale": scale,
            "suffix": self.suffix,
        }
        return "".join(
            text + ("" if field is None else _filled(field, values, plain=not (spec or how)))
            for text, field, spec, how in _parsed(self.template)
        )


def _parsed(template: str) -> list[tuple[str, str | None, str | None, str | None]]:
    try:
        return list(string.Formatter().parse(template))
    except ValueError as error:
        raise ConfigError(f"--name {template!r} cannot be read: {error}.") from None


def _filled(field: str, values: dict[str, str | None], *, plain: bool) -> str:
    if field not in values or not plain:
        known = ", ".join(f"{{{name}}}" for name in FIELDS)
        raise ConfigError(f"--name takes {known}, got {{{field}}}.")
    value = values[field]
    if value is None:
        raise ConfigError("{scale} in --name needs --scale; {label} says every size.")
    return value


def apart(folders: Sequence[Path]) -> list[Path]:
    """As few of the last parts of each folder's path as tell all of them apart."""
    whole = [Path(os.path.abspath(folder)).parts[1:] for folder in folders]
    for count in range(1, max(map(len, whole), default=0) + 1):
        short = [Path(*parts[-count:]) for parts in whole]
        # Lower case, because some file systems see no difference.
        if len({str(path).lower() for path in short}) == len(short):
            return short
    return [Path(*parts) for parts in whole]


def check_length(output: Path) -> None:
    """Refuse a name that is too long for where it goes.

    Raises:
        OutputError: it is.
    """
    whole = os.path.abspath(output)
    name, path = len(os.fsencode(output.name)), len(os.fsencode(whole))
    most_name = _limit(Path(whole).parent, "PC_NAME_MAX", _NAME_BYTES)
    most_path = _limit(Path(whole).parent, "PC_PATH_MAX", _PATH_BYTES)
    if name > most_name:
        raise OutputError(
            f"{output} cannot be written: its name has {name} bytes, and {most_name} are allowed "
            "there; choose a shorter one with --output or --name."
        )
    if path >= most_path:
        raise OutputError(
            f"{output} cannot be written: its path has {path} bytes, and {most_path - 1} are "
            "allowed there."
        )


def _limit(folder: Path, name: str, usual: int) -> int:
    """Of the file system of a folder, which may have to be made first."""
    if not hasattr(os, "pathconf"):
        return usual
    while not os.path.isdir(folder) and folder != folder.parent:
        folder = folder.parent
    try:
        return os.pathconf(folder, name)
    except (OSError, ValueError):
        return usual
