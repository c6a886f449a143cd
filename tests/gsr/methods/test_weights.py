"""Weights on disk: what was saved comes back, and nothing else is let in."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from gsr.base.errors import ConfigError, WeightsError
from gsr.base.files import checksum
from gsr.base.reading import read_json
from gsr.methods import NETWORKS, weights
from gsr.methods.baselines import BASELINES, BaselineConfig
from gsr.methods.gaussiansr import PRESETS, GaussianSR
from gsr.methods.weights import FORMAT, build, load, load_network, manifest, save_weights
from gsr.network.encoders import EncoderConfig

Make = Callable[..., GaussianSR]


@pytest.fixture
def file(tmp_path: Path, make_model: Make) -> Path:
    return save_weights(make_model("lite"), tmp_path / "lite.safetensors", {"steps": 7})


def rewritten(file: Path, tensors: dict[str, Tensor] | None = None, **metadata: str | None) -> Path:
    """The file again, with some of it changed; None takes an entry out."""
    with safe_open(file, framework="pt") as old:
        about = old.metadata() | {"checksum": None} | metadata
    own = load_file(file) | (tensors or {})
    target = file.with_name("changed.safetensors")
    save_file(
        {k: v for k, v in own.items() if v.numel()},
        target,
        metadata={k: v for k, v in about.items() if v is not None},
    )
    return target


# --- there and back ------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", ["lite", "paper"])
def test_what_was_saved_comes_back(
    preset: str, make_model: Make, tmp_path: Path, picture: Callable[..., Tensor]
) -> None:
    model = make_model(preset)
    back = load(save_weights(model, tmp_path / "a.safetensors"))
    assert back.config == model.config
    assert not back.training
    assert not any(p.requires_grad for p in back.parameters())
    before, after = model.state_dict(), back.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[k], after[k]) for k in before)
    again = load(save_weights(back, tmp_path / "b.safetensors"))
    lr = picture(9, 8)
    first, second = back.encode(lr).render(2.5), again.encode(lr).render(2.5)
    assert torch.equal(first, second)
    torch.testing.assert_close(first, model.encode(lr).render(2.5), rtol=0, atol=1e-5)


def test_the_real_lite_comes_back(lite: GaussianSR, tmp_path: Path) -> None:
    back = load(save_weights(lite, tmp_path / "lite.safetensors"))
    assert back.config == PRESETS["lite"]
    state = back.state_dict()
    assert all(torch.equal(v, state[k]) for k, v in lite.state_dict().items())


def test_facts_are_kept_beside_the_weights(file: Path) -> None:
    with safe_open(file, framework="pt") as found:
        metadata = found.metadata()
    assert metadata["format"] == FORMAT
    assert json.loads(metadata["about"]) == {"steps": 7}


def test_saving_leaves_one_file(file: Path) -> None:
    assert [p.name for p in file.parent.iterdir()] == ["lite.safetensors"]


def test_a_failed_save_keeps_the_old_file(
    file: Path, make_model: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = file.read_bytes()

    def full(*_args: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(weights, "write", full)
    with pytest.raises(OSError, match="No space"):
        save_weights(make_model("lite", seed=1), file)
    assert file.read_bytes() == before


# --- other methods -------------------------------------------------------------------------------


@pytest.fixture
def liif(tmp_path: Path) -> Path:
    config = BaselineConfig("liif", "liif-tiny", EncoderConfig(channels=4, blocks=1))
    return save_weights(build(config), tmp_path / "liif.safetensors", {"steps": 3})


def test_weights_say_of_which_method_they_are(liif: Path, file: Path) -> None:
    network = load_network(liif)
    assert network.config == BaselineConfig("liif", "liif-tiny", EncoderConfig(4, 1))
    assert isinstance(network, BASELINES["liif"])
    assert not network.training
    assert not any(p.requires_grad for p in network.parameters())
    assert isinstance(load_network(file), GaussianSR)
    with safe_open(liif, framework="pt") as found:
        assert json.loads(found.metadata()["config"])["method"] == "liif"


def test_files_of_before_there_were_methods_load(file: Path) -> None:
    with safe_open(file, framework="pt") as found:
        assert "method" not in json.loads(found.metadata()["config"])
    assert load(file).config.name == "lite"


def test_weights_of_another_method_make_no_field(liif: Path) -> None:
    expected = r"liif\.safetensors holds weights of the method 'liif', which makes no Gaussians"
    with pytest.raises(WeightsError, match=expected):
        load(liif)


def test_weights_under_the_name_of_another_method(liif: Path) -> None:
    config = {"method": "lte", "name": "x", "encoder": {"channels": 4, "blocks": 1}}
    with pytest.raises(WeightsError, match=r"does not fit its configuration in \d+ tensors: coef"):
        load_network(rewritten(liif, config=json.dumps(config)))


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"method": "srno", "name": "x"}, r"unknown method 'srno'; choose one of metasr, liif, "),
        ({"method": None, "name": "x"}, "unknown method None"),
        ({"method": ["liif"], "name": "x"}, "unknown method"),
        ({"method": "liif", "name": 7}, "name must be text, got 7"),
        (
            {"method": "liif", "name": "x", "num_kernels": 100},
            "unknown key 'num_kernels'; choose one of method, name, encoder",
        ),
        ({"method": "liif"}, "name"),
        ({"method": "liif", "name": "x", "encoder": {"channels": -1}}, ""),
    ],
)
def test_configurations_of_no_method(liif: Path, config: dict, reason: str) -> None:
    expected = rf"holds no configuration that gsr knows \(.*{reason}"
    with pytest.raises(WeightsError, match=expected):
        load_network(rewritten(liif, config=json.dumps(config)))


def test_half_precision_on_disk_is_full_in_memory(liif: Path, picture: Callable) -> None:
    halves = {k: v.half() for k, v in load_file(liif).items()}
    network = load_network(rewritten(liif, halves))
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    out, exact = (n.encode(picture(5, 6)).render(2) for n in (network, load_network(liif)))
    torch.testing.assert_close(out, exact, rtol=0, atol=2e-3)


# --- configurations ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NETWORKS)
def test_configurations_survive_json(name: str) -> None:
    config = NETWORKS[name]
    assert read_json(type(config), json.dumps(asdict(config)), "it") == config


# --- what is refused -----------------------------------------------------------------------------


def test_unknown_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "weights_folder", lambda: tmp_path)
    with pytest.raises(WeightsError, match=r"^unknown weights 'huge'; give the path"):
        load("huge")
    (tmp_path / "manifest.toml").write_text('[lite]\nfile = "l"\n[base]\nfile = "b"\n')
    with pytest.raises(
        WeightsError, match=r"'huge'; give the path of a .safetensors file or one of lite, base"
    ):
        load("huge")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"^unknown weights"):
        load(tmp_path)


def test_damaged_files(file: Path) -> None:
    whole = file.read_bytes()
    for content in (whole[:-5], whole[:100], b""):
        file.write_bytes(content)
        with pytest.raises(WeightsError, match="is damaged or not a safetensors file"):
            load(file)


def test_files_of_another_kind(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    with pytest.raises(WeightsError, match=r"photo\.png is damaged or not a safetensors file"):
        load(path)


@pytest.mark.parametrize("kind", [None, "gsr-0"])
def test_foreign_safetensors(file: Path, kind: str | None) -> None:
    expected = f"was not written by gsr: its format is {kind!r}, accepted is 'gsr-1'"
    with pytest.raises(WeightsError, match=expected):
        load(rewritten(file, format=kind))


def test_safetensors_without_any_metadata(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(2)}, tmp_path / "a.safetensors")
    with pytest.raises(WeightsError, match="was not written by gsr: its format is None"):
        load(tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    "config",
    [
        None,
        "{",
        "[1]",
        '{"name": "x", "colour": 3}',
        '{"name": "x", "encoder": {"layers": 3}}',
        "{}",
        '{"name": "x", "bank": "spiral"}',
        '{"name": "x", "num_kernels": 99}',
        '{"name": "x", "sampler": {"decoder": {"kind": "magic"}}}',
        '{"name": "x", "encoder": {"channels": "many"}}',
    ],
)
def test_configurations_nobody_knows(file: Path, config: str | None) -> None:
    with pytest.raises(WeightsError, match="holds no configuration that gsr knows"):
        load(rewritten(file, config=config))


def test_missing_tensors(file: Path) -> None:
    changed = rewritten(file, {"bank.raw": torch.zeros(0)})
    with pytest.raises(WeightsError, match=r"does not fit .* in 1 tensors: bank\.raw missing\.$"):
        load(changed)


def test_tensors_too_many(file: Path) -> None:
    changed = rewritten(file, {"head.weight": torch.zeros(2, 3)})
    with pytest.raises(WeightsError, match=r"in 1 tensors: head\.weight \(2, 3\)\.$"):
        load(changed)


def test_tensors_of_another_shape(file: Path) -> None:
    changed = rewritten(file, {"bank.raw": torch.zeros(99, 4)})
    with pytest.raises(WeightsError, match=r"in 1 tensors: bank\.raw \(99, 4\)\.$"):
        load(changed)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_numbers_that_are_none(file: Path, value: float) -> None:
    broken = load_file(file)["bank.raw"]
    broken[3, 1] = value
    with pytest.raises(WeightsError, match=r"holds numbers that are not finite in bank\.raw\.$"):
        load(rewritten(file, {"bank.raw": broken}))


# --- bundled weights -----------------------------------------------------------------------------


@pytest.fixture
def bundle(file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of bundled weights with `lite` in it."""
    monkeypatch.setattr(weights, "weights_folder", lambda: file.parent)
    entry = f'[lite]\nfile = "{file.name}"\nsha256 = "{checksum(file)}"\n'
    (file.parent / "manifest.toml").write_text(entry)
    return file


