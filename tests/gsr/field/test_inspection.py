"""Questions to a field: explanations, footprints, lists, statistics, edges."""

import json
import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gsr.base.coords import View
from gsr.base.errors import GsrError, ScaleError
from gsr.field import GaussianField
from gsr.field.inspection import (
    Explanation,
    explain,
    footprint,
    gaussians_in,
    usage,
)
from gsr.methods.gaussiansr import GaussianSR
from gsr.network.kernels import Kernels

Read = Callable[..., Tensor]
Make = Callable[..., GaussianSR]
POINTS = st.tuples(st.floats(0, 11), st.floats(0, 9))
SCALES = st.floats(1, 64)


def tensors(found: Explanation) -> tuple[Tensor, Tensor]:
    """Shares [k] and colours [k, 3] of the contributions."""
    shares = torch.tensor([c.share for c in found.contributions], dtype=torch.float64)
    colors = torch.tensor([c.color for c in found.contributions], dtype=torch.float64)
    return shares, colors


@settings(max_examples=25, deadline=None)
@given(point=POINTS, scale=SCALES)
def test_shares_and_colours_make_the_colour(
    tiny_field: GaussianField, point: tuple[float, float], scale: float
) -> None:
    found = tiny_field.explain(*point, scale)
    shares, colors = tensors(found)
    assert float(shares.sum()) == pytest.approx(1, abs=1e-5)
    assert (shares >= 0).all()
    assert (shares.diff() <= 0).all()  # largest first
    rebuilt = (shares[:, None] * colors).sum(0)
    assert rebuilt.tolist() == pytest.approx(found.splatted, abs=1e-5)
    added = [a + b for a, b in zip(found.splatted, found.residual, strict=True)]
    assert added == pytest.approx(found.rgb, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(point=POINTS, scale=SCALES)
def test_the_explained_colour_is_the_rendered_one(
    tiny_field: GaussianField, point: tuple[float, float], scale: float
) -> None:
    x, y = point
    side = 1 / scale
    found = tiny_field.explain(x, y, scale)
    view = View(x - side / 2, y - side / 2, side, side, (1, 1))
    shown = tiny_field.render(view=view)[:, 0, 0]
    torch.testing.assert_close(shown, torch.tensor(found.rgb).clamp(0, 1), rtol=0, atol=2e-5)


def without(field: GaussianField, column: int, row: int) -> Kernels:
    """The field's kernels with one Gaussian switched off."""
    kernels = field.kernels
    opacities = kernels.opacities.clone()
    opacities[:, row, column] = 0
    return Kernels(kernels.sigmas, kernels.rho, opacities)


@pytest.mark.parametrize(("x", "y"), [(5.5, 4.5), (0.0, 0.0), (3.0, 7.9), (10.99, 4.25)])
@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_changes_are_what_rendering_without_it_shows(
    tiny_field: GaussianField, read: Read, x: float, y: float, scale: float
) -> None:
    found = tiny_field.explain(x, y, scale)
    point = torch.tensor([(x, y)], dtype=torch.float64)
    for contribution in found.contributions:
        off = without(tiny_field, contribution.column, contribution.row)
        left = read(tiny_field, point, scale, backend="reference", kernels=off)[0, 0]
        expected = torch.tensor(found.rgb) - left
        got = torch.tensor(contribution.change)
        torch.testing.assert_close(got, expected, rtol=1e-3, atol=1e-4)


def test_changes_hold_where_one_gaussian_is_nearly_all(
    plain_field: GaussianField, read: Read
) -> None:
    """Narrow kernels: the others' weights are lost next to the largest, not when it is gone."""
    narrow = plain_field.with_bank(torch.tensor((-2.0, -2.0, 0.0, 0.0)).expand(100, 4))
    found = narrow.explain(4.5, 3.4, 8)
    assert found.contributions[0].share > 0.9999
    off = without(narrow, 4, 3)
    point = torch.tensor([(4.5, 3.4)], dtype=torch.float64)
    left = read(narrow, point, 8.0, backend="reference", kernels=off)[0, 0]
    expected = torch.tensor(found.rgb) - left
    got = torch.tensor(found.contributions[0].change)
    torch.testing.assert_close(got, expected, rtol=1e-3, atol=1e-3)


def test_an_explanation_by_hand(plain_field: GaussianField) -> None:
    field = plain_field.with_bank(torch.tensor((-0.5, -0.5, 0.0, 0.0)).expand(100, 4))
    found = field.explain(3.0, 2.5, (4.0, 2.0))
    assert (found.column, found.row) == (3, 2)
    assert (found.x, found.y, found.scale) == (3.0, 2.5, (4.0, 2.0))
    first, second = found.contributions[:2]
    assert {(first.column, first.row), (second.column, second.row)} == {(2, 2), (3, 2)}
    assert first.share == pytest.approx(second.share, rel=1e-5)  # half way between
    variance = math.exp(-1) + (0.3 / 2) ** 2, math.exp(-1) + (0.3 / 4) ** 2
    above = next(c for c in found.contributions if (c.column, c.row) == (3, 1))
    assert above.share / first.share == pytest.approx(math.exp(-0.5 / variance[1]), rel=1e-4)
    far = next(c for c in found.contributions if (c.column, c.row) == (1, 2))
    # 1.5 pixels away instead of 0.5; the taper begins only there.
    ratio = math.exp(-(1.5**2 - 0.5**2) / 2 / variance[0])
    assert far.share / first.share == pytest.approx(ratio, rel=1e-4)
    assert above.mean == (3.5, 1.5)
    assert above.color == pytest.approx(field.lr[0, :, 1, 3].tolist())


def test_an_explanation_names_the_pixel_and_the_choice(tiny_field: GaussianField) -> None:
    found = tiny_field.explain(6.2, 3.9)
    choice = tiny_field.choice_at()
    assert (found.column, found.row) == (6, 3)
    assert found.kernel == int(tiny_field.index[0, 3, 6])
    assert found.second == int(choice.second[0, 3, 6])
    assert found.confidence == pytest.approx(float(choice.confidence[0, 3, 6]), rel=1e-5)
    own = next(c for c in found.contributions if (c.column, c.row) == (6, 3))
    assert own.kernel == found.kernel
    dx, dy = tiny_field.offsets[0, 3, 6].tolist()
    assert own.mean == pytest.approx((6.5 + dx, 3.5 + dy))


def test_the_far_corner_belongs_to_the_last_pixel(tiny_field: GaussianField) -> None:
    found = tiny_field.explain(11, 9)
    assert (found.column, found.row) == (10, 8)


def test_a_lone_gaussian_can_be_explained(make_model: Make) -> None:
    for preset in ("lite", "paper"):
        field = make_model(preset).encode(torch.full((3, 1, 1), 0.3))
        found = field.explain(0.5, 0.5)
        assert len(found.contributions) == 1
        assert found.contributions[0].share == 1
        assert all(math.isfinite(v) for v in found.contributions[0].change)


def test_explanations_are_plain_values(tiny_field: GaussianField) -> None:
    found = tiny_field.explain(2.5, 2.5)
    back = json.loads(json.dumps(found.to_dict()))
    assert back["contributions"][0]["share"] == found.contributions[0].share
    assert set(back) == set(found.__dataclass_fields__)


def test_each_image_of_a_batch_is_explained(make_model: Make, picture: Callable) -> None:
    model = make_model("lite")
    images = [picture(6, 6, seed) for seed in range(2)]
    together = model.encode(torch.stack(images))
    alone = model.encode(images[1]).explain(2.3, 3.1)
    found = explain(together, 2.3, 3.1, image=1)
    assert found.rgb == pytest.approx(alone.rgb, abs=1e-6)
    assert [c.kernel for c in found.contributions] == [c.kernel for c in alone.contributions]


@pytest.mark.parametrize(("x", "y"), [(-0.1, 2), (11.1, 2), (2, 9.5), (math.nan, 2), ("2", 2)])
def test_points_outside(tiny_field: GaussianField, x: float, y: float) -> None:
    with pytest.raises(
        ScaleError, match=r"is outside the image: x must be between 0 and 11, y between 0 and 9"
    ):
        tiny_field.explain(x, y)


@pytest.mark.parametrize("image", [-1, 1])
def test_images_the_batch_does_not_have(tiny_field: GaussianField, image: int) -> None:
    view = View.whole((9, 11), (9, 11))
    for ask in (
        lambda: explain(tiny_field, 1, 1, image=image),
        lambda: footprint(tiny_field, 1, 1, view, image=image),
        lambda: gaussians_in(tiny_field, view, image=image),
    ):
        with pytest.raises(GsrError, match=rf"^image must be between 0 and 0, got {image}\.$"):
            ask()


# --- footprints ----------------------------------------------------------------------------------


def test_footprints_of_all_add_up_to_one(make_model: Make, picture: Callable) -> None:
    field = make_model("lite").encode(picture(4, 5))
    view = View.whole((4, 5), (10, 14))
    prints = [footprint(field, x, y, view) for y in range(4) for x in range(5)]
    assert prints[0].shape == (10, 14)
    assert min(float(p.min()) for p in prints) >= 0
    torch.testing.assert_close(sum(prints), torch.ones(10, 14), rtol=0, atol=1e-5)


def test_a_footprint_is_the_share_explained_there(tiny_field: GaussianField) -> None:
    view = View(2, 3, 4, 3, (9, 12))
    seen = footprint(tiny_field, 4, 4, view)
    for row, column in ((0, 0), (4, 7), (5, 11), (8, 3)):
        x, y = 2 + (column + 0.5) / 3, 3 + (row + 0.5) / 3
        shares = [
            c.share
            for c in tiny_field.explain(x, y, 3.0).contributions
            if (c.column, c.row) == (4, 4)
        ]
        assert float(seen[row, column]) == pytest.approx(sum(shares), abs=1e-5)


def test_a_footprint_out_of_view_is_empty(tiny_field: GaussianField) -> None:
    assert (footprint(tiny_field, 0, 0, View(7, 5, 2, 2, (4, 4))) == 0).all()


@pytest.mark.parametrize(("column", "row"), [(-1, 0), (11, 0), (0, 9)])
def test_gaussians_that_are_not_there(tiny_field: GaussianField, column: int, row: int) -> None:
    expected = (
        f"^no Gaussian at column {column}, row {row}: columns go from 0 to 10 and rows from 0 to 8"
    )
    with pytest.raises(GsrError, match=expected):
        footprint(tiny_field, column, row, View.whole((9, 11), (9, 11)))


# --- lists ---------------------------------------------------------------------------------------


def test_all_gaussians_of_a_field(tiny_field: GaussianField) -> None:
    found = gaussians_in(tiny_field, View.whole((9, 11), (90, 110)))
    assert found.step == 1
    assert len(found.column) == 99
    i = int(((found.column == 7) & (found.row == 2)).nonzero())
    assert int(found.kernel[i]) == int(tiny_field.index[0, 2, 7])
    centre = torch.tensor((7.5, 2.5))
    torch.testing.assert_close(found.means[i], centre + tiny_field.offsets[0, 2, 7])
    torch.testing.assert_close(found.colors[i], tiny_field.colors[0, 2, 7].clamp(0, 1))
    torch.testing.assert_close(found.opacities[i], tiny_field.kernels.opacities[0, 2, 7])
    covariance = tiny_field.kernels.covariances()[0, 2, 7]
    area = covariance[0] * covariance[2] - covariance[1] ** 2
    torch.testing.assert_close((found.major * found.minor)[i], area.sqrt(), rtol=1e-3, atol=0)


@settings(max_examples=40, deadline=None)
@given(
    x=st.floats(-5, 26), y=st.floats(-5, 22), width=st.floats(0.1, 30), height=st.floats(0.1, 30)
)
def test_the_list_holds_what_is_in_view(
    lite_field: GaussianField, x: float, y: float, width: float, height: float
) -> None:
    found = gaussians_in(lite_field, View(x, y, width, height, (4, 4)))
    listed = torch.zeros(20, 24, dtype=torch.bool)
    listed[found.row, found.column] = True
    assert int(listed.sum()) == len(found.row)  # none twice
    right, down = torch.arange(24) + 0.5 - x, torch.arange(20)[:, None] + 0.5 - y
    inside = (right >= 0) & (right <= width) & (down >= 0) & (down <= height)
    assert (listed | ~inside).all()
    if -width < x < 24 and -height < y < 20:  # somewhere in view
        near = (right > -2.5) & (right < width + 2.5) & (down > -2.5) & (down < height + 2.5)
        assert (near | ~listed).all()


@pytest.mark.parametrize("offset", [-0.5, 0.5])
@given(x=st.floats(1, 22), y=st.floats(1, 18))
def test_the_list_holds_those_whose_offset_reaches_into_view(
    lite_field: GaussianField, offset: float, x: float, y: float
) -> None:
    field = replace(lite_field, offsets=torch.full_like(lite_field.offsets, offset))
    view = View(x, y, 1, 1, (4, 4))
    listed = set(map(tuple, gaussians_in(field, view).means.tolist()))
    everywhere = gaussians_in(field, View.whole((20, 24), (20, 24))).means.tolist()
    inside = {(a, b) for a, b in everywhere if x <= a <= x + 1 and y <= b <= y + 1}
    assert inside
    assert inside <= listed


@pytest.mark.parametrize(("limit", "step"), [(480, 1), (479, 2), (120, 2), (60, 3), (1, 24)])
def test_long_lists_are_thinned_evenly(lite_field: GaussianField, limit: int, step: int) -> None:
    found = gaussians_in(lite_field, View.whole((20, 24), (20, 24)), limit=limit)
    assert found.step == step
    assert len(found.column) <= limit
    assert (found.column % step == 0).all()
    assert (found.row % step == 0).all()
    assert len(found.column) == -(-20 // step) * -(-24 // step)


def test_panning_keeps_what_is_drawn(lite_field: GaussianField) -> None:
    lists = []
    for x in (0.0, 1.0, 2.0, 3.0):
        found = gaussians_in(lite_field, View(x, 0, 18, 18, (64, 64)), limit=60)
        lists.append(set(zip(found.column.tolist(), found.row.tolist(), strict=True)))
    common = [{p for p in one if 4 <= p[0] < 18} for one in lists]
    assert all(one == common[0] for one in common)
    assert common[0]


# --- statistics ----------------------------------------------------------------------------------


def test_usage_by_hand(tiny_field: GaussianField) -> None:
    marked = torch.zeros(tiny_field.index.shape, dtype=torch.bool)
    marked[0, :3] = True
    found = usage(tiny_field.with_kernel(5).with_kernel(9, marked))
    assert found.shape == (100,)
    assert float(found[9]) == pytest.approx(1 / 3)
    assert float(found[5]) == pytest.approx(2 / 3)
    assert float(found.sum()) == pytest.approx(1)


def test_usage_sums_to_one(lite_field: GaussianField) -> None:
    assert float(usage(lite_field).sum()) == pytest.approx(1)


def test_an_edited_field_explains_itself(tiny_field: GaussianField) -> None:
    other = replace(tiny_field, colors=torch.zeros_like(tiny_field.colors), slopes=None)
    assert other.explain(4.4, 4.4).splatted == (0.0, 0.0, 0.0)


def test_a_slope_shows_in_the_colour_a_gaussian_brings(make_model: Make) -> None:
    field = make_model("lite").encode(torch.full((3, 1, 1), 0.5))
    tilt = torch.tensor(((0.2, 0.0), (0.0, -0.4), (0.1, 0.1)))
    field = replace(field, slopes=tilt.expand(1, 1, 1, 3, 2), offsets=torch.zeros(1, 1, 1, 2))
    found = field.explain(0.75, 0.25)
    expected = field.colors[0, 0, 0] + tilt @ torch.tensor((0.25, -0.25))
    assert found.contributions[0].color == pytest.approx(expected.tolist(), abs=1e-6)
    assert found.splatted == pytest.approx(expected.tolist(), abs=1e-6)


def test_below_one_the_explanation_is_that_of_one(tiny_field: GaussianField) -> None:
    small, one = (explain(tiny_field, 4.2, 3.3, scale) for scale in (0.2, 1.0))
    assert small == one
    assert small.scale == (1.0, 1.0)


def test_an_edited_pixel_tells_what_the_network_chose(tiny_field: GaussianField) -> None:
    own = int(tiny_field.choice_at().index[0, 2, 3])
    other = (own + 1) % 100
    found = tiny_field.with_kernel(other).explain(3.5, 2.5)
    assert (found.kernel, found.chosen) == (other, own)
    assert tiny_field.explain(3.5, 2.5).chosen == own


def test_a_list_thinned_to_almost_nothing(tiny_field: GaussianField) -> None:
    view = View(0, 4, 11, 1, (1, 11))
    assert len(gaussians_in(tiny_field, view, limit=1).kernel) <= 1
    with pytest.raises(GsrError, match="limit must be at least 1, got 0"):
        gaussians_in(tiny_field, view, limit=0)
