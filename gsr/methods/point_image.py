"""`SampledImage`: a continuous image that a method reads point by point."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from jaxtyping import Float
from torch import Tensor

from gsr.base.coords import View
from gsr.field.protocol import Progress
from gsr.field.render import Layer, rendered
from gsr.images import PictureInfo, is_grey


class Reader(Protocol):
    """What turns maps into colours: a classical interpolation, or a network's head."""

    @property
    def name(self) -> str: ...

    def read(
        self, lr: Float[Tensor, "b 3 h w"], maps: Float[Tensor, "b c H W"], view: View
    ) -> Float[Tensor, "b 3 rows columns"]:
        """Colours at the pixel centres of a view, magnification 1 or more, not clamped."""
        ...


@dataclass(frozen=True)
class SampledImage:
    """A picture and what a method made of it.

    Attributes:
        lr: The picture, RGB in [0, 1]. [b, 3, h, w]
        maps: What the reader reads besides; the LR features of a network. [b, c, H, W]
        reader: The method.
        batch_shape: Leading dimensions of the encoded tensor.
        alpha: Transparency as an image of its own.
        info: What the image file said besides its pixels; its presence makes renders PIL images.
        weights: Which weights, see `gsr.network.fingerprint`; empty for methods without.
    """

    lr: Float[Tensor, "b 3 h w"]
    maps: Float[Tensor, "b c H W"]
    reader: Reader
    batch_shape: tuple[int, ...] = ()
    alpha: "SampledImage | None" = None
    info: PictureInfo | None = None
    weights: str = ""

    def __repr__(self) -> str:
        h, w = self.lr_size
        batch = f"batch={self.batch_shape}, " if self.batch_shape else ""
        return f"SampledImage({batch}{w} x {h} pixels, method={self.reader.name!r})"

    @property
    def model(self) -> str:
        """Name of the method."""
        return self.reader.name

    @property
    def lr_size(self) -> tuple[int, int]:
        """(height, width) of the picture: the extent of the plane."""
        return self.lr.shape[-2], self.lr.shape[-1]

    @cached_property
    def grey(self) -> tuple[bool, ...]:
        """Which images are grey, as `GaussianField.grey`."""
        return tuple(is_grey(self.lr).tolist())

    @property
    def layers(self) -> tuple[Layer, ...]:
        """What `render` can show."""
        return ("result", "lr")

    def read(self, view: View, layer: Layer = "result") -> Float[Tensor, "b 3 rows columns"]:
        """Colours at the pixel centres of a view of magnification 1 or more, not clamped."""
        return self.reader.read(self.lr, self.maps, view)

    def render(
        self,
        scale: float | tuple[float, float] | None = None,
        *,
        size: tuple[int, int] | None = None,
        view: View | None = None,
        layer: Layer = "result",
        progress: Progress | None = None,
    ) -> Any:
        """Pixels; everything as `GaussianField.render`, but of layers `result` and `lr`."""
        return rendered(self, scale, size=size, view=view, layer=layer, progress=progress)


def blocks(size: tuple[int, int], rows: int, columns: int) -> Iterator[tuple[slice, slice]]:
    """(rows, columns) of an output of `size`, cut into pieces of at most `rows` x `columns`."""
    for top in range(0, size[0], rows):
        for left in range(0, size[1], columns):
            yield slice(top, min(top + rows, size[0])), slice(left, min(left + columns, size[1]))
