"""Weights in safetensors with their configuration inside, and the bundled ones by name."""

import json
import tomllib
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeAlias

import torch

from gsr.base.atomic import replacing
from gsr.base.coords import is_number
from gsr.base.errors import ConfigError, GsrError, WeightsError, reason, shown
from gsr.base.files import checksum, is_file
from gsr.base.reading import parse_json, read_text, read_values
from gsr.base.tensorfile import FLOATS, entries, opened, write
from gsr.methods.baselines import BASELINES, BaselineConfig, PointNetwork
from gsr.methods.gaussiansr import GaussianSR, ModelConfig

FORMAT = "gsr-1"
BASE = "lite"
"""What weights are mixed with that do not name others."""
MOST_CONFIG = 2**16
"""Bytes of a configuration in a file."""

Trained: TypeAlias = GaussianSR | PointNetwork
"""A network of any method; each has a `config` that says which."""


def weights_folder() -> Path:
    """Where bundled weights lie: inside an installed package, or at the top of a checkout."""
    package = Path(__file__).parents[1]
    inside = package / "_weights"
    return inside if inside.is_dir() else package.parent / "weights"


def manifest(folder: Path | None = None) -> dict[str, dict[str, Any]]:
    """What is bundled: name to file, sha256, sizes, data, metrics, licence."""
    path = (folder or weights_folder()) / "manifest.toml"
    if not path.exists():
        return {}
    try:
        return tomllib.loads(read_text(path, "a manifest of weights", WeightsError))
    except (ValueError, RecursionError) as error:
        if isinstance(error, WeightsError):
            raise
        raise WeightsError(f"{path} is damaged ({reason(error)}); reinstall gaussiansr.") from error


def save_weights(model: Trained, path: str | Path, about: dict[str, Any] | None = None) -> Path:
    """Write a network, atomically; the same network and facts give the same bytes.

    Args:
        model: What to write.
        path: A `.safetensors` file.
        about: Free facts kept with the weights (steps, data, metrics).
    """
    path = Path(path)
    metadata = {
        "format": FORMAT,
        "config": json.dumps(asdict(model.config)),
        "about": json.dumps(about or {}),
    }
    with replacing(path) as file:
        write(file, model.state_dict(), metadata)
    return path


def load(
    name: str | Path = "lite", *, strength: float = 1.0, device: str | torch.device = "cpu"
) -> GaussianSR:
    """A model ready to encode, from bundled weights by name or from a file.

    Args:
        name: `lite`, `photo` or another name of the manifest, or the path of a `.safetensors` file.
        strength: From 0 to 1, how much of these weights: below 1 the rest is of those they were
            trained on from (the manifest's `base`, or else `lite`). With `photo` it says how much
            noise and compression is taken out, and how much fine texture with it.
        device: Where the model goes.

    Raises:
        ConfigError: for a strength outside of [0, 1].
        WeightsError: for an unknown name, a missing, damaged or foreign file, for weights of
            another method, and for a strength where there is nothing to mix with.

    Examples:
        >>> import gsr
        >>> model = gsr.load("lite")
        >>> model.config.num_kernels
        100
        >>> gentle = gsr.load("photo", strength=0.5)
    """
    if not (is_number(strength) and 0 <= strength <= 1):
        raise ConfigError(f"strength must be a number between 0 and 1, got {shown(strength)}.")
    model = _gaussians(name, device)
    if strength == 1:
        return model
    base = manifest().get(str(name), {}).get("base", BASE)
    if str(name) == base:
        raise WeightsError(
            f"strength mixes weights with those they were trained on from, and {name} started from "
            "random weights."
        )
    return mixed(_gaussians(base, device), model, strength)


def _gaussians(name: str | Path, device: str | torch.device) -> GaussianSR:
    network = load_network(name, device=device)
    if not isinstance(network, GaussianSR):
        raise WeightsError(
            f"{name} holds weights of the method {network.config.method!r}, which makes no "
            "Gaussians; weights of GaussianSR are needed here."
        )
    return network


