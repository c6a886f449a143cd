"""From what is known at an output point to its colour."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Literal, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from gsr.base.errors import ConfigError
from gsr.base.reading import Checked

Width = Annotated[int, Field(ge=1, le=4096)]


@dataclass(frozen=True)
class DecoderConfig(Checked):
    """`residual` adds to the splatted colour; `fourier` is the paper's and makes all of it."""

    kind: Literal["residual", "fourier"] = "residual"
    hidden: Annotated[tuple[Width, ...], Field(min_length=1, max_length=16)] = (48, 48)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kind == "fourier" and self.hidden[0] % 2:  # as many cosines as sines
            raise ConfigError(f"hidden of a fourier decoder begins even, got {self.hidden[0]}.")


def mlp(widths: tuple[int, ...], activation: type[nn.Module]) -> nn.Sequential:
    """Linear layers with the activation between them, none at the end."""
    layers: list[nn.Module] = []
    for i, (a, b) in enumerate(pairwise(widths)):
        layers += [activation(inplace=True) if activation is nn.ReLU else activation()] if i else []
        layers.append(nn.Linear(a, b))
    return nn.Sequential(*layers)


class ResidualDecoder(nn.Module):
    """What the Gaussians' colours miss, from their features, mean offset and the pixel's size.

    Args:
        channels: Of the input, the mean offset sum(w d) / sum(w) included.
    """

    def __init__(self, channels: int, config: DecoderConfig):
        super().__init__()
        self.layers = mlp((channels + 2, *config.hidden, 3), nn.ReLU)
        for parameter in self.layers[-1].parameters():
            nn.init.zeros_(parameter)  # the first picture is the Gaussians alone

    def forward(
        self,
        feat: Float[Tensor, "b n c"],
        cell: Float[Tensor, "b 2"],
    ) -> Float[Tensor, "b n 3"]:
        weight, bias = self._first(cell)
        return self.layers[1:](F.linear(feat, weight) + bias[:, None])

    def _first(self, cell: Float[Tensor, "b 2"]) -> tuple[Tensor, Tensor]:
        """Weight and bias [b, hidden] of the first layer for images of this cell.

        The cell is one pair per image: it goes into the bias, not into every row.
        """
        first = cast(nn.Linear, self.layers[0])
        own, of_cell = first.weight.split((first.in_features - 2, 2), dim=1)
        return own, first.bias + cell @ of_cell.T

    def dense(self, cell: Float[Tensor, "b 2"]) -> list[list[tuple[Tensor, Tensor]]]:
        """Per image, the layers as (weight, bias) with ReLU between them, for fused rendering."""
        weight, biases = self._first(cell)
        rest = [
            (layer.weight, layer.bias)
            for layer in list(self.layers)[1:]
            if isinstance(layer, nn.Linear)
        ]
        return [[(weight, bias), *rest] for bias in biases]


class FourierDecoder(nn.Module):
    """Amplitudes, frequencies and a phase from the cell, then an MLP.

    Source: arXiv:2407.18046, section "Decoder", after LTE (Lee & Jin 2022). Its public code
    convolves features on the HR grid; here the same maps are pointwise, so a colour depends on
    its own point alone and any view can be rendered.
    """

    def __init__(self, channels: int, config: DecoderConfig):
        super().__init__()
        width = config.hidden[0]
        self.coef = nn.Linear(channels, width)
        self.freq = nn.Linear(channels, width)
        self.phase = nn.Linear(2, width // 2, bias=False)
        self.layers = mlp((width, *config.hidden, 3), nn.GELU)

    def forward(
        self,
        feat: Float[Tensor, "b n c"],
        rel: Float[Tensor, "b n 2"],
        cell: Float[Tensor, "b 2"],
    ) -> Float[Tensor, "b n 3"]:
        with torch.autocast(feat.device.type, enabled=False):  # a phase needs its digits
            # rel and cell are in LR pixels; the paper's units are half of that.
            freq = self.freq(feat).unflatten(-1, (-1, 2)) * (2 * rel).unsqueeze(-2)
            wave = torch.pi * (freq.sum(-1) + self.phase(2 * cell)[:, None])
            basis = torch.cat((wave.cos(), wave.sin()), -1)
        # In float32: from 0.5 on, bfloat16 knows steps of 1 / 256 only.
        return 0.5 + 0.5 * self.layers(self.coef(feat) * basis).float()


DECODERS = {"residual": ResidualDecoder, "fourier": FourierDecoder}
