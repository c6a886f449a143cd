"""Pictures made worse for judging: always the same, in place, unlike what training sees."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from gsr_apps.demos import demo_photos
from gsr_training.measure.evaluate import make_pair
from gsr_training.measure.restoring import WAYS, counted, main, scores, worse
from helpers.training import photo
from PIL import Image
from typer.testing import CliRunner

import gsr
from gsr.methods import get
from gsr.tasks.evaluation.pairs import Pair


def pair() -> Pair:
    smooth = torch.nn.functional.avg_pool2d(photo(80, 96).float(), 5, 1, 2) / 255
    return Pair(smooth, smooth)


@pytest.mark.parametrize("way", [*WAYS])
def test_a_way_is_always_the_same_and_leaves_the_picture_where_it_was(way: str) -> None:
    clean, one = pair(), worse(way, pair(), 3)
    assert torch.equal(one.lr, worse(way, pair(), 3).lr)
    assert torch.equal(one.hr, clean.hr)
    assert one.lr.shape == clean.lr.shape
    assert one.lr.min() >= 0
    assert one.lr.max() <= 1
    here = (one.lr - clean.lr).abs().mean()
    assert 0.002 < here < 0.1
    for axis in (1, 2):
        assert here < (one.lr.roll(2, axis) - clean.lr).abs().mean()
    assert abs(float(one.lr.mean() - clean.lr.mean())) < 0.01


def test_noise_of_counted_light_depends_on_the_seed_the_light_and_the_channel() -> None:
    grey = np.full((60, 60, 3), 120, np.uint8)
    few, many = (counted(np.random.default_rng(0), grey, n).astype(int) for n in (200, 5000))
    assert few.std() > 3 * many.std()
    assert few[..., 0].std() > 1.2 * few[..., 1].std()
    assert not np.array_equal(few, counted(np.random.default_rng(1), grey, 200))


def test_photo_is_nearer_to_the_picture_than_what_enlarges_noise() -> None:
    """And with more strength, the less noise is left in what was flat."""
    path = demo_photos()[0]
    clean = make_pair(path, 4.0)
    cut = Pair(clean.lr[:, 20:68, 20:84], clean.hr[:, 80:272, 80:336])
    noisy = worse("dim", cut, 0)
    methods = [get("bicubic"), get("lite"), get("photo")]
    bicubic, lite, own = (row[0] for row in scores(methods, [noisy], 4.0))
    assert own > max(bicubic, lite) + 0.2
    flat = worse("dim", Pair(torch.full((3, 32, 32), 0.5), torch.zeros(3, 64, 64)), 0).lr
    left = [
        float(gsr.load("photo", strength=s).encode(flat).render(scale=2.0).std())
        for s in (0, 0.5, 1)
    ]
    assert left[0] > 1.5 * left[1] > 2 * left[2]


def test_the_table(tmp_path: Path) -> None:
    folder = tmp_path / "S" / "HR"
    folder.mkdir(parents=True)
    pixels = photo(48, 56).movedim(0, -1).numpy()
    Image.fromarray(pixels).save(folder / "a.png")
    app = typer.Typer()
    app.command()(main)
    options = ["--data", str(tmp_path), "--sets", "S", "--scales", "2"]
    done = CliRunner().invoke(app, [*options, "--methods", "bicubic,nearest"])
    assert done.exit_code == 0, done.output
    assert all(way in done.stdout for way in WAYS)
    assert "(+0.00, +0.00, 0)" in re.sub(r"\s+", " ", done.stdout)
    refused = CliRunner().invoke(app, [*options, "--methods", "magic"])
    assert refused.exit_code == 2
    assert "unknown method 'magic'" in refused.output
