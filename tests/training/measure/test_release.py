"""Shipping weights: file, manifest and checksum fit together."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from gsr_training.measure.release import DATA_LICENSES, main, to_toml
from typer.testing import CliRunner

from gsr.methods import weights as module
from gsr.methods.gaussiansr import GaussianSR
from gsr.methods.weights import load, manifest, save_weights

FIGURES = {
    "psnr": {"Set5": {"x2": {"bicubic": 33.0, "result": 36.123, "gaussians": 35.0}}},
    "content": {"kernels": 12},
}


def test_released_weights_load_by_name(
    tmp_path: Path, make_model: Callable[..., GaussianSR], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_model("lite")
    trained = save_weights(model, tmp_path / "run.safetensors")
    figures = tmp_path / "figures.json"
    figures.write_text(json.dumps(FIGURES))
    app = typer.Typer()
    app.command()(main)
    folder = tmp_path / "weights"
    options = ["--figures", str(figures), "--steps", "7", "--folder", str(folder)]
    done = CliRunner().invoke(app, [str(trained), *options])
    assert done.exit_code == 0, done.output
    entry = manifest(folder)["lite"]
    assert entry["steps"] == 7
    assert entry["data_license"] == DATA_LICENSES["research"]
    assert entry["psnr"] == {"Set5-x2": 36.12}
    assert entry["parameters"] == sum(p.numel() for p in model.parameters())
    monkeypatch.setattr(module, "weights_folder", lambda: folder)
    loaded = load("lite")
    assert loaded.config == model.config
    for name, value in loaded.state_dict().items():
        assert value.equal(model.state_dict()[name])


def test_a_second_release_keeps_the_first_entry() -> None:
    text = to_toml({"b": {"file": "b", "psnr": {"x-2": 1.5}}, "a": {"file": 'quo"te'}})
    import tomllib

    assert tomllib.loads(text) == {
        "a": {"file": 'quo"te'},
        "b": {"file": "b", "psnr": {"x-2": 1.5}},
    }


def test_every_bundled_file_says_what_its_training_images_allow() -> None:
    for name, entry in manifest().items():
        assert entry["license"] == "Apache-2.0", name
        assert entry["data_license"] in DATA_LICENSES.values(), name
