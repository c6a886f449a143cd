"""Packages beside gsr, which gsr does not import before a command asks for them."""

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from gsr.base.errors import GsrError


def sibling(package: str, module: str) -> ModuleType:
    """A module of `apps` or `training`, under the name it has here."""
    return importlib.import_module(f"{find(package)}.{module}")


def find(package: str) -> str:
    """`gsr_PACKAGE` in an installation, `PACKAGE` beside gsr in a checkout.

    Raises:
        GsrError: when it is in neither place.
    """
    if importlib.util.find_spec(f"gsr_{package}") is not None:
        return f"gsr_{package}"
    checkout = Path(__file__).resolve().parents[2]
    if not (checkout / package).is_dir():
        raise GsrError(f"this installation of gsr has no {package}; install gsr again.")
    # First, because another folder of that name may lie where the command is run.
    sys.path.insert(0, str(checkout))
    return package


@contextmanager
def needing(extra: str, parts: tuple[str, ...]) -> Iterator[None]:
    """Where one of `parts` is missing, the sentence that says how to get it.

    Raises:
        GsrError: then.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").split(".")[0]
        if missing not in parts:
            raise
        raise GsrError(f'this needs {missing}: pip install "gsr[{extra}]".') from error
