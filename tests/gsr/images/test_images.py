"""Reading every kind of picture, writing it whole or not at all, and classical resampling."""

from __future__ import annotations

import errno
import io
import os
import struct
import time
import warnings
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageCms, PngImagePlugin
from torch import Tensor

from gsr.base.coords import View
from gsr.base.errors import GsrError, ImageError, OutputError, ScaleError, ShapeError
from gsr.images import (
    Picture,
    PictureInfo,
    bicubic_view,
    downscale,
    load,
    save,
    to_pil,
    to_uint8,
)

ORIENTATION, SOFTWARE, ARTIST = 0x0112, 0x0131, 0x013B


def noise(height: int, width: int, channels: int = 3, seed: int = 0) -> np.ndarray:
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def smooth(height: int, width: int) -> Tensor:
    y = torch.linspace(0, 6, height)[:, None]
    x = torch.linspace(0, 5, width)[None]
    return torch.stack([torch.sin(x + y), torch.cos(x * y), torch.sin(x * 3 - y)]) * 0.4 + 0.5


def levels(picture: Picture) -> np.ndarray:
    return to_uint8(picture.rgb)


def encoded(image: Image.Image, file_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


@cache  # it holds the time at which it was made
def profile(name: str = "sRGB") -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes()  # type: ignore[arg-type]


def message(action: Callable[[], object], kind: type[GsrError] = ImageError) -> str:
    with pytest.raises(kind) as caught:
        action()
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(".")
    return text


# --- sources -----------------------------------------------------------------------------------


def test_every_kind_of_source_gives_the_same_pixels(tmp_path: Path) -> None:
    pixels = noise(5, 7)
    path = tmp_path / "photo.png"
    Image.fromarray(pixels).save(path)
    tensor = torch.from_numpy(pixels).permute(2, 0, 1)
    sources = [
        str(path),
        path,
        path.read_bytes(),
        io.BytesIO(path.read_bytes()),
        Image.open(path),
        pixels,
        tensor,
        tensor.float() / 255,
        pixels.astype(np.float64) / 255,
    ]
    for source in sources:
        picture = load(source)
        assert picture.rgb.shape == (3, 5, 7)
        assert picture.rgb.dtype == torch.float32
        assert picture.rgb.is_contiguous()
        assert picture.alpha is None
        assert picture.info.notes == ()
        assert np.array_equal(levels(picture), pixels)


def test_a_picture_is_returned_as_it_is() -> None:
    picture = load(noise(4, 4))
    assert load(picture) is picture


def test_a_stream_that_cannot_seek() -> None:
    class Pipe:
        def __init__(self, data: bytes) -> None:
            self.read = io.BytesIO(data).read

    pixels = noise(4, 4)
    picture = load(Pipe(encoded(Image.fromarray(pixels), "PNG")))  # type: ignore[arg-type]
    assert np.array_equal(levels(picture), pixels)


def test_a_stream_is_read_from_its_beginning() -> None:
    pixels = noise(4, 4)
    stream = io.BytesIO(encoded(Image.fromarray(pixels), "PNG"))
    stream.seek(9)
    assert np.array_equal(levels(load(stream)), pixels)


def test_the_name_is_the_file_name(tmp_path: Path) -> None:
    path = tmp_path / "über photo.png"
    Image.new("RGB", (2, 2)).save(path)
    assert load(path).info.name == "über photo.png"
    assert load(path.read_bytes()).info.name == "image"


def test_the_result_shares_no_memory_with_the_source() -> None:
    array, tensor = np.zeros((4, 4, 3), np.float32), torch.zeros(3, 4, 4)
    pictures = load(array), load(tensor)
    array += 1
    tensor += 1
    assert all(float(picture.rgb.max()) == 0 for picture in pictures)


def test_a_pillow_image_is_left_unchanged() -> None:
    image = Image.fromarray(noise(4, 6))
    image.getexif()[ORIENTATION] = 6
    assert load(image).rgb.shape == (3, 6, 4)
    assert image.size == (6, 4)
    assert image.getexif()[ORIENTATION] == 6


# --- arrays and tensors ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("array", "value", "mode", "depth"),
    [
        (np.full((2, 3), 51, np.uint8), 0.2, "grey", 8),
        (np.full((2, 3, 1), 51, np.uint8), 0.2, "grey", 8),
        (np.full((2, 3, 3), 13107, np.uint16), 0.2, "rgb", 16),
        (np.full((2, 3, 3), 13107, ">u2"), 0.2, "rgb", 16),
        (np.ones((2, 3), bool), 1.0, "grey", 1),
        (np.full((2, 3, 3), 0.25, np.float16), 0.25, "rgb", 32),
    ],
)
def test_array_kinds(array: np.ndarray, value: float, mode: str, depth: int) -> None:
    picture = load(array)
    assert torch.allclose(picture.rgb, torch.full((3, 2, 3), value), atol=1e-7)
    assert (picture.info.mode, picture.info.bit_depth) == (mode, depth)


@pytest.mark.parametrize("shape", [(2, 3), (1, 2, 3), (3, 2, 3), (4, 2, 3)])
def test_tensor_shapes(shape: tuple[int, ...]) -> None:
    picture = load(torch.full(shape, 0.5, dtype=torch.bfloat16))
    assert torch.equal(picture.rgb, torch.full((3, 2, 3), 0.5))
    assert (picture.alpha is not None) == (shape[0] == 4)
    assert picture.info.mode == ("rgb" if shape[0] in (3, 4) else "grey")


def test_a_tensor_with_gradient_is_detached() -> None:
    assert not load(torch.zeros(3, 2, 2, requires_grad=True)).rgb.requires_grad


