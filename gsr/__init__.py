"""gsr: images as continuous fields of 2D Gaussians. Encode once, render anywhere, look inside."""

from gsr.coords import View
from gsr.errors import GsrError
from gsr.field import GaussianField
from gsr.model import PRESETS, GaussianSR, ModelConfig
from gsr.weights import load

__version__ = "0.1.0"
__all__ = [
    "PRESETS",
    "GaussianField",
    "GaussianSR",
    "GsrError",
    "ModelConfig",
    "View",
    "load",
]
