"""The benchmark measures what it says: same sums, new views, a table."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import typer
from gsr_training.measure import benchmark
from typer.testing import CliRunner

from gsr.field import GaussianField
from gsr.methods.gaussiansr import GaussianSR
from gsr.methods.weights import save_weights
from gsr.network.splat import splat_grid


def test_both_ways_splat_the_same(lite_field: GaussianField) -> None:
    view = benchmark.new_view(3, 20, 150)
    gathered = benchmark.gather_splat(lite_field, view)
    xs, ys = view.axes(lite_field.lr_size)
    maps, (left, top) = lite_field.splat_maps(xs, ys)
    geometry = lite_field.sampler.geometry(maps, torch.tensor([view.scale]))
    channels = torch.cat((maps.colors, maps.feat), -1)
    fast = splat_grid(geometry, channels, xs - left, ys - top, 2, maps.slopes)
    torch.testing.assert_close(fast, gathered, rtol=1e-4, atol=1e-5)


def test_no_two_views_in_a_row_are_equal() -> None:
    views = [benchmark.new_view(i, 128, 512) for i in range(40)]
    assert len({v.scale for v in views}) == 40
    assert all(4 <= v.scale[0] < 5 for v in views)


def test_the_command_prints_a_table(tmp_path: Path, make_model: Callable[..., GaussianSR]) -> None:
    weights = save_weights(make_model(), tmp_path / "tiny.safetensors")
    app = typer.Typer()
    app.command()(benchmark.main)
    options = ["--model", str(weights), "--side", "16", "--pixels", "32", "--repeats", "3"]
    options += ["--memory", "2048"]
    done = CliRunner().invoke(app, options)
    assert done.exit_code == 0, done.output
    assert "live frame 32 x 32 at a new scale" in done.stdout
    assert "torch gather" in done.stdout
    shown = next(line for line in done.stdout.splitlines() if "2048 x 2048" in line)
    assert 10 < float(shown.split(": ")[1].split(" MB")[0]) < 1500


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--model", "nosuch"], "unknown weights 'nosuch'"),
        (["--device", "meta"], "this machine has no device 'meta'"),
        (["--side", "0"], "--side"),
    ],
)
def test_what_cannot_be_timed(options: list[str], words: str) -> None:
    app = typer.Typer()
    app.command()(benchmark.main)
    done = CliRunner().invoke(app, options)
    assert (done.exit_code, done.stdout) == (2, "")
    assert words in done.stderr
