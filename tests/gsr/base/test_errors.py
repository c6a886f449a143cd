"""The error family and the shape check."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import gsr.base.errors as errors
from gsr.base.errors import (
    ConfigError,
    GsrError,
    ImageError,
    ShapeError,
    TooLargeError,
    check_shape,
)
from gsr.decoding.info import check_pixels

FAMILY = ("ImageError", "ShapeError", "ScaleError", "WeightsError", "ConfigError", "OutputError")


@pytest.mark.parametrize("name", FAMILY)
def test_every_error_is_a_gsr_error_and_a_value_error(name: str) -> None:
    kind = getattr(errors, name)
    assert issubclass(kind, GsrError)
    assert issubclass(kind, ValueError)


def test_errors_are_distinct() -> None:
    assert not issubclass(ShapeError, ConfigError)
    assert len({getattr(errors, name) for name in FAMILY}) == len(FAMILY)


def test_module_does_not_import_torch() -> None:
    code = (
        "import importlib.util, sys;"
        f"spec = importlib.util.spec_from_file_location('errors', {str(Path(errors.__file__))!r});"
        "module = importlib.util.module_from_spec(spec);"
        "spec.loader.exec_module(module);"
        "sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("shape", "pattern", "sizes"),
    [
        ((4096, 2), "[*batch, n, 2]", {"n": 4096}),
        ((5, 6, 4096, 2), "[*batch, n, 2]", {"n": 4096}),
        ((3, 7, 9), ("3", "h", "w"), {"h": 7, "w": 9}),
        ((3, 7, 9), (3, "h", "w"), {"h": 7, "w": 9}),
        ((8, 2, 2), "n, k, k", {"n": 8, "k": 2}),
        ((3, 1, 4), "[3, *rest]", {}),
        ((), "[]", {}),
        ((0, 2), "[n, 2]", {"n": 0}),
    ],
)
def test_matching_shape_gives_sizes(
    shape: tuple[int, ...], pattern: str | tuple[str | int, ...], sizes: dict[str, int]
) -> None:
    assert check_shape("x", np.zeros(shape), pattern) == sizes


@pytest.mark.parametrize(
    ("shape", "pattern"),
    [
        ((4096, 3), "[*batch, n, 2]"),
        ((2,), "[*batch, n, 2]"),
        ((2, 3, 4), "[h, w]"),
        ((8, 2, 3), "[n, k, k]"),
        ((1,), "[]"),
    ],
)
def test_other_shape_is_refused(shape: tuple[int, ...], pattern: str) -> None:
    with pytest.raises(ShapeError):
        check_shape("x", np.zeros(shape), pattern)


def test_message_names_tensor_pattern_and_shape() -> None:
    with pytest.raises(ShapeError) as caught:
        check_shape("means", torch.zeros(4096, 3), ("*batch", "n", 2))
    assert str(caught.value) == "means must have shape [*batch, n, 2], got (4096, 3)."


def test_two_starred_names_are_a_mistake_in_the_pattern() -> None:
    with pytest.raises(ValueError, match="one starred name") as caught:
        check_shape("x", np.zeros(3), "[*a, n, *b]")
    assert not isinstance(caught.value, GsrError)


def test_what_is_too_large_says_how_large() -> None:
    with pytest.raises(TooLargeError, match=r"a is 30 x 20 pixels .* 0\.0005 megapixels") as caught:
        check_pixels("a", 30, 20, 500)
    error = caught.value
    assert isinstance(error, ImageError)
    assert (error.width, error.height, error.limit) == (30, 20, 500)
    other = error.reworded("too large for us.")
    assert (str(other), other.limit, type(other)) == ("too large for us.", 500, TooLargeError)
    assert str(GsrError("a").reworded("b")) == "b"
