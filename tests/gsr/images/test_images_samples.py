"""Sixteen bits in, sixteen bits out, and floating point where it is asked for."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import gsr
from gsr.base.errors import OutputError
from gsr.field.render import render_levels
from gsr.images import Dither, PictureInfo, depth_for, load, save, to_levels

tifffile = pytest.importorskip("tifffile")


def words(channels: int, height: int = 37, width: int = 53) -> np.ndarray:
    source = np.random.default_rng(channels)
    return source.integers(0, 65536, (height, width, channels)).astype(np.uint16)


def planes(samples: np.ndarray) -> np.ndarray:
    """What a loader should give: red, green, blue and perhaps alpha. [h, w, 3|4]"""
    colour = samples[..., : samples.shape[2] - (samples.shape[2] % 2 == 0)]
    rgb = np.broadcast_to(colour, (*colour.shape[:2], 3))
    return np.concatenate([rgb, samples[..., colour.shape[2] :]], -1)


def read(path: Path) -> np.ndarray:
    """What the loader gives, of pixels that are not hidden."""
    picture = load(path)
    assert picture.info.bit_depth == 16
    found = [*picture.rgb, *([picture.alpha] if picture.alpha is not None else [])]
    return (torch.stack(found, -1) * 65535).round().int().numpy()


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_words_go_through_files_unchanged(channels: int, name: str, tmp_path: Path) -> None:
    samples = words(channels)
    samples[..., -1] |= 1  # nothing is wholly hidden, whose colour would be filled
    assert save(samples, tmp_path / name) == ()
    if name == "a.tif" and channels == 2:  # Pillow does not read these; others do
        assert np.array_equal(tifffile.imread(tmp_path / name), samples)
        return
    assert np.array_equal(read(tmp_path / name), planes(samples))


def test_a_tall_picture_in_bands_of_rows(tmp_path: Path) -> None:
    samples = words(3, 900, 1000)
    save(samples, tmp_path / "a.png")
    assert np.array_equal(read(tmp_path / "a.png"), samples)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("exif", [None, b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"])
def test_floats_in_a_tiff_as_others_read_them(
    channels: int, exif: bytes | None, tmp_path: Path
) -> None:
    values = np.random.default_rng(5).random((6, 7, channels)).astype(np.float32)
    save(values, tmp_path / "a.tif", PictureInfo(exif=exif, dpi=(300, 300)))
    assert np.array_equal(tifffile.imread(tmp_path / "a.tif").reshape(values.shape), values)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packed", [None, "zlib"])
@pytest.mark.parametrize("channels", [3, 4])
def test_tiffs_of_others(order: str, packed: str | None, channels: int, tmp_path: Path) -> None:
    samples = words(channels)
    samples[..., -1] |= 1
    extra = ["unassalpha"] if channels == 4 else None
    tifffile.imwrite(
        tmp_path / "a.tif",
        samples,
        photometric="rgb",
        byteorder=order,
        compression=packed,
        extrasamples=extra,
    )
    assert np.array_equal(read(tmp_path / "a.tif"), samples)


@pytest.mark.parametrize("turn", range(1, 9))
def test_words_are_turned_upright(turn: int, tmp_path: Path) -> None:
    samples, exif = words(3), Image.Exif()
    exif[0x0112] = turn
    block = io.BytesIO()
    Image.new("L", (1, 1)).save(block, "PNG", exif=exif)
    save(samples, tmp_path / "a.png")
    plain = (tmp_path / "a.png").read_bytes()
    chunk = block.getvalue()
    at = chunk.index(b"eXIf") - 4
    own = chunk[at : at + 12 + int.from_bytes(chunk[at : at + 4], "big")]
    at = plain.index(b"IDAT") - 4
    (tmp_path / "a.png").write_bytes(plain[:at] + own + plain[at:])
    expected = {
        1: samples,
        2: samples[:, ::-1],
        3: samples[::-1, ::-1],
        4: samples[::-1],
        5: samples.swapaxes(0, 1),
        6: np.rot90(samples, -1),
        7: samples[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(samples),
    }[turn]
    assert np.array_equal(read(tmp_path / "a.png"), expected)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_a_shallow_ramp_keeps_its_levels(name: str, tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(1000, 1400, 60).astype(np.uint16), (20, 1))
    Image.fromarray(ramp).save(tmp_path / "g.png")
    field = gsr.load("lite").encode(tmp_path / "g.png")
    depth = depth_for(name, field.info)
    save(render_levels(field, size=(40, 120), depth=depth), tmp_path / name, field.info)
    with Image.open(tmp_path / name) as result:
        assert result.mode.startswith("I;16")
        values = np.asarray(result)
    assert len(np.unique(values[20])) >= 60
    assert abs(float(values.mean()) - ramp.mean()) < 10


def test_dither_keeps_the_mean_of_what_lies_between_two_levels() -> None:
    between = torch.full((3, 200, 200), 100.3 / 255)
    assert np.unique(to_levels(between)).tolist() == [100]
    dithered = to_levels(between, dither=Dither())
    assert dithered.mean() == pytest.approx(100.3, abs=0.02)
    assert np.unique(dithered).tolist() == [100, 101]
    assert np.array_equal(dithered, to_levels(between, dither=Dither()))


def test_a_depth_that_a_format_has_not() -> None:
    deep = PictureInfo(bit_depth=16)
    assert [depth_for(f"a.{end}", deep) for end in ("png", "tif", "jpg", "webp")] == [16, 16, 8, 8]
    assert depth_for("a.png", deep, 8) == 8
    with pytest.raises(OutputError, match=r"a\.png: PNG holds 8 or 16 bits, and 32 are asked\."):
        depth_for("a.png", deep, 32)


def test_a_shallow_format_says_so(tmp_path: Path) -> None:
    image = Image.new("RGB", (4, 4))
    notes = save(image, tmp_path / "a.jpg", PictureInfo(bit_depth=16))
    assert notes == ("JPEG holds 8 bits per channel, and the picture had 16.",)
