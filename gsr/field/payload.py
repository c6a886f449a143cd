"""A field as a compact message: what a page needs to render and explain it without a server.

The layout, version 1; all numbers are little-endian:

    4 bytes   "GSRP"
    uint16    version
    uint16    0
    uint32    length of the header in bytes
    uint32    CRC-32 of all that follows
    header    JSON, UTF-8, see `Header`
    body      one zlib stream: the planes, then the bank, then the decoder

Planes stand in the order of the header. A plane has `channels` maps of height x width whole
numbers, channel by channel and row by row; a number n means low + n * step of its channel. With 16
bits the low bytes of a channel come first, then its high bytes, which compresses better. The bank
is raw kernels, and the decoder is weight (out x in) and bias of its layers, all float32.

Colours and the classifier's answer keep 12 bits, mixed kernels 16 and everything else 8: no value
is off by more than half a step of the range that its channel spans in this picture.
"""

import json
import struct
import zlib
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from pydantic import ConfigDict, Field
from torch import Tensor, nn

from gsr.base.errors import ImageError
from gsr.base.reading import STRICT, read_json
from gsr.field import GaussianField
from gsr.images import mean_color
from gsr.network.decoder import DecoderConfig, ResidualDecoder
from gsr.network.sampler import Sampler, SamplerConfig

MAGIC, VERSION = b"GSRP", 1
PREFIX = struct.Struct("<4sHHII")
MAX_SIDE = 4096
"""LR pixels a side of one message: what the textures of every WebGL2 hold."""
MAX_BYTES = 2**30

BITS = {"lr": 8, "index": 16, "evidence": 12, "offsets": 8, "colors": 12, "slopes": 8}
BITS |= {"feat": 8, "mixed": 16}
"""Bits per number of each map."""
CHANNELS = {"lr": 3, "index": 1, "evidence": 3, "offsets": 2, "colors": 3, "slopes": 6, "mixed": 4}
OPTIONAL = {"slopes", "mixed"}
WHAT = "the header of this field for a page"

Side = Annotated[int, Field(ge=1, le=MAX_SIDE)]
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
        size: (height, width), LR pixels.
        model: Name of the weights.
        kernels: Of the bank.
        radius, finest: See `SamplerConfig`.
        footprint: Standard deviation of an output pixel at magnification 1, LR pixels.
        decoder: (out, in) of each layer; the input of the first ends with the pixel's size.
        planes: The maps.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    size: tuple[Side, Side]
    model: Annotated[str, Field(max_length=200)]
    kernels: Annotated[int, Field(ge=1, le=2048)]
    radius: Annotated[int, Field(ge=1, le=4)]
    finest: Annotated[float, Field(ge=1, le=64)]
    footprint: Annotated[float, Field(gt=0, le=4)]
    decoder: Annotated[tuple[tuple[Small, Small], ...], Field(min_length=1, max_length=8)]
    planes: Annotated[tuple[Plane, ...], Field(max_length=8)]


def pack(field: GaussianField) -> bytes:
    """A field of one image as a message. Transparency is not in it: `field.alpha` has its own.

    Raises:
        ImageError: for a batch, a field wider or higher than `MAX_SIDE`, and fields of the paper's
            decoder, which a page cannot render.
    """
    _check(field)
    maps = _maps(field)
    planes, parts = [], []
    for name, values in maps.items():
        plane, data = _quantised(name, values)
        planes.append(plane)
        parts.append(data)
    layers = _layers(field.sampler)
    header = Header(
        size=field.lr_size,
        model=field.model,
        kernels=len(field.bank_raw),
        radius=field.sampler.config.radius,
        finest=field.sampler.config.finest,
        footprint=float(field.sampler.raw_footprint.exp()),
        decoder=tuple((layer.out_features, layer.in_features) for layer in layers),
        planes=tuple(planes),
    )
    floats = [field.bank_raw, *_numbers(layers, grey=all(field.grey))]
    parts += [_array(value).astype("<f4").tobytes() for value in floats]
    head = json.dumps(asdict(header), separators=(",", ":")).encode()
    rest = head + zlib.compress(b"".join(parts), 9)
    return PREFIX.pack(MAGIC, VERSION, 0, len(head), zlib.crc32(rest)) + rest


