"""Each network against its published form, written out: the cheap forms give the same numbers.

Here as in the papers' code: coordinates (y, x) in [-1, 1], 3 x 3 windows unfolded into channels,
lookups by `grid_sample`, one pass of the whole network per point and corner. In float64.
"""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import product

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsr.base.coords import View
from gsr.methods import new_network
from gsr.methods.baselines import BASELINES, BaselineConfig, PointNetwork
from gsr.network.encoders import EncoderConfig
from gsr.network.splat import grid_points

TINY = EncoderConfig(channels=5, blocks=1)
LITTLE = 1e-6
GUARD = 1e-30
"""Against areas of zero; published is 1e-9. On the line through the centres of the last LR column
or row all four areas are zero, and that guard would share the weight equally among LR pixels at
different distances. There `gsr` goes on with the bilinear weights of the points beside the line."""
BESIDE = 1e-9


@cache
def network(name: str) -> PointNetwork:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        found = new_network(name, TINY)
        assert isinstance(found, BASELINES[name])
        with torch.no_grad():  # colours that differ by more than rounding
            for parameter in found.parameters():
                parameter.mul_(1.7)
    return found.double().requires_grad_(False)


# --- what the published codes share --------------------------------------------------------------


def centres(h: int, w: int) -> Tensor:
    """(y, x) of every LR pixel, as two channels. [1, 2, h, w]"""
    ys, xs = (-1 + (2 * torch.arange(n).double() + 1) / n for n in (h, w))
    return torch.stack(torch.meshgrid(ys, xs, indexing="ij"))[None]


def lookup(maps: Tensor, coord: Tensor) -> Tensor:
    """Nearest value at coord. [b, n, c]"""
    grid = coord.clamp(-1 + LITTLE, 1 - LITTLE).flip(-1).unsqueeze(1)
    maps = maps.expand(len(coord), -1, -1, -1)
    return F.grid_sample(maps, grid, mode="nearest", align_corners=False)[:, :, 0].mT


def unfold(feat: Tensor) -> Tensor:
    return F.unfold(feat, 3, padding=1).unflatten(-1, feat.shape[-2:])


