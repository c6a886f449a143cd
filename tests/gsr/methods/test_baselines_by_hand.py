"""Each network on a 2 x 2 LR image with weights set by hand, and the conventions that go wrong.

One feature channel, of known values; weights are zero but for the few that make the colour a
number one can work out. Heads make colours around 0: what is compared is 2 rgb - 1.
"""

import math

import pytest
import torch
from torch import Tensor, nn

from gsr.methods import new_network
from gsr.methods.baselines import PointNetwork
from gsr.methods.corners import corners, nearest
from gsr.methods.itsrn import sides
from gsr.methods.metasr import corner_of
from gsr.methods.point_network import Cut
from gsr.network.encoders import EncoderConfig

FEAT = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
CENTRE = 4
"""The middle tap of a 3 x 3 window."""


def blank(name: str) -> PointNetwork:
    """A network whose every weight is zero, on one feature channel."""
    found = new_network(name, EncoderConfig(channels=1, blocks=0)).requires_grad_(False)
    for parameter in found.parameters():
        parameter.zero_()
    return found


def chain(layers: nn.Module, value: float = 1.0) -> list[nn.Linear]:
    """Hand the first hidden number on through all layers, unchanged up to the last."""
    stack = [m for m in layers.modules() if isinstance(m, nn.Linear)]
    for layer in stack[1:]:
        layer.weight[0, 0] = value
    return stack


def read(
    net: PointNetwork,
    *points: tuple[float, float],
    scale: tuple[float, float] = (2.0, 2.0),
    feat: Tensor = FEAT,
    lr: float = 0.5,
) -> list[float]:
    """The first channel at points (x, y), as the head makes it."""
    feat = feat[None, None]
    cut = Cut(feat, torch.full((1, 3, *feat.shape[-2:]), lr), (feat.shape[-2], feat.shape[-1]))
    rgb = net.colors(cut, torch.tensor([points]).double(), torch.tensor([scale]).double())
    return (2 * rgb[0, :, 0] - 1).tolist()


# --- LIIF ----------------------------------------------------------------------------------------


def test_liif_weights_the_nearer_corner_more() -> None:
    """The MLP gives the feature of the LR pixel; a point nearer to a pixel must show more of it.

    At (0.75, 1.25) the place between the centres is (0.25, 0.75): the upper two pixels give
    0.75 * 1 + 0.25 * 2 = 1.25, the lower two 3.25, together 0.25 * 1.25 + 0.75 * 3.25 = 2.75.
    Without the swap to the area opposite it would be 5 - 2.75.
    """
    net = blank("liif")
    chain(net.layers)[0].weight[0, CENTRE] = 1
    assert read(net, (0.75, 1.25), (1.0, 1.0), (0.5, 0.5), (1.5, 0.5)) == [2.75, 2.5, 1, 2]
    assert read(net, (0.2, 1.9)) == pytest.approx([3])  # past the outermost centres: one LR pixel


def test_liif_reads_the_window_as_channel_and_tap() -> None:
    """The tap right of the middle, at the lower left pixel: its neighbour 4, then zero outside."""
    net = blank("liif")
    chain(net.layers)[0].weight[0, CENTRE + 1] = 1
    assert read(net, (0.3, 1.8), (1.8, 1.8)) == [4, 0]


def test_liif_places_are_twice_the_distance_row_first() -> None:
    """ReLU(rel_y) is 2 * 0.75 at the two upper corners and 0 at the lower: 0.25 * 1.5."""
    net = blank("liif")
    first = chain(net.layers)[0]
    first.weight[0, 9] = 1
    assert read(net, (0.6, 1.25)) == [0.375]
    first.weight[0, 9:11] = torch.tensor((0.0, 1.0))
    assert read(net, (0.75, 1.25)) == [0.375]  # 0.75 * 2 * 0.25


