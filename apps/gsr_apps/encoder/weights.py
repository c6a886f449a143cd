"""A model as a compact message: what a page needs to encode pictures by itself.

The frame is that of `gsr.base.message`; the header is `Header`. The body holds, for each
convolution in the order in which they run, `steps` and biases (float32, one for each output) and
the weights (int16, out x in x 3 x 3); then the raw bank and the decoder as in `gsr.field.payload`,
float32.

A weight n of output o means n * steps[o]. These whole numbers take the room of half floats and are
nearer to the weights: half floats would choose another kernel at about 1 % of pixels, these at
0.1 %.

The convolutions are those of EDSR and then one for all that is read from its features: offsets (2),
colours (3), slopes (6, where the model has them), features, and the classifier's three numbers.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor, nn

from gsr import GaussianSR
from gsr.base.errors import ConfigError
from gsr.base.message import Kind
from gsr.field.payload import decoder_layers
from gsr.network.correction import FACTOR, GAIN
from gsr.network.decoder import ResidualDecoder
from gsr.network.encoders import EncoderConfig
from gsr.network.fingerprint import fingerprint

KIND = Kind(b"GSRW", 1, "model for a page")
MOST = 2**15 - 1
"""Of an int16."""
LARGEST = 5_500_000
"""Bytes of a message: in a page that also holds the viewer, a third more is below 8 MB."""


@dataclass(frozen=True)
class Header:
    """What the body holds.

    Attributes:
        model: Name of the weights.
        weights: Their fingerprint.
        channels, blocks: Of EDSR.
        kernels: Of the bank.
        features: Splatted, without colours.
        slopes: 6, or 0 where a Gaussian has one colour.
        radius, finest: See `gsr.network.sampler.SamplerConfig`.
        footprint: Standard deviation of an output pixel at magnification 1, LR pixels.
        decoder: (out, in) of each layer.
        gain: Of the correction, see `gsr.network.correction`; 0 where the model has none.
    """

    model: str
    weights: str
    channels: int
    blocks: int
    kernels: int
    features: int
    slopes: int
    radius: int
    finest: float
    footprint: float
    decoder: tuple[tuple[int, int], ...]
    gain: float


def pack(model: GaussianSR) -> bytes:
    """The model as a message.

    Raises:
        ConfigError: a model that a page cannot run: another classifier or decoder than that of
            `lite`, or too many weights.
    """
    edsr = _checked(model)
    config, sampler = model.config, model.sampler
    layers = decoder_layers(sampler)
    header = Header(
        model=model.name,
        weights=fingerprint(model),
        channels=edsr.channels,
        blocks=edsr.blocks,
        kernels=config.num_kernels,
        features=config.splatted,
        slopes=6 if config.sloped else 0,
        radius=sampler.config.radius,
        finest=sampler.config.finest,
        footprint=float(sampler.raw_footprint.exp()),
        decoder=tuple((layer.out_features, layer.in_features) for layer in layers),
        gain=GAIN if config.corrects else 0.0,
    )
    parts = [data for weight, bias in _convolutions(model) for data in _rounded(weight, bias)]
    floats = [model.bank.raw, *(p for layer in layers for p in (layer.weight, layer.bias))]
    parts += [_array(value).astype("<f4").tobytes() for value in floats]
    head = json.dumps(asdict(header), separators=(",", ":")).encode()
    data = KIND.write(head, b"".join(parts))
    if len(data) > LARGEST:
        raise ConfigError(
            f"{model.name} has too many weights for a page: {len(data) / 1e6:.1f} MB, and up to "
            f"{LARGEST / 1e6:.1f} MB fit."
        )
    return data


def _checked(model: GaussianSR) -> EncoderConfig:
    """The size of its encoder."""
    config = model.config
    usual = (
        config.classifier == "prototype"
        and config.predicted
        and config.sampler.normalized
        and isinstance(model.sampler.decoder, ResidualDecoder)
    )
    if not usual:
        raise ConfigError(f"a page cannot run {model.name}: it has the paper's head, not lite's.")
    if not isinstance(config.encoder, EncoderConfig):
        raise ConfigError(f"a page cannot run {model.name}: its encoder is no EDSR.")
    assert FACTOR == 2  # the page renders at four points of a pixel
    return config.encoder


def _convolutions(model: GaussianSR) -> Iterator[tuple[Tensor, Tensor]]:
    """Weight [out, in, 3, 3] and bias [out] of each, in the order in which they run."""
    found = [m for m in model.encoder.modules() if isinstance(m, nn.Conv2d)]
    for conv in found:
        assert conv.bias is not None
        yield conv.weight, conv.bias
    heads, kernel_head = model.heads, model.classifier.head
    assert heads.bias is not None
    assert kernel_head.bias is not None
    yield torch.cat((heads.weight, kernel_head.weight)), torch.cat((heads.bias, kernel_head.bias))


def _rounded(weight: Tensor, bias: Tensor) -> Iterator[bytes]:
    """Steps, biases and whole numbers of one convolution."""
    numbers = _array(weight)
    largest = np.abs(numbers.reshape(len(numbers), -1)).max(1)
    steps = (np.maximum(largest, 1e-12) / MOST).astype("<f4")
    yield steps.tobytes()
    yield _array(bias).astype("<f4").tobytes()
    whole = (numbers / steps[:, None, None, None].astype(np.float64)).round()
    yield whole.clip(-MOST, MOST).astype("<i2").tobytes()


def _array(values: Tensor) -> np.ndarray:
    return values.detach().cpu().float().numpy()
