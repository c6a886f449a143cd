"""Widgets for notebooks: `from gsr.widgets import FieldViewer`.

They live in a package of their own, which is imported when one of them is first asked for.
"""

from typing import Any

from gsr.base.optional import needing, sibling

PARTS = ("anywidget", "ipywidgets", "plotly", "traitlets")
"""What the widgets need and the rest of gsr does not."""


def __getattr__(name: str) -> Any:
    """A widget by its name.

    Raises:
        GsrError: when the packages for notebooks are not installed.
        AttributeError: for an unknown name.
    """
    if name.startswith("__"):
        raise AttributeError(name)
    with needing("notebook", PARTS):
        return getattr(sibling("apps", "widgets"), name)


def __dir__() -> list[str]:
    with needing("notebook", PARTS):
        return list(sibling("apps", "widgets").__all__)
