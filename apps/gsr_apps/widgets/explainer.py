"""`PixelExplainer`: who made a colour, as bars."""

from typing import Any

import ipywidgets
import plotly.graph_objects as go
import traitlets

from gsr import GaussianField
from gsr.field.inspection import Explanation

from ..figures import shares
from .field_viewer import check_single

_ASK = "Click a point in a linked viewer, or set `selection` to a point (x, y)."


class PixelExplainer(ipywidgets.VBox):
    """Shares of the Gaussians at a point; follows the `selection` of a linked viewer.

    Args:
        field: What is asked.
        scale: Magnification at which the point is seen.

    Attributes:
        selection: The point (x, y), LR pixels, or None.
        explanation: What `field.explain` says of it, or None.
    """

    field = traitlets.Any()
    scale = traitlets.Float(4.0)
    selection = traitlets.List(traitlets.Float(), allow_none=True, default_value=None)
    explanation = traitlets.Instance(Explanation, allow_none=True)

    def __init__(self, field: GaussianField, scale: float = 4.0, **traits: Any):
        check_single(field)
        self._figure = go.FigureWidget(layout={"height": 320})
        self._said = ipywidgets.HTML(_ASK)
        super().__init__([self._figure, self._said], field=field, scale=scale)
        for name, value in traits.items():
            setattr(self, name, value)

    @traitlets.observe("field", "scale", "selection")
    def _explain(self, _: Any) -> None:
        if self.field is None or self.selection is None:
            self.explanation = None
            return
        x, y = self.selection
        self.explanation = self.field.explain(x, y, min(64.0, max(1 / 64, self.scale)))

    @traitlets.observe("explanation")
    def _show(self, _: Any) -> None:
        found = self.explanation
        if found is None:
            self._said.value = _ASK
            return
        new = shares(found)
        with self._figure.batch_update():
            self._figure.data = ()
            self._figure.add_traces(new.data)
            self._figure.layout = new.layout
        self._said.value = (
            f"Gaussians {_levels(found.splatted)} + residual {_levels(found.residual)} = shown "
            f"{_levels(found.rgb)} (red, green, blue; 255 is full)"
        )


def _levels(color: tuple[float, float, float]) -> str:
    return "(" + ", ".join(f"{255 * value:.0f}" for value in color) + ")"
