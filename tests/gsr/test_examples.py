"""The examples in the docstrings of what people use most: each is there, and runs."""

import doctest
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gsr
from gsr import methods
from gsr.images import load
from gsr.images.metrics import psnr, ssim

MOST_USED: tuple[Callable[..., Any], ...] = (
    gsr.load,
    gsr.open_field,
    gsr.GaussianSR.encode,
    gsr.GaussianField.render,
    gsr.GaussianField.explain,
    gsr.GaussianField.with_kernel,
    gsr.GaussianField.save,
    gsr.View,
    methods.get,
    load,
    psnr,
    ssim,
)


@pytest.mark.parametrize("thing", MOST_USED, ids=lambda thing: thing.__qualname__)
def test_its_example_runs(
    thing: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = doctest.DocTestFinder(recurse=False).find(thing, thing.__qualname__, globs={})
    assert sum(len(one.examples) for one in found) >= 2
    runner = doctest.DocTestRunner(verbose=False)
    said: list[str] = []
    for one in found:
        runner.run(one, out=said.append)
    assert runner.summarize(verbose=False).failed == 0, os.linesep.join(said)
