"""What a mosaic can show at once: tiles where there are some, interpolation elsewhere."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Generic

from jaxtyping import Float
from torch import Tensor

from gsr.base.coords import View, resolve_view
from gsr.field.interpolated import Interpolated
from gsr.field.protocol import Layer, Pixels, Progress
from gsr.field.render import TINY, render_as_given
from gsr.images import PictureInfo

if TYPE_CHECKING:
    from gsr.field.edits import Edit
    from gsr.field.mosaic import Mosaic


@dataclass(frozen=True)
class Glimpse(Generic[Pixels]):
    """A mosaic as it is: a continuous image that never waits for a tile.

    Below magnification 1 the picture itself is shown, reduced, until all tiles of a view are
    there: the result comes to that, reduced by so much.

    Attributes:
        mosaic: What it shows.
        picture: What stands where tiles are missing.
    """

    mosaic: "Mosaic[Pixels]"
    picture: Interpolated[Pixels]

    @classmethod
    def of(cls, mosaic: "Mosaic[Pixels]") -> "Glimpse[Pixels]":
        """The glimpse of a mosaic."""
        return cls(mosaic, Interpolated.of(mosaic))

    @cached_property
    def alpha(self) -> "Glimpse | None":
        """Transparency as an image of its own."""
        if self.mosaic.alpha is None or self.picture.alpha is None:
            return None
        return Glimpse(self.mosaic.alpha, self.picture.alpha)

    @property
    def lr(self) -> Tensor:
        """The picture. [1, 3, h, w]"""
        return self.mosaic.lr

    @property
    def lr_size(self) -> tuple[int, int]:
        """(height, width) of the picture: the extent of the plane."""
        return self.mosaic.lr_size

    @property
    def layers(self) -> tuple[Layer, ...]:
        """What `render` can show."""
        return self.mosaic.layers

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """Leading dimensions of the encoded tensor."""
        return self.mosaic.batch_shape

    @property
    def grey(self) -> tuple[bool, ...]:
        """Whether the picture is grey, as `GaussianField.grey`."""
        return self.mosaic.grey

    @property
    def info(self) -> PictureInfo | None:
        """What the image file said besides its pixels."""
        return self.mosaic.info

    @property
    def model(self) -> str:
        """Name of the weights."""
        return self.mosaic.model

    @property
    def weights(self) -> str:
        """Which weights, see `gsr.network.fingerprint`."""
        return self.mosaic.weights

    @property
    def options(self) -> tuple[str, ...]:
        """What was asked of the network that is not usual, a word each."""
        return self.mosaic.options

    @property
    def faithful(self) -> bool:
        """As of the mosaic."""
        return self.mosaic.faithful

    @property
    def edits(self) -> "tuple[Edit, ...]":
        """As of the mosaic."""
        return self.mosaic.edits

    @property
    def nbytes(self) -> int:
        """Memory beside that of the mosaic."""
        return self.picture.nbytes

    def read(self, view: View, layer: Layer = "result") -> Float[Tensor, "1 3 H W"]:
        """Colours at the pixel centres of a view of magnification 1 or more, not clamped."""
        found = self.mosaic.read_tiles(view, layer, self.mosaic.peek)
        missing = found.isnan()
        if missing.any():
            if layer == "residual":  # nothing is known that was added
                return found.nan_to_num(0.5)
            found[missing] = self.picture.read(view)[missing]
        return found

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
        reduced = min(view.scale) < 1 - TINY
        if not reduced or (layer != "lr" and self.mosaic.ready(view, layer)):
            return render_as_given(self, view=view, layer=layer, progress=progress)
        return self.picture.render(view=view, progress=progress)