@pytest.mark.parametrize(
    ("source", "kind", "text"),
    [
        (
            np.full((2, 2), 3.0),
            ImageError,
            "float pixels must lie in [0, 1], got values from 3 to 3; divide 8-bit values by 255.",
        ),
        (
            torch.full((3, 2, 2), -0.5),
            ImageError,
            "float pixels must lie in [0, 1], got values from -0.5 to -0.5; divide 8-bit values by "
            "255.",
        ),
        (
            np.array([[0.5, np.nan]]),
            ImageError,
            "float pixels must lie in [0, 1], and some are not numbers (NaN).",
        ),
        (
            np.zeros((2, 2), np.int64),
            ImageError,
            "a NumPy picture must be bool, uint8, uint16, or float in [0, 1], got int64.",
        ),
        (
            torch.zeros(3, 2, 2, dtype=torch.int32),
            ImageError,
            "a tensor picture must be uint8, or float in [0, 1], got int32.",
        ),
        (
            np.zeros((3, 5, 5), np.uint8),
            ShapeError,
            "a NumPy picture must have shape [h, w] or [h, w, 1|3|4], got (3, 5, 5).",
        ),
        (
            torch.zeros(5, 5, 3),
            ShapeError,
            "a tensor picture must have shape [h, w] or [1|3|4, h, w], got (5, 5, 3).",
        ),
        (np.zeros((0, 4, 3), np.uint8), ImageError, "image has no pixels (4 x 0)."),
        (
            3.5,
            ImageError,
            "a picture must be a path, bytes, a binary stream, a Pillow image, a NumPy array or a "
            "tensor, got float.",
        ),
        (
            io.StringIO("text"),
            ImageError,
            "a stream with a picture must be opened in binary mode, got a text one.",
        ),
    ],
)
def test_refused_values(source: Any, kind: type[GsrError], text: str) -> None:
    assert message(lambda: load(source), kind) == text


# --- modes -------------------------------------------------------------------------------------


def test_sixteen_bit_ramp_keeps_its_values(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 256, dtype=np.uint16).reshape(1, 256)
    for name in ("ramp.png", "ramp.tif", "ramp.pgm"):
        Image.fromarray(ramp).save(tmp_path / name)
        picture = load(tmp_path / name)
        assert torch.equal((picture.rgb[1] * 65535).round(), torch.from_numpy(ramp.astype("f4")))
        assert (picture.info.mode, picture.info.bit_depth) == ("grey", 16)
        assert torch.equal(picture.rgb[0], picture.rgb[2])


def test_a_dark_sixteen_bit_picture_stays_dark(tmp_path: Path) -> None:
    dark = np.full((2, 2), 200, np.uint16)
    for name in ("dark.png", "dark.pgm"):
        Image.fromarray(dark).save(tmp_path / name)
        assert load(tmp_path / name).rgb.max().item() == pytest.approx(200 / 65535)


def test_big_endian_sixteen_bit() -> None:
    raw = np.array([[0, 256, 65535]], ">u2")
    image = Image.frombytes("I;16B", (3, 1), raw.tobytes())
    assert (load(image).rgb[0, 0] * 65535).round().tolist() == [0, 256, 65535]


def test_sixteen_bit_transparent_value() -> None:
    image = Image.fromarray(np.array([[7, 8]], np.uint16))
    picture = load(encoded(image, "PNG", transparency=7))
    assert picture.alpha is not None
    assert picture.alpha.tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize(
    ("top", "white", "depth"), [(255, 255, 8), (1000, 65535, 16), (65535, 65535, 16)]
)
def test_mode_i_is_scaled_by_its_maximum(top: int, white: int, depth: int) -> None:
    picture = load(Image.fromarray(np.array([[0, top]], np.int32)))
    assert picture.rgb[0, 0, 1].item() == pytest.approx(top / white)
    assert picture.info.bit_depth == depth
    assert picture.info.notes == (
        f"The largest grey value is {top:g}, so {white} was taken as white.",
    )


@pytest.mark.parametrize(
    ("top", "white", "note"),
    [
        (1.0, 1, "Floating-point values were taken as they are: 1 is white."),
        (200.0, 255, "The largest grey value is 200, so 255 was taken as white."),
        (60000.0, 65535, "The largest grey value is 60000, so 65535 was taken as white."),
    ],
)
def test_mode_f_is_scaled_by_its_maximum(tmp_path: Path, top: float, white: int, note: str) -> None:
    path = tmp_path / "float.tif"
    Image.fromarray(np.array([[0, top]], np.float32)).save(path)
    picture = load(path)
    assert picture.rgb[2, 0, 1].item() == pytest.approx(top / white)
    assert picture.info.notes == (note,)
    assert (picture.info.mode, picture.info.bit_depth) == ("grey", 32)


@pytest.mark.parametrize(
    ("values", "span"), [([-1.0, 0.5], "-1 to 0.5"), ([0.0, 70000.0], "0 to 70000")]
)
def test_grey_values_out_of_range_are_refused(values: list[float], span: str) -> None:
    image = Image.fromarray(np.array([values], np.float32))
    assert message(lambda: load(image)) == (
        f"image has grey values from {span}; accepted: 0 to 1, 0 to 255 or 0 to 65535."
    )


def test_sixteen_bit_colour_keeps_its_bits() -> None:
    picture = load(png_header_and_rows(16, 2, 1, 1, b"\x80\x01\x40\x02\x20\x03"))
    assert (picture.rgb * 65535).round().int().flatten().tolist() == [0x8001, 0x4002, 0x2003]
    assert (picture.info.bit_depth, picture.info.notes) == (16, ())


def test_sixteen_bit_grey_with_alpha_is_grey() -> None:
    picture = load(png_header_and_rows(16, 4, 1, 1, b"\x80\x00\xff\xff"))
    assert picture.info.mode == "grey"
    assert levels(picture).tolist() == [[[0x80] * 3]]


@pytest.mark.parametrize("mode", ["1", "L"])
def test_grey_modes(mode: str) -> None:
    image = Image.fromarray(noise(4, 5, 1)).convert(mode)
    picture = load(encoded(image, "PNG"))
    expected = np.asarray(image.convert("L"))
    assert np.array_equal(levels(picture), np.stack([expected] * 3, axis=-1))
    assert picture.info.mode == "grey"
    assert picture.info.bit_depth == (1 if mode == "1" else 8)


