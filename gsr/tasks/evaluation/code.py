"""Which code a number was computed by."""

import hashlib
from functools import cache
from pathlib import Path

import gsr

OTHER = ("cli/", "tasks/datasets/")
"""Parts of the package that no pixel goes through."""


@cache
def code_version() -> str:
    """The version of gsr and a digest of its source: numbers of a changed renderer are others."""
    root = Path(gsr.__file__).parent
    return f"{gsr.__version__}+{digest(root)}"


def digest(root: Path) -> str:
    """Of the Python files below a package's folder, by their names and contents."""
    found = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root).as_posix()
        if not name.startswith(OTHER):
            found.update(f"{name}\n".encode())
            found.update(path.read_bytes())
    return found.hexdigest()[:12]
