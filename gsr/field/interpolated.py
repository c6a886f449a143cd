"""A picture by interpolation alone: what stands for a field until there is one."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Generic

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from gsr.base.coords import View, resolve_view
from gsr.field.protocol import ContinuousImage, Layer, Pixels, Progress
from gsr.field.render import render_as_given
from gsr.images import PictureInfo, bicubic_view

if TYPE_CHECKING:
    from gsr.field.edits import Edit

_SMALLEST = 128
"""Pixels of the shorter side of a reduced copy."""


@dataclass(frozen=True)
class Interpolated(Generic[Pixels]):
    """A picture enlarged by bicubic interpolation, and reduced by way of copies at half the size.

    A view costs what it has of pixels itself, however large the picture is.

    Attributes:
        lr: The picture, RGB in [0, 1]. [1, 3, h, w]
        grey: Whether it is grey, as `GaussianField.grey`.
        alpha: Transparency as an image of its own.
        info: What the image file said besides its pixels.
        batch_shape: Leading dimensions of the encoded tensor.
    """

    lr: Float[Tensor, "1 3 h w"]
    grey: tuple[bool, ...]
    alpha: "Interpolated | None" = None
    info: PictureInfo | None = None
    batch_shape: tuple[int, ...] = ()

    model = "bicubic"
    weights = ""
    layers: tuple[Layer, ...] = ("result", "lr")
    options: tuple[str, ...] = ()
    faithful = True
    edits: "tuple[Edit, ...]" = ()

    @classmethod
    def of(cls, image: ContinuousImage[Pixels]) -> "Interpolated[Pixels]":
        """The picture that an image was made from."""
        alpha = None if image.alpha is None else Interpolated.of(image.alpha)
        return cls(image.lr, image.grey, alpha, image.info, image.batch_shape)

    @cached_property
    def half(self) -> "Interpolated[Pixels] | None":
        """The same at half the size, if it is large enough for that."""
        if min(self.lr_size) < 2 * _SMALLEST:
            return None
        small = F.avg_pool2d(self.lr, 2, ceil_mode=True, count_include_pad=False)
        return replace(self, lr=small, alpha=self.alpha and self.alpha.half)

    @property
    def lr_size(self) -> tuple[int, int]:
        """(height, width) of the picture: the extent of the plane."""
        return self.lr.shape[-2], self.lr.shape[-1]

    @property
    def nbytes(self) -> int:
        """Memory beside the picture: of the copies."""
        return self.lr.nbytes // 3

    def read(self, view: View, layer: Layer = "result") -> Float[Tensor, "1 3 H W"]:
        """Colours at the pixel centres of a view of magnification 1 or more, not clamped."""
        box = view.x, view.y, view.width, view.height
        return bicubic_view(self.lr[0], box, view.size)[None]

    def render(
        self,
        scale: float | tuple[float, float] | None = None,
        *,
        size: tuple[int, int] | None = None,
        view: View | None = None,
        layer: Layer = "result",
        progress: Progress | None = None,
    ) -> Pixels:
        """As `GaussianField.render`."""
        view = resolve_view(self.lr_size, scale, size, view)
        if max(view.scale) <= 0.5 and self.half is not None:
            smaller = View(view.x / 2, view.y / 2, view.width / 2, view.height / 2, view.size)
            return self.half.render(view=smaller, layer=layer, progress=progress)
        return render_as_given(self, view=view, layer=layer, progress=progress)
