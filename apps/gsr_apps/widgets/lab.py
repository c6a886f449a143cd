"""`ClassifierLab`: break the choice of kernels, and see what it was worth."""

from typing import Any

import ipywidgets
import traitlets

from gsr import GaussianField
from gsr.field import edits
from gsr.field.edits import Edit, Force, Mean, Shuffle, Soft, Top
from gsr.field.inspection import usage
from gsr.field.provenance import titled
from gsr.field.render import render
from gsr.images import load
from gsr.images.metrics import Protocol, psnr

from ..viewer import truths
from .field_viewer import check_single

PROTOCOL = Protocol("luma", 0, rounding=True)


class ClassifierLab(ipywidgets.VBox):
    """Buttons that shuffle, force, soften or average the choices; PSNR where the truth is known.

    Args:
        field: What is changed.
        truth: The large picture it was made from: a path, a PIL image or a tensor.

    Attributes:
        field: The changed field; link it with a viewer.
        change: Name of what was done last.
    """

    field = traitlets.Any()
    change = traitlets.Unicode("as chosen")

    def __init__(self, field: GaussianField, truth: Any = None, **traits: Any):
        check_single(field)
        self._first = field
        self._truth = None if truth is None else truths.of_picture(load(truth), field).maps[0]
        self._seed = 0
        self._said = ipywidgets.HTML()
        self._kernel = ipywidgets.BoundedIntText(
            value=int(usage(field).argmax()),
            min=0,
            max=len(field.bank_raw) - 1,
            description="kernel",
            layout={"width": "150px"},
        )
        buttons = [
            self._button("as chosen", lambda: None),
            self._button("shuffle", self._shuffled),
            self._button("one kernel", lambda: Force(self._kernel.value)),
            self._button("mean kernel", Mean),
            self._button("soft mixture", Soft),
            self._button("best three", lambda: Top(3)),
        ]
        super().__init__([ipywidgets.HBox([*buttons, self._kernel]), self._said], field=field)
        for name, value in traits.items():
            setattr(self, name, value)

    def _button(self, name: str, make: Any) -> ipywidgets.Button:
        button = ipywidgets.Button(description=name, layout={"width": "auto"})
        button.on_click(lambda _: self.apply(make(), name))
        return button

    def _shuffled(self) -> Shuffle:
        self._seed += 1
        return Shuffle(self._seed)

    def apply(self, edit: Edit | None, name: str = "edited") -> None:
        """Show the field with one edit, or as the network made it."""
        self.change = name
        self.field = self._first if edit is None else edits.apply(self._first, [edit])

    @traitlets.observe("field")
    def _tell(self, _: Any) -> None:
        if self._truth is None:
            self._said.value = f"<b>{titled(self.change, self.field)}</b>"
            return
        now = self.score()
        cost = now - self._score_of(self._first)
        said = titled(self.change, self.field)
        self._said.value = f"<b>{said}</b>: {now:.2f} dB ({cost:+.2f} dB)"

    def score(self) -> float:
        """PSNR of the field on show against the truth: luma, 8 bit, whole picture."""
        return self._score_of(self.field)

    def _score_of(self, field: GaussianField) -> float:
        assert self._truth is not None
        size = self._truth.shape[-2], self._truth.shape[-1]
        return float(psnr(render(field, size=size)[0].cpu(), self._truth, protocol=PROTOCOL))
