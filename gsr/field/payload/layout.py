"""What stands in a message of a field, and how long that is."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field
from torch import nn

from gsr.base.errors import ImageError
from gsr.base.message import Kind
from gsr.base.reading import STRICT
from gsr.network.decoder import ResidualDecoder
from gsr.network.sampler import Sampler

KIND = Kind(b"GSRP", 2, "field for a page")
MAX_SIDE = 4096
"""LR pixels a side of a field: what the textures of every WebGL2 hold."""
MAX_PIXELS = MAX_SIDE**2
PART = 256
"""LR pixels a side of a part, unless another side is asked for."""
MAX_BYTES = 2**30

BITS = {"lr": 8, "index": 16, "evidence": 12, "offsets": 8, "colors": 12, "slopes": 8}
BITS |= {"feat": 8, "mixed": 16}
"""Bits per number of each map."""
CHANNELS = {"lr": 3, "index": 1, "evidence": 3, "offsets": 2, "colors": 3, "slopes": 6, "mixed": 4}
OPTIONAL = {"slopes", "mixed"}
WHAT = "the header of this field for a page"

Side = Annotated[int, Field(ge=1, le=MAX_SIDE)]
Place = Annotated[int, Field(ge=0, lt=MAX_SIDE)]
Small = Annotated[int, Field(ge=0, le=1024)]
Numbers = Annotated[tuple[float, ...], Field(max_length=1024)]


@dataclass(frozen=True)
class Plane:
    """One map of the field.

    Attributes:
        name: Member of `GaussianField`, see there for units.
        channels: Numbers per pixel.
        bits: 8 or 16 per number.
        low, step: Of each channel: n means low + n * step.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    name: Literal["lr", "index", "evidence", "offsets", "colors", "slopes", "feat", "mixed"]
    channels: Small
    bits: Literal[8, 16]
    low: Numbers
    step: Numbers


@dataclass(frozen=True)
class Header:
    """What the body holds.

    Attributes:
        size: (height, width) of what is in the message, LR pixels.
        place: (top, left) of it in the field.
        whole: (height, width) of the field.
        model: Name of the weights.
        kernels: Of the bank.
        radius, finest: See `SamplerConfig`.
        footprint: Standard deviation of an output pixel at magnification 1, LR pixels.
        decoder: (out, in) of each layer; the input of the first ends with the pixel's size.
        planes: The maps.
        faithful: Whether magnification 1 shows the picture itself, see `GaussianField.faithful`; an
            edited field does not.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    size: tuple[Side, Side]
    place: tuple[Place, Place]
    whole: tuple[Side, Side]
    model: Annotated[str, Field(max_length=200)]
    kernels: Annotated[int, Field(ge=1, le=2048)]
    radius: Annotated[int, Field(ge=1, le=4)]
    finest: Annotated[float, Field(ge=1, le=64)]
    footprint: Annotated[float, Field(gt=0, le=4)]
    decoder: Annotated[tuple[tuple[Small, Small], ...], Field(min_length=1, max_length=8)]
    planes: Annotated[tuple[Plane, ...], Field(max_length=8)]
    faithful: bool = False


def body_length(header: Header) -> int:
    """Bytes of the body.

    Raises:
        ImageError: a header that contradicts itself.
    """
    names = [plane.name for plane in header.planes]
    given = {plane.name: plane.channels for plane in header.planes}
    feat = given.get("feat", 0)
    fits = (
        len(names) == len(given)
        and CHANNELS.keys() - OPTIONAL <= given.keys()
        and all(CHANNELS.get(name, feat) == count for name, count in given.items())
        and all(len(p.low) == len(p.step) == p.channels for p in header.planes)
        and header.decoder[0][1] == feat + 4
        and header.decoder[-1][0] == 3
        and all(one[0] == next_[1] for one, next_ in pairwise(header.decoder))
        and all(
            start + length <= whole
            for start, length, whole in zip(header.place, header.size, header.whole, strict=True)
        )
    )
    if not fits:
        raise ImageError("the header of this field for a page does not fit together.")
    pixels = header.size[0] * header.size[1]
    maps = sum(plane.channels * plane.bits // 8 for plane in header.planes) * pixels
    return maps + 4 * (4 * header.kernels + sum(out * (n + 1) for out, n in header.decoder))


def decoder_layers(sampler: Sampler) -> list[nn.Linear]:
    """The layers of a decoder that adds to the Gaussians' colours, in order."""
    assert isinstance(sampler.decoder, ResidualDecoder)  # the caller looked
    return [layer for layer in sampler.decoder.layers if isinstance(layer, nn.Linear)]
