"""Fields as messages for a page: what comes back, how near, and what is refused."""

import json
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gsr.base.errors import GsrError, ImageError
from gsr.base.message import PREFIX
from gsr.field import GaussianField, edits
from gsr.field.payload import BITS, KIND, MAX_SIDE, pack, pack_parts, unpack
from gsr.methods.gaussiansr import GaussianSR


@pytest.fixture(scope="module")
def field(make_model: Callable[..., GaussianSR], picture: Callable[..., Tensor]) -> GaussianField:
    grey_levels = (picture(11, 13) * 255).round() / 255
    return make_model("lite").encode(grey_levels)


@pytest.fixture(scope="module")
def packed(field: GaussianField) -> bytes:
    return pack(field)


@pytest.mark.parametrize("name", ["evidence", "offsets", "colors", "slopes", "feat"])
def test_no_value_is_off_by_more_than_half_a_step(
    field: GaussianField, packed: bytes, name: str
) -> None:
    ours, theirs = getattr(field, name)[0], getattr(unpack(packed), name)[0]
    if name == "evidence":
        ours, theirs = ours.movedim(0, -1), theirs.movedim(0, -1)
    ours, theirs = (v.reshape(11 * 13, -1) for v in (ours, theirs))
    low, high = ours.amin(0).clamp_max(0), ours.amax(0).clamp_min(0)
    step = (high - low) / (2 ** BITS[name] - 1)
    assert ((ours - theirs).abs() <= 0.5 * step + 1e-5).all()


@pytest.mark.parametrize("name", ["lr", "index", "bank_raw"])
def test_what_is_whole_comes_back_exactly(field: GaussianField, packed: bytes, name: str) -> None:
    assert torch.allclose(getattr(unpack(packed), name), getattr(field, name), atol=1e-7)


def test_decoder_and_footprint_come_back(field: GaussianField, packed: bytes) -> None:
    ours, theirs = field.sampler.state_dict(), unpack(packed).sampler.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.allclose(ours[k], theirs[k], atol=1e-6) for k in ours)
    assert unpack(packed).sampler.config == field.sampler.config


@pytest.mark.parametrize("scale", [1, 3.7, 16])
def test_it_renders_nearly_the_same(lite_field: GaussianField, scale: float) -> None:
    ours = lite_field.render(scale=scale)
    theirs = unpack(pack(lite_field)).render(scale=scale)
    assert float((ours - theirs).abs().mean()) < 0.5 / 255


def test_edited_kernels_go_with_it(field: GaussianField) -> None:
    mixed = edits.apply(field, [edits.Soft()])
    assert mixed.mixed is not None
    found = unpack(pack(mixed)).mixed
    assert found is not None
    assert float((found - mixed.mixed).abs().max()) < 1e-3


def test_the_same_field_gives_the_same_bytes(field: GaussianField, packed: bytes) -> None:
    assert pack(field) == packed


def test_a_field_without_slopes(
    make_model: Callable[..., GaussianSR], picture: Callable[..., Tensor]
) -> None:
    plain = make_model("lite", sloped=False).encode(picture(6, 5))
    assert plain.slopes is None
    assert unpack(pack(plain)).slopes is None


def test_fields_that_a_page_cannot_show(
    field: GaussianField, make_model: Callable[..., GaussianSR], picture: Callable[..., Tensor]
) -> None:
    with pytest.raises(ImageError, match="shows one image, this field holds 2"):
        pack(make_model("lite").encode(torch.stack([picture(6, 7), picture(6, 7)])))
    with pytest.raises(ImageError, match="cannot render fields of the model"):
        pack(make_model("paper").encode(picture(6, 7)))
    with pytest.raises(ImageError, match=f"up to {MAX_SIDE} pixels a side"):
        pack(replace(field, **long_maps(field)))


def long_maps(field: GaussianField) -> dict[str, Tensor]:
    """The first row of a field, repeated beyond what a page shows."""
    times = MAX_SIDE // 13 + 1
    last = {"lr", "evidence", "context"}
    found = {}
    for name in ("lr", "index", "evidence", "offsets", "colors", "feat", "context", "slopes"):
        maps = getattr(field, name)
        axis = maps.ndim - 1 if name in last else 2
        found[name] = torch.cat([maps.narrow(axis - 1, 0, 1)] * times, axis)
    return found


# --- damaged and foreign messages ----------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damage_is_refused_in_a_sentence(packed: bytes, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["flip", "cut", "noise"]))
    at = data.draw(st.integers(0, len(packed) - 1))
    if kind == "flip":
        broken = (
            packed[:at] + bytes([packed[at] ^ 1 << data.draw(st.integers(0, 7))]) + packed[at + 1 :]
        )
    else:
        broken = packed[:at] if kind == "cut" else data.draw(st.binary(max_size=200))
    with pytest.raises(GsrError):
        unpack(broken)


def opened(packed: bytes) -> tuple[bytes, bytes]:
    """Header and body, by the layout alone."""
    _, _, _, head, body, _ = PREFIX.unpack_from(packed)
    assert len(packed) == PREFIX.size + head + body
    return packed[20 : 20 + head], zlib.decompress(packed[20 + head :])


