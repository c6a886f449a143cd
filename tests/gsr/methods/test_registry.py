"""Methods by name: everything known answers the same protocol, and nothing else is let in."""

from collections.abc import Callable
from pathlib import Path

import pytest
from torch import Tensor

from gsr import methods
from gsr.base.errors import ConfigError, WeightsError
from gsr.field.protocol import ContinuousImage, Method
from gsr.methods.baselines import BASELINES
from gsr.methods.gaussiansr import PRESETS, GaussianSR
from gsr.methods.weights import manifest, save_weights
from gsr.network.encoders import EncoderConfig


def test_names_are_the_classical_ones_and_the_bundled_weights() -> None:
    assert methods.names() == ["bicubic", "lanczos", "nearest", "sinc", *manifest()]


@pytest.mark.parametrize("name", [*methods.CLASSICAL, "sinc:bicubic"])
def test_a_method_renders(name: str, picture: Callable[..., Tensor]) -> None:
    method = methods.get(name)
    assert isinstance(method, Method)
    assert method.name == name
    image = method.encode(picture(5, 6))
    assert isinstance(image, ContinuousImage)
    assert image.render((2, 3)).shape == (3, 10, 18)


def test_weights_are_methods(make_model: Callable[..., GaussianSR], tmp_path: Path) -> None:
    path = save_weights(make_model("lite"), tmp_path / "tiny.safetensors")
    assert methods.get(path).name == "lite"
    assert methods.get(f"sinc:{path}").name == "sinc:lite"


@pytest.mark.parametrize("name", ["cubic", "sinc:cubic", "", "none.safetensors"])
def test_unknown_names(name: str) -> None:
    known = r"choose one of bicubic, lanczos, nearest, sinc\b.*, the path of a weights file"
    wanted = name.removeprefix("sinc:")
    with pytest.raises(ConfigError, match=rf"^unknown method '{wanted}'; {known}"):
        methods.get(name)


def test_files_that_are_no_weights(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(bytes(100))
    with pytest.raises(WeightsError, match="is damaged or not a safetensors file"):
        methods.get(path)


@pytest.mark.parametrize("preset", methods.NETWORKS)
def test_new_networks_take_another_encoder(preset: str) -> None:
    tiny = EncoderConfig(channels=32, blocks=6)
    network = methods.new_network(preset, tiny)
    assert isinstance(network, GaussianSR if preset in PRESETS else BASELINES[preset])
    assert network.name == preset
    assert network.config.encoder == tiny
    assert network.training
    assert all(p.requires_grad for p in network.parameters())


@pytest.mark.parametrize("preset", ["bicubic", "LIIF", ""])
def test_unknown_networks(preset: str) -> None:
    known = "choose one of metasr, liif, itsrn, aliif, diinn, lte, lite, base, paper"
    with pytest.raises(ConfigError, match=rf"^unknown network '{preset}'; {known}\.$"):
        methods.new_network(preset)


def test_every_method_says_what_people_call_it() -> None:
    said = {name: methods.described(name) for name in (*methods.METHODS, "lite", "photo", "paper")}
    assert all(label and about for label, about in said.values())
    assert len({label for label, _ in said.values()}) == len(said)
    assert methods.described("liif-tiny") == ("LIIF, tiny", said["liif"][1])
    assert methods.described("mine") == ("mine", "")
    assert [methods.is_described(name) for name in ("lte", "photo-x", "mine")] == [
        True,
        True,
        False,
    ]


def test_what_can_be_had_without_weights_is_in_the_table() -> None:
    assert set(methods.CLASSICAL) <= set(methods.METHODS)
    assert all(methods.get(name).name == name for name in methods.CLASSICAL)
    assert [n for n, m in methods.METHODS.items() if m.instant] == ["bicubic", "lanczos", "nearest"]
