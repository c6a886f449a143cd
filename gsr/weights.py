"""Weights in safetensors with their configuration inside, and the bundled ones by name."""

import json
import tomllib
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast, get_type_hints

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from gsr.atomic import replacing
from gsr.baselines import BASELINES, BaselineConfig, PointNetwork
from gsr.errors import WeightsError
from gsr.files import checksum, is_file
from gsr.model import GaussianSR, ModelConfig

FORMAT = "gsr-1"

Trained: TypeAlias = GaussianSR | PointNetwork
"""A network of any method; each has a `config` that says which."""


def weights_folder() -> Path:
    """Where bundled weights lie: inside an installed package, or at the top of a checkout."""
    package = Path(__file__).parent
    inside = package / "_weights"
    return inside if inside.is_dir() else package.parent / "weights"


def manifest(folder: Path | None = None) -> dict[str, dict[str, Any]]:
    """What is bundled: name to file, sha256, sizes, data, metrics, licence."""
    path = (folder or weights_folder()) / "manifest.toml"
    if not path.exists():
        return {}
    return tomllib.loads(path.read_text(encoding="utf-8"))


def save_weights(model: Trained, path: str | Path, about: dict[str, Any] | None = None) -> Path:
    """Write a network, atomically.

    Args:
        model: What to write.
        path: A `.safetensors` file.
        about: Free facts kept beside the weights (steps, data, metrics).
    """
    path = Path(path)
    metadata = {
        "format": FORMAT,
        "config": json.dumps(asdict(model.config)),
        "about": json.dumps(about or {}),
    }
    tensors = {k: v.detach().cpu().contiguous().clone() for k, v in model.state_dict().items()}
    with replacing(path) as file:
        file.write(save(tensors, metadata=metadata))
    return path


def load(name: str | Path = "lite", *, device: str | torch.device = "cpu") -> GaussianSR:
    """A model ready to encode, from bundled weights by name or from a file.

    Args:
        name: `lite` or another name of the manifest, or the path of a `.safetensors` file.
        device: Where the model goes.

    Raises:
        WeightsError: for an unknown name, a missing, damaged or foreign file, and for weights of
            another method.
    """
    network = load_network(name, device=device)
    if not isinstance(network, GaussianSR):
        raise WeightsError(
            f"{name} holds weights of the method {network.config.method!r}, which makes no "
            "Gaussians; weights of GaussianSR are needed here."
        )
    return network


def load_network(name: str | Path, *, device: str | torch.device = "cpu") -> Trained:
    """As `load`, for weights of any method."""
    bundled = manifest()
    if str(name) in bundled:
        entry = bundled[str(name)]
        path = weights_folder() / entry["file"]
        _check_sum(path, entry["sha256"])
    else:
        path = Path(name)
        if not is_file(path, WeightsError):
            raise WeightsError(
                f"there are no weights called {str(name)!r}: give the path of a .safetensors file"
                + (f" or one of {', '.join(bundled)}." if bundled else ".")
            )
    return read_weights(path).to(device)


def read_weights(path: Path) -> Trained:
    """A network from a file; every tensor must be there, with its shape, and no other."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except PermissionError:
        raise WeightsError(f"{path}: there is no permission to read this file.") from None
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"{path} is damaged or not a safetensors file ({error}).") from error
    if metadata.get("format") != FORMAT:
        raise WeightsError(
            f"{path} was not written by gsr: its format is {metadata.get('format')!r}, "
            f"accepted is {FORMAT!r}."
        )
    model = _build(path, metadata)
    _check_tensors(path, model, tensors)
    model.load_state_dict(tensors)
    return model.eval().requires_grad_(False)


def build(config: ModelConfig | BaselineConfig) -> Trained:
    """A network at its start, of random weights."""
    if isinstance(config, ModelConfig):
        return GaussianSR(config)
    return BASELINES[config.method](config)


def _build(path: Path, metadata: dict[str, str]) -> Trained:
    # Building is inside too: a well-formed file may name parts that do not exist.
    try:
        return build(_config(json.loads(metadata["config"])))
    except (AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise WeightsError(f"{path} holds no configuration that gsr knows ({error}).") from error


def _config(values: dict[str, Any]) -> ModelConfig | BaselineConfig:
    if "method" not in values:  # GaussianSR's does not say so
        return cast(ModelConfig, from_dict(ModelConfig, values))
    if values["method"] not in BASELINES:
        raise ValueError(f"unknown method {values['method']!r}, known are {', '.join(BASELINES)}")
    return cast(BaselineConfig, from_dict(BaselineConfig, values))


def _check_tensors(path: Path, model: Trained, tensors: dict[str, torch.Tensor]) -> None:
    expected = {k: tuple(v.shape) for k, v in model.state_dict().items()}
    got = {k: tuple(v.shape) for k, v in tensors.items()}
    wrong = sorted(k for k in expected.keys() | got.keys() if expected.get(k) != got.get(k))
    if wrong:
        shown = ", ".join(f"{k} {got.get(k, 'missing')}" for k in wrong[:5])
        raise WeightsError(
            f"{path} does not fit its configuration in {len(wrong)} tensors: {shown}."
        )
    broken = sorted(k for k, v in tensors.items() if not torch.isfinite(v).all())
    if broken:
        raise WeightsError(f"{path} holds numbers that are not finite in {', '.join(broken[:5])}.")


def _check_sum(path: Path, expected: str) -> None:
    if not path.is_file():
        raise WeightsError(f"the bundled weights {path.name} are missing; install gsr again.")
    if checksum(path) != expected:
        raise WeightsError(
            f"the bundled weights {path.name} do not have the checksum of the manifest; "
            "install gsr again."
        )


def from_dict(kind: type, values: dict[str, Any]) -> Any:
    """A frozen dataclass from plain values, nested ones included; unknown keys are a TypeError."""
    hints = get_type_hints(kind)
    known = {f.name for f in fields(kind)}
    if unknown := sorted(values.keys() - known):
        raise TypeError(f"unknown keys {', '.join(unknown)}")
    converted = {}
    for name, value in values.items():
        if is_dataclass(hints[name]):
            value = from_dict(hints[name], value)  # type: ignore[arg-type]
        converted[name] = tuple(value) if isinstance(value, list) else value
    return kind(**converted)
