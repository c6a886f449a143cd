"""Widgets for notebooks: `from gsr.widgets import FieldViewer`.

They live in a package of their own, which is imported when one of them is first asked for.
"""

from typing import TYPE_CHECKING, Any

from gsr.base.optional import needing, part

if TYPE_CHECKING:
    from gsr_apps.widgets import (
        ClassifierLab as ClassifierLab,
    )
    from gsr_apps.widgets import (
        CompareViewer as CompareViewer,
    )
    from gsr_apps.widgets import (
        FieldViewer as FieldViewer,
    )
    from gsr_apps.widgets import (
        KernelBankExplorer as KernelBankExplorer,
    )
    from gsr_apps.widgets import (
        PixelExplainer as PixelExplainer,
    )
    from gsr_apps.widgets import (
        ScaleSlider as ScaleSlider,
    )
    from gsr_apps.widgets import (
        link as link,
    )

NEEDED = ("anywidget", "ipywidgets", "plotly", "traitlets")
"""What the widgets need and the rest of gsr does not."""


# Hidden from type checkers, which would take any name for a public one.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """A widget by its name.

        Raises:
            GsrError: when the packages for notebooks are not installed.
            AttributeError: for an unknown name.
        """
        if name.startswith("__"):
            raise AttributeError(name)
        with needing("notebook", NEEDED):
            return getattr(part("gsr_apps.widgets"), name)


def __dir__() -> list[str]:
    with needing("notebook", NEEDED):
        return list(part("gsr_apps.widgets").__all__)