def test_palette(tmp_path: Path) -> None:
    image = Image.fromarray(noise(6, 6)).quantize(8)
    image.save(tmp_path / "palette.png")
    picture = load(tmp_path / "palette.png")
    assert np.array_equal(levels(picture), np.asarray(image.convert("RGB")))
    assert picture.alpha is None
    assert picture.info.mode == "rgb"


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_kept_apart(mode: str) -> None:
    pixels = noise(4, 5, 4)
    pixels[..., 3] |= 1
    image = Image.fromarray(pixels).convert(mode)
    picture = load(image)
    expected = np.asarray(image.convert("RGBA"))
    assert picture.alpha is not None
    assert np.array_equal((picture.alpha * 255).round().numpy(), pixels[..., 3])
    assert np.array_equal(levels(picture), expected[..., :3])
    assert picture.info.mode == ("grey" if mode == "LA" else "rgb")


def test_palette_with_alpha() -> None:
    pixels = noise(4, 5, 1)
    image = Image.fromarray(pixels).convert("P").convert("PA")
    image.putalpha(Image.fromarray(pixels | 1))
    picture = load(image)
    assert picture.alpha is not None
    assert np.array_equal((picture.alpha * 255).round().numpy(), pixels | 1)
    assert np.array_equal(levels(picture)[..., 1], pixels)


def test_transparent_colour_of_rgb_grey_and_palette() -> None:
    colours = np.array([[[10, 20, 30], [200, 100, 50]]], np.uint8)
    rgb = encoded(Image.fromarray(colours), "PNG", transparency=(10, 20, 30))
    grey = encoded(Image.fromarray(colours[..., 0]), "PNG", transparency=10)
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 200, 100, 50])
    palette.putpixel((1, 0), 1)
    for data in (rgb, grey, encoded(palette, "PNG", transparency=0)):
        picture = load(data)
        assert picture.alpha is not None
        assert picture.alpha.tolist() == [[0.0, 1.0]]
        assert levels(picture)[0, 1, 0] == 200


@pytest.mark.parametrize("mode", ["HSV", "YCbCr"])
def test_other_colour_spaces_are_converted(mode: str) -> None:
    image = Image.new("RGB", (2, 2), (200, 60, 30)).convert(mode)
    assert np.abs(levels(load(image)).astype(int) - (200, 60, 30)).max() <= 4


def test_lab_is_converted(tmp_path: Path) -> None:
    image = Image.new("LAB", (2, 2), (136, 208, 195))  # red: L* 53, a* 80, b* 67
    image.save(tmp_path / "lab.tif")
    picture = load(tmp_path / "lab.tif")
    assert np.abs(levels(picture).astype(int) - (255, 0, 0)).max() <= 12
    assert picture.info.mode == "rgb"
    assert picture.info.notes == ("LAB colours were converted to sRGB.",)


def test_cmyk_without_profile() -> None:
    image = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    picture = load(encoded(image, "JPEG", quality=100))
    assert np.abs(levels(picture).astype(int) - (255, 0, 0)).max() <= 3
    assert picture.info.notes == (
        "CMYK colours were converted to RGB without a profile and are approximate.",
    )


def test_cmyk_goes_through_its_profile(tmp_path: Path) -> None:
    path = tmp_path / "cyan.tif"
    Image.new("CMYK", (4, 4), (255, 0, 0, 0)).save(path, icc_profile=cmyk_profile())
    picture = load(path)
    # Process cyan, L* 55 a* -37 b* -50, is about this in sRGB, far from Pillow's (0, 255, 255).
    assert np.abs(levels(picture)[0, 0].astype(int) - (0, 147, 218)).max() <= 10
    assert picture.info.icc is None
    assert picture.info.notes == (
        "CMYK colours were converted to sRGB through the picture's own profile.",
    )


def test_cmyk_with_a_broken_profile_falls_back() -> None:
    broken = cmyk_profile()[:140]
    image = Image.new("CMYK", (8, 8), (0, 0, 0, 255))
    picture = load(encoded(image, "TIFF", icc_profile=broken))
    assert levels(picture).max() == 0
    assert "without a profile" in picture.info.notes[0]


@pytest.mark.parametrize(
    ("file_format", "tolerance"),
    [("PNG", 0), ("BMP", 0), ("TIFF", 0), ("PPM", 0), ("WEBP", 0), ("JPEG", 40), ("JPEG2000", 0)],
)
def test_formats(file_format: str, tolerance: int) -> None:
    pixels = noise(16, 16) // 8 + 100
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 98}}.get(file_format, {})
    picture = load(encoded(Image.fromarray(pixels), file_format, **options))
    assert np.abs(levels(picture).astype(int) - pixels).max() <= tolerance


