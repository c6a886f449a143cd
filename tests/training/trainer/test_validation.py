"""Images set aside, and what is measured on them."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from gsr_training.trainer.validation import split, validator
from helpers.training import photo

from gsr.methods.gaussiansr import GaussianSR


def test_some_images_are_set_aside_and_none_is_on_both_sides() -> None:
    paths = [Path(f"{i:03d}.png") for i in range(200)]
    chosen, aside = split(paths, 60)
    assert aside == [paths[30], paths[90], paths[150]]
    assert sorted(chosen + aside) == paths
    assert split(paths[:30], 60) == (paths[:30], [])
    assert split(paths, 0) == (paths, [])


def test_figures_and_a_picture(make_model: Callable[..., GaussianSR]) -> None:
    smooth = torch.nn.functional.avg_pool2d(photo(260, 220).float(), 9, 1, 4).byte()
    validate = validator([photo(200, 210), smooth])
    assert validate is not None
    network = make_model(amount=0.0)
    found, picture = validate(network)
    assert found.keys() == {"val_x2", "val_x4"}
    assert 15 < found["val_x4"] < found["val_x2"] < 60
    assert picture.shape == (3, 3 * 192, 2 * 192)
    torch.testing.assert_close(picture[:, :192, :192] * 255, photo(200, 210)[:, 4:196, 9:201] * 1.0)


def test_degraded_input_is_judged_as_well(make_model: Callable[..., GaussianSR]) -> None:
    # Several: one alone may be left clean, or only be blurred, which a smooth one hardly minds.
    validate = validator([photo(200, 210, seed) for seed in range(4)], degraded=True)
    assert validate is not None
    network = make_model(amount=0.0)
    found, _ = validate(network)
    assert found["val_degraded_x2"] < found["val_x2"]
    assert found["val_degraded_x4"] < found["val_x4"]
    assert validate(network)[0] == found  # always the same


def test_nothing_set_aside() -> None:
    assert validator([]) is None


@pytest.mark.parametrize("side", [192, 193])
def test_the_smallest_images(side: int, make_model: Callable[..., GaussianSR]) -> None:
    validate = validator([photo(side, side)])
    assert validate is not None
    assert validate(make_model())[1].shape == (3, 576, 192)
