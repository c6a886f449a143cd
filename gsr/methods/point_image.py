"""`SampledImage`: a continuous image that a method reads point by point."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Generic, Protocol, overload

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from gsr.base.coords import View
from gsr.field.edits import Edit
from gsr.field.protocol import Layer, Pixels, Progress
from gsr.field.render import render_as_given
from gsr.images import PictureInfo, PictureSource, Source, is_grey
from gsr.methods.encode import read_images


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
class SampledImage(Generic[Pixels]):
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

    @property
    def faithful(self) -> bool:
        """Not known of a method in general."""
        return False

    @property
    def options(self) -> tuple[str, ...]:
        """None: see `ContinuousImage`."""
        return ()

    @property
    def edits(self) -> tuple[Edit, ...]:
        """None: its choices are not open to change."""
        return ()

    @property
    def nbytes(self) -> int:
        """Memory of the maps."""
        return self.maps.nbytes

    def render(
        self,
        scale: float | tuple[float, float] | None = None,
        *,
        size: tuple[int, int] | None = None,
        view: View | None = None,
        layer: Layer = "result",
        progress: Progress | None = None,
    ) -> Pixels:
        """Pixels; everything as `GaussianField.render`, but of layers `result` and `lr`."""
        return render_as_given(self, scale, size=size, view=view, layer=layer, progress=progress)

    def read(self, view: View, layer: Layer = "result") -> Float[Tensor, "b 3 rows columns"]:
        """Colours at the pixel centres of a view of magnification 1 or more, not clamped."""
        return self.reader.read(self.lr, self.maps, view)


class PointMethod(ABC):
    """A method that makes maps of a picture once, and reads colours from them point by point.

    Attributes:
        label: What people call it.
        about: One line on it.
        instant: Whether a frame takes a few milliseconds of one core.
    """

    label: ClassVar[str]
    about: ClassVar[str]
    instant: ClassVar[bool] = False

    @property
    @abstractmethod
    def name(self) -> str:
        """What it is called in tables, on the command line and in the app."""

    @property
    def weights(self) -> str:
        """Which weights, see `gsr.network.fingerprint`; empty for a method without."""
        return ""

    @abstractmethod
    def maps(
        self, lr: Float[Tensor, "b 3 h w"], tile: int, progress: Progress | None
    ) -> tuple[Float[Tensor, "b 3 h w"], Float[Tensor, "b c H W"]]:
        """The images where they are computed with, and what `read` reads besides."""

    @abstractmethod
    def read(
        self, lr: Float[Tensor, "b 3 h w"], maps: Float[Tensor, "b c H W"], view: View
    ) -> Float[Tensor, "b 3 rows columns"]:
        """See `Reader`."""

    @overload
    def encode(
        self, source: Tensor, *, tile: int = ..., progress: Progress | None = ...
    ) -> SampledImage[Tensor]: ...
    @overload
    def encode(
        self, source: PictureSource, *, tile: int = ..., progress: Progress | None = ...
    ) -> SampledImage[Image.Image]: ...
    @torch.no_grad()
    def encode(
        self, source: Source, *, tile: int = 384, progress: Progress | None = None
    ) -> SampledImage:
        """A picture as a continuous image; as `GaussianSR.encode`."""
        images = read_images(source)
        first, second = images.progress(progress)
        lr, maps = self.maps(images.rgb, tile, first)
        alpha = None
        if images.alpha is not None:
            alpha = self.encode(images.alpha, tile=tile, progress=second)
        return SampledImage(lr, maps, self, images.batch_shape, alpha, images.info, self.weights)


def as_they_are(lr: Tensor, progress: Progress | None) -> tuple[Tensor, Tensor]:
    """`PointMethod.maps` of a method that reads the picture itself."""
    if progress:
        progress(1, 1)
    return lr, lr


def blocks(size: tuple[int, int], rows: int, columns: int) -> Iterator[tuple[slice, slice]]:
    """(rows, columns) of an output of `size`, cut into pieces of at most `rows` x `columns`."""
    for top in range(0, size[0], rows):
        for left in range(0, size[1], columns):
            yield slice(top, min(top + rows, size[0])), slice(left, min(left + columns, size[1]))
