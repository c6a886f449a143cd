"""Which value is white, at the boundaries: files, arrays, tensors and batches."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from gsr.base.errors import ImageError
from gsr.decoding.png import without_metadata
from gsr.decoding.white import ROUNDING
from gsr.images import load
from gsr.methods.encode import _checked_batch


def tiff(values: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(values.astype(np.float32)).save(file, "TIFF")
    return file.getvalue()


def pfm(values: np.ndarray) -> bytes:
    height, width = values.shape
    return f"Pf\n{width} {height}\n-1.0\n".encode() + values[::-1].astype("<f4").tobytes()


SOURCES = {
    "tiff": tiff,
    "pfm": pfm,
    "array": lambda values: values.astype(np.float32),
    "double": lambda values: values,
    "tensor": lambda values: torch.from_numpy(values),
}


def ramp(low: float, high: float) -> np.ndarray:
    return np.linspace(low, high, 48).reshape(6, 8)


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize(
    ("low", "high"),
    [(0, 1), (0, 1.0001), (0, 1 + 0.9 * ROUNDING), (-0.9 * ROUNDING, 1), (-1e-6, 1 + 1e-6)],
)
def test_a_hair_beyond_is_cut(kind, low, high):
    values = ramp(low, high)
    rgb = load(SOURCES[kind](values)).rgb
    assert float(rgb.min()) >= 0
    assert float(rgb.max()) == 1
    assert rgb[0].numpy() == pytest.approx(values.clip(0, 1), abs=1e-6)


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize(
    ("low", "high"), [(0, 1.01), (0, 2), (-0.01, 1), (0, 30), (0, 100), (0, np.inf), (0, np.nan)]
)
def test_anything_else_is_asked_for(kind, low, high):
    values = np.array([[low, 0.25, high]], np.float64)
    with pytest.raises(ImageError) as caught:
        load(SOURCES[kind](values))
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("kind", ["tiff", "pfm"])
@pytest.mark.parametrize("white", [255, 65535])
@pytest.mark.parametrize("part", [0.51, 0.9, 1, 1 + 0.5 * ROUNDING])
def test_levels_that_are_clear_are_taken_as_such(kind, white, part):
    picture = load(SOURCES[kind](ramp(0, part * white)))
    assert float(picture.rgb.max()) == pytest.approx(min(part, 1), abs=1e-6)
    assert f"so {white} was taken as white." in picture.info.notes[0]


@pytest.mark.parametrize("kind", ["tiff", "pfm"])
def test_a_few_lights_on_a_scale_of_one_are_no_levels(kind):
    values = ramp(0, 0.9)
    values[0, 0] = 200.0
    with pytest.raises(ImageError, match="say it, as --white 255"):
        load(SOURCES[kind](values))


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("white", [2.0, 10.0, 255.0, 4095])
def test_white_can_be_named(kind, white):
    rgb = load(SOURCES[kind](ramp(0, white)), white=white).rgb
    assert rgb[0].numpy() == pytest.approx(ramp(0, 1), abs=1e-6)
    with pytest.raises(ImageError):
        load(SOURCES[kind](ramp(0, 1.1 * white)), white=white)


@pytest.mark.parametrize("white", [0, -1.0, np.nan, np.inf])
@pytest.mark.parametrize("kind", ["tiff", "array", "tensor"])
def test_what_cannot_be_white(kind, white):
    with pytest.raises(ImageError, match=r"^white must be a number above 0, such as 255, got"):
        load(SOURCES[kind](ramp(0, 1)), white=white)


def test_a_batch_is_cut_likewise():
    batch = torch.linspace(-0.0005, 1.0005, 48).reshape(1, 3, 4, 4)
    cut = _checked_batch(batch)
    assert (float(cut.min()), float(cut.max())) == (0, 1)
    assert float(batch.max()) > 1  # the caller's own is left alone
    with pytest.raises(ImageError):
        _checked_batch(batch * 1.01)


# --- metadata that a reader of PNG refuses ----------------------------------------------------


@pytest.mark.parametrize("what", ["profile", "text"])
def test_metadata_that_cannot_be_read_is_no_reason_to_refuse_a_png(what):
    from PIL import PngImagePlugin

    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
    file, chunks = io.BytesIO(), PngImagePlugin.PngInfo()
    if what == "text":
        chunks.add_text("Comment", "x" * 3_000_000, zip=True)
    icc = bytes(3_000_000) if what == "profile" else None
    Image.fromarray(pixels).save(file, "PNG", icc_profile=icc, pnginfo=chunks)
    picture = load(file.getvalue())
    assert picture.info.notes == ("The metadata could not be read and was left out.",)
    assert picture.rgb.shape == (3, 6, 8)
    assert without_metadata(io.BytesIO(b"GIF89a")) is None