class Case:
    """Points as published code gets them."""

    def __init__(self, net: PointNetwork, lr: Tensor, points: Tensor, scale: Tensor):
        self.net, self.lr = net, lr.double()
        self.feat = net.encoder(self.lr)
        self.size = torch.tensor(lr.shape[-2:]).double()  # (h, w)
        self.coord = 2 * points.double().flip(-1) / self.size - 1  # (y, x) in [-1, 1]
        self.cell = 2 / (self.size * scale.double())[:, None]  # [b, 1, 2]
        self.windows = unfold(self.feat)
        self.keys = centres(*lr.shape[-2:])

    def corners(self, half: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """(coordinate to look up, place from the LR pixel found there) of four corners."""
        for vy, vx in product((-1, 1), (-1, 1)):
            shifted = self.coord + torch.tensor((vy, vx)) * half + LITTLE
            yield shifted, (self.coord - lookup(self.keys, shifted)) * self.size

    def area_weighted(self, of_corner: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        seen, areas = [], []
        for shifted, rel in self.corners(1 / self.size):
            seen.append(of_corner(shifted, rel))
            areas.append(rel.prod(-1).abs() + GUARD)
        areas = [areas[3], areas[2], areas[1], areas[0]]  # each has the area opposite
        total = sum(areas)
        return sum(s * (a / total)[..., None] for s, a in zip(seen, areas, strict=True))

    def inputs(self, shifted: Tensor, rel: Tensor) -> Tensor:
        """What LIIF's MLP reads."""
        cell = (self.cell * self.size).expand_as(rel)
        return torch.cat((lookup(self.windows, shifted), rel, cell), -1)


def dense(layers: nn.Module, x: Tensor, between: Callable[[Tensor], Tensor]) -> Tensor:
    stack = [m for m in layers.modules() if isinstance(m, nn.Linear)]
    for layer in stack[:-1]:
        x = between(F.linear(x, layer.weight, layer.bias))
    return F.linear(x, stack[-1].weight, stack[-1].bias)


# --- the six -------------------------------------------------------------------------------------


def liif(case: Case) -> Tensor:
    return case.area_weighted(lambda s, r: dense(case.net.layers, case.inputs(s, r), F.relu))


def aliif(case: Case) -> Tensor:
    def of_corner(shifted: Tensor, rel: Tensor) -> Tensor:
        x = case.inputs(shifted, rel)
        shares = dense(case.net.layers, x, F.relu)
        shares = shares / shares.norm(dim=-1, keepdim=True)
        for i, layer in enumerate(case.net.basis):
            x = F.relu(x) if i else x
            matrix = torch.einsum("bnk,koi->bnoi", shares, layer.weight)  # one for every point
            x = torch.einsum("bnoi,bni->bno", matrix, x) + shares @ layer.bias
        return x

    return case.area_weighted(of_corner)


def lte(case: Case) -> Tensor:
    net = case.net
    coef, freq = net.coef(case.feat), net.freq(case.feat)
    # Past magnification 4, the cell is multiplied by scale / 4.
    scale = 2 / (case.cell * case.size)
    cell = (case.cell * case.size * (scale / 4).clamp_min(1)).expand(-1, case.coord.shape[1], -1)

    def of_corner(shifted: Tensor, rel: Tensor) -> Tensor:
        pairs = lookup(freq, shifted)
        turns = pairs[..., 0::2] * rel[..., :1] + pairs[..., 1::2] * rel[..., 1:]
        turns = turns + cell @ net.phase.weight.T
        basis = torch.cat((torch.cos(torch.pi * turns), torch.sin(torch.pi * turns)), -1)
        return dense(net.layers, lookup(coef, shifted) * basis, F.relu)

    grid = case.coord.flip(-1).unsqueeze(1)
    skip = F.grid_sample(2 * case.lr - 1, grid, padding_mode="border", align_corners=False)
    return case.area_weighted(of_corner) + skip[:, :, 0].mT


def filtered(case: Case, shifted: Tensor, layers: nn.Module, code: Tensor, between) -> Tensor:
    """A filter of its own for every point, applied to the window found there."""
    filters = dense(layers, code, between).unflatten(-1, (-1, 3))
    return torch.einsum("bnw,bnwc->bnc", lookup(case.windows, shifted), filters)


def metasr(case: Case) -> Tensor:
    corner = case.coord - case.cell / 2
    keys = case.keys - (1 / case.size)[:, None, None]
    rel = (corner - lookup(keys, corner + LITTLE)) * case.size / 2
    # One number in the paper; the geometric mean where the axes differ.
    size = (case.cell * case.size / 2).prod(-1, keepdim=True).sqrt().expand(-1, rel.shape[1], -1)
    code = torch.cat((rel, size), -1)
    return filtered(case, corner + LITTLE, case.net.filters, code, F.relu)


def itsrn(case: Case) -> Tensor:
    hr = 2 / case.cell
    shift = (1 - 1 / hr) / (case.size - 1)
    token = case.cell / 2 * case.size
    seen = []
    for shifted, rel in case.corners(shift):
        code = torch.cat((rel, token.expand_as(rel)), -1)
        rgb = filtered(case, shifted, case.net.filters, code, F.gelu)
        seen.append(rgb + dense(case.net.score, rel, F.gelu))
    return dense(case.net.fusion, torch.stack(seen, -1), F.gelu)[..., 0]


def diinn(case: Case) -> Tensor:
    net = case.net
    x = lookup(case.windows, case.coord + LITTLE)
    rel = (case.coord - lookup(case.keys, case.coord + LITTLE)) * case.size
    ratio = (case.cell * case.size / 2).prod(-1, keepdim=True).expand(-1, rel.shape[1], -1)
    q = torch.cat((rel, ratio), -1)
    for i, (content, position) in enumerate(zip(net.content, net.position, strict=True)):
        k = F.relu(content(torch.cat((q, x), -1) if i else x))
        q = k * torch.sin(position(q))
    return net.last(q)


LITERAL = {"metasr": metasr, "liif": liif, "itsrn": itsrn, "aliif": aliif, "diinn": diinn}
LITERAL["lte"] = lte


def expected(net: PointNetwork, lr: Tensor, points: Tensor, scale: Tensor) -> Tensor:
    """Colours in [0, 1]."""
    return 0.5 + 0.5 * LITERAL[net.config.method](Case(net, lr, points, scale))


def check(found: Tensor, wanted: Tensor) -> None:
    assert wanted.std() > 0.01
    torch.testing.assert_close(found.double(), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", LITERAL)
def test_points_are_the_published_form(name: str, picture: Callable[..., Tensor]) -> None:
    net = network(name)
    lr = torch.stack((picture(6, 7), picture(6, 7, 1))).double()
    points = torch.rand(2, 80, 2, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    points = points * torch.tensor((7.0, 6.0))
    scale = torch.tensor(((2.3, 3.1), (5.0, 1.0)))
    check(net(lr, points, scale).rgb, expected(net, lr, points, scale))


@pytest.mark.parametrize("name", LITERAL)
@pytest.mark.parametrize("size", [(20, 24), (15, 9), (13, 17), (5, 6)])
def test_grids_are_the_published_form(
    name: str, size: tuple[int, int], picture: Callable[..., Tensor]
) -> None:
    """Magnifications whose points fall on lines between LR pixels, and others; x4, x3, x1."""
    net = network(name)
    lr = picture(5, 6).double()
    view = View.whole((5, 6), size)
    points = grid_points(*view.axes((5, 6))) + BESIDE
    wanted = expected(net, lr[None], points, torch.tensor([view.scale]))[0].T.unflatten(-1, size)
    check(net.encode(lr).read(view)[0], wanted)


@pytest.mark.parametrize("name", ["metasr", "itsrn"])
@pytest.mark.parametrize("first", [False, True])
def test_both_orders_of_filtering_agree(
    name: str, first: bool, picture: Callable[..., Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    net = network(name)
    monkeypatch.setattr(type(net.filters), "_filters_first", lambda *_: first)
    lr = torch.stack((picture(5, 6), picture(5, 6, 1))).double()
    view = View(1.3, -0.2, 3.5, 4.0, (10, 7))
    points = grid_points(*view.axes((5, 6))).expand(2, -1, -1)
    wanted = expected(net, lr, points, torch.tensor(view.scale).expand(2, 2))
    check(net.encode(lr).read(view), wanted.mT.unflatten(-1, (10, 7)))


def test_filters_come_first_where_places_return() -> None:
    filters = new_network("metasr", TINY).filters
    pixels = 100 * 100
    assert filters._filters_first(16, pixels, 16 * pixels)  # x4
    assert filters._filters_first(25, pixels, pixels * 25 // 4)  # x2.5
    assert not filters._filters_first(31 * 31, pixels, pixels * 961 // 100)  # x3.1
    config = BaselineConfig("metasr", "metasr", TINY)
    assert BASELINES["metasr"](config).cost().here < 2000
