"""How people use gsr, for a type checker. Each `type: ignore` marks a mistake it has to find.

`test_typing.py` checks it against the installed wheel, `make lint` against the checkout.
"""

from pathlib import Path
from typing import assert_type

import torch
from PIL import Image

import gsr
from gsr import plots
from gsr.widgets import ClassifierLab, FieldViewer, KernelBankExplorer, link

model = gsr.load("lite")
assert_type(model, gsr.GaussianSR)

assert_type(model.encode("photo.png").render(scale=2), Image.Image)
assert_type(model.encode(torch.zeros(3, 4, 4)).render(scale=2), torch.Tensor)

field = gsr.open_field("photo.gsf")
assert_type(field.save("copy.gsf"), Path)
assert_type(gsr.View(x=0, y=0, width=8, height=6, size=(60, 80)), gsr.View)

viewer = FieldViewer(field)
assert_type(viewer, FieldViewer)
link(viewer, KernelBankExplorer(field), ClassifierLab(field))
assert_type(plots.kernel_order(field), list[int])
plots.kernel_bank(field)

FieldViewer()  # type: ignore[call-arg]
plots.kernel_bank("photo.png")  # type: ignore[arg-type]
gsr.load(["lite"])  # type: ignore[arg-type]
gsr.lode("lite")  # type: ignore[attr-defined]
plots.kernel_blank(field)  # type: ignore[attr-defined]