def rewritten(packed: bytes, **changes: object) -> bytes:
    """The same message with another header and the right checksum."""
    head, body = opened(packed)
    return KIND.write(json.dumps(json.loads(head) | changes).encode(), body)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"size": [10**9, 10**9]}, "size.0 must be at most 4096"),
        ({"size": [4096, 4096]}, "does not fit together"),
        ({"size": [4096, 4096], "whole": [4096, 4096]}, "would take|does not hold what its header"),
        ({"place": [1, 0]}, "does not fit together"),
        ({"place": [-1, 0]}, "place.0 must be at least 0"),
        ({"whole": [12, 13]}, "are not all of it"),
        ({"kernels": 99}, "does not hold what its header says|names kernels"),
        ({"kernels": "many"}, "kernels must be a whole number"),
        ({"footprint": float("nan")}, "NaN"),
        ({"decoder": [[3, 5]]}, "does not fit together"),
        ({"decoder": []}, "decoder"),
        ({"planes": []}, "does not fit together"),
        ({"radius": 1000}, "radius"),
        ({"more": 1}, "unknown key"),
    ],
)
def test_headers_that_lie_are_refused_before_anything_is_made(
    packed: bytes, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(ImageError, match=said):
        unpack(rewritten(packed, **changes))


def test_kernels_out_of_the_bank(packed: bytes) -> None:
    with pytest.raises(ImageError, match="names kernels that its bank does not hold"):
        unpack(with_index(packed, 255))


def with_index(packed: bytes, kernel: int) -> bytes:
    """The message in which the first pixel has another kernel."""
    head, body = opened(packed)
    changed = bytearray(body)
    changed[3 * 11 * 13] = kernel  # behind the three planes of the picture
    return KIND.write(head, bytes(changed))


def test_numbers_that_are_none(packed: bytes) -> None:
    head, body = opened(packed)
    with pytest.raises(ImageError, match="not finite"):
        unpack(KIND.write(head, body[:-4] + struct.pack("<f", float("nan"))))


@pytest.mark.parametrize("version", [0, 1, 3, 65535])
def test_other_versions(packed: bytes, version: int) -> None:
    with pytest.raises(ImageError, match=f"version {version} of a field for a page is not known"):
        unpack(packed[:4] + struct.pack("<H", version) + packed[6:])


def test_the_layout_by_hand(packed: bytes) -> None:
    """As the module's text says it, without the module's own reader."""
    magic, version, nothing, length, rest, crc = struct.unpack_from("<4sHHIII", packed)
    assert (magic, version, nothing, crc) == (b"GSRP", 2, 0, zlib.crc32(packed[20:]))
    assert 20 + length + rest == len(packed)
    header = json.loads(packed[20 : 20 + length])
    body = zlib.decompress(packed[20 + length :])
    assert header["size"] == [11, 13]
    assert [p["name"] for p in header["planes"]][:2] == ["lr", "index"]
    red = np.frombuffer(body[: 11 * 13], np.uint8).reshape(11, 13) / 255
    assert np.allclose(red, unpack(packed).lr[0, 0].numpy())


# --- parts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", [4, 5, 11, 13, 400])
def test_parts_in_any_order_are_the_field(field: GaussianField, side: int) -> None:
    parts = list(pack_parts(field, side))
    found = unpack(b"".join(reversed(parts)))
    assert torch.equal(found.index, field.index)
    for name in ("colors", "offsets", "feat", "slopes"):
        theirs = getattr(found, name)
        assert theirs.shape == getattr(field, name).shape
        assert float((theirs - getattr(field, name)).abs().max()) < 0.05
    alone = unpack_alone(parts[0])
    assert alone.lr_size == (min(side, 11), min(side, 13))
    assert torch.equal(alone.index[0], field.index[0, :side, :side])


def unpack_alone(part: bytes) -> GaussianField:
    """A part as a field by itself."""
    head, body = opened(part)
    header = json.loads(head)
    changes = {"place": [0, 0], "whole": header["size"]}
    return unpack(KIND.write(json.dumps(header | changes).encode(), body))


def test_parts_that_are_no_field(field: GaussianField, lite_field: GaussianField) -> None:
    parts = list(pack_parts(field, 6))
    for some in (parts[1:], [*parts, parts[0]], [parts[0], *parts[:-1]]):
        with pytest.raises(ImageError, match="not all of it"):
            unpack(b"".join(some))
    other = list(pack_parts(edits.apply(field, [edits.Soft()]), 6))
    with pytest.raises(ImageError, match="not of one field"):
        unpack(b"".join([*parts[:-1], other[-1]]))
    with pytest.raises(ImageError, match="damaged or cut short"):
        unpack(b"".join(parts)[:-1])
    with pytest.raises(ImageError, match="empty"):
        unpack(b"")
    with pytest.raises(ImageError, match="no pixel"):
        pack(field, slice(5, 5))
