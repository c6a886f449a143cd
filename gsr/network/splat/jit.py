"""How the loops of this package are compiled."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numba
from numba.core.caching import FunctionCache

_OPTIONS: dict[str, Any] = {"nogil": True, "fastmath": True, "error_model": "numpy"}
ENABLED = not getattr(numba.config, "DISABLE_JIT", False)
"""Whether anything is compiled; a debugger or a coverage tool may have asked numba not to."""


class _Cache(FunctionCache):
    """Compiled code on disk, which only saves time: where it fails, the code is compiled."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """What was kept; None where there is nothing, or what is there is damaged."""
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # a file that was cut short may raise anything
            with suppress(Exception):
                self.flush()  # an empty index: what is saved next replaces the damage
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep compiled code, where that is possible: the disk may be full, or not writable."""
        with suppress(Exception):
            super().save_overload(sig, data)


def jit(function: Callable[..., Any]) -> Any:
    """Compiled on first use, without Python's lock; kept on disk where there is a place for it."""
    compiled = numba.njit(**_OPTIONS)(function)
    if ENABLED:
        with suppress(RuntimeError, OSError):  # no folder may be written
            compiled._cache = _Cache(function)  # numba offers no other way to choose the cache
    return compiled


def inline(function: Callable[..., Any]) -> Any:
    """Compiled into its callers: what a hot loop calls must not cost a call."""
    return numba.njit(inline="always", **_OPTIONS)(function)
