"""A field to messages."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Literal

import numpy as np
from torch import Tensor, nn

from gsr.base.errors import ImageError
from gsr.field import GaussianField
from gsr.field.payload.layout import BITS, KIND, MAX_SIDE, PART, Header, Plane, decoder_layers
from gsr.images import mean_color
from gsr.network.tiles import tiles


def pack(
    field: GaussianField,
    rows: slice = slice(None),
    columns: slice = slice(None),
    *,
    level: int = 9,
) -> bytes:
    """A field of one image, or the rectangle of these rows and columns, as a message.

    Transparency is not in it: `field.alpha` has its own. `level` of compression is from 1, quick,
    to 9, small.

    Raises:
        ImageError: for a batch, a field wider or higher than `MAX_SIDE`, fields of the paper's
            decoder, which a page cannot render, and a rectangle that holds no pixel.
    """
    _check(field)
    top, bottom, _ = rows.indices(field.lr_size[0])
    left, right, _ = columns.indices(field.lr_size[1])
    if bottom <= top or right <= left:
        raise ImageError("this part of the field holds no pixel.")
    planes, parts = [], []
    for name, values in _maps(field).items():
        plane, data = _quantised(name, values[top:bottom, left:right])
        planes.append(plane)
        parts.append(data)
    layers = decoder_layers(field.sampler)
    header = Header(
        size=(bottom - top, right - left),
        place=(top, left),
        whole=field.lr_size,
        model=field.model,
        kernels=len(field.bank_raw),
        radius=field.sampler.config.radius,
        finest=field.sampler.config.finest,
        footprint=float(field.sampler.raw_footprint.exp()),
        decoder=tuple((layer.out_features, layer.in_features) for layer in layers),
        planes=tuple(planes),
        faithful=field.faithful and not field.edits,
    )
    floats = [field.bank_raw, *_numbers(layers, grey=all(field.grey))]
    parts += [_array(value).astype("<f4").tobytes() for value in floats]
    head = json.dumps(asdict(header), separators=(",", ":")).encode()
    return KIND.write(head, b"".join(parts), level)


def pack_parts(field: GaussianField, side: int = PART) -> Iterator[bytes]:
    """A field as messages of at most `side` LR pixels a side, row by row; raises as `pack`."""
    for part in tiles(field.lr_size, side, 0):
        yield pack(field, *part.core)


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


def _array(values: Tensor) -> np.ndarray:
    return values.detach().cpu().float().numpy()
