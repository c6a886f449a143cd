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
from gsr.field import GaussianField, edits
from gsr.field.payload import BITS, MAX_SIDE, PREFIX, pack, unpack
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
    if broken[6:8] != packed[6:8] and broken[8:] == packed[8:]:
        return  # the two bytes that mean nothing
    with pytest.raises(GsrError):
        unpack(broken)


def rewritten(packed: bytes, **changes: object) -> bytes:
    """The same message with another header and the right checksum."""
    length = PREFIX.unpack_from(packed)[3]
    rest = packed[PREFIX.size :]
    head = json.dumps(json.loads(rest[:length]) | changes).encode()
    rest = head + rest[length:]
    return struct.pack("<4sHHII", b"GSRP", 1, 0, len(head), zlib.crc32(rest)) + rest


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"size": [10**9, 10**9]}, "size.0 must be at most 4096"),
        ({"size": [4096, 4096]}, "would take|does not hold what its header says"),
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
    length = PREFIX.unpack_from(packed)[3]
    rest = packed[PREFIX.size :]
    body = bytearray(zlib.decompress(rest[length:]))
    body[3 * 11 * 13] = kernel  # behind the three planes of the picture
    rest = rest[:length] + zlib.compress(bytes(body))
    return struct.pack("<4sHHII", b"GSRP", 1, 0, length, zlib.crc32(rest)) + rest


def test_another_version(packed: bytes) -> None:
    with pytest.raises(ImageError, match="version 2 of fields for pages is not known"):
        unpack(packed[:4] + b"\x02\x00" + packed[6:])


def test_the_layout_by_hand(packed: bytes) -> None:
    """As the module's text says it, without the module's own reader."""
    magic, version, nothing, length, crc = struct.unpack_from("<4sHHII", packed)
    assert (magic, version, nothing, crc) == (b"GSRP", 1, 0, zlib.crc32(packed[16:]))
    header = json.loads(packed[16 : 16 + length])
    body = zlib.decompress(packed[16 + length :])
    assert header["size"] == [11, 13]
    assert [p["name"] for p in header["planes"]][:2] == ["lr", "index"]
    red = np.frombuffer(body[: 11 * 13], np.uint8).reshape(11, 13) / 255
    assert np.allclose(red, unpack(packed).lr[0, 0].numpy())