def test_liif_cells_are_the_size_of_output_pixels() -> None:
    net = blank("liif")
    first = chain(net.layers)[0]
    first.weight[0, 11] = 1
    assert read(net, (1.0, 1.0), scale=(4.0, 8.0)) == [0.5]  # 2 / 4
    first.weight[0, 11:] = torch.tensor((0.0, 1.0))
    assert read(net, (1.0, 1.0), scale=(4.0, 8.0)) == [0.25]


def test_weights_of_corners_sum_to_one_everywhere() -> None:
    points = 5 * torch.rand(1, 200, 2, generator=torch.Generator().manual_seed(0)).double()
    for size in ((5, 5), (1, 5), (5, 1), (1, 1)):
        total = sum(c.weight for c in corners(points, size, points))
        torch.testing.assert_close(total, torch.ones_like(total))


# --- Meta-SR -------------------------------------------------------------------------------------


def test_metasr_looks_from_upper_left_corners() -> None:
    """2 to 3 pixels: output pixel i begins at i / 1.5 = 0, 2/3, 4/3, so in LR pixels 0, 0, 1.

    Centres, at 1/3, 1 and 5/3, would say 0, 1, 1.
    """
    y = torch.tensor((1 / 3, 1.0, 5 / 3))
    axis = corner_of(y, torch.tensor(1.5), 2)
    assert axis.index.tolist() == [0, 0, 1]
    assert axis.rel.tolist() == pytest.approx([0, 2 / 3, 1 / 3], abs=1e-6)


