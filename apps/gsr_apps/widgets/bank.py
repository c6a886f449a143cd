"""`KernelBankExplorer`: the kernels, their use, and handles to change one."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import ipywidgets
import plotly.graph_objects as go
import traitlets

from gsr import GaussianField
from gsr.field.edits import Edit, Reshape

from ..figures import bank_and_usage, kernel_order
from .field_viewer import check_single

_STEP = 0.01
HANDLES = {
    "sigma_x": (0.1, 2.8),
    "sigma_y": (0.1, 2.8),
    "rho": (-0.95, 0.95),
    "opacity": (_STEP, 1 - _STEP),
}
"""Sliders and their ranges."""


class KernelBankExplorer(ipywidgets.VBox):
    """The bank as a figure. A click picks a kernel; a linked viewer highlights its pixels.

    Args:
        field: Whose bank.

    Attributes:
        field: The field; another one after a slider was moved.
        kernels: Numbers that are picked.
    """

    field = traitlets.Any()
    kernels = traitlets.List(traitlets.Int())

    def __init__(self, field: GaussianField, **traits: Any):
        check_single(field)
        self._figure = go.FigureWidget(bank_and_usage(field, height=470))
        self._figure.update_layout(width=440)
        self._sliders = {
            name: ipywidgets.FloatSlider(
                min=low, max=high, step=_STEP, description=name, continuous_update=True
            )
            for name, (low, high) in HANDLES.items()
        }
        self._said = ipywidgets.HTML("Click a kernel to pick it.")
        self._reset = ipywidgets.Button(description="Reset the bank", disabled=True)
        self._first = field
        self._setting = False
        handles = ipywidgets.VBox([self._said, *self._sliders.values(), self._reset])
        super().__init__([ipywidgets.HBox([self._figure, handles])], field=field)
        for trace in self._figure.data:
            if trace.customdata is not None:
                trace.on_click(self._clicked)
        for slider in self._sliders.values():
            slider.observe(self._reshaped, "value")
        self._reset.on_click(lambda _: self.set_trait("field", self._first))
        for name, value in traits.items():
            setattr(self, name, value)

    def _clicked(self, trace: Any, points: Any, _state: Any) -> None:
        if points.point_inds:
            self.pick([int(trace.customdata[i]) for i in points.point_inds])

    def pick(self, kernels: Sequence[int]) -> None:
        """Pick kernels, or put back those that were."""
        kept = [kernel for kernel in self.kernels if kernel not in kernels]
        self.kernels = kept + [kernel for kernel in kernels if kernel not in self.kernels]

    @traitlets.observe("kernels", "field")
    def _show(self, change: Any) -> None:
        if change["name"] == "field" and change["old"] not in (None, traitlets.Undefined):
            self._redraw()
            self._reset.disabled = self.field is self._first
        with self._figure.batch_update():
            for trace in self._figure.data:
                if trace.customdata is not None:
                    numbers = list(trace.customdata)
                    chosen = [numbers.index(kernel) for kernel in self.kernels]
                    trace.selectedpoints = chosen if chosen else None
        if self.kernels:
            self._set_handles(self.kernels[-1])

    def _redraw(self) -> None:
        # Each kernel stays in its place, whatever its shape is now.
        new = bank_and_usage(self.field, 470, kernel_order(self._first))
        with self._figure.batch_update():
            for trace, wanted in zip(self._figure.data, new.data, strict=True):
                values = wanted.to_plotly_json()
                trace.update({name: values[name] for name in values if name != "type"})

    def _set_handles(self, kernel: int) -> None:
        bank = self.field.bank
        values = (*bank.sigmas[kernel].tolist(), float(bank.rho[kernel]))
        self._setting = True
        for slider, value in zip(
            self._sliders.values(), (*values, float(bank.opacities[kernel])), strict=True
        ):
            slider.value = min(slider.max, max(slider.min, value))
        self._setting = False
        self._said.value = f"Kernel {kernel}; sigmas in LR pixels:"

    def _reshaped(self, _: Any) -> None:
        if self._setting or not self.kernels:
            return
        values = {name: slider.value for name, slider in self._sliders.items()}
        self.field = Reshape(self.kernels[-1], **values)(self._before(self.kernels[-1]))

    def _before(self, kernel: int) -> GaussianField:
        """The field before the last edit if that reshaped the same kernel: a drag is one edit."""
        edits: tuple[Edit, ...] = self.field.edits
        last = edits[-1] if edits else None
        again = isinstance(last, Reshape) and last.kernel == kernel
        return replace(self.field, edits=edits[:-1]) if again else self.field
