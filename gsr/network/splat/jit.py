"""How the loops of this package are compiled."""

from collections.abc import Callable
from typing import Any

import numba

_OPTIONS: dict[str, Any] = {"nogil": True, "fastmath": True, "error_model": "numpy"}


def jit(function: Callable[..., Any]) -> Any:
    """Compiled on first use, without Python's lock; kept on disk where there is a place for it."""
    try:
        return numba.njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:  # no folder may be written: compile anew in every process
        return numba.njit(**_OPTIONS)(function)


def inline(function: Callable[..., Any]) -> Any:
    """Compiled into its callers: what a hot loop calls must not cost a call."""
    return numba.njit(inline="always", **_OPTIONS)(function)
