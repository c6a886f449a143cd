"""`link`: what two widgets have in common becomes one."""

from typing import Any

import traitlets

from gsr import GsrError

SHARED = ("field", "scale", "view", "selection", "kernels")


def link(*widgets: Any) -> list[traitlets.link]:
    """Connect traits of the same name of all widgets; the first one's values are taken.

    Returns:
        The links; `unlink()` ends one.

    Raises:
        GsrError: when two widgets have nothing in common.
    """
    first, *others = widgets
    links = []
    for other in others:
        common = [name for name in SHARED if first.has_trait(name) and other.has_trait(name)]
        if not common:
            raise GsrError(
                f"{type(first).__name__} and {type(other).__name__} share none of "
                f"{', '.join(SHARED)}."
            )
        links += [traitlets.link((first, name), (other, name)) for name in common]
    return links
