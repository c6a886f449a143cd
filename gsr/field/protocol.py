"""What all methods have in common: they turn a picture into a continuous image.

A Gaussian field, an implicit network and a bicubic interpolation answer the same `render`, so
that every tool can put them side by side at one view.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, overload, runtime_checkable

from jaxtyping import Float
from PIL import Image
from torch import Tensor
from typing_extensions import TypeVar

from gsr.base.coords import View
from gsr.images import PictureInfo, PictureSource
from gsr.network.kernels import Kernels

if TYPE_CHECKING:
    from gsr.field.edits import Edit

Layer = Literal["result", "gaussians", "residual", "lr"]
LAYERS: tuple[Layer, ...] = ("result", "gaussians", "residual", "lr")
"""What a Gaussian field can show: see `GaussianField.render`."""

Progress = Callable[[int, int], None]
"""Called with (done, in all); an exception it raises cancels."""

Pixels = TypeVar("Pixels", bound=Tensor | Image.Image, default=Tensor | Image.Image, covariant=True)
"""What `render` gives: PIL images where a picture was encoded, tensors where a tensor was."""


@runtime_checkable
class ContinuousImage(Protocol[Pixels]):
    """A picture that can be rendered at any magnification.

    Whoever has the rest has `render` in `gsr.field.render.render_as_given`.
    """

    @property
    def lr(self) -> Tensor:
        """The picture it was made from, RGB in [0, 1]. [b, 3, h, w]"""
        ...

    @property
    def lr_size(self) -> tuple[int, int]:
        """(height, width) of the picture: the extent of the plane."""
        ...

    @property
    def layers(self) -> tuple[Layer, ...]:
        """What can be shown; always `result` and `lr`."""
        ...

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """Leading dimensions of the encoded tensor, flattened into b everywhere else."""
        ...

    @property
    def alpha(self) -> "ContinuousImage | None":
        """Transparency as an image of its own."""
        ...

    @property
    def grey(self) -> tuple[bool, ...]:
        """Which images are grey; renders of them are, to the last bit."""
        ...

    @property
    def info(self) -> PictureInfo | None:
        """What the image file said besides its pixels; its presence makes renders PIL images."""
        ...

    @property
    def model(self) -> str:
        """Name of the weights or of the method."""
        ...

    @property
    def weights(self) -> str:
        """Which weights, see `gsr.network.fingerprint`; empty where there are none."""
        ...

    @property
    def options(self) -> tuple[str, ...]:
        """What was asked of the network that is not usual, a word each."""
        ...

    @property
    def edits(self) -> "tuple[Edit, ...]":
        """What was changed in it since; see `gsr.field.edits`."""
        ...

    @property
    def faithful(self) -> bool:
        """Whether it gives back the picture it was made from: at magnification 1 renders are that
        picture then, and below 1 they are reduced from it.
        """
        ...

    @property
    def nbytes(self) -> int:
        """Memory of what was made of the picture."""
        ...

    def read(self, view: View, layer: Layer = "result") -> Float[Tensor, "b 3 H W"]:
        """Colours at the pixel centres of a view of magnification 1 or more, not clamped.

        Every layer but `lr`, which is read from `lr`.
        """
        ...

    def render(
        self,
        scale: float | tuple[float, float] | None = None,
        *,
        size: tuple[int, int] | None = None,
        view: View | None = None,
        layer: Layer = "result",
        progress: Progress | None = None,
    ) -> Pixels:
        """The image as pixels, see `GaussianField.render`."""
        ...


@runtime_checkable
class Method(Protocol):
    """What makes continuous images: a network with its weights, or a classical interpolation."""

    @property
    def name(self) -> str:
        """What it is called in tables, on the command line and in the app."""
        ...

    @overload
    def encode(
        self, source: Tensor, *, progress: Progress | None = None
    ) -> ContinuousImage[Tensor]: ...
    @overload
    def encode(
        self, source: PictureSource, *, progress: Progress | None = None
    ) -> ContinuousImage[Image.Image]: ...


@dataclass(frozen=True)
class Prediction:
    """What a network says of queried points while it is trained.

    Attributes:
        rgb: Colours in [0, 1], not clamped. [b, n, 3]
        colors: The Gaussians alone; None for methods without Gaussians. [b, n, 3]
        commitment: Distance between predicted kernels and bank; None for methods without a bank.
        kernels: The kernel of each LR pixel; None for methods without Gaussians. [b, h, w]
    """

    rgb: Float[Tensor, "b n 3"]
    colors: Float[Tensor, "b n 3"] | None = None
    commitment: Tensor | None = None
    kernels: Kernels | None = None
