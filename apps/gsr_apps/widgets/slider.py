"""`ScaleSlider`: magnification on a logarithmic scale."""

from typing import Any

import ipywidgets
import traitlets


class ScaleSlider(ipywidgets.VBox):
    """A slider from 0.25 to 64.

    Attributes:
        scale: The magnification.
    """

    scale = traitlets.Float(4.0)

    def __init__(self, scale: float = 4.0, **traits: Any):
        slider = ipywidgets.FloatLogSlider(
            value=scale,
            base=2,
            min=-2,
            max=6,
            step=0.01,
            description="scale ×",
            readout_format=".2f",
            layout={"width": "100%"},
        )
        super().__init__([slider], **traits)
        self.scale = scale
        traitlets.link((self, "scale"), (slider, "value"))
