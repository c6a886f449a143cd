"""What formats may lose, and what they are asked to."""

import io

import numpy as np
import pytest
from PIL import Image

from gsr.base.compression import Compression
from gsr.base.errors import ConfigError, OutputError
from gsr.images import save


def picture() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8))


@pytest.mark.parametrize(
    ("asked", "file_format", "words"),
    [
        ({"lossless": True}, "JPEG", "never lossless"),
        ({"quality": 80}, "PNG", "has no quality"),
        ({"quality": 80}, "TIFF", "has no quality"),
        ({"subsampling": "4:2:0"}, "WEBP", "no choice of subsampling"),
        ({"subsampling": "4:2:0"}, "PNG", "no choice of subsampling"),
    ],
)
def test_what_a_format_cannot_do_is_refused(asked, file_format, words):
    with pytest.raises(OutputError, match=f"^out: .*{words}"):
        Compression(**asked).options(file_format, "out")


@pytest.mark.parametrize(
    "asked", [{"quality": 0}, {"quality": 101}, {"quality": 9, "lossless": True}]
)
def test_choices_that_contradict_are_refused(asked):
    with pytest.raises((ConfigError, OutputError)):
        Compression(**asked)


@pytest.mark.parametrize("suffix", ["png", "webp", "tif", "bmp"])
@pytest.mark.parametrize("asked", [{}, {"lossless": True}])
def test_unless_asked_nothing_is_lost(tmp_path, suffix, asked):
    save(picture(), tmp_path / f"a.{suffix}", compression=Compression(**asked))
    with Image.open(tmp_path / f"a.{suffix}") as made:
        assert made.convert("RGB").tobytes() == picture().tobytes()


def bytes_of(tmp_path, suffix: str, **asked) -> int:
    path = tmp_path / f"a.{suffix}"
    save(picture(), path, compression=Compression(**asked))
    return path.stat().st_size


@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_a_lower_quality_makes_a_smaller_file(tmp_path, suffix):
    sizes = [bytes_of(tmp_path, suffix, quality=quality) for quality in (10, 60, 95)]
    assert sizes == sorted(set(sizes))
    assert bytes_of(tmp_path, suffix) >= sizes[-1]


def test_subsampling_is_what_was_asked_for(tmp_path):
    def stored(**asked) -> str:
        out = tmp_path / "a.jpg"
        save(picture(), out, compression=Compression(**asked))
        with Image.open(io.BytesIO(out.read_bytes())) as made:
            return {(1, 1): "4:4:4", (2, 1): "4:2:2", (2, 2): "4:2:0"}[made.layer[0][1:3]]

    assert stored() == stored(subsampling="4:4:4") == "4:4:4"
    assert stored(subsampling="4:2:2") == "4:2:2"
    assert stored(subsampling="4:2:0", quality=50) == "4:2:0"
