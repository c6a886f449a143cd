"""gsr: images as continuous fields of 2D Gaussians. Encode once, render anywhere, look inside."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gsr.base.coords import View
    from gsr.base.errors import GsrError
    from gsr.field import GaussianField
    from gsr.field.file import open_field
    from gsr.methods.gaussiansr import PRESETS, GaussianSR, ModelConfig
    from gsr.methods.weights import load

__version__ = "0.1.0"
__all__ = [
    "PRESETS",
    "GaussianField",
    "GaussianSR",
    "GsrError",
    "ModelConfig",
    "View",
    "load",
    "open_field",
]

# Looked up on first use, so that the command line answers before torch is loaded.
_HOMES = {
    "PRESETS": "methods.gaussiansr",
    "GaussianField": "field",
    "GaussianSR": "methods.gaussiansr",
    "GsrError": "base.errors",
    "ModelConfig": "methods.gaussiansr",
    "View": "base.coords",
    "load": "methods.weights",
    "open_field": "field.file",
}


# Hidden from type checkers, which would take any name for a public one.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module 'gsr' has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f"gsr.{_HOMES[name]}"), name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
