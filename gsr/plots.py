"""Plotly figures of fields, points and evaluations: `from gsr import plots`.

They live in a package of their own, which is imported when one of them is first asked for.
"""

from typing import Any

from gsr.base.optional import needing, sibling

PARTS = ("plotly",)
"""What the figures need and the rest of gsr does not."""


def __getattr__(name: str) -> Any:
    """A figure's function by its name.

    Raises:
        GsrError: when plotly is not installed.
        AttributeError: for an unknown name.
    """
    if name.startswith("__"):
        raise AttributeError(name)
    with needing("notebook", PARTS):
        return getattr(sibling("apps", "figures"), name)


def __dir__() -> list[str]:
    with needing("notebook", PARTS):
        return list(sibling("apps", "figures").__all__)
