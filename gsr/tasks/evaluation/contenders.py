"""Methods under evaluation, and which weights are behind their names."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from gsr import methods
from gsr.base.coords import View
from gsr.base.errors import ConfigError
from gsr.base.files import checksum
from gsr.field.protocol import Method, Progress
from gsr.images.imresize import sample
from gsr.methods.gaussiansr import BEST
from gsr.methods.point_image import PointMethod, as_they_are
from gsr.methods.weights import manifest

MATLAB_BICUBIC = "matlab-bicubic"
"""The bicubic of published tables. Everything else of gsr means Pillow's."""


@dataclass(frozen=True)
class Contender:
    """A method that is measured.

    Attributes:
        name: As it was asked for.
        weights: Checksum of its weights file; empty for methods without.
        method: What encodes.
    """

    name: str
    weights: str
    method: Method


class MatlabBicubic(PointMethod):
    """MATLAB's `imresize`, at any point.

    Args:
        device: Where it is computed.
    """

    def __init__(self, device: str | torch.device = "cpu"):
        self.device = device

    @property
    def name(self) -> str:
        """`matlab-bicubic`."""
        return MATLAB_BICUBIC

    def maps(self, lr: Tensor, tile: int, progress: Progress | None) -> tuple[Tensor, Tensor]:
        """The picture itself; nothing is computed yet."""
        return as_they_are(lr.to(self.device), progress)

    def read(self, lr: Tensor, maps: Tensor, view: View) -> Tensor:
        """See `gsr.methods.point_image.Reader`."""
        xs, ys = view.axes((lr.shape[-2], lr.shape[-1]))
        return sample(maps, ys.to(maps.device), xs.to(maps.device), view.scale)


def find_contender(name: str, *, device: str | torch.device = "cpu") -> Contender:
    """A method by its name: those of `gsr.methods`, and `matlab-bicubic`.

    Raises:
        ConfigError: for an unknown name.
        WeightsError: for a damaged or foreign weights file.
    """
    if name == MATLAB_BICUBIC:
        return Contender(name, "", MatlabBicubic(device))
    try:
        method = methods.get(name, device=device)
    except ConfigError as error:
        message = f"{str(error).rstrip('.')}; an evaluation also knows {MATLAB_BICUBIC}."
        raise ConfigError(message) from None
    return Contender(name, _checksum(name), method)


def _checksum(name: str) -> str:
    """Of the weights that `gsr.methods.get` reads for a name."""
    while name.startswith((methods.ON_RESULT, BEST)):
        name = name.removeprefix(methods.ON_RESULT).removeprefix(BEST)
    bundled = manifest()
    if name in bundled:
        return str(bundled[name]["sha256"])
    return "" if name in methods.CLASSICAL else checksum(Path(name))
