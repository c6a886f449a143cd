"""Colours of files that describe them without an ICC profile."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from gsr.base.errors import OutputError
from gsr.decoding.coding import profile_of
from gsr.decoding.pool import Pool
from gsr.images import load, save

RED = (200, 80, 60)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*chunks: tuple[bytes, bytes], mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.new(mode, (9, 7), RED if mode == "RGB" else 80).save(file, "PNG")
    data = file.getvalue()
    at = data.index(b"IDAT") - 4
    return data[:at] + b"".join(chunk(*one) for one in chunks) + data[at:]


def avif(primaries: int, transfer: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (16, 16), RED).save(file, "AVIF", quality=100, subsampling="4:4:4")
    data = file.getvalue()
    at = data.index(b"nclx") + 4
    return data[:at] + struct.pack(">HH", primaries, transfer) + data[at + 4 :]


def in_srgb(icc: bytes) -> tuple[int, ...]:
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    image = Image.new("RGB", (1, 1), RED)
    turned = ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"))
    assert turned is not None
    pixel = turned.getpixel((0, 0))
    assert isinstance(pixel, tuple)
    return pixel


def gama(value: float) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", round(value * 100_000))


def chrm(*places: float) -> tuple[bytes, bytes]:
    return b"cHRM", struct.pack(">8I", *(round(value * 100_000) for value in places))


P3 = (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
SRGB = (0.3127, 0.3290, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060)


@pytest.mark.parametrize(
    "data",
    [
        avif(12, 13),
        png((b"cICP", bytes([12, 13, 0, 1]))),
        png(gama(1 / 2.2), chrm(*P3)),
    ],
    ids=["nclx", "cICP", "cHRM"],
)
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
def test_display_p3_by_any_description_is_kept(data: bytes, suffix: str, tmp_path: Path) -> None:
    picture = load(data)
    assert picture.info.icc is not None
    # Linear Display P3 to linear sRGB by the published matrix, and the sRGB curve both ways.
    assert np.allclose(in_srgb(picture.info.icc), (216, 69, 50), atol=2)
    path = tmp_path / f"a.{suffix}"
    assert save(Image.new("RGB", (9, 7), RED), path, picture.info) == ()
    with Image.open(path) as result:
        assert result.info["icc_profile"] == picture.info.icc


@pytest.mark.parametrize(
    "data",
    [
        png((b"cICP", bytes([1, 13, 0, 1]))),
        png(gama(1 / 2.2), chrm(*SRGB)),
        png(gama(1 / 2.2)),
        png((b"sRGB", b"\0"), gama(0.5), chrm(*P3)),
        avif(2, 2),
        avif(1, 13),
        png(chrm(0, 0, 0, 0, 0, 0, 0, 0)),
        png(gama(1 / 2.2), chrm(0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3)),
    ],
)
def test_srgb_and_nonsense_need_no_profile(data: bytes) -> None:
    assert (load(data).info.icc, load(data).info.cicp) == (None, None)


def test_a_gamma_alone_is_a_profile_of_its_own() -> None:
    icc = load(png(gama(1.0))).info.icc
    assert icc is not None
    assert in_srgb(icc)[1] == pytest.approx(255 * (1.055 * (80 / 255) ** (1 / 2.4) - 0.055), abs=2)
    grey = load(png(gama(1.0), mode="L")).info.icc
    assert grey is not None
    assert grey[16:20] == b"GRAY"


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
@pytest.mark.parametrize("kind", ["avif", "png"])
def test_high_dynamic_range_is_tagged_or_refused(
    transfer: int, name: str, kind: str, tmp_path: Path
) -> None:
    data = avif(9, transfer) if kind == "avif" else png((b"cICP", bytes([9, transfer, 0, 1])))
    info = load(data).info
    assert info.cicp == (9, transfer)
    image = Image.new("RGB", (4, 4))
    for strip in (False, True):  # what the numbers mean is not about the picture but in it
        save(image, tmp_path / "a.png", info, strip=strip)
        assert b"cICP" + bytes([9, transfer, 0, 1]) in (tmp_path / "a.png").read_bytes()
    for suffix in ("jpg", "webp", "tif", "bmp"):
        path = tmp_path / f"a.{suffix}"
        with pytest.raises(OutputError, match=rf"high dynamic range \({name}\).*use \.png"):
            save(image, path, info)
        assert not path.exists()


def test_an_unknown_curve_is_said() -> None:
    info = load(avif(9, 12)).info
    assert info.cicp == (9, 12)
    assert info.notes == (
        "The colours are of primaries 9 and transfer curve 12 (ITU-T H.273), which have no profile "
        "here; only PNG results say so.",
    )


def test_a_worker_tells_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.avif").write_bytes(avif(12, 13))
    with Pool() as pool:
        assert load(tmp_path / "a.avif", pool=pool).info == load(tmp_path / "a.avif").info


@pytest.mark.parametrize("primaries", [1, 4, 5, 6, 7, 9, 11, 12, 22])
@pytest.mark.parametrize("transfer", [1, 4, 5, 8, 13])
def test_profiles_have_a_neutral_grey(primaries: int, transfer: int) -> None:
    icc = profile_of((primaries, transfer), "rgb")
    assert icc is not None
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    grey = ImageCms.profileToProfile(
        Image.new("RGB", (1, 1), (180, 180, 180)), profile, ImageCms.createProfile("sRGB")
    )
    assert grey is not None
    low, high = zip(*grey.getextrema(), strict=True)
    assert max(high) - min(low) <= 1
