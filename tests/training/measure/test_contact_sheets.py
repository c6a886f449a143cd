"""Contact sheets."""

from pathlib import Path

import torch
import typer
from gsr_training.measure import contact_sheets as sheets
from PIL import Image
from typer.testing import CliRunner

from gsr.methods.weights import save_weights


def test_the_busiest_place_is_where_the_edge_is() -> None:
    rgb = torch.full((3, 60, 80), 0.3)
    rgb[:, 30:50, 52:54] = 0.9
    x, y = sheets.busiest(rgb, 20)
    assert x <= 52 < x + 20
    assert 24 <= y <= 36


def test_sheets_of_two_photos(tmp_path: Path, make_model, picture) -> None:
    for i in range(2):
        pixels = (picture(60, 50, i) * 255).byte().permute(1, 2, 0).numpy()
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
    weights = save_weights(make_model(), tmp_path / "tiny.safetensors")
    app = typer.Typer()
    app.command()(sheets.main)
    out = tmp_path / "sheets"
    done = CliRunner().invoke(app, [str(tmp_path), "-o", str(out), "--model", str(weights)])
    assert done.exit_code == 0, done.output
    step = sheets.TILE + sheets.GAP
    for name, columns in (("ellipses.jpg", 4), ("far.jpg", 9)):
        with Image.open(out / name) as page:
            assert page.size == (sheets.GAP + columns * step, 22 + sheets.GAP + 2 * step)
            assert len(set(page.resize((64, 64)).get_flattened_data())) > 50


def test_a_thin_picture_has_a_busiest_place() -> None:
    rgb = torch.rand(3, 12, 90, generator=torch.Generator().manual_seed(0))
    x, y = sheets.busiest(rgb, 20)
    assert 0 <= x <= 78
    assert y == 0


def test_what_cannot_be_shown_is_one_sentence(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(sheets.main)
    done = CliRunner().invoke(app, [str(tmp_path), "-o", str(tmp_path), "--model", "none"])
    assert done.exit_code == 2
    assert done.output.startswith("error: unknown weights 'none'")