@pytest.mark.parametrize("file_format", ["GIF", "PNG", "WEBP"])
def test_the_first_frame_of_an_animation_is_used(file_format: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    options: dict[str, Any] = {"save_all": True, "append_images": frames[1:]}
    if file_format == "WEBP":
        options["lossless"] = True
    picture = load(encoded(frames[0], file_format, **options))
    assert levels(picture)[4, 4].tolist() == [255, 0, 0]
    assert picture.info.frames == 3
    assert picture.info.notes == ("Animated image: the first of 3 frames was used.",)


def test_the_first_page_of_a_tiff_is_used() -> None:
    pages = [Image.new("RGB", (4, 4), colour) for colour in ("red", "lime")]
    picture = load(encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    assert levels(picture)[0, 0].tolist() == [255, 0, 0]
    assert picture.info.notes == ("The file holds 2 pictures: the first was used.",)


# --- transparent pixels ------------------------------------------------------------------------


def test_transparent_pixels_take_the_colour_around_them() -> None:
    pixels = np.zeros((24, 31, 4), np.uint8)
    pixels[8:14, 10:20] = (200, 100, 50, 255)
    picture = load(pixels)
    expected = torch.tensor([200, 100, 50]).view(3, 1, 1) / 255
    assert torch.allclose(picture.rgb, expected.expand_as(picture.rgb), atol=1e-5)
    assert picture.alpha is not None
    assert np.array_equal(picture.alpha.numpy() == 1, pixels[..., 3] == 255)


def test_the_fill_is_local_and_leaves_visible_pixels_alone() -> None:
    pixels = noise(16, 64, 4)
    pixels[..., 3] = 255
    pixels[:, :16, :3] = (255, 0, 0)
    pixels[:, 48:, :3] = (0, 0, 255)
    pixels[:, 16:48] = 0
    pixels[3, 3, 3] = 1
    picture = load(pixels)
    visible = pixels[..., 3] > 0
    assert np.array_equal(levels(picture)[visible], pixels[visible][:, :3])
    assert picture.rgb[0, 8, 17] > 0.8 > 0.2 > picture.rgb[2, 8, 17]
    assert picture.rgb[2, 8, 46] > 0.8 > 0.2 > picture.rgb[0, 8, 46]


def test_a_wholly_transparent_picture_is_left_alone() -> None:
    pixels = noise(4, 4, 4)
    pixels[..., 3] = 0
    assert np.array_equal(levels(load(pixels)), pixels[..., :3])


# --- metadata ----------------------------------------------------------------------------------


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_orientation_is_applied_and_forgotten(file_format: str) -> None:
    pixels = np.zeros((8, 16, 3), np.uint8)
    pixels[:, :8] = (255, 255, 255)
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    exif[ARTIST] = "Ada"
    picture = load(encoded(Image.fromarray(pixels), file_format, exif=exif.tobytes()))
    assert picture.rgb.shape == (3, 16, 8)
    # Orientation 6 is turned clockwise to be upright: the left half ends on top.
    assert picture.rgb[:, :7].min() > 0.9
    assert picture.rgb[:, 9:].max() < 0.1
    assert picture.info.exif is not None
    kept = Image.Exif()
    kept.load(picture.info.exif)
    assert dict(kept) == {ARTIST: "Ada"}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_orientations(orientation: int) -> None:
    pixels = noise(3, 5)
    turned = {
        1: pixels,
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.swapaxes(0, 1),
        6: np.rot90(pixels, -1),
        7: np.rot90(pixels, 2).swapaxes(0, 1),
        8: np.rot90(pixels),
    }
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    picture = load(encoded(Image.fromarray(pixels), "PNG", exif=exif.tobytes()))
    assert np.array_equal(levels(picture), turned[orientation])


def test_broken_exif_costs_only_the_exif() -> None:
    broken = b"Exif\x00\x00II*\x00\x08\x00\x00\x00\xff\xff" + b"\x12\x01\x03\x00" * 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        picture = load(encoded(Image.new("RGB", (8, 8), "white"), "JPEG", exif=broken))
    assert levels(picture).min() > 250
    assert picture.info.exif is None


def test_unreadable_exif_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Image.Exif, offset: int = 8) -> bytes:
        raise KeyError(0x8769)

    exif = Image.Exif()
    exif[ARTIST] = "Ada"
    data = encoded(Image.new("RGB", (4, 4)), "PNG", exif=exif.tobytes())
    monkeypatch.setattr(Image.Exif, "tobytes", fail)
    picture = load(data)
    assert picture.info.exif is None
    assert picture.info.notes == ("The EXIF data could not be read and was left out.",)


def test_exif_details_stay_and_pixel_size_goes() -> None:
    exif = Image.Exif()
    exif[0x8769] = {0x829A: 0.5, 0xA002: 16, 0xA003: 16}
    exif[0x8825] = {1: "N"}
    picture = load(encoded(Image.new("RGB", (16, 16)), "JPEG", exif=exif.tobytes()))
    kept = Image.Exif()
    assert picture.info.exif is not None
    kept.load(picture.info.exif)
    assert dict(kept.get_ifd(0x8769)) == {0x829A: 0.5}
    assert dict(kept.get_ifd(0x8825)) == {1: "N"}


def test_no_resolution_is_none() -> None:
    assert load(encoded(Image.new("RGB", (4, 4)), "TIFF")).info.dpi is None
    assert load(encoded(Image.new("RGB", (4, 4)), "PNG")).info.dpi is None


def test_no_exif_is_none() -> None:
    assert load(encoded(Image.new("RGB", (4, 4)), "TIFF")).info.exif is None
    assert load(encoded(Image.new("RGB", (4, 4)), "PNG")).info.exif is None


def test_rgb_profile_is_kept_untouched() -> None:
    pixels, icc = noise(4, 4), profile()
    picture = load(encoded(Image.fromarray(pixels), "PNG", icc_profile=icc))
    assert picture.info.icc == icc
    assert np.array_equal(levels(picture), pixels)


def test_a_profile_of_another_space_is_left_out() -> None:
    picture = load(encoded(Image.new("L", (4, 4)), "PNG", icc_profile=profile()))
    assert picture.info.icc is None
    assert picture.info.notes == ("The colour profile does not fit grey pixels and was left out.",)


def test_text_dpi_and_comment() -> None:
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("Title", "Ship")
    chunks.add_itxt("XML:com.adobe.xmp", "<x/>")
    image = Image.new("RGB", (4, 4))
    picture = load(encoded(image, "PNG", pnginfo=chunks, dpi=(300, 150)))
    assert picture.info.text == {"Title": "Ship"}
    assert picture.info.dpi == pytest.approx((300, 150), abs=0.1)
    assert load(encoded(image, "JPEG", comment=b"hello")).info.text == {"Comment": "hello"}
    assert load(encoded(image, "BMP")).info.text == {}


# --- refusals ----------------------------------------------------------------------------------


def chunk(kind: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + check


def png_header_and_rows(depth: int, colour: int, width: int, height: int, row: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    data = zlib.compress(b"\x00" + row)
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [10_000, 40_000])
def test_a_bomb_is_refused_from_its_header(
    tmp_path: Path, side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("decoded")

    path = tmp_path / "bomb.png"
    path.write_bytes(png_header_and_rows(8, 2, side, side, b"\x00" * 1000))
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", refuse)
    limit = Image.MAX_IMAGE_PIXELS
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        text = message(lambda: load(path))
    assert time.perf_counter() - start < 1
    assert limit == Image.MAX_IMAGE_PIXELS
    megapixels = {10_000: "100", 40_000: "1.6e+03"}[side]
    assert text == (
        f"{path} is {side} x {side} pixels ({megapixels} megapixels), and at most 64 megapixels "
        "are accepted."
    )


def test_the_limit_can_be_set_for_every_source(tmp_path: Path) -> None:
    pixels = noise(10, 10)
    image = Image.fromarray(pixels)
    sources = [encoded(image, "PNG"), image, pixels, torch.zeros(3, 10, 10), load(pixels)]
    for source in sources:
        assert "10 x 10 pixels" in message(lambda source=source: load(source, max_pixels=99))  # type: ignore[misc]
        assert load(source, max_pixels=100).rgb.shape == (3, 10, 10)


def test_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.png"
    path.touch()
    assert message(lambda: load(path)) == (
        f"{path} is empty (0 bytes), and a picture file is needed."
    )


@pytest.mark.parametrize("data", [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", b"x"])
def test_not_an_image(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "drawing.svg"
    path.write_bytes(data)
    assert message(lambda: load(path)) == (
        f"{path} is not an image gsr can read; accepted: PNG, JPEG, WebP, TIFF, BMP, GIF, AVIF, "
        "JPEG 2000, PPM/PGM/PFM."
    )


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "PPM"])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_cut_short(tmp_path: Path, file_format: str, kept: float) -> None:
    path = tmp_path / "cut.png"
    data = encoded(Image.fromarray(noise(64, 64)), file_format)
    path.write_bytes(data[: int(len(data) * kept)])
    assert message(lambda: load(path)) == (
        f"{path} is damaged, cut short or of an unsupported variant, and cannot be decoded."
    )


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60), st.sampled_from(["PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP"]))
def test_any_bytes_load_or_give_an_image_error(junk: bytes, file_format: str) -> None:
    data = encoded(Image.fromarray(noise(8, 8)), file_format)
    middle = len(data) // 3
    with warnings.catch_warnings(), suppress(ImageError):
        warnings.simplefilter("ignore")
        picture = load(data[:middle] + junk + data[middle + len(junk) :])
        assert picture.rgb.shape[0] == 3


def test_missing_file_and_folder(tmp_path: Path) -> None:
    missing = tmp_path / "none.png"
    assert message(lambda: load(missing)) == f"{missing}: there is no such file."
    assert message(lambda: load(str(tmp_path))) == (
        f"{tmp_path} is a folder, and a picture file is needed."
    )
    assert message(lambda: load("nul\0byte.png")).endswith("cannot be opened: embedded null byte.")


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (PermissionError(errno.EACCES, "denied"), ": there is no permission to read this file."),
        (OSError(errno.EIO, "Input/output error"), " cannot be opened: Input/output error."),
    ],
)
def test_unreadable_file(
    tmp_path: Path, error: OSError, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    path = tmp_path / "locked.png"
    path.touch()
    monkeypatch.setattr(Path, "open", fail)
    assert message(lambda: load(path)) == f"{path}{ending}"


# --- to 8 bits ---------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    hnp.arrays(
        np.uint8,
        st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(
            lambda size: st.sampled_from([size, (*size, 3), (*size, 4)])
        ),
    )
)
def test_eight_bit_round_trip_is_exact(pixels: np.ndarray) -> None:
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        pixels[..., 3] |= 1
    picture = load(pixels)
    image = to_pil(picture.rgb, picture.alpha, picture.info.mode)
    assert np.array_equal(np.asarray(image), pixels)


