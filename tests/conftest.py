"""What the tests share: small seeded models whose heads say something, and pictures to encode."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from hypothesis import settings
from torch import Tensor

from gsr.field import GaussianField
from gsr.methods.gaussiansr import PRESETS, GaussianSR, ModelConfig
from gsr.network.decoder import DecoderConfig
from gsr.network.encoders import EncoderConfig
from gsr.network.sampler import SplatMaps

# How long an example takes depends on what else the machine does.
settings.register_profile("gsr", deadline=None)
settings.load_profile("gsr")


def tiny_config(preset: str) -> ModelConfig:
    """A preset with the same parts, and hardly any weights.

    Colours stay as the network makes them, so that what a test says of them is seen.
    """
    config = replace(PRESETS[preset], corrected=False)
    if preset == "paper":
        sampler = replace(config.sampler, decoder=DecoderConfig("fourier", (16, 16)))
        return replace(config, encoder=EncoderConfig(12, 1), sampler=sampler)
    sampler = replace(config.sampler, decoder=DecoderConfig("residual", (16, 16)))
    return replace(config, encoder=EncoderConfig(8, 1), splatted=5, sampler=sampler)


def noisy_model(config: ModelConfig, seed: int = 0, amount: float = 0.1) -> GaussianSR:
    """A model with random weights everywhere, also where training would start from zero."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = GaussianSR(config)
        with torch.no_grad():
            if config.predicted:
                model.heads.weight.add_(amount * torch.randn_like(model.heads.weight))
                model.heads.bias.add_(amount * torch.randn_like(model.heads.bias))
            else:
                model.classifier.head.weight.add_(torch.randn_like(model.classifier.head.weight))
            if config.classifier == "prototype":
                spread = torch.randn_like(model.classifier.head.weight)
                model.classifier.head.weight.add_(amount * spread)
            model.bank.raw.add_(amount * torch.randn_like(model.bank.raw))
            last = model.sampler.decoder.layers[-1]
            last.weight.add_(amount * torch.randn_like(last.weight))
            last.bias.add_(amount * torch.randn_like(last.bias))
    return model.eval().requires_grad_(False)


def smooth_noise(height: int, width: int, seed: int = 0) -> Tensor:
    """A picture with structure at every size, well inside [0, 1]. [3, h, w]"""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand((1, 3, height // 4 + 2, width // 4 + 2), generator=generator)
    fine = torch.rand((3, height, width), generator=generator)
    blown = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")[0]
    return 0.1 + 0.6 * blown + 0.2 * fine


@pytest.fixture(params=["cpu"])
def device(request: pytest.FixtureRequest) -> torch.device:
    return torch.device(request.param)


@pytest.fixture(scope="session")
def make_model() -> Callable[..., GaussianSR]:
    """(preset, tiny=True, seed=0, amount=0.1, **changes to the configuration) to a model."""

    def make(
        preset: str = "lite",
        tiny: bool = True,
        seed: int = 0,
        amount: float = 0.1,
        **changes: object,
    ) -> GaussianSR:
        config = tiny_config(preset) if tiny else PRESETS[preset]
        return noisy_model(replace(config, **changes), seed, amount)

    return make


@pytest.fixture(scope="session")
def picture() -> Callable[..., Tensor]:
    """(height, width, seed=0) to RGB in [0, 1]."""
    return smooth_noise


@pytest.fixture(scope="session")
def lite() -> GaussianSR:
    """The `lite` preset at its real size."""
    return noisy_model(PRESETS["lite"])


@pytest.fixture(scope="session")
def lite_field(lite: GaussianSR) -> GaussianField:
    return lite.encode(smooth_noise(20, 24))


@pytest.fixture(scope="session", params=["lite", "paper"])
def tiny_model(request: pytest.FixtureRequest) -> GaussianSR:
    """Both kinds of architecture, tiny."""
    return noisy_model(tiny_config(request.param))


@pytest.fixture(scope="session")
def tiny_field(tiny_model: GaussianSR) -> GaussianField:
    return tiny_model.encode(smooth_noise(9, 11))


@pytest.fixture(scope="session")
def plain_field() -> GaussianField:
    """A field as training starts: LR colours at LR pixel centres, nothing added by the decoder."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = GaussianSR(tiny_config("lite")).eval()
    return model.encode(smooth_noise(8, 8))


@pytest.fixture(scope="session")
def read() -> Callable[..., Tensor]:
    """(field, points [n, 2], scale=4, layer="result", backend="auto", **other maps) to colours.

    Straight from the sampler: no view, no cut, no clamp. [b, n, 3]
    """

    @torch.no_grad()
    def sample(
        field: GaussianField,
        points: Tensor,
        scale: float | tuple[float, float] = 4.0,
        layer: str = "result",
        backend: str = "auto",
        **other: object,
    ) -> Tensor:
        names = ("kernels", "offsets", "colors", "feat", "context", "slopes")
        maps = SplatMaps(**{name: other.get(name, getattr(field, name)) for name in names})
        pair = scale if isinstance(scale, tuple) else (scale, scale)
        batch = len(maps.colors)
        seen = field.lr.new_tensor(pair).expand(batch, 2)
        found = field.sampler(maps, points.expand(batch, -1, -1), seen, backend)
        return found.rgb if layer == "result" else found.colors

    return sample