def test_metasr_starts_each_lr_pixel_at_its_first_output_pixel() -> None:
    """At whole magnifications, and at 7 / 5, rounding must not lose a pixel to its neighbour."""
    for length, out in ((5, 15), (50, 350), (5, 7), (1000, 3000)):
        y = (torch.arange(out) + 0.5) * (length / out)  # float32
        found = corner_of(y, torch.tensor(out / length).double(), length).index
        assert found.tolist() == [i * length // out for i in range(out)]


def test_metasr_by_hand() -> None:
    """Filter = the middle tap times (ReLU(y place) + 10): y = 0.75 at x2 begins at 0.5."""
    net = blank("metasr")
    first, last = (m for m in net.filters.modules() if isinstance(m, nn.Linear))
    first.weight[0, 0] = 1
    last.weight[3 * CENTRE, 0] = 1
    last.bias[3 * CENTRE] = 10
    assert read(net, (0.25, 0.25), (0.25, 0.75), (1.25, 1.75)) == [10, 10.5, 42]
    first.weight[0] = torch.tensor((0.0, 0.0, 1.0))  # the size of an output pixel instead
    assert read(net, (0.1, 0.1), scale=(4.0, 4.0)) == pytest.approx([10.25])
    assert read(net, (0.1, 0.1), scale=(2.0, 8.0)) == pytest.approx([10.25])


# --- ITSRN ---------------------------------------------------------------------------------------


def test_itsrn_shifts_further_than_half_a_pixel() -> None:
    """Two LR pixels to four: the shift is (1 - 1 / 4) / (2 - 1) = 0.75 of a coordinate of 2 / 2.

    In LR pixels 0.75: from y = 0.25, 0.75, 1.25, 1.75 to 1.0, 1.5, 2.0, 2.5 and back to at most 1.
    Half a pixel, as LIIF's, would leave the first at 0.75, in pixel 0, and take the last to 1.25.
    """
    y = torch.tensor((0.25, 0.75, 1.25, 1.75))
    before, after = sides(y, 2, 2, torch.tensor(2.0))
    assert before.index.tolist() == [0, 0, 0, 1]
    assert after.index.tolist() == [1, 1, 1, 1]
    assert after.rel.tolist() == [-2.5, -1.5, -0.5, 0.5]
    assert [nearest(y, 2, s).index.tolist() for s in (-0.5, 0.5)] == [[0, 0, 0, 1], [0, 1, 1, 1]]


def test_itsrn_shift_of_48_to_96() -> None:
    """0.02106 of a coordinate, where LIIF's is 0.02083: 48 / 2 times that in LR pixels."""
    y = torch.tensor(24.0 - 24 * 0.02100)  # within the one, beyond the other
    _, after = sides(y, 48, 48, torch.tensor(2.0))
    assert after.index.item() == 24
    assert nearest(y, 48, 0.5).index.item() == 23


def test_itsrn_has_one_neighbour_in_one_pixel() -> None:
    before, after = sides(torch.tensor((0.1, 0.9)), 1, 1, torch.tensor(7.0))
    for axis in (before, after):
        assert axis.index.tolist() == [0, 0]
        assert axis.rel.tolist() == pytest.approx([-0.8, 0.8])


def gelu(x: float) -> float:
    return x * 0.5 * (1 + math.erf(x / math.sqrt(2)))


def test_itsrn_by_hand() -> None:
    """Filters = the middle tap; score = 3 GELU(rel_x); fusion = 5 GELU of one corner's sum.

    At (1, 1) with x2 the corners are the four pixels, rel_x = +1 seen from the left ones.
    """
    net = blank("itsrn")
    list(net.filters.layers)[-1].bias[3 * CENTRE] = 1
    score, fusion = (list(layers) for layers in (net.score, net.fusion))
    score[0].weight[0, 1] = 1
    score[2].weight[0, 0] = 3
    fusion[2].weight[0, 0] = 5
    for i, (feature, rel_x) in enumerate(((1, 1), (2, -1), (3, 1), (4, -1))):
        fusion[0].weight[0] = torch.eye(4)[i]
        wanted = 5 * gelu(feature + 3 * gelu(rel_x))
        assert read(net, (1.0, 1.0)) == pytest.approx([wanted], rel=1e-5)


def test_itsrn_is_told_half_of_liifs_cell() -> None:
    """One hidden number through four layers of GELU, as large as not to be bent: 1 / s + 100."""
    net = blank("itsrn")
    stack = chain(net.filters)
    stack[-1].weight.zero_()
    stack[0].weight[0, 2], stack[0].bias[0] = 1, 100
    stack[-1].weight[3 * CENTRE, 0] = 1
    net.fusion[0].weight[0, 0] = net.fusion[2].weight[0, 0] = 1
    assert read(net, (0.5, 0.5), scale=(4.0, 8.0)) == pytest.approx([100.25], rel=1e-5)


# --- A-LIIF --------------------------------------------------------------------------------------


def test_aliif_by_hand() -> None:
    """Shares 3 and -4 become 0.6 and -0.8, and mix one decoder that gives the feature with one
    that gives 1: with the last layer alone mixed, 0.6 f - 0.8.
    """
    net = blank("aliif")
    list(net.layers)[-1].bias[:2] = torch.tensor((3.0, -4.0))
    *inner, last = net.basis
    inner[0].weight[0, 0, CENTRE] = 1 / 0.6  # the shares mix every layer
    for layer in inner[1:]:
        layer.weight[0, 0, 0] = 1 / 0.6
    last.weight[0, 0, 0] = 1
    last.bias[1, 0] = 1
    wanted = [0.6 * f - 0.8 for f in (1, 2, 2.5)]
    assert read(net, (0.5, 0.5), (1.5, 0.5), (1.0, 1.0)) == pytest.approx(wanted, abs=1e-5)


# --- DIINN ---------------------------------------------------------------------------------------


def test_diinn_takes_the_pixel_a_centre_lies_in() -> None:
    """2 to 3 pixels: centres at 1/3, 1, 5/3 lie in 0, 1, 1. Plain nearest says 0, 0, 1: i / 1.5."""
    y = torch.tensor((1 / 3, 1.0, 5 / 3))
    assert nearest(y, 2).index.tolist() == [0, 1, 1]
    grid = torch.nn.functional.interpolate(FEAT[None, None], (3, 2), mode="nearest-exact")
    assert grid[0, 0, :, 0].tolist() == [1, 3, 3]


def test_diinn_by_hand() -> None:
    """Content is the feature f, position the sine of what came before, first of rel_y:
    f sin(f sin(f sin(f sin(rel_y)))), f = 3 in the lower left pixel, rel_y = 2 * (1.75 - 1.5).
    """
    net = blank("diinn")
    for content, position in zip(net.content, net.position, strict=True):
        content.weight[0, content.in_features - 9 + CENTRE] = 1
        position.weight[0, 0] = 1
    net.last.weight[0, 0] = 1
    wanted = 0.5
    for _ in range(4):
        wanted = 3 * math.sin(wanted)
    assert read(net, (0.5, 1.75)) == pytest.approx([wanted], rel=1e-5)


def test_diinn_is_told_the_area_of_an_output_pixel() -> None:
    """1 / (2 * 5), through four sines under a content of one."""
    net = blank("diinn")
    for i, (content, position) in enumerate(zip(net.content, net.position, strict=True)):
        content.bias[0] = 1
        position.weight[0, 0 if i else 2] = 1
    net.last.weight[0, 0] = 1
    wanted = math.sin(math.sin(math.sin(math.sin(0.1))))
    assert read(net, (0.5, 0.5), scale=(2.0, 5.0)) == pytest.approx([wanted], rel=1e-5)


def test_diinn_hands_on_products() -> None:
    """What enters the next content is the modulated number: 2 halved four times, not once."""
    net = blank("diinn")
    for content, position in zip(net.content, net.position, strict=True):
        position.bias[0] = math.pi / 6  # sin = 0.5
        if content.in_features > 9:
            content.weight[0, 0] = 1
    net.content[0].bias[0] = 2
    net.last.weight[0, 0] = 1
    assert read(net, (0.5, 0.5)) == pytest.approx([2 * 0.5**4], rel=1e-5)


# --- LTE -----------------------------------------------------------------------------------------


def test_lte_adds_the_bilinear_picture() -> None:
    net = blank("lte")
    lr = torch.tensor([[0.1, 0.2], [0.3, 0.4]]).expand(3, 2, 2)
    found = net.encode(lr).render((1, 2))[0]
    expected = torch.tensor([[0.1, 0.125, 0.175, 0.2], [0.3, 0.325, 0.375, 0.4]])
    torch.testing.assert_close(found, expected)


def wave(net: PointNetwork, kind: int) -> None:
    """Show the first cosine (0) or sine (1), with the feature as amplitude."""
    net.coef.weight[128 * kind, 0, 1, 1] = 1
    first = chain(net.layers)[0]
    first.weight[0, 128 * kind] = 1


def test_lte_waves_by_hand() -> None:
    """Amplitude 3 in the lower left; adjacent channels are frequencies (y, x): at rel (0.5, -0.25)
    the turns are 0.5 * f_y - 0.25 * f_x.
    """
    net = blank("lte")
    wave(net, 1)
    net.freq.bias[0], net.freq.bias[1] = 0.9, 0.2
    wanted = 3 * math.sin(math.pi * (0.5 * 0.9 - 0.25 * 0.2))
    assert read(net, (0.375, 1.75)) == pytest.approx([wanted], rel=1e-5)
    net.freq.bias[1], net.freq.bias[128] = 0, 0.2  # not halves: channel 128 is another wave's
    wanted = 3 * math.sin(math.pi * 0.5 * 0.9)
    assert read(net, (0.375, 1.75)) == pytest.approx([wanted], rel=1e-5)


@pytest.mark.parametrize(("scale", "cell"), [(2.0, 1.0), (4.0, 0.5), (5.0, 0.5), (30.0, 0.5)])
def test_lte_cells_are_clipped_at_four(scale: float, cell: float) -> None:
    """The phase of the y cell alone: beyond x4 the network is told the cell of x4, 2 / 4."""
    net = blank("lte")
    wave(net, 0)
    net.phase.weight[0, 0] = 0.4
    wanted = 3 * math.cos(math.pi * 0.4 * cell)
    assert read(net, (0.2, 1.9), scale=(scale, 3.0)) == pytest.approx([wanted], rel=1e-5)
