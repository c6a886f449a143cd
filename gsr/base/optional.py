"""Packages that read gsr, which gsr itself does not import before they are asked for."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from gsr.base.errors import GsrError


def part(name: str) -> ModuleType:
    """A module of `gsr_apps` or `gsr_training`, which are installed together with gsr.

    Raises:
        GsrError: when its package is not installed.
    """
    package = name.partition(".")[0]
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise GsrError(f"{package} is missing: reinstall gaussiansr.") from error


@contextmanager
def needing(extra: str, packages: tuple[str, ...]) -> Iterator[None]:
    """Where one of `packages` is missing, the sentence that says how to get it.

    Raises:
        GsrError: when importing one of `packages` fails.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").split(".")[0]
        if missing not in packages:
            raise
        raise GsrError(f'this needs {missing}: pip install "gaussiansr[{extra}]".') from error
