"""Any source to maps of its pixels: what every method's `encode` has in common."""

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral

import torch
from jaxtyping import Float
from torch import Tensor

from gsr.base.errors import GsrError, ImageError, ShapeError, shown
from gsr.decoding.white import is_unit
from gsr.field.protocol import Progress
from gsr.images import PictureInfo, Source, load
from gsr.images.planes import check_dense
from gsr.network.tiles import tiles

Maps = Callable[[Float[Tensor, "1 3 h w"]], dict[str, Tensor]]


@dataclass(frozen=True)
class Images:
    """What a caller gave, ready for a network.

    Attributes:
        rgb: In [0, 1]; images of a batch must not see each other. [b, 3, h, w]
        alpha: Transparency of a picture, as an image to encode. [3, h, w]
        batch_shape: Leading dimensions of a tensor.
        info: What a picture says besides its pixels; None for a tensor.
    """

    rgb: Float[Tensor, "b 3 h w"]
    alpha: Float[Tensor, "3 h w"] | None = None
    batch_shape: tuple[int, ...] = ()
    info: PictureInfo | None = None

    def progress(self, whole: Progress | None) -> tuple[Progress | None, Progress | None]:
        """Progress of the colours and of the transparency, of which both take equally long."""
        parts = 1 if self.alpha is None else 2
        return whole and part_of(whole, 0, parts), whole and part_of(whole, 1, parts)


def read_images(source: Source) -> Images:
    """A picture or a batch of tensors.

    Args:
        source: As `GaussianSR.encode`.

    Raises:
        ImageError: when `source` is not an image that can be read.
    """
    if isinstance(source, Tensor) and source.ndim > 3:
        batch = _checked_batch(source)
        return Images(batch.reshape(-1, *batch.shape[-3:]), batch_shape=tuple(batch.shape[:-3]))
    picture = load(source)
    alpha = None if picture.alpha is None else picture.alpha.expand(3, -1, -1)
    info = None if isinstance(source, Tensor) else picture.info
    return Images(picture.rgb[None], alpha, info=info)


def encode_tiles(
    images: Float[Tensor, "b 3 h w"],
    tile: int,
    halo: int,
    maps: Maps,
    progress: Progress | None,
) -> dict[str, Tensor]:
    """Maps [b, h, w, ...] of images, tile by tile. It bounds memory and changes nothing.

    Args:
        images: Encoded one by one: batch-mates must not show in a result.
        tile: Side of a tile in LR pixels.
        halo: LR pixels around one that its maps depend on.
        maps: What is computed of a crop: members [1, h, w, ...] by name.
        progress: Called with (tiles done, tiles in all).
    """
    check_tile(tile)
    size = images.shape[-2], images.shape[-1]
    plan = list(tiles(size, tile, halo))
    whole: dict[str, Tensor] = {}
    for i, image in enumerate(images):
        for j, part in enumerate(plan):
            for name, value in maps(image[None, :, *part.outer]).items():
                core = value[0][part.inner]
                if name not in whole:
                    whole[name] = core.new_empty((len(images), *size, *core.shape[2:]))
                whole[name][i][part.core] = core
            if progress:
                progress(i * len(plan) + j + 1, len(images) * len(plan))
    return whole


def check_tile(tile: int) -> None:
    """Refuse an invalid side of a tile.

    Raises:
        GsrError: for that.
    """
    if not (isinstance(tile, Integral) and tile >= 1):
        raise GsrError(f"tile must be at least 1 pixel and a whole number, got {shown(tile)}.")


def part_of(progress: Progress, i: int, parts: int) -> Progress:
    """Progress of part `i` as progress of the whole."""
    return lambda done, of: progress(i * of + done, parts * of)


def _checked_batch(images: Tensor) -> Tensor:
    """A batch [*batch, 3, h, w] in [0, 1]; 8-bit values are scaled."""
    if images.shape[-3] != 3 or 0 in images.shape:
        raise ShapeError(
            f"a batch of images must have shape [*batch, 3, h, w], got {tuple(images.shape)}."
        )
    check_dense(images)
    if images.dtype == torch.uint8:
        return images.float() / 255
    low, high = images.aminmax() if images.is_floating_point() else (None, None)
    if low is None or high is None or not is_unit(float(low), float(high)):
        raise ImageError(
            "a batch of images must be uint8, or floating point with every value in [0, 1]."
        )
    return images.detach().clamp(0, 1)  # a copy: the caller may keep writing into its own
