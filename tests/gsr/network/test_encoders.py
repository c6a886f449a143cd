"""What is registered is known everywhere: an encoder or a classifier of one's own is one file."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

import gsr
from gsr.base.errors import ConfigError, WeightsError
from gsr.base.tensorfile import CHECKSUM
from gsr.methods import new_network
from gsr.methods.weights import load_network, save_weights
from gsr.network.classifier import CLASSIFIERS, Logits
from gsr.network.encoders import ENCODERS, AnyEncoderConfig, Encoder, EncoderConfig, new_encoder


@dataclass(frozen=True)
class WideConfig(AnyEncoderConfig):
    channels: int = 6
    reach: int = 5
    kind: Literal["wide"] = "wide"
    label: ClassVar[str] = "wide"

    @property
    def radius(self) -> int:
        return self.reach


class Wide(Encoder):
    Config = WideConfig

    def __init__(self, config: WideConfig):
        super().__init__(config)
        self.layer = nn.Conv2d(3, config.channels, 2 * config.reach + 1, padding=config.reach)

    def forward(self, lr: Tensor) -> Tensor:
        return self.layer(lr)


class Doubled(Logits):
    @staticmethod
    def channels(num_kernels: int) -> int:
        return 2 * num_kernels

    @staticmethod
    def scores(evidence: Tensor, bank_raw: Tensor) -> Tensor:
        first, second = evidence.chunk(2, 1)
        return first + second


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENCODERS, "wide", Wide)
    monkeypatch.setitem(CLASSIFIERS, "doubled", Doubled)


@pytest.mark.parametrize("preset", ["lite", "liif"])
def test_an_encoder_of_ones_own_is_tiled_saved_and_loaded(
    preset: str, tmp_path: Path, picture
) -> None:
    network = new_network(preset, WideConfig()).eval().requires_grad_(False)
    lr = picture(20, 23)
    whole = network.encode(lr).render(2)
    torch.testing.assert_close(network.encode(lr, tile=7).render(2), whole)
    again = load_network(save_weights(network, tmp_path / "own.safetensors"))
    assert again.config == network.config
    assert torch.equal(again.encode(lr).render(2), whole)


def test_a_classifier_of_ones_own_is_saved_loaded_and_edited(tmp_path: Path, picture) -> None:
    config = replace(gsr.PRESETS["lite"], encoder=EncoderConfig(4, 1), classifier="doubled")
    model = gsr.GaussianSR(config).eval().requires_grad_(False)
    field = model.encode(picture(6, 7))
    assert torch.equal(
        gsr.load(save_weights(model, tmp_path / "a.safetensors")).encode(picture(6, 7)).index,
        field.index,
    )
    assert torch.equal(gsr.open_field(field.save(tmp_path / "a.gsf")).render(2), field.render(2))
    with pytest.raises(ConfigError, match="cannot be averaged over turns"):
        model.encode(picture(6, 7), ensemble=True)


def test_the_exact_radius_is_the_reach_of_a_pixel() -> None:
    for config in (EncoderConfig(4, 2), WideConfig()):
        encoder = new_encoder(config)
        lr = torch.rand(1, 3, 31, 31)
        other = lr.clone()
        other[..., 15, 15] += 1
        changed = (encoder(lr) - encoder(other)).abs().amax((0, 1)) > 0
        rows = changed.any(1).nonzero()
        assert encoder.radius == config.radius == int(rows.max()) - 15 == 15 - int(rows.min())


def test_files_that_name_no_kind_hold_the_usual_encoder(tmp_path: Path, make_model) -> None:
    path = save_weights(make_model("lite"), tmp_path / "new.safetensors")
    with safe_open(path, "pt") as file:
        metadata, tensors = file.metadata(), {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118
    del metadata[CHECKSUM]
    config = json.loads(metadata["config"])
    assert config["encoder"].pop("kind") == "edsr"
    old = tmp_path / "old.safetensors"
    save_file(tensors, old, metadata | {"config": json.dumps(config)})
    assert gsr.load(old).config == gsr.load(path).config
    for kind, word in (("vast", "edsr, wide, got 'vast'"), (3, "got 3"), (None, "got None")):
        config["encoder"]["kind"] = kind
        save_file(tensors, old, metadata | {"config": json.dumps(config)})
        with pytest.raises(WeightsError, match=f"encoder.kind must be one of .*{word}"):
            gsr.load(old)


def test_what_is_not_registered_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(ENCODERS, "wide")
    with pytest.raises(ConfigError, match=r"encoder\.kind must be one of edsr, got 'wide'"):
        new_network("lite", WideConfig())
    with pytest.raises(ConfigError, match="classifier must be one of logits, prototype, doubled"):
        replace(gsr.PRESETS["lite"], classifier="none")
    assert asdict(EncoderConfig()) == {"channels": 64, "blocks": 16, "kind": "edsr"}
