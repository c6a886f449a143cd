"""Weights that a picture asks for: told once, in a sentence, where it is true and of use."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from gsr import cli
from gsr.images import Picture, PictureInfo, to_pil
from gsr.methods import weights
from gsr.methods.gaussiansr import BEST, GaussianSR
from gsr.methods.weights import save_weights
from gsr.tasks import advice

Make = Callable[..., GaussianSR]


@pytest.fixture
def bundle(tmp_path: Path, make_model: Make, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Bundled weights `lite` and `photo`."""
    folder = tmp_path / "weights"
    folder.mkdir()
    lines = []
    for seed, name in enumerate(("lite", "photo")):
        path = save_weights(
            make_model("lite", seed=seed, name=name), folder / f"{name}.safetensors"
        )
        lines.append(f'[{name}]\nfile = "{path.name}"\nsha256 = "{weights.checksum(path)}"')
    (folder / "manifest.toml").write_text("\n".join(lines))
    monkeypatch.setattr(weights, "weights_folder", lambda: folder)
    return folder


def noisy(levels: float, side: int = 40) -> Tensor:
    grains = torch.randn((3, side, side), generator=torch.Generator().manual_seed(0))
    return (0.5 + levels / 255 * grains).clamp(0, 1)


def test_a_noisy_picture_asks_for_other_weights(bundle: Path) -> None:
    picture = Picture(noisy(9), None, PictureInfo())
    fault = advice.fault(picture, "lite")
    assert fault is not None
    assert fault.startswith("is noisy (about ")
    said = f"this picture {fault}: --model photo takes that out instead of enlarging it."
    assert advice.advice(picture, "lite") == said


@pytest.mark.parametrize("model", ["photo", "photo at 0.5", f"{BEST}photo"])
def test_those_weights_are_not_offered_to_who_has_them(bundle: Path, model: str) -> None:
    assert advice.advice(Picture(noisy(9), None, PictureInfo()), model) is None


def test_a_clean_picture_asks_for_nothing(bundle: Path) -> None:
    assert advice.advice(Picture(noisy(0), None, PictureInfo()), "lite") is None


def test_what_is_not_there_is_not_offered(bundle: Path) -> None:
    (bundle / "manifest.toml").write_text("")
    assert advice.advice(Picture(noisy(9), None, PictureInfo()), "lite") is None


@pytest.mark.parametrize("command", ["upscale", "inspect", "encode"])
def test_commands_say_it_once_on_stderr(
    command: str, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {"noisy": noisy(9), "clean": noisy(0)}
    rest = {"upscale": ["-s", "2"], "inspect": ["--at", "3,3"], "encode": []}[command]
    for name, rgb in files.items():
        path = tmp_path / f"{name}.png"
        to_pil(rgb).save(path)
        for options in ([], ["--model", "photo"], ["-q"]):
            overwrite = [] if command == "inspect" else ["--overwrite"]
            assert cli.run([command, str(path), *rest, *options, *overwrite]) == 0
            said = capsys.readouterr().err.count("--model photo takes that out")
            assert said == (name == "noisy" and not options)


def test_a_strength_from_the_command_line(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = tmp_path / "a.png", tmp_path / "b.png"
    to_pil(noisy(9, 12)).save(source)
    command = ["upscale", str(source), "-s", "2", "-o", str(target), "--model", "photo"]
    assert cli.run([*command, "--strength", "0.5"]) == 0
    with Image.open(target) as image:
        assert any("at 0.5" in str(value) for value in image.info.values())
    capsys.readouterr()
    for wrong in ("2", "-0.1", "nan", "much"):
        assert cli.run([*command, "--strength", wrong, "--overwrite"]) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ")
        assert error.count("\n") == 1