def mixed(base: GaussianSR, model: GaussianSR, strength: float) -> GaussianSR:
    """Weights on the line from `base` (0) to `model` (1); the name says where.

    It makes sense where one was trained on from the other.

    Raises:
        WeightsError: for weights of two architectures.
    """
    if _architecture(base) != _architecture(model):
        raise WeightsError(
            f"{model.name} and {base.name} have different architectures, and only weights of one "
            "can be mixed by a strength."
        )
    config = model.config if strength else base.config  # colours may be corrected in one of them
    result = GaussianSR(replace(config, name=f"{model.name} at {strength:g}"))
    state, first = model.state_dict(), base.state_dict()
    result.load_state_dict({k: torch.lerp(first[k], v, strength) for k, v in state.items()})
    return result.to(model.bank.raw.device).eval().requires_grad_(False)


def _architecture(model: GaussianSR) -> ModelConfig:
    return replace(model.config, name="", corrected=False)


def load_network(name: str | Path, *, device: str | torch.device = "cpu") -> Trained:
    """As `load`, for weights of any method."""
    bundled = manifest()
    if str(name) in bundled:
        entry = bundled[str(name)]
        path = weights_folder() / str(entry.get("file"))
        _check_sum(path, entry.get("sha256"))
    else:
        path = Path(name)
        if not is_file(path, WeightsError):
            raise WeightsError(
                f"unknown weights {str(name)!r}; give the path of a .safetensors file"
                + (f" or one of {', '.join(bundled)}." if bundled else ".")
            )
    return read_weights(path).to(device)


def read_weights(path: Path) -> Trained:
    """A network from a file; every tensor must be there, with its shape, and no other.

    Raises:
        WeightsError: for a damaged or foreign file.
    """
    with opened(path, WeightsError, "is damaged or not a safetensors file") as file:
        written = file.metadata.get("format")
        if written != FORMAT:
            raise WeightsError(
                f"{path} was not written by gsr: its format is {shown(written)}, "
                f"accepted is {FORMAT!r}."
            )
        planned = _planned(path, file.metadata.get("config", ""))
        file.expect(entries(planned.state_dict()), FLOATS)
        tensors = file.read()
    # Copied, and so in the type and the order in memory that the network would have had.
    state = {
        name: torch.empty_strided(value.shape, value.stride(), dtype=value.dtype).copy_(
            tensors[name]
        )
        for name, value in planned.state_dict().items()
    }
    planned.load_state_dict(state, assign=True)
    return planned.eval().requires_grad_(False)


def build(config: ModelConfig | BaselineConfig) -> Trained:
    """A network at its start, of random weights."""
    if isinstance(config, ModelConfig):
        return GaussianSR(config)
    return BASELINES[config.method](config)


def _planned(path: Path, config: str) -> Trained:
    """The network of a configuration, on a device that holds no numbers: no memory is taken."""
    try:
        with torch.device("meta"):
            return build(_config(config))
    except (GsrError, ValueError) as error:
        raise WeightsError(
            f"{path} holds no configuration that gsr knows ({reason(error)})."
        ) from error


def _config(text: str) -> ModelConfig | BaselineConfig:
    values = parse_json(text, "it", most=MOST_CONFIG)
    if not isinstance(values, dict) or "method" not in values:  # GaussianSR's does not say so
        return read_values(ModelConfig, values, "")
    if values["method"] not in tuple(BASELINES):
        raise ConfigError(
            f"unknown method {shown(values['method'])}; choose one of {', '.join(BASELINES)}"
        )
    return read_values(BaselineConfig, values, "")


def _check_sum(path: Path, expected: object) -> None:
    if not path.is_file():
        raise WeightsError(f"the bundled weights {path.name} are missing; reinstall gaussiansr.")
    if checksum(path) != expected:
        raise WeightsError(
            f"the bundled weights {path.name} do not have the checksum of the manifest; "
            "reinstall gaussiansr."
        )
