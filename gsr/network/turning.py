"""The eight turns of a picture, and what they do to the maps of a field."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Turn:
    """Rows and columns swapped, then flipped.

    Attributes:
        transpose: Whether rows become columns.
        flip_y, flip_x: Whether what lies below, or to the right, comes first.
    """

    transpose: bool
    flip_y: bool
    flip_x: bool

    def image(self, image: Float[Tensor, "b c h w"]) -> Tensor:
        """A picture, turned."""
        turned = image.mT if self.transpose else image
        return turned.flip(self._flipped(-2, -1))

    def back(self, name: str, values: Float[Tensor, "b h w c"]) -> Tensor:
        """The output for a turned picture, turned back.

        Args:
            name: Member of a field: `offsets` are vectors, `slopes` vectors one after another,
                `evidence` predicts a kernel (log sigma x, log sigma y, atanh rho); others know
                no direction.
        """
        values = values.flip(self._flipped(1, 2))
        if name in ("offsets", "slopes"):
            values = self._vectors(values.unflatten(-1, (-1, 2))).flatten(-2)
        elif name == "evidence":
            values = self._predicted(values)
        return values.transpose(1, 2) if self.transpose else values

    def _flipped(self, y: int, x: int) -> list[int]:
        return [axis for axis, flip in ((y, self.flip_y), (x, self.flip_x)) if flip]

    def _vectors(self, vectors: Tensor) -> Tensor:
        sign = vectors.new_tensor((-1.0 if self.flip_x else 1.0, -1.0 if self.flip_y else 1.0))
        vectors = vectors * sign
        return vectors.flip(-1) if self.transpose else vectors

    def _predicted(self, kernels: Tensor) -> Tensor:
        x, y, rho = kernels.unbind(-1)
        if self.transpose:
            x, y = y, x
        return torch.stack((x, y, -rho if self.flip_x != self.flip_y else rho), -1)


def turns() -> Iterator[Turn]:
    """All eight, the picture as it is first."""
    return (Turn(*which) for which in product((False, True), repeat=3))