def unpack(data: bytes) -> GaussianField:
    """The field of a message, each value within half a step of what was packed.

    Raises:
        ImageError: for anything that `pack` of this version did not write.
    """
    header, body = _opened(data)
    height, width = header.size
    at = 0
    maps: dict[str, Tensor] = {}
    for plane in header.planes:
        count = plane.channels * height * width * plane.bits // 8
        maps[plane.name] = _values(plane, body[at : at + count], height, width)
        at += count
    numbers = torch.from_numpy(np.frombuffer(body[at:], "<f4").copy())
    bank, at = numbers[: 4 * header.kernels].reshape(-1, 4), 4 * header.kernels
    sampler = _sampler(header, numbers[at:])
    feat = maps.get("feat", torch.empty(height, width, 0))
    index = maps["index"][..., 0].round().long()
    if int(index.max()) >= header.kernels:
        raise ImageError("this field for a page names kernels that its bank does not hold.")
    return GaussianField(
        lr=maps["lr"].movedim(-1, 0)[None],
        bank_raw=bank,
        index=index[None],
        evidence=maps["evidence"].movedim(-1, 0)[None],
        offsets=maps["offsets"][None],
        colors=maps["colors"][None],
        feat=feat[None],
        context=torch.empty(1, 0, height, width),
        slopes=maps["slopes"].unflatten(-1, (3, 2))[None] if "slopes" in maps else None,
        mixed=maps["mixed"][None] if "mixed" in maps else None,
        sampler=sampler,
        classifier="prototype",
        model=header.model,
    )


# --- writing -------------------------------------------------------------------------------------


def _check(field: GaussianField) -> None:
    height, width = field.lr_size
    if len(field.lr) != 1:
        raise ImageError(f"a page shows one image, this field holds {len(field.lr)}.")
    if max(height, width) > MAX_SIDE:
        raise ImageError(
            f"a page shows pictures of up to {MAX_SIDE} pixels a side, this one has "
            f"{width} x {height}."
        )
    if field.sampler.config.decoder.kind != "residual" or field.classifier != "prototype":
        raise ImageError(f"a page cannot render fields of the model {field.model!r}.")


def _maps(field: GaussianField) -> dict[str, Tensor]:
    """What is packed, [h, w, channels] each."""
    maps = {
        "lr": field.lr[0].movedim(0, -1),
        "index": field.index[0, ..., None],
        "evidence": field.evidence[0].movedim(0, -1),
        "offsets": field.offsets[0],
        "colors": field.colors[0],
        "feat": field.feat[0],
    }
    if field.slopes is not None:
        maps["slopes"] = field.slopes[0].flatten(-2)
    if field.mixed is not None:
        maps["mixed"] = field.mixed[0]
    return maps


