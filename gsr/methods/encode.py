"""Any source to a continuous image: what every method's `encode` has in common."""

from collections.abc import Callable
from dataclasses import replace
from numbers import Integral
from typing import Any, Protocol, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from gsr.base.errors import GsrError, ImageError, ShapeError, shown
from gsr.decoding.white import is_unit
from gsr.field.protocol import Progress
from gsr.images import PictureInfo, load
from gsr.images.planes import check_dense
from gsr.network.tiles import tiles


class Encoded(Protocol):
    """A frozen dataclass with these members among its own; see `gsr.field.render.Readable`."""

    @property
    def batch_shape(self) -> tuple[int, ...]: ...
    @property
    def alpha(self) -> Any: ...
    @property
    def info(self) -> PictureInfo | None: ...


Image = TypeVar("Image", bound=Encoded)
Maps = Callable[[Float[Tensor, "1 3 h w"]], dict[str, Tensor]]
EncodeImages = Callable[[Float[Tensor, "b 3 h w"], Progress | None], Image]


def encode_source(source: Any, encode: EncodeImages[Image], progress: Progress | None) -> Image:
    """A picture or a batch of tensors through `encode`; transparency becomes a second image.

    Args:
        source: As `GaussianSR.encode`.
        encode: Images [b, 3, h, w] in [0, 1], whose members must not see each other.
        progress: Called with (tiles done, tiles in all).

    Raises:
        ImageError: when `source` is not an image that can be read.
    """
    if isinstance(source, Tensor) and source.ndim > 3:
        images = _checked_batch(source)
        encoded = encode(images.reshape(-1, *images.shape[-3:]), progress)
        return replace(encoded, batch_shape=tuple(images.shape[:-3]))  # type: ignore[type-var]
    picture = load(source)
    planes = [picture.rgb]
    if picture.alpha is not None:
        planes.append(picture.alpha.expand(3, -1, -1))
    parts = [
        encode(plane[None], progress and part_of(progress, i, len(planes)))
        for i, plane in enumerate(planes)
    ]
    alpha = parts[1] if picture.alpha is not None else None
    info = None if isinstance(source, Tensor) else picture.info
    return replace(parts[0], alpha=alpha, info=info)  # type: ignore[type-var]


def encode_tiles(
    images: Float[Tensor, "b 3 h w"],
    tile: int,
    halo: int,
    maps: Maps,
    progress: Progress | None,
) -> dict[str, Tensor]:
    """Maps [b, h, w, c] of images, tile by tile. It bounds memory and changes nothing.

    Args:
        images: Encoded one by one: batch-mates must not show in a result.
        tile: Side of a tile in LR pixels.
        halo: LR pixels around one that its maps depend on.
        maps: What is computed of a crop: members [1, h, w, c] by name.
        progress: Called with (tiles done, tiles in all).
    """
    if not (isinstance(tile, Integral) and tile >= 1):
        raise GsrError(f"tile must be at least 1 pixel and a whole number, got {shown(tile)}.")
    size = images.shape[-2], images.shape[-1]
    plan = list(tiles(size, tile, halo))
    whole: dict[str, Tensor] = {}
    for i, image in enumerate(images):
        for j, part in enumerate(plan):
            for name, value in maps(image[None, :, *part.outer]).items():
                core = value[0][part.inner]
                if name not in whole:
                    whole[name] = core.new_empty((len(images), *size, core.shape[-1]))
                whole[name][i][part.core] = core
            if progress:
                progress(i * len(plan) + j + 1, len(images) * len(plan))
    return whole


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
    return images.detach().clamp(0, 1)  # a copy: the caller may go on writing into its own
