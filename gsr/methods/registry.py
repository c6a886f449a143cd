"""Every method by name: the classical ones, networks with their weights, networks to train."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import overload

import torch
from PIL import Image
from torch import Tensor

from gsr.base.errors import ConfigError, WeightsError
from gsr.base.files import is_file
from gsr.field import GaussianField
from gsr.field.protocol import Method, Progress
from gsr.images import PictureSource, Source
from gsr.methods.baselines import BASELINES, BaselineConfig
from gsr.methods.classical import Bicubic, Lanczos, Nearest, Sinc
from gsr.methods.gaussiansr import BEST, FAMILIES, PRESETS, GaussianSR, ModelConfig
from gsr.methods.point_image import PointMethod
from gsr.methods.weights import Trained, build, load_network, manifest
from gsr.network.encoders import AnyEncoderConfig

_CLASSICAL: dict[str, type[Bicubic | Lanczos | Nearest | Sinc]] = {
    "bicubic": Bicubic,
    "lanczos": Lanczos,
    "nearest": Nearest,
    "sinc": Sinc,
}
CLASSICAL = tuple(_CLASSICAL)
"""Methods without weights, by name."""
METHODS: dict[str, type[PointMethod]] = {**_CLASSICAL, **BASELINES}
"""What GaussianSR is compared with. Each class says what people call it, and what it costs."""
ON_RESULT = "sinc:"
"""Before the name of a network: sinc resampling of its fixed x4 result."""

NETWORKS: dict[str, ModelConfig | BaselineConfig] = {
    **{name: BaselineConfig(method=name, name=name) for name in BASELINES},
    **PRESETS,
}
"""What can be trained: the networks that are compared with, and the presets of GaussianSR."""


def names() -> list[str]:
    """What `get` knows without a file: the classical methods, then the bundled weights."""
    return [*CLASSICAL, *manifest()]


def described(name: str) -> tuple[str, str]:
    """What people call a method, and one line on it; `NAME-SIZE` is a size of a method."""
    family, _, size = name.partition("-")
    if family in METHODS:
        label, about = METHODS[family].label, METHODS[family].about
    else:
        label, about = FAMILIES.get(family, (family, ""))
    return (f"{label}, {size}" if size else label), about


def is_described(name: str) -> bool:
    """Whether there is more to say of a method than its name."""
    return name.partition("-")[0] in (*METHODS, *FAMILIES)


def get(name: str | Path, *, device: str | torch.device = "cpu") -> Method:
    """A method ready to encode.

    Args:
        name: One of `names()`, the path of a weights file, or `sinc:` and one of them for the
            sinc resampling of its fixed x4 result, or `best-` and weights of GaussianSR for the
            average of eight turned encodings.
        device: Where it computes.

    Raises:
        ConfigError: for an unknown name.
        WeightsError: for a damaged or foreign file, and one that may not be read.

    Examples:
        >>> import torch
        >>> from gsr import methods
        >>> field = methods.get("bicubic").encode(torch.rand(3, 6, 8))
        >>> field.render(scale=2).shape
        torch.Size([3, 12, 16])
    """
    text = str(name)
    if text in _CLASSICAL:
        return _CLASSICAL[text](device=device)
    if text.startswith(BEST):
        return Best.of(get(text.removeprefix(BEST), device=device))
    if text.startswith(ON_RESULT):
        return Sinc(get(text.removeprefix(ON_RESULT), device=device), device)
    if text in manifest() or is_file(Path(text), WeightsError):
        return load_network(text, device=device)
    raise ConfigError(
        f"unknown method {text!r}; choose one of {', '.join(names())}, the path of a "
        f"weights file, and {ON_RESULT} or {BEST} before one of them."
    )


@dataclass(frozen=True)
class Best:
    """A model that looks at every picture in all eight turns; see `GaussianSR.encode`."""

    model: GaussianSR

    @classmethod
    def of(cls, method: Method) -> "Best":
        """The best that a method can do.

        Raises:
            ConfigError: it makes no Gaussians that could be averaged.
        """
        if not isinstance(method, GaussianSR) or not method.can_turn:
            raise ConfigError(
                f"{method.name} cannot be averaged over turns; lite and weights like it can."
            )
        return cls(method)

    @property
    def name(self) -> str:
        """As `get` takes it."""
        return f"{BEST}{self.model.name}"

    @overload
    def encode(
        self, source: Tensor, *, progress: Progress | None = ...
    ) -> GaussianField[Tensor]: ...
    @overload
    def encode(
        self, source: PictureSource, *, progress: Progress | None = ...
    ) -> GaussianField[Image.Image]: ...
    def encode(self, source: Source, *, progress: Progress | None = None) -> GaussianField:
        """Any source as a field, which costs no more to render than another."""
        return self.model.encode(source, progress=progress, ensemble=True)


def new_network(preset: str, encoder: AnyEncoderConfig | None = None) -> Trained:
    """A network to train from scratch, with random weights from torch's generator.

    Args:
        preset: A key of `NETWORKS`.
        encoder: Instead of the preset's.

    Raises:
        ConfigError: for an unknown preset.
    """
    if preset not in NETWORKS:
        raise ConfigError(f"unknown network {preset!r}; choose one of {', '.join(NETWORKS)}.")
    config = NETWORKS[preset]
    return build(replace(config, encoder=encoder) if encoder else config)
