"""Brightness, greyness and range of drawn pictures: measured right, whatever the method."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
import torch
import typer
from gsr_training.measure import tone
from torch import Tensor
from typer.testing import CliRunner

from gsr.field.protocol import Progress
from gsr.methods import get
from gsr.methods.classical import Pillow


@dataclass(frozen=True)
class Repeated:
    """Repeats pixels, and changes what it shows."""

    change: Callable[[Tensor], Tensor]
    rgb: Tensor = torch.zeros(3, 1, 1)
    name: str = "repeated"

    @property
    def lr_size(self) -> tuple[int, int]:
        return self.rgb.shape[1], self.rgb.shape[2]

    def encode(self, source: Tensor, *, progress: Progress | None = None) -> "Repeated":
        return replace(self, rgb=source)

    def render(self, scale: float = 1.0, **_: object) -> Tensor:
        n = int(scale)
        return self.change(self.rgb.repeat_interleave(n, 1).repeat_interleave(n, 2))


def test_pictures_have_the_means_they_are_named_for() -> None:
    means = {name: float(grey.mean()) / 255 for name, grey in tone.pictures().items()}
    assert means["checkerboard"] == 0.5
    assert means["stripes"] == pytest.approx(128 / 255)
    for share in (25, 50, 75):
        assert means[f"dither {share} %"] == share / 100
    frame = tone.pictures()["frame"]
    assert {float(v) for v in (*frame[0], *frame[-1], *frame[:, 0], *frame[:, -1])} == {20.0}


@pytest.mark.parametrize("degrees", tone.EDGES)
def test_edges_have_two_levels_and_a_narrow_flank(degrees: float) -> None:
    levels = tone.edge(degrees)
    assert levels.aminmax() == (51, 204)
    flank = (levels > 51) & (levels < 204)
    assert 40 < int(flank.sum()) < 150  # out of 4096
    torch.testing.assert_close(tone.edge(degrees + 180), 51 + 204 - levels, rtol=0, atol=1e-3)


@pytest.mark.parametrize("name", [*tone.pictures()])
def test_repeating_pixels_changes_nothing(name: str) -> None:
    found = tone.tone(Repeated(lambda rgb: rgb), tone.pictures()[name], 3)
    assert found.off == pytest.approx(0, abs=1e-6)
    assert found.tint == 0
    assert found.over == pytest.approx(0, abs=1e-4)


def test_what_a_method_does_is_found() -> None:
    grey = torch.full((8, 8), 100.0)
    darker = tone.tone(Repeated(lambda rgb: 0.9 * rgb), grey, 2)
    assert darker.off == pytest.approx(-0.1, abs=1e-6)
    assert darker.over == pytest.approx(10, abs=1e-3)
    red = torch.tensor([1.1, 1.0, 1.0])[:, None, None]
    tinted = tone.tone(Repeated(lambda rgb: red * rgb), grey, 2)
    assert tinted.tint == pytest.approx(10, abs=1e-3)
    assert tinted.over == pytest.approx(10, abs=1e-3)


def test_filters_overshoot_as_they_are_known_to() -> None:
    mean, worst = tone.overshoot(Pillow("nearest"), 4)
    assert mean == worst == pytest.approx(0, abs=1e-3)
    bicubic, lanczos = (tone.overshoot(Pillow(kind), 4)[0] for kind in ("bicubic", "lanczos"))
    assert 8 < bicubic < lanczos < 25


def test_photo_keeps_the_tone_of_single_pixels_and_overshoots_less_than_lanczos() -> None:
    photo = get("photo")
    for name in ("checkerboard", "stripes", "disc", "frame"):
        found = tone.tone(photo, tone.pictures()[name], 2)
        assert abs(found.off) < 0.02
        assert found.tint == 0
    lanczos = tone.overshoot(Pillow("lanczos"), 2)
    assert all(own < other for own, other in zip(tone.overshoot(photo, 2), lanczos, strict=True))


def test_the_table() -> None:
    found = CliRunner().invoke(_app(), ["--methods", "bicubic,nearest", "--scales", "2"])
    assert found.exit_code == 0
    text = re.sub(r"\s+", " ", found.output)
    assert "checkerboard" in text
    assert "0.0 (0.0)" in text


def test_a_method_that_is_none() -> None:
    found = CliRunner().invoke(_app(), ["--methods", "magic"])
    assert found.exit_code == 2
    assert "unknown method 'magic'" in found.output


def _app() -> typer.Typer:
    app = typer.Typer()
    app.command()(tone.main)
    return app
