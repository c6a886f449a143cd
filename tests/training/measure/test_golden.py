"""Shipped weights compute what they computed when they were shipped."""

import tomllib

import pytest
from gsr_training.measure import golden
from PIL import Image

from gsr.methods.weights import manifest

EXPECTED = tomllib.loads((golden.FOLDER / golden.NUMBERS).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    with Image.open(golden.FOLDER / golden.PICTURE) as image:
        image.load()
    return image


@pytest.mark.parametrize("name", manifest())
def test_shipped_weights_make_the_picture_they_made(name: str, picture: Image.Image) -> None:
    measured, expected = golden.measure(name, picture), EXPECTED[name]
    assert measured["values"] == pytest.approx(expected["values"], abs=1e-4)
    assert measured["psnr"] == pytest.approx(expected["psnr"], abs=2e-3)


def test_every_network_has_its_numbers_and_nothing_else() -> None:
    assert EXPECTED.keys() == manifest().keys()
    assert all(len(one["values"]) == golden.COUNT for one in EXPECTED.values())


def test_what_is_written_is_read_back() -> None:
    assert tomllib.loads(golden.to_toml(EXPECTED)) == EXPECTED
