"""What all methods have in common: they turn a picture into a continuous image.

A Gaussian field, an implicit network and a bicubic interpolation answer the same `render`, so
that every tool can put them side by side at one view.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from gsr.base.coords import View
from gsr.network.kernels import Kernels

if TYPE_CHECKING:
    from gsr.images import PictureInfo

Progress = Callable[[int, int], None]
"""Called with (done, in all); an exception it raises cancels."""


@runtime_checkable
class ContinuousImage(Protocol):
    """A picture that can be rendered at any magnification; see `GaussianField.render`."""

    @property
    def lr_size(self) -> tuple[int, int]:
        """(height, width) of the picture it was made from: the extent of the plane."""
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
    def info(self) -> "PictureInfo | None":
        """What the image file said besides its pixels, and what was changed in it."""
        ...

    def render(
        self,
        scale: float | tuple[float, float] | None = None,
        *,
        size: tuple[int, int] | None = None,
        view: View | None = None,
        progress: Progress | None = None,
    ) -> Any:
        """Pixels; a PIL image if a picture was encoded, a tensor if a tensor was."""
        ...


@runtime_checkable
class Method(Protocol):
    """What makes continuous images: a network with its weights, or a classical interpolation."""

    @property
    def name(self) -> str:
        """What it is called in tables, on the command line and in the app."""
        ...

    def encode(self, source: Any, *, progress: Progress | None = None) -> ContinuousImage:
        """A picture (file, bytes, PIL image, array, tensor in [0, 1]) as a continuous image."""
        ...


@dataclass(frozen=True)
class Prediction:
    """What a network says of queried points while it is trained.

    Attributes:
        rgb: Colours in [0, 1], not clamped. [b, n, 3]
        colors: The Gaussians alone; None for methods without Gaussians. [b, n, 3]
        commitment: Distance between wishes and bank; None for methods without a bank.
        kernels: The kernel of each LR pixel; None for methods without Gaussians. [b, h, w]
    """

    rgb: Float[Tensor, "b n 3"]
    colors: Float[Tensor, "b n 3"] | None = None
    commitment: Tensor | None = None
    kernels: Kernels | None = None


class Network(Method, Protocol):
    """A method that is trained: called with LR images, it predicts colours at points."""

    def __call__(
        self,
        lr: Float[Tensor, "b 3 h w"],
        points: Float[Tensor, "b n 2"],
        scale: Float[Tensor, "b 2"],
        *,
        soft: bool = False,
        generator: Any = None,
    ) -> Prediction:
        """Colours at `points` (x, y in LR pixels) seen at `scale` (sy, sx)."""
        ...
