"""Plotly figures of fields, points and evaluations: `from gsr import plots`.

They live in a package of their own, which is imported when one of them is first asked for.
"""

from typing import TYPE_CHECKING, Any

from gsr.base.optional import needing, part

if TYPE_CHECKING:
    from gsr_apps.figures import (
        bank_and_usage as bank_and_usage,
    )
    from gsr_apps.figures import (
        class_map as class_map,
    )
    from gsr_apps.figures import (
        directions as directions,
    )
    from gsr_apps.figures import (
        ellipse_points as ellipse_points,
    )
    from gsr_apps.figures import (
        ellipses_over as ellipses_over,
    )
    from gsr_apps.figures import (
        entropy_map as entropy_map,
    )
    from gsr_apps.figures import (
        kernel_bank as kernel_bank,
    )
    from gsr_apps.figures import (
        kernel_order as kernel_order,
    )
    from gsr_apps.figures import (
        psnr_by_scale as psnr_by_scale,
    )
    from gsr_apps.figures import (
        psnr_page as psnr_page,
    )
    from gsr_apps.figures import (
        scale_sweep as scale_sweep,
    )
    from gsr_apps.figures import (
        shares as shares,
    )

NEEDED = ("plotly",)
"""What the figures need and the rest of gsr does not."""


# Hidden from type checkers, which would take any name for a public one.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """A figure's function by its name.

        Raises:
            GsrError: when plotly is not installed.
            AttributeError: for an unknown name.
        """
        if name.startswith("__"):
            raise AttributeError(name)
        with needing("notebook", NEEDED):
            return getattr(part("gsr_apps.figures"), name)


def __dir__() -> list[str]:
    with needing("notebook", NEEDED):
        return list(part("gsr_apps.figures").__all__)
