"""The check that runs on a graphics card, here by Triton's interpreter."""

import os

import pytest
import torch

if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"  # read when kernels are compiled, so before the import

pytest.importorskip("triton", reason="Triton is installed on Linux only")

from gsr_training.measure import gpu_check

from gsr.cli import run


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_check, "SCENES", (gpu_check.Scene(1, 3, 9, 4, 2),))
    monkeypatch.setattr(gpu_check, "LARGE", gpu_check.Scene(1, 4, 30, 32, 2))


def test_equal_and_timed(small: None, capsys: pytest.CaptureFixture) -> None:
    assert run([], gpu_check.app) == 0
    said = capsys.readouterr().out
    assert said.count("equal ") == 1 + 4 * (1 + torch.cuda.is_available())
    assert "DIFFERS" not in said
    for name in (
        "gradient of geometry",
        "gradient of slopes",
        "pixels of a field",
        "there and back",
    ):
        assert name in said


def test_a_difference_is_told(
    small: None, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    splat = gpu_check.cuda.splat
    monkeypatch.setattr(gpu_check.cuda, "splat", lambda *a, **k: 1.01 * splat(*a, **k))
    assert run(["--no-timed"], gpu_check.app) == 1
    assert "DIFFERS" in capsys.readouterr().out