def test_rounding_and_clamping() -> None:
    values = torch.tensor([-1.0, 0.4 / 255, 0.6 / 255, 254.6 / 255, 9.0]).expand(3, 1, 5)
    assert to_uint8(values)[0, :, 0].tolist() == [0, 0, 1, 255, 255]
    assert to_uint8(values.half()).dtype == np.uint8


def test_modes_of_the_result() -> None:
    rgb, alpha = torch.rand(3, 4, 6), torch.rand(4, 6)
    assert to_pil(rgb).mode == "RGB"
    assert to_pil(rgb, alpha).mode == "RGBA"
    assert to_pil(rgb, mode="grey").mode == "L"
    assert to_pil(rgb, alpha, "grey").mode == "LA"
    assert to_pil(rgb).size == (6, 4)


def test_grey_is_the_weighted_sum() -> None:
    rgb = torch.tensor([1.0, 0.0, 0.0]).view(3, 1, 1)
    assert np.asarray(to_pil(rgb, mode="grey")).item() == round(0.299 * 255)


def test_bands_cover_a_picture_of_many_rows() -> None:
    rgb = torch.rand(3, 1500, 1024)
    expected = (rgb * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    assert np.array_equal(to_uint8(rgb), expected)


def test_refused_tensors() -> None:
    assert message(lambda: to_uint8(torch.zeros(4, 4)), ShapeError) == (
        "rgb must have shape [3, h, w], got (4, 4)."
    )
    assert message(lambda: to_pil(torch.zeros(3, 4, 4), torch.zeros(4, 5)), ShapeError) == (
        "alpha must have shape [4, 4], got (4, 5)."
    )
    assert message(lambda: to_pil(torch.full((3, 2, 2), torch.nan))) == (
        "pixels to write must lie in [0, 1], and some are not numbers (NaN)."
    )
    assert message(lambda: to_pil(torch.zeros(3, 2, 2), mode="red")) == (  # type: ignore[arg-type]
        'mode must be "rgb" or "grey", got \'red\'.'
    )


# --- writing -----------------------------------------------------------------------------------

LOSSLESS = ["a.png", "a.PNG", "a.webp", "a.tif", "a.tiff", "a.bmp"]


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_formats_keep_every_pixel(tmp_path: Path, name: str) -> None:
    pixels = noise(9, 7)
    save(Image.fromarray(pixels), tmp_path / name)
    assert np.array_equal(levels(load(tmp_path / name)), pixels)
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.tif"])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_written(tmp_path: Path, name: str, mode: str) -> None:
    pixels = noise(6, 6, 4)
    pixels[0, 0, 3] = 0
    image = Image.fromarray(pixels).convert(mode)
    save(image, tmp_path / name)
    with Image.open(tmp_path / name) as written:
        assert np.array_equal(
            np.asarray(written.convert("RGBA")), np.asarray(image.convert("RGBA"))
        )


@pytest.mark.parametrize("name", ["a.jpg", "a.jpeg"])
def test_jpeg_is_close_and_follows_quality(tmp_path: Path, name: str) -> None:
    image = to_pil(smooth(32, 32))
    save(image, tmp_path / name)
    fine = (tmp_path / name).stat().st_size
    difference = np.asarray(image).astype(int) - levels(load(tmp_path / name))
    assert np.abs(difference).mean() <= 2
    save(image, tmp_path / name, quality=20)
    assert (tmp_path / name).stat().st_size < fine


def kept_info() -> PictureInfo:
    exif = Image.Exif()
    exif[ARTIST] = "Ada"
    exif[0x8769] = {0x829A: 0.5}
    text = {"Title": "Ship", "Comment": "sails"}
    return PictureInfo(icc=profile(), exif=exif.tobytes(), text=text, dpi=(300.0, 300.0))


COMMENT = {"Software": "gsr 0.1", "gsr:model": "lite", "gsr:scale": "3.7"}


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tif"])
def test_metadata_is_kept(tmp_path: Path, name: str) -> None:
    save(Image.new("RGB", (8, 8)), tmp_path / name, kept_info(), comment=COMMENT)
    info = load(tmp_path / name).info
    assert info.icc == profile()
    assert info.exif is not None
    exif = Image.Exif()
    exif.load(info.exif)
    assert exif[ARTIST] == "Ada"
    assert exif.get_ifd(0x8769)[0x829A] == 0.5
    if name == "a.png":
        assert info.text == {"Title": "Ship", "Comment": "sails", **COMMENT}
    else:
        assert exif[SOFTWARE] == "gsr 0.1; gsr:model=lite; gsr:scale=3.7"
    if name != "a.webp":
        assert info.dpi == pytest.approx((300, 300), abs=0.1)
    if name == "a.jpg":
        assert info.text == {"Comment": "sails"}


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tif", "a.bmp"])
def test_strip_writes_pixels_only(tmp_path: Path, name: str) -> None:
    data = tmp_path / "full.tif"
    save(Image.new("RGB", (8, 8)), data, kept_info(), comment=COMMENT)
    with Image.open(data) as image:
        image.info["comment"] = b"sails"
        save(image, tmp_path / name, kept_info(), strip=True, comment=COMMENT)
    written = (tmp_path / name).read_bytes()
    info = load(written).info
    assert (info.icc, info.exif, info.text) == (None, None, {})
    assert not [word for word in (b"Ada", b"gsr", b"Ship", b"sails", b"acsp") if word in written]


def test_metadata_of_the_image_itself_is_not_written(tmp_path: Path) -> None:
    image = Image.open(io.BytesIO(encoded(Image.new("RGB", (4, 4)), "PNG", icc_profile=profile())))
    save(image, tmp_path / "a.png")
    assert load(tmp_path / "a.png").info.icc is None


def test_a_profile_that_does_not_fit_is_not_written(tmp_path: Path) -> None:
    save(Image.new("L", (4, 4)), tmp_path / "a.png", kept_info())
    with Image.open(tmp_path / "a.png") as image:
        assert "icc_profile" not in image.info


def test_text_beyond_latin_1(tmp_path: Path) -> None:
    save(Image.new("L", (2, 2)), tmp_path / "a.png", comment={"Title": "Ω ship"})
    assert load(tmp_path / "a.png").info.text == {"Title": "Ω ship"}


def test_a_symbolic_link_is_followed(tmp_path: Path) -> None:
    real, link = tmp_path / "real.png", tmp_path / "link.png"
    link.symlink_to(real)
    save(Image.new("L", (2, 2)), link)
    assert link.is_symlink()
    assert load(real).rgb.shape == (3, 2, 2)


def test_unknown_suffix(tmp_path: Path) -> None:
    for name, shown in (("a.gif", "'.gif'"), ("a", "'no suffix'")):
        path = tmp_path / name
        assert message(lambda path=path: save(Image.new("L", (2, 2)), path), OutputError) == (  # type: ignore[misc]
            f"{path} must end in one of .png, .jpg, .jpeg, .webp, .tif, .tiff, .bmp, got {shown}."
        )


@pytest.mark.parametrize(("name", "held"), [("a.jpg", "JPEG"), ("a.bmp", "BMP")])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_not_lost_silently(tmp_path: Path, name: str, held: str, mode: str) -> None:
    path = tmp_path / name
    assert message(lambda: save(Image.new(mode, (2, 2)), path), OutputError) == (
        f"{path}: {held} has no transparency and this picture does; use .png or .webp."
    )


def test_sides_too_long_for_the_format(tmp_path: Path) -> None:
    path = tmp_path / "a.webp"
    assert message(lambda: save(Image.new("L", (17_000, 2)), path), OutputError) == (
        f"{path}: WEBP holds at most 16383 pixels a side and this picture is 17000 x 2; use .png "
        "or .tif."
    )


@pytest.mark.parametrize("quality", [0, 101])
def test_quality_out_of_range(tmp_path: Path, quality: int) -> None:
    image = Image.new("L", (2, 2))
    text = message(lambda: save(image, tmp_path / "a.jpg", quality=quality), OutputError)
    assert text == f"quality must be between 1 and 100, got {quality}."


def test_a_mode_the_format_cannot_hold(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    text = message(lambda: save(Image.new("F", (2, 2)), path), OutputError)
    assert text == f"{path} cannot be written: cannot write mode F as JPEG."
    assert os.listdir(tmp_path) == []


def test_missing_folder_and_folder_as_file(tmp_path: Path) -> None:
    image = Image.new("L", (2, 2))
    path = tmp_path / "none" / "a.png"
    assert message(lambda: save(image, path), OutputError) == (
        f"{path} cannot be written: the folder {path.parent} does not exist."
    )
    folder = tmp_path / "folder.png"
    folder.mkdir()
    assert message(lambda: save(image, folder), OutputError) == (
        f"{folder} cannot be written: it is a folder."
    )
    assert os.listdir(tmp_path) == ["folder.png"]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (errno.ENOSPC, "the disk is full."),
        (errno.EACCES, "there is no permission to write there."),
        (errno.EROFS, "there is no permission to write there."),
        (errno.EIO, "Input/output error."),
    ],
)
def test_a_failing_disk_keeps_the_old_file(
    tmp_path: Path, code: int, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", fail)
    text = message(lambda: save(Image.new("L", (2, 2)), path), OutputError)
    assert text == f"{path} cannot be written: {reason}"
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.png"]


def test_an_interrupt_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def interrupted(self: Image.Image, stream: io.BufferedWriter, **_: object) -> None:
        stream.write(b"half")
        seen.extend(os.listdir(tmp_path))
        raise KeyboardInterrupt

    monkeypatch.setattr(Image.Image, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save(Image.new("L", (2, 2)), tmp_path / "a.png")
    assert len(seen) == 1
    assert seen != ["a.png"]
    assert os.listdir(tmp_path) == []


# --- resampling --------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(20, 30), (17, 23), (13, 90), (1, 1)])
def test_downscale_is_pillows_bicubic_within_one_level(size: tuple[int, int]) -> None:
    pixels = noise(61, 90)
    expected = Image.fromarray(pixels).resize((size[1], size[0]), Image.Resampling.BICUBIC)
    small = to_uint8(downscale(load(pixels).rgb, size))
    assert np.abs(small.astype(int) - np.asarray(expected).astype(int)).max() <= 1


def test_downscale_takes_batches_and_stays_in_range() -> None:
    rgb = (torch.rand(2, 4, 3, 12, 14) > 0.5).float()
    small = downscale(rgb, (5, 6))
    assert small.shape == (2, 4, 3, 5, 6)
    assert torch.allclose(small[1, 2], downscale(rgb[1, 2], (5, 6)))
    assert 0 <= small.min() <= small.max() <= 1


@pytest.mark.parametrize("kind", ["bicubic", "lanczos", "nearest"])
@pytest.mark.parametrize(
    "box", [(0, 0, 40, 30), (10.25, 3.5, 20.3, 11.7), (0.5, 0.0, 39.5, 30), (33, 22.9, 7, 7.1)]
)
@pytest.mark.parametrize("size", [(25, 37), (7, 9)])
def test_a_view_inside_is_pillows_resize(kind: Any, box: Any, size: tuple[int, int]) -> None:
    rgb = load(noise(30, 40)).rgb
    resampling = Image.Resampling[kind.upper()]
    corners = (box[0], box[1], box[0] + box[2], box[1] + box[3])
    planes = [
        np.array(Image.fromarray(p.numpy()).resize((size[1], size[0]), resampling, box=corners))
        for p in rgb
    ]
    view = bicubic_view(rgb, box, size, kind=kind)
    assert view.shape == (3, *size)
    assert view.dtype == torch.float32
    assert np.abs(view.numpy() - np.stack(planes).clip(0, 1)).max() < 1e-5


def test_a_view_outside_repeats_the_border() -> None:
    rgb = load(noise(6, 8)).rgb
    view = bicubic_view(rgb, (-4, -3, 16, 12), (12, 16), kind="nearest")
    padded = torch.nn.functional.pad(rgb[None], (4, 4, 3, 3), mode="replicate")[0]
    assert torch.equal(view, padded)
    far = bicubic_view(rgb, (1e6, -1e6, 4, 4), (3, 3))
    assert torch.allclose(far, rgb[:, :1, -1:].expand(3, 3, 3), atol=1e-6)


def test_a_view_partly_outside_matches_a_padded_picture() -> None:
    rgb = load(noise(20, 20)).rgb
    padded = torch.nn.functional.pad(rgb[None], (9, 0, 0, 0), mode="replicate")[0]
    view = bicubic_view(rgb, (-2.5, 4.0, 12.0, 9.0), (31, 40))
    assert torch.allclose(view, bicubic_view(padded, (6.5, 4.0, 12.0, 9.0), (31, 40)), atol=1e-6)


@pytest.mark.parametrize(
    ("box", "size", "kind", "text"),
    [
        (
            (0, 0, 4, 4),
            (0, 3),
            "bicubic",
            "an output size must be at least 1 x 1 pixels, got 3 x 0.",
        ),
        (
            (0, 0, -1, 4),
            (3, 3),
            "bicubic",
            "a view box is (x, y, width, height) with a positive width and height, got "
            "(0, 0, -1, 4).",
        ),
        (
            (float("nan"), 0, 1, 4),
            (3, 3),
            "bicubic",
            "a view box is (x, y, width, height) with a positive width and height, got "
            "(nan, 0, 1, 4).",
        ),
        (
            (-1e6, -1e6, 2e6, 2e6),
            (3, 3),
            "bicubic",
            "the view box covers too much: 2e+06 x 2e+06 pixels.",
        ),
        (
            (0, 0, 4, 4),
            (3, 3),
            "box",
            "kind must be one of bicubic, lanczos, nearest, got 'box'.",
        ),
    ],
)
def test_refused_views(box: Any, size: tuple[int, int], kind: Any, text: str) -> None:
    rgb = torch.zeros(3, 8, 8)
    assert message(lambda: bicubic_view(rgb, box, size, kind=kind), ScaleError) == text


def test_refused_downscales() -> None:
    assert message(lambda: downscale(torch.zeros(3, 8, 8), (4, 0)), ScaleError) == (
        "an output size must be at least 1 x 1 pixels, got 0 x 4."
    )
    assert message(lambda: downscale(torch.zeros(8, 8), (4, 4)), ShapeError) == (
        "rgb must have shape [*batch, c, h, w], got (8, 8)."
    )


# --- a CMYK profile small enough to write here --------------------------------------------------


def cmyk_profile() -> bytes:
    """An ICC version 2 profile with one 2x2x2x2 table from CMYK to Lab (ICC.1:2001-04)."""
    inks = {
        (0, 0, 0): (100, 0, 0),
        (1, 0, 0): (55, -37, -50),
        (0, 1, 0): (48, 74, -3),
        (0, 0, 1): (89, -5, 93),
        (1, 1, 0): (24, 17, -46),
        (1, 0, 1): (50, -65, 27),
        (0, 1, 1): (47, 68, 48),
        (1, 1, 1): (23, 0, 0),
    }
    table = b""
    for index in range(16):
        cyan, magenta, yellow, black = ((index >> shift) & 1 for shift in (3, 2, 1, 0))
        lightness, a, b = (0, 0, 0) if black else inks[cyan, magenta, yellow]
        table += bytes([round(lightness * 2.55), a + 128, b + 128])
    identity = struct.pack(">9i", *(65536 * value for value in (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    curve = bytes(range(256))
    lut = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity + curve * 4 + table + curve * 3
    lut += bytes(-len(lut) % 4)
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    tags = struct.pack(">I", 2) + b"A2B0" + struct.pack(">II", 156, len(lut))
    tags += b"wtpt" + struct.pack(">II", 156 + len(lut), len(white))
    size = 128 + len(tags) + len(lut) + len(white)
    header = struct.pack(">I4sI4s4s4s", size, b"lcms", 0x02400000, b"prtr", b"CMYK", b"Lab ")
    header += struct.pack(">6H4s", 2020, 1, 1, 0, 0, 0, b"acsp") + bytes(28)
    header += struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + tags + lut + white


# --- TIFF beyond 8 bits -------------------------------------------------------------------------


def grey_tiff(values: list[int], bits: int, photometric: int) -> bytes:
    """A TIFF of one row, as little-endian as they come."""
    if bits == 12:
        pairs = [(a << 12) | b for a, b in zip(values[::2], values[1::2], strict=True)]
        pixels = b"".join(pair.to_bytes(3, "big") for pair in pairs)
    else:
        pixels = b"".join(value.to_bytes(2, "little") for value in values)
    tags = {256: len(values), 257: 1, 258: bits, 259: 1, 262: photometric, 277: 1, 278: 1}
    tags |= {273: 8, 279: len(pixels)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, tags[tag]) for tag in sorted(tags))
    start = 8 + len(pixels)
    header = b"II*\0" + struct.pack("<I", start)
    return header + pixels + struct.pack("<H", len(tags)) + entries + bytes(4)


def test_white_of_a_twelve_bit_tiff_is_white() -> None:
    read = load(grey_tiff([0, 1000, 4095, 4095], 12, 1))
    expected = torch.tensor([0, 1000 / 4095, 1, 1])
    torch.testing.assert_close(read.rgb[0, 0], expected, rtol=0, atol=1e-6)
    assert read.info.bit_depth == 12


@pytest.mark.parametrize(("photometric", "expected"), [(1, [0, 0.25, 1]), (0, [1, 0.75, 0])])
def test_sixteen_bit_tiffs_whose_white_is_zero(photometric: int, expected: list[float]) -> None:
    read = load(grey_tiff([0, 16384, 65535], 16, photometric))
    torch.testing.assert_close(read.rgb[1, 0], torch.tensor(expected), rtol=0, atol=1e-5)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_a_channel_with_nothing_to_see_through_is_no_transparency(mode: str) -> None:
    opaque = Image.new(mode, (4, 3), (*(90, 20, 10)[: len(mode) - 1], 255))
    for source in (encoded(opaque, "PNG"), opaque):
        found = load(source)
        assert found.alpha is None
        assert found.info.opaque


def test_bands_of_a_picture_whose_scale_is_not_exact_join() -> None:
    """The place of a band is rounded, and may then seem to lie a hair beyond the border."""
    rgb = smooth(250, 20)
    whole = View(0, 0, 20, 250, (925, 74))
    box = (whole.x, whole.y, whole.width, whole.height)
    expected = bicubic_view(rgb, box, whole.size)
    for start in (823, 846, 900):
        band = whole.band(start, 925)
        got = bicubic_view(rgb, (band.x, band.y, band.width, band.height), band.size)
        torch.testing.assert_close(got, expected[:, start:], rtol=0, atol=2e-6)


@pytest.mark.parametrize("suffix", [".jpg", ".bmp"])
def test_opaque_pictures_go_where_there_is_no_transparency(tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"a{suffix}"
    save(Image.new("RGBA", (4, 3), (90, 20, 10, 255)), target)
    assert Image.open(target).mode == "RGB"


@given(st.floats(-1e-11, 1e-11), st.floats(-1e-11, 1e-11))
def test_a_hair_beyond_the_border_is_the_border(x: float, y: float) -> None:
    rgb = smooth(9, 11)
    expected = bicubic_view(rgb, (0, 0, 11, 9), (20, 31))
    got = bicubic_view(rgb, (x, y, 11, 9), (20, 31))
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-5)
