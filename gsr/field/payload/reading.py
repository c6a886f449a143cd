"""Messages to a field."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from gsr.base.errors import ImageError
from gsr.base.reading import read_json
from gsr.field import GaussianField
from gsr.field.payload.layout import (
    KIND,
    MAX_BYTES,
    MAX_PIXELS,
    WHAT,
    Header,
    Plane,
    body_length,
    decoder_layers,
)
from gsr.network.decoder import DecoderConfig
from gsr.network.sampler import Sampler, SamplerConfig


def unpack(data: bytes) -> GaussianField:
    """The field of one message or of all its parts, values within half a step.

    Raises:
        ImageError: for anything that `pack` and `pack_parts` of this version did not write, and
            parts that are not of one field, or not all of it.
    """
    parts = [_read(message) for message in KIND.split(data)]
    if not parts:
        raise ImageError("this field for a page is empty.")
    first, field = parts[0]
    if len(parts) == 1 and first.size == first.whole:
        return field
    return _joined(parts)


def _read(data: bytes) -> tuple[Header, GaussianField]:
    """What one message holds, as a field by itself."""
    header = read_json(Header, KIND.header(data), WHAT, ImageError)
    needed = body_length(header)
    if needed > MAX_BYTES:
        raise ImageError(f"this field for a page would take {needed:,} bytes.")
    return header, _field(header, KIND.body(data, needed))


def _field(header: Header, body: bytes) -> GaussianField:
    height, width = header.size
    at = 0
    maps: dict[str, Tensor] = {}
    for plane in header.planes:
        count = plane.channels * height * width * plane.bits // 8
        maps[plane.name] = _values(plane, body[at : at + count], height, width)
        at += count
    numbers = torch.from_numpy(np.frombuffer(body[at:], "<f4").copy())
    if not numbers.isfinite().all():
        raise ImageError("this field for a page holds numbers that are not finite.")
    bank, at = numbers[: 4 * header.kernels].reshape(-1, 4), 4 * header.kernels
    sampler = _sampler(header, numbers[at:])
    feat = maps.get("feat", torch.empty(height, width, 0))
    index = maps["index"][..., 0].round().long()
    if not 0 <= int(index.min()) <= int(index.max()) < header.kernels:
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
        faithful=header.faithful,
    )


# Member, and the axis of its rows; columns come next.
_ROWS = {"lr": 2, "index": 1, "evidence": 2, "offsets": 1, "colors": 1, "feat": 1, "context": 2}
_ROWS |= {"slopes": 1, "mixed": 1}


def _joined(parts: list[tuple[Header, GaussianField]]) -> GaussianField:
    """The field that the parts are of."""
    (first, start), *_ = parts
    height, width = first.whole
    if (
        height * width > MAX_PIXELS
        or sum(h.size[0] * h.size[1] for h, _ in parts) != height * width
    ):
        raise ImageError("these parts of a field for a page are not all of it.")
    seen = np.zeros((height, width), bool)
    members = {name: getattr(start, name) for name in _ROWS}
    whole = {
        name: v.new_zeros((*v.shape[: _ROWS[name]], height, width, *v.shape[_ROWS[name] + 2 :]))
        for name, v in members.items()
        if v is not None
    }
    for header, field in parts:
        _check_same(first, header, start, field)
        (top, left), (rows, columns) = header.place, header.size
        seen[top : top + rows, left : left + columns] = True
        for name, value in whole.items():
            cut = value.narrow(_ROWS[name], top, rows).narrow(_ROWS[name] + 1, left, columns)
            cut.copy_(getattr(field, name))
    if not seen.all():
        raise ImageError("these parts of a field for a page are not all of it.")
    return replace(start, **whole)


def _check_same(first: Header, header: Header, start: GaussianField, field: GaussianField) -> None:
    """Parts of one field differ in their place and their planes' ranges only."""
    planes = [[(p.name, p.channels) for p in h.planes] for h in (first, header)]
    ours, theirs = start.sampler.state_dict(), field.sampler.state_dict()
    same = (
        _of_field(first) == _of_field(header)
        and planes[0] == planes[1]
        and torch.equal(start.bank_raw, field.bank_raw)
        and all(torch.equal(ours[name], theirs[name]) for name in ours)
    )
    if not same:
        raise ImageError("these parts are not of one field for a page.")


def _of_field(header: Header) -> Header:
    """Without what is of a part alone."""
    return replace(header, size=(1, 1), place=(0, 0), planes=())


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
        for layer in decoder_layers(sampler):
            for parameter in (layer.weight, layer.bias):
                values, numbers = numbers[: parameter.numel()], numbers[parameter.numel() :]
                parameter.copy_(values.reshape(parameter.shape))
    return sampler.eval().requires_grad_(False)