def test_bundled_weights_load_by_name(bundle: Path) -> None:
    assert load("lite").config.name == "lite"
    assert load().config.name == "lite"
    assert manifest()["lite"]["file"] == bundle.name


def test_bundled_weights_with_another_checksum(bundle: Path) -> None:
    content = bytearray(bundle.read_bytes())
    content[-1] ^= 1
    bundle.write_bytes(content)
    with pytest.raises(
        WeightsError, match=r"^the bundled weights lite\.safetensors do not have the checksum"
    ):
        load("lite")


def test_bundled_weights_that_are_gone(bundle: Path) -> None:
    bundle.unlink()
    with pytest.raises(WeightsError, match=r"^the bundled weights lite\.safetensors are missing"):
        load("lite")


@pytest.mark.parametrize(
    "text", ["[lite", "\xff", "x = " + "[" * 20_000, "x = " + "9" * 5000, "x" * 2_000_000]
)
def test_a_damaged_manifest(bundle: Path, text: str) -> None:
    (bundle.parent / "manifest.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(WeightsError, match=r"manifest\.toml is (damaged|not a manifest)"):
        load("lite")
    (bundle.parent / "manifest.toml").write_text("[lite]\nfile = 3\n")
    with pytest.raises(WeightsError, match="are missing; reinstall gaussiansr"):
        load("lite")


def test_checksum_by_hand(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert checksum(tmp_path / "a").startswith("ba7816bf8f01cfea414140de5dae2223")


def test_no_manifest_is_nothing_bundled(tmp_path: Path) -> None:
    assert manifest(tmp_path) == {}


def test_what_really_is_bundled_is_whole() -> None:
    for name, entry in manifest().items():
        path = weights.weights_folder() / entry["file"]
        assert checksum(path) == entry["sha256"], name


# --- between two weights -------------------------------------------------------------------------


@pytest.fixture
def pair(tmp_path: Path, make_model: Make, monkeypatch: pytest.MonkeyPatch) -> list[GaussianSR]:
    """`lite`, `photo` that goes on from it, and `large` of another architecture, all bundled."""
    models = {
        "lite": make_model("lite", seed=1, corrected=True),
        "photo": make_model("lite", seed=2, name="photo", corrected=False),
        "large": make_model("lite", seed=3, splatted=9),
    }
    lines = []
    for name, model in models.items():
        path = save_weights(model, tmp_path / f"{name}.safetensors")
        lines.append(f'[{name}]\nfile = "{path.name}"\nsha256 = "{checksum(path)}"')
    (tmp_path / "manifest.toml").write_text("\n".join(lines))
    monkeypatch.setattr(weights, "weights_folder", lambda: tmp_path)
    return [models["lite"], models["photo"]]


@pytest.mark.parametrize("strength", [0, 0.25, 0.5, 1, 1.0])
def test_a_strength_lies_between_two_weights(pair: list[GaussianSR], strength: float) -> None:
    found, (first, last) = load("photo", strength=strength), (m.state_dict() for m in pair)
    for name, value in found.state_dict().items():
        between = (1 - strength) * first[name] + strength * last[name]
        torch.testing.assert_close(value, between, rtol=0, atol=1e-6)
    assert not found.training
    assert not any(p.requires_grad for p in found.parameters())


def test_a_strength_is_named_in_what_it_makes(pair: list[GaussianSR]) -> None:
    assert load("photo").name == "photo"
    mixed = load("photo", strength=0.5)
    assert mixed.name == "photo at 0.5"
    assert mixed.encode(torch.rand(3, 6, 6)).model == "photo at 0.5"


@pytest.mark.parametrize(("strength", "corrected"), [(0, True), (0.1, False), (1, False)])
def test_colours_are_corrected_as_the_weights_have_it(
    pair: list[GaussianSR], strength: float, corrected: bool
) -> None:
    """Noise that was taken out must not come back."""
    assert load("photo", strength=strength).config.corrected == corrected


@pytest.mark.parametrize("strength", [-0.1, 1.01, float("nan"), float("inf"), "1", None, True])
def test_strengths_that_are_none(pair: list[GaussianSR], strength: object) -> None:
    with pytest.raises(ConfigError, match=r"^strength must be a number between 0 and 1, got"):
        load("photo", strength=strength)  # type: ignore[arg-type]


def test_a_strength_needs_two_weights_of_one_architecture(pair: list[GaussianSR]) -> None:
    with pytest.raises(WeightsError, match="different architectures"):
        load("large", strength=0.5)
    with pytest.raises(WeightsError, match="lite started from random weights"):
        load("lite", strength=0.5)
