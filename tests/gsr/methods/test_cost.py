"""Sizes and multiply-accumulates: the published figures, and ours worked out by hand."""

import json

import pytest
import torch
from torch import nn

from gsr.cli import run
from gsr.methods import NETWORKS, new_network
from gsr.methods.cost import Cost, macs, parameters
from gsr.network.encoders import EDSR, EncoderConfig

ENCODER = 1_220_416

PARAMETERS = {
    "liif": 1_567_299,
    "metasr": 1_665_536,
    "aliif": 1_670_728,
    "lte": 1_714_243,
    "itsrn": 1_865_730,
    "diinn": 2_207_043,
}

WINDOW, HIDDEN = 9 * 64, 256
SQUARES = 3 * HIDDEN * HIDDEN
"""Three layers of 256 to 256."""

LITERAL = {
    "metasr": 444_864,
    "liif": 4 * 345_856,
    "itsrn": 4 * 642_496 + 3_840,
    "aliif": 4 * 459_374,
    # Three layers of 256 + 576 and four of 3 or 256 beside them, a first of 576 and a last of 3.
    # Content and position are multiplied four times.
    "diinn": WINDOW * 256 + 3 * 256 + 3 * (832 * 256 + 256 * 256) + 4 * 256 + 256 * 3,
    "lte": 4 * 198_144,
}

HERE = {
    # Per hidden number and its bias one product for each colour.
    "metasr": Cost(LITERAL["metasr"], 3 * 256 + 3 * 257, 257 * 3 * WINDOW),
    "liif": Cost(LITERAL["liif"], 4 * (2 * 256 + SQUARES + 256 * 3), WINDOW * 256),
    "itsrn": Cost(
        LITERAL["itsrn"],
        4 * (4 * 256 + SQUARES + 3 * 257 + 2 * 256 + 256) + 3 * (4 * 256 + 256),
        257 * 3 * WINDOW,
    ),
    "aliif": Cost(
        LITERAL["aliif"],
        4
        * (
            2 * 256 + SQUARES + 256 * 10  # the shares
            + 2 * 160 + 3 * 16 * 160 + 16 * 30  # ten small decoders
            + 4 * 160 + 30  # the shares of their outputs
        ),
        WINDOW * (256 + 160),
    ),
    "diinn": Cost(LITERAL["diinn"], 3 * 256 + 6 * 256 * 256 + 4 * 256 + 256 * 3, 4 * WINDOW * 256),
    "lte": Cost(LITERAL["lte"], 4 * (SQUARES + 256 * 3 + 2 * 128 + 256), 2 * WINDOW * 256),
}  # fmt: skip


def test_the_encoder_is_edsr_baseline() -> None:
    encoder = EDSR(EncoderConfig())
    assert parameters(encoder) == ENCODER
    assert macs(encoder) == 1_218_240


@pytest.mark.parametrize("name", PARAMETERS)
def test_trainable_parameters_are_the_published_ones(name: str) -> None:
    network = new_network(name)
    assert parameters(network) == PARAMETERS[name]
    assert all(p.requires_grad for p in network.parameters())
    assert not list(network.buffers())


@pytest.mark.parametrize("name", LITERAL)
def test_multiply_accumulates(name: str) -> None:
    assert new_network(name).cost() == HERE[name]


def test_cheap_forms_are_cheaper() -> None:
    """A LIIF-like head at x4, with its work per LR pixel shared by 16 output pixels."""
    for cost in HERE.values():
        assert cost.here + cost.lr / 16 < 1.025 * cost.literal


def test_layers_are_counted_once_each() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Conv2d(2, 5, 3), nn.Linear(4, 1))
    assert macs(net) == 12 + 90 + 4
    assert parameters(net.requires_grad_(False)) == 12 + 4 + 90 + 5 + 4 + 1


@pytest.mark.parametrize("name", ["lite", "base"])
def test_the_default_head_by_hand(name: str) -> None:
    """25 Gaussians of 29 + 6 + 6 sums and an exponent; 31 inputs, 48, 48, 3."""
    channels = NETWORKS[name].encoder.channels
    cost = new_network(name).cost()
    assert cost.here == 25 * (41 + 6) + 31 * 48 + 48 * 48 + 48 * 3
    assert cost.lr == 9 * channels * (5 + 6 + 29 + 3)
    assert cost.literal is None
    assert cost.here < 0.02 * LITERAL["liif"]
    assert cost.here < 0.02 * HERE["liif"].here


def test_the_papers_head_by_hand() -> None:
    cost = new_network("paper").cost()
    decoder = 2 * 64 * 256 + 256 + 256 + 4 * 256 * 256 + 256 * 3
    assert cost.here == 25 * (8 + 6 + 6) + decoder + 16 * 56
    assert cost.lr == 9 * 64 * 100


def test_info_prints_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["info", "--methods"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:10]] == list(NETWORKS)
    (liif,) = (line for line in lines if line.startswith("liif"))
    assert liif.split()[1:] == [
        "EDSR", "64", "x", "16", "1,567,299", "346,883", "1,383,424", "791,552", "147,456",
    ]  # fmt: skip
    assert run(["info", "--methods", "--json"]) == 0
    rows = {row["method"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["diinn"]["head_parameters"] == PARAMETERS["diinn"] - ENCODER
    assert rows["lite"]["mac_per_hr_pixel_literal"] is None
    assert rows["aliif"]["mac_per_hr_pixel"] == HERE["aliif"].here


def test_info_of_methods_takes_no_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["info", "--methods", "lite"]) == 2
    assert "takes no name of weights" in capsys.readouterr().err


def test_networks_start_from_torchs_generator() -> None:
    def first(seed: int) -> torch.Tensor:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = new_network("aliif", EncoderConfig(4, 0))
        return torch.cat([p.detach().flatten() for p in network.parameters()])

    assert torch.equal(first(1), first(1))
    assert not torch.equal(first(1), first(2))
