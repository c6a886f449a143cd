from dataclasses import replace
from pathlib import Path

import pytest
import torch
from gsr_training.trainer.optimise import build
from gsr_training.trainer.recipe import ModelRecipe

from gsr.base.errors import ConfigError
from gsr.methods.gaussiansr import PRESETS, GaussianSR
from gsr.methods.weights import build as build_network
from gsr.methods.weights import save_weights
from gsr.network.encoders import EncoderConfig

SMALL = replace(PRESETS["lite"], encoder=EncoderConfig(channels=8, blocks=2))


@pytest.fixture
def picture() -> torch.Tensor:
    return torch.rand(3, 9, 8, generator=torch.Generator().manual_seed(0))


def test_weights_of_one_colour_get_flat_slopes(tmp_path: Path, picture: torch.Tensor) -> None:
    network = build_network(replace(SMALL, sloped=False))
    weights = save_weights(network, tmp_path / "before.safetensors")
    grown = build(ModelRecipe(channels=8, blocks=2, init=str(weights)), seed=1).eval()
    field = grown.encode(picture)
    assert field.slopes is not None
    assert not field.slopes.any()
    expected = network.eval().encode(picture).render(3.0)
    torch.testing.assert_close(field.render(3.0), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("preset", ["lite", "liif"])
def test_new_blocks_change_no_picture_and_can_learn(
    preset: str, tmp_path: Path, picture: torch.Tensor
) -> None:
    network = build(ModelRecipe(preset, channels=8, blocks=2), seed=0)
    weights = save_weights(network, tmp_path / "before.safetensors")
    deeper = build(ModelRecipe(preset, channels=8, blocks=4, init=str(weights)), seed=1)
    torch.testing.assert_close(deeper.encoder(picture[None]), network.encoder(picture[None]))
    deeper.encoder(picture[None]).square().sum().backward()
    for block in list(deeper.encoder.body)[2:4]:
        assert block.body[0].weight.abs().sum() > 0  # what it computes, reaches the
        assert block.body[2].weight.grad.abs().sum() > 0  # convolution that begins at zero


def test_weights_of_more_blocks_are_refused(tmp_path: Path) -> None:
    weights = save_weights(GaussianSR(SMALL), tmp_path / "before.safetensors")
    with pytest.raises(ConfigError, match="another architecture"):
        build(ModelRecipe(channels=8, blocks=1, init=str(weights)), seed=1)
