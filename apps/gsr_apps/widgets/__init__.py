"""Widgets for notebooks. `from gsr.widgets import FieldViewer` works wherever gsr is installed.

Every widget is made from a field and has its state as traits; `link` connects those that two
widgets have in common.
"""

from .bank import KernelBankExplorer
from .compare import CompareViewer
from .explainer import PixelExplainer
from .field_viewer import FieldViewer
from .lab import ClassifierLab
from .linking import link
from .slider import ScaleSlider

__all__ = [
    "ClassifierLab",
    "CompareViewer",
    "FieldViewer",
    "KernelBankExplorer",
    "PixelExplainer",
    "ScaleSlider",
    "link",
]
