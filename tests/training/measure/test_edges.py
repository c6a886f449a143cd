"""Straight edges, enlarged: what is measured of a known ripple."""

import math

import numpy as np
import pytest
from gsr_training.measure import edges
from typer.testing import CliRunner

from gsr.base.errors import GsrError
from gsr.methods import get

SCALE = 8.0


def drawn(angle: float, wave: float = 0.0, soft: float = 0.5) -> np.ndarray:
    """An enlarged edge whose place swings by `wave` LR pixels, once in two of them."""
    pixels = round(edges.SHOWN * SCALE)
    at = (np.arange(pixels) + 0.5) / SCALE - edges.SHOWN / 2
    x, y = np.meshgrid(at, at)
    along, across = (
        x * math.cos(angle) + y * math.sin(angle),
        y * math.cos(angle) - x * math.sin(angle),
    )
    across = across - wave * np.sin(math.pi * along)
    low, high = edges.GREYS
    return low + (high - low) / (1 + np.exp(-across / (0.25 * soft)))


@pytest.mark.parametrize("angle", [0.1, 1.0, 2.5])
def test_a_line_has_no_ripple(angle: float) -> None:
    assert np.std(edges._crossings(drawn(angle), angle, SCALE)) < 0.004


@pytest.mark.parametrize("angle", [0.1, 1.0, 2.5])
@pytest.mark.parametrize("wave", [0.05, 0.2])
def test_a_wave_is_measured(angle: float, wave: float) -> None:
    found = edges._crossings(drawn(angle, wave), angle, SCALE)
    assert np.std(found) == pytest.approx(wave / math.sqrt(2), rel=0.08)


def test_an_edge_elsewhere_is_not_measured() -> None:
    with pytest.raises(GsrError, match="left the window"):
        edges._crossings(drawn(0.0)[::-1], 0.0, SCALE)


def test_the_drawn_edge_goes_through_the_middle() -> None:
    fine = edges.edge(0.3)
    assert fine.shape == (3, edges.FINE * edges.SIDE, edges.FINE * edges.SIDE)
    assert float(fine.mean()) == pytest.approx(sum(edges.GREYS) / 2, abs=1e-3)


def test_bicubic_ripples_more_than_lanczos() -> None:
    assert edges.ripple(get("bicubic"), 8).rms > edges.ripple(get("lanczos"), 8).rms > 0.01


def test_the_command_and_an_unknown_method() -> None:
    import typer

    app = typer.Typer()
    app.command()(edges.main)
    done = CliRunner().invoke(app, ["--methods", "bicubic", "--scales", "8"])
    assert done.exit_code == 0, done.output
    assert "bicubic" in done.stdout
    for wrong, said in (
        (["--methods", "cubist"], "unknown method 'cubist'"),
        (["--scales", "x"], "error: "),
        (["--methods", "bicubic", "--scales", "900"], "error: "),
    ):
        refused = CliRunner().invoke(app, wrong)
        assert refused.exit_code == 2
        assert said in refused.output