def _quantised(name: str, values: Tensor) -> tuple[Plane, bytes]:
    planes = _array(values).astype(np.float64).transpose(2, 0, 1)
    flat = planes.reshape(len(planes), -1)
    levels = 2 ** BITS[name] - 1
    if name in ("lr", "index"):  # whole numbers already, of 255 and of 1
        low, step = np.zeros(len(planes)), np.full(len(planes), 1 / 255 if name == "lr" else 1.0)
    else:
        low = flat.min(1, initial=0.0)
        step = np.maximum((flat.max(1, initial=0.0) - low) / levels, 1e-12)
    whole = ((planes - low[:, None, None]) / step[:, None, None]).round()
    whole = whole.clip(0, 255 if name == "lr" else 65535)
    bits: Literal[8, 16] = 8 if BITS[name] == 8 or whole.max(initial=0) < 256 else 16
    plane = Plane(name, len(planes), bits, tuple(low.tolist()), tuple(step.tolist()))  # type: ignore[arg-type]
    if bits == 8:
        return plane, whole.astype(np.uint8).tobytes()
    split = np.stack((whole % 256, whole // 256), 1).astype(np.uint8)  # [channels, 2, h, w]
    return plane, split.tobytes()


def _numbers(layers: list[nn.Linear], *, grey: bool) -> list[Tensor]:
    """Weights and biases in turn; of a grey picture, what a page adds is grey too."""
    numbers = [p for layer in layers for p in (layer.weight, layer.bias)]
    return numbers[:-2] + [mean_color(p, 0) for p in numbers[-2:]] if grey else numbers


def _layers(sampler: Sampler) -> list[nn.Linear]:
    assert isinstance(sampler.decoder, ResidualDecoder)  # the caller looked
    return [layer for layer in sampler.decoder.layers if isinstance(layer, nn.Linear)]


def _array(values: Tensor) -> np.ndarray:
    return values.detach().cpu().float().numpy()


# --- reading -------------------------------------------------------------------------------------


def _opened(data: bytes) -> tuple[Header, bytes]:
    """Header and body, the body as long as the header asks for."""
    if len(data) < PREFIX.size or data[:4] != MAGIC:
        raise ImageError("this is not a field for a page: it does not begin with GSRP.")
    _, version, _, length, crc = PREFIX.unpack_from(data)
    if version != VERSION:
        raise ImageError(f"version {version} of fields for pages is not known, only {VERSION} is.")
    rest = data[PREFIX.size :]
    if zlib.crc32(rest) != crc:
        raise ImageError("this field for a page is damaged or cut short.")
    header = read_json(Header, rest[:length], WHAT, ImageError)
    needed = _needed(header)
    if needed > MAX_BYTES:
        raise ImageError(f"this field for a page would take {needed:,} bytes.")
    try:
        body = zlib.decompressobj().decompress(rest[length:], needed + 1)
    except zlib.error:
        raise ImageError("this field for a page is damaged or cut short.") from None
    if len(body) != needed:
        raise ImageError("this field for a page does not hold what its header says.")
    return header, body


def _needed(header: Header) -> int:
    """Bytes of the body."""
    names = [plane.name for plane in header.planes]
    wanted = {
        "lr": 3,
        "index": 1,
        "evidence": 3,
        "offsets": 2,
        "colors": 3,
        "slopes": 6,
        "mixed": 4,
    }
    given = {plane.name: plane.channels for plane in header.planes}
    optional = {"slopes", "mixed", "feat"}
    feat = given.get("feat", 0)
    fits = (
        len(names) == len(given)
        and wanted.keys() - optional <= given.keys()
        and all(wanted.get(name, feat) == count for name, count in given.items())
        and all(len(p.low) == len(p.step) == p.channels for p in header.planes)
        and header.decoder[0][1] == feat + 4
        and header.decoder[-1][0] == 3
        and all(one[0] == next_[1] for one, next_ in pairwise(header.decoder))
    )
    if not fits:
        raise ImageError("the header of this field for a page does not fit together.")
    pixels = header.size[0] * header.size[1]
    maps = sum(plane.channels * plane.bits // 8 for plane in header.planes) * pixels
    return maps + 4 * (4 * header.kernels + sum(out * (n + 1) for out, n in header.decoder))


def _values(plane: Plane, data: bytes, height: int, width: int) -> Tensor:
    """[h, w, channels]"""
    whole = np.frombuffer(data, np.uint8).astype(np.float64)
    if plane.bits == 16:
        low, high = whole.reshape(plane.channels, 2, height, width).transpose(1, 0, 2, 3)
        whole = low + 256 * high
    whole = whole.reshape(plane.channels, height, width).transpose(1, 2, 0)
    return torch.from_numpy((np.array(plane.low) + whole * np.array(plane.step)).astype(np.float32))


def _sampler(header: Header, numbers: Tensor) -> Sampler:
    hidden = tuple(out for out, _ in header.decoder[:-1])
    config = SamplerConfig(
        radius=header.radius, finest=header.finest, decoder=DecoderConfig("residual", hidden)
    )
    sampler = Sampler(header.decoder[0][1] - 4, config)
    with torch.no_grad():
        sampler.raw_footprint.fill_(float(np.log(header.footprint)))
        for layer in _layers(sampler):
            for parameter in (layer.weight, layer.bias):
                values, numbers = numbers[: parameter.numel()], numbers[parameter.numel() :]
                parameter.copy_(values.reshape(parameter.shape))
    return sampler.eval().requires_grad_(False)
