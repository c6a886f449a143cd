"""What is read is the file that was given, all of it, and nothing else."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from gsr.decoding.decode import decode, read_size
from gsr.images import load

PIXELS = np.arange(16 * 12, dtype=np.uint8).reshape(12, 16)


def encoded(file_format, **options):
    stream = io.BytesIO()
    Image.fromarray(PIXELS).save(stream, file_format, **options)
    return stream.getvalue()


@pytest.mark.parametrize("file_format", ["BMP", "PPM", "TIFF", "PNG", "GIF"])
def test_a_picture_that_is_called_like_another_file_is_still_itself(tmp_path, file_format):
    other = tmp_path / "other"
    other.write_bytes(bytes(100_000))
    found = decode(io.BytesIO(encoded(file_format)), str(other), 10**6)
    assert np.array_equal(found.pixels[..., 0], PIXELS)


def damaged_exif(orientation):
    """A directory with the orientation, and entries whose types do not fit what they are."""
    entries = struct.pack("<HHHHI", ExifTags.Base.ImageDescription, 5, 1, 0, 8)
    entries += struct.pack("<HHIHH", ExifTags.Base.Orientation, 3, 1, orientation, 0)
    entries += struct.pack("<HHII", ExifTags.Base.XResolution, 2, 900, 10**6)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", 3) + entries + bytes(4)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["PNG", "WEBP"])
def test_a_damaged_exif_block_still_turns_the_picture(file_format, orientation):
    lossless = {"lossless": True} if file_format == "WEBP" else {}
    sound = Image.Exif()
    sound[ExifTags.Base.Orientation] = orientation
    found, expected = (
        load(encoded(file_format, exif=exif, **lossless)).rgb
        for exif in (damaged_exif(orientation), sound.tobytes())
    )
    assert found.equal(expected)


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "JPEG"])
@pytest.mark.parametrize("exif", [b"x", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff"])
def test_no_exif_block_hides_the_size_of_a_sound_picture(file_format, exif):
    data = encoded(file_format, exif=exif)
    assert read_size(io.BytesIO(data), "a") == PIXELS.shape
    assert load(data).rgb.shape == (3, *PIXELS.shape)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("long", [0, 300, 200_000])
def test_a_file_and_its_bytes_are_the_same_picture(tmp_path, compression, long):
    tags = {ExifTags.Base.Orientation: 6, 700: b"x" * long, 270: "a" * long}
    data = encoded("TIFF", compression=compression, tiffinfo=tags)
    path = Path(tmp_path, "a.tif")
    path.write_bytes(data)
    assert load(path).rgb.equal(load(data).rgb)
    assert load(path).rgb.shape == (3, 16, 12)
