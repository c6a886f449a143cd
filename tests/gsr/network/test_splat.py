"""Splatting: the formula by hand, its laws, and the compiled loop against it."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import gsr.network.splat as splat_module
from gsr.base.errors import ShapeError
from gsr.network.kernels import conics, physical
from gsr.network.splat import cpu, grid_points, reference, splat, splat_grid

BACKENDS = {"reference": reference.splat, "cpu": cpu.splat}  # those that run on any machine
FAST = ["cpu"]


def scene(
    seed: int, batch: int, height: int, width: int, depth: int, random_points: int = 24
) -> tuple[Tensor, Tensor, Tensor]:
    """Geometry, channels and points: random ones, corners, and every crossing of cell borders."""
    g = torch.Generator().manual_seed(seed)
    kernels = physical(torch.randn(batch, height, width, 4, generator=g) * 0.8)
    offsets = torch.rand(batch, height, width, 2, generator=g) - 0.5
    conic = conics(kernels.covariances() + torch.tensor((0.01, 0.0, 0.01)))
    geometry = torch.cat((offsets, conic, kernels.opacities[..., None]), -1)
    channels = torch.randn(batch, height, width, depth, generator=g)
    inside = torch.rand(random_points, 2, generator=g, dtype=torch.float64)
    ys = torch.linspace(0, height, 2 * min(height, 8) + 1, dtype=torch.float64)
    xs = torch.linspace(0, width, 2 * min(width, 8) + 1, dtype=torch.float64)
    borders = torch.stack(torch.meshgrid(xs, ys, indexing="xy"), -1).reshape(-1, 2)
    points = torch.cat((inside * torch.tensor((width, height)), borders))
    return geometry, channels, points.expand(batch, -1, 2).clone()


def assert_near(actual: Tensor, expected: Tensor, tolerance: float) -> None:
    """Largest error, as a part of the largest value."""
    error = (actual.double() - expected.double()).abs().max()
    assert error <= tolerance * (1 + expected.abs().max()), f"off by {float(error):.3g}"


def assert_same_there_and_back(
    out: Tensor, expected: Tensor, fast: list[Tensor], slow: list[Tensor]
) -> None:
    """Values, and the gradients of any pull at them."""
    assert_near(out, expected, 1e-5)
    pull = torch.randn(expected.shape, generator=torch.Generator().manual_seed(1))
    out.backward(pull)
    expected.backward(pull.double())
    for got, want in zip(fast, slow, strict=True):
        assert_near(got.grad, want.grad, 2e-5)


def round_kernel(sigma: float, opacity: float) -> list[float]:
    return [0.0, 0.0, sigma**-2, 0.0, sigma**-2, opacity]


@pytest.mark.parametrize("backend", BACKENDS)
def test_two_gaussians_and_a_point_between_by_hand(backend: str) -> None:
    geometry = torch.tensor([[[round_kernel(0.5, 0.5), round_kernel(0.5, 0.8)]]])
    channels = torch.tensor([[[[3.0], [5.0]]]])
    points = torch.tensor([[[1.0, 0.5]]], dtype=torch.float64)
    out = splat(geometry, channels, points, 2, backend)
    # Half a pixel from both: exponent 4 * 0.25 / 2 = 0.5, no fading, weights 0.5 and 0.8.
    near = math.exp(-0.5)
    expected = [near * (0.5 * 3 + 0.8 * 5), near * (0.5 * 0.5 - 0.8 * 0.5), 0.0, near * 1.3]
    assert out[0, 0].tolist() == pytest.approx(expected, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("backend", BACKENDS)
def test_conic_offset_and_taper_by_hand(backend: str) -> None:
    geometry = torch.zeros(1, 2, 2, 6)
    geometry[0, 0, 0] = torch.tensor((0.25, -0.25, 2.0, 0.5, 1.0, 0.9))
    channels = torch.ones(1, 2, 2, 1)
    points = torch.tensor([[[1.5, 0.75]]], dtype=torch.float64)
    out = splat(geometry, channels, points, 1, backend)
    # From the centre (1, 0.25): x fades, u = 0.5 and t = 1 - 0.25 * 2 = 0.5; y does not.
    # From the mean (0.75, 0.5): exponent (2 * 0.5625 + 0.25) / 2 + 0.5 * 0.375.
    weight = 0.9 * 0.5 * math.exp(-(2 * 0.5625 + 1 * 0.25) / 2 - 0.5 * 0.75 * 0.5)
    expected = [weight, weight * 0.75, weight * 0.5, weight]
    assert out[0, 0].tolist() == pytest.approx(expected, rel=1e-6)


def test_taper_by_hand() -> None:
    at = torch.tensor((0.0, 1.5, -1.75, 2.0, -2.25, 2.5, 9.0))
    expected = torch.tensor((1.0, 1.0, 0.84375, 0.5, 0.15625, 0.0, 0.0))
    assert torch.equal(reference.taper(at, 2), expected)


CASES = [
    # batch, height, width, channels, radius
    (1, 1, 1, 1, 2),
    (1, 1, 7, 3, 2),
    (2, 6, 1, 4, 1),
    (1, 2, 3, 35, 3),
    (3, 5, 4, 32, 2),
    (1, 9, 8, 2, 1),
    (1, 8, 11, 16, 3),
]


@pytest.mark.parametrize("backend", FAST)
@pytest.mark.parametrize(("batch", "height", "width", "depth", "radius"), CASES)
def test_back_ends_agree_forward_and_backward(
    backend: str, batch: int, height: int, width: int, depth: int, radius: int
) -> None:
    geometry, channels, points = scene(depth, batch, height, width, depth)
    fast = [geometry.requires_grad_(), channels.requires_grad_()]
    slow = [t.detach().double().requires_grad_() for t in fast]
    out = splat(*fast, points, radius, backend)
    expected = splat(*slow, points, radius, "reference")
    assert out.dtype == torch.float32
    assert_same_there_and_back(out, expected, fast, slow)


def slopes_of(channels: Tensor, count: int, seed: int = 0) -> Tensor:
    g = torch.Generator().manual_seed(seed)
    return torch.randn(*channels.shape[:3], count, 2, generator=g)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_slope_by_hand(backend: str) -> None:
    geometry = torch.tensor([[[[0.25, 0.0, 4.0, 0.0, 4.0, 0.5]]]])
    channels = torch.tensor([[[[3.0, 7.0]]]])
    slopes = torch.tensor([[[[[2.0, -8.0]]]]])  # of the first channel only
    points = torch.tensor([[[1.0, 0.25]]], dtype=torch.float64)
    out = splat(geometry, channels, points, 2, backend, slopes)
    # d = (0.25, -0.25): exponent 4 * (1 / 16 + 1 / 16) / 2 = 0.25, value 3 + 0.5 + 2 = 5.5.
    weight = 0.5 * math.exp(-0.25)
    expected = [weight * v for v in (5.5, 7.0, 0.25, -0.25, 1.0)]
    assert out[0, 0].tolist() == pytest.approx(expected, rel=1e-6)


def test_slopes_of_more_channels_than_there_are() -> None:
    geometry, channels, points = scene(0, 1, 3, 3, 2)
    xs, ys = points[0, :2].unbind(-1)
    three = slopes_of(channels, 3)
    with pytest.raises(ShapeError, match="at most 2 channels, got 3"):
        splat(geometry, channels, points, 2, slopes=three)
    with pytest.raises(ShapeError, match="at most 2 channels, got 3"):
        splat_grid(geometry, channels, xs, ys, 2, three)


@pytest.mark.parametrize("backend", FAST)
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(("batch", "height", "width", "depth", "radius"), CASES[3:6])
def test_back_ends_agree_on_slopes(
    backend: str, count: int, batch: int, height: int, width: int, depth: int, radius: int
) -> None:
    geometry, channels, points = scene(depth, batch, height, width, depth)
    count = min(count, depth)
    fast = [t.requires_grad_() for t in (geometry, channels, slopes_of(channels, count))]
    slow = [t.detach().double().requires_grad_() for t in fast]
    out = splat(*fast[:2], points, radius, backend, fast[2])
    expected = splat(*slow[:2], points, radius, "reference", slow[2])
    assert_same_there_and_back(out, expected, fast, slow)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_plane_of_colour_is_rebuilt_exactly(backend: str) -> None:
    geometry, _, points = scene(14, 1, 6, 5, 1)
    at = torch.stack(torch.meshgrid(torch.arange(5.0), torch.arange(6.0), indexing="xy"), -1)
    means = at + 0.5 + geometry[0, ..., :2]
    tilt = torch.tensor((0.3, -0.2))
    channels = (means @ tilt)[None, ..., None]
    out = splat(geometry, channels, points, 2, backend, tilt.expand(1, 6, 5, 1, 2))
    expected = points[0].float() @ tilt
    torch.testing.assert_close(out[0, :, 0] / out[0, :, -1], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("backend", FAST)
@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**20),
    height=st.integers(1, 7),
    width=st.integers(1, 7),
    depth=st.integers(1, 6),
    radius=st.integers(1, 3),
)
def test_back_ends_agree_anywhere(
    backend: str, seed: int, height: int, width: int, depth: int, radius: int
) -> None:
    geometry, channels, points = scene(seed, 1, height, width, depth, 4)
    expected = reference.splat(geometry.double(), channels.double(), points, radius)
    assert_near(BACKENDS[backend](geometry, channels, points, radius), expected, 1e-5)


@pytest.mark.parametrize("backend", FAST)
def test_strided_and_expanded_inputs_are_read_right(backend: str) -> None:
    geometry, channels, points = scene(3, 2, 4, 5, 6)
    expected = splat(geometry, channels, points, 2, backend)
    strided = geometry.movedim(-1, 1).contiguous().movedim(1, -1)
    turned = channels.transpose(1, 2).contiguous().transpose(1, 2)
    out = splat(strided, turned, points[:1].expand(2, -1, -1), 2, backend)
    assert torch.equal(out, expected)


@pytest.mark.parametrize("backend", FAST)
def test_gradients_of_strided_inputs_match(backend: str) -> None:
    geometry, channels, points = scene(4, 1, 4, 5, 3)
    plain = [geometry.clone().requires_grad_(), channels.clone().requires_grad_()]
    turned = [t.clone().requires_grad_() for t in (geometry.mT, channels.mT)]
    splat(*plain, points, 2, backend).sum().backward()
    splat(*(t.mT for t in turned), points, 2, backend).sum().backward()
    for a, b in zip(plain, turned, strict=True):
        assert torch.equal(a.grad, b.grad.mT)


@pytest.mark.parametrize("radius", [1, 2])
def test_gradients_of_the_reference(radius: int) -> None:
    geometry, channels, points = scene(5, 1, 2, 3, 2, random_points=3)
    slopes = slopes_of(channels, 1)
    inputs = [t.double().requires_grad_() for t in (geometry, channels, slopes)]
    assert torch.autograd.gradcheck(
        lambda g, c, s: reference.splat(g, c, points[:, :6], radius, s), inputs
    )


@pytest.mark.parametrize("backend", BACKENDS)
@settings(max_examples=15, deadline=None)
@given(a=st.floats(-3, 3), b=st.floats(-3, 3), seed=st.integers(0, 1000))
def test_linear_in_channels(backend: str, a: float, b: float, seed: int) -> None:
    geometry, u, points = scene(seed, 1, 3, 4, 2, 6)
    v = u.flip(1) + 1
    mixed = splat(geometry, a * u + b * v, points, 2, backend)[..., :2]
    one, two = (splat(geometry, c, points, 2, backend)[..., :2] for c in (u, v))
    assert_near(mixed, a * one + b * two, 1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
def test_channels_do_not_know_each_other(backend: str) -> None:
    geometry, channels, points = scene(6, 1, 4, 4, 7)
    both = splat(geometry, channels, points, 2, backend)
    first = splat(geometry, channels[..., :3], points, 2, backend)
    torch.testing.assert_close(both[..., :3], first[..., :3])
    torch.testing.assert_close(both[..., -3:], first[..., -3:])


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_batch_is_its_images_one_by_one(backend: str) -> None:
    geometry, channels, points = scene(7, 3, 5, 4, 5)
    together = splat(geometry, channels, points, 2, backend)
    for i in range(3):
        one = slice(i, i + 1)
        alone = splat(geometry[one], channels[one], points[one], 2, backend)
        torch.testing.assert_close(together[one], alone, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("radius", [1, 2, 3])
def test_nothing_reaches_past_the_window(backend: str, radius: int) -> None:
    geometry, _, _ = scene(8, 1, 9, 9, 1)
    geometry[..., 2:5] = torch.tensor((1e-3, 0.0, 1e-3))  # as wide as the plane
    mark = torch.zeros(1, 9, 9, 1)
    mark[0, 4, 4] = 1
    steps = torch.linspace(0, 9, 73, dtype=torch.float64)
    points = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), -1).reshape(1, -1, 2)
    seen = splat(geometry, mark, points, radius, backend)[0, :, 0]
    far = (points[0] - 4.5).abs().amax(-1) >= radius + 0.5
    assert (seen[far] == 0).all()
    assert (seen[~far] > 0).all()


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_narrowest_kernels_leave_no_hole(backend: str) -> None:
    geometry, channels, _ = scene(9, 1, 4, 4, 2)
    geometry[..., 2:5] = torch.tensor((100.0, 0.0, 100.0))
    geometry[..., :2] = torch.where(geometry[..., :2] > 0, 0.5, -0.5)
    geometry[..., 5] = 0.01
    steps = torch.linspace(0, 4, 65, dtype=torch.float64)
    points = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), -1).reshape(1, -1, 2)
    out = splat(geometry, channels, points, 2, backend)
    total = out[..., -1]
    assert (total > torch.finfo(torch.float32).tiny).all()
    mean = out[..., :2] / total[..., None]
    low, high = channels.amin((1, 2)), channels.amax((1, 2))
    assert ((mean > low - 1e-4) & (mean < high + 1e-4)).all()


@pytest.mark.parametrize("backend", BACKENDS)
def test_shifting_by_whole_pixels_shifts_the_interior(backend: str) -> None:
    geometry, channels, _ = scene(10, 1, 9, 9, 3)
    points = 3.25 + 2 * torch.rand(
        1, 30, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )
    there = splat(geometry, channels, points, 2, backend)
    moved = [t.roll((1, -1), (1, 2)) for t in (geometry, channels)]
    shifted = points + torch.tensor((-1.0, 1.0))
    torch.testing.assert_close(splat(*moved, shifted, 2, backend), there, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_flipping_the_scene_flips_the_sums(backend: str) -> None:
    geometry, channels, points = scene(11, 1, 5, 6, 3)
    signs = torch.tensor((-1.0, 1.0, 1.0, -1.0, 1.0, 1.0))
    mirrored = (geometry * signs).flip(2)
    there = splat(geometry, channels, points, 2, backend)
    points[..., 0] = 6 - points[..., 0]
    back = splat(mirrored, channels.flip(2), points, 2, backend)
    back[..., 3] *= -1  # sum w d_x
    torch.testing.assert_close(back, there, rtol=1e-4, atol=1e-5)


def test_auto_keeps_float64_and_compiles_float32() -> None:
    geometry, channels, points = scene(12, 1, 3, 3, 2)
    double = splat(geometry.double(), channels.double(), points, 2)
    assert torch.equal(double, reference.splat(geometry.double(), channels.double(), points, 2))
    assert double.dtype == torch.float64
    assert torch.equal(
        splat(geometry, channels, points, 2), splat(geometry, channels, points, 2, "cpu")
    )


@pytest.mark.parametrize("backend", FAST)
def test_many_threads_at_once_get_the_same_answer(backend: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    geometry, channels, points = scene(13, 2, 8, 8, 8, 400)
    expected = splat(geometry, channels, points, 2, backend)
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(splat, geometry, channels, points, 2, backend) for _ in range(8)]
        assert all(torch.equal(job.result(), expected) for job in jobs)


@pytest.mark.parametrize(("batch", "height", "width", "depth", "radius"), CASES)
def test_a_grid_is_its_points(batch: int, height: int, width: int, depth: int, radius: int) -> None:
    geometry, channels, _ = scene(depth, batch, height, width, depth)
    xs = torch.linspace(0, width, 23, dtype=torch.float64)
    ys = torch.linspace(0, height, 17, dtype=torch.float64)
    found = splat_grid(geometry, channels, xs, ys, radius)
    points = torch.tensor([(x, y) for y in ys.tolist() for x in xs.tolist()], dtype=torch.float64)
    assert torch.equal(grid_points(xs, ys)[0], points)
    doubles = geometry.double(), channels.double()
    expected = splat(*doubles, points.expand(batch, -1, -1), radius)
    assert_near(found, expected, 1e-5)
    assert torch.equal(splat_grid(*doubles, xs, ys, radius), expected)


@pytest.mark.parametrize("far", [0.0, 4000.0])
def test_slopes_on_a_grid(far: float) -> None:
    geometry, channels, _ = scene(15, 2, 6, 7, 5)
    if far:  # a picture so wide that float32 has few digits left for its places
        pad = round(far)
        geometry, channels = (
            torch.cat((t[:, :, :1].expand(-1, -1, pad, -1), t), 2) for t in (geometry, channels)
        )
    slopes = slopes_of(channels, 3)
    xs = far + torch.linspace(0, 7, 23, dtype=torch.float64)
    ys = torch.linspace(0, 6, 17, dtype=torch.float64)
    found = splat_grid(geometry, channels, xs, ys, 2, slopes)
    doubles = geometry.double(), channels.double()
    expected = splat_grid(*doubles, xs, ys, 2, slopes.double())
    assert_near(found, expected, 1e-5)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**20),
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    out=st.tuples(st.integers(1, 40), st.integers(1, 40)),
)
def test_a_grid_of_any_size(seed: int, size: tuple[int, int], out: tuple[int, int]) -> None:
    geometry, channels, _ = scene(seed, 1, *size, 3)
    ys, xs = (
        (torch.arange(n, dtype=torch.float64) + 0.5) * (extent / n)
        for n, extent in zip(out, size, strict=True)
    )
    expected = reference.splat(geometry.double(), channels.double(), grid_points(xs, ys), 2)
    assert_near(splat_grid(geometry, channels, xs, ys, 2), expected, 1e-5)


def test_a_grid_of_the_narrowest_kernels_has_no_hole() -> None:
    geometry, channels, _ = scene(9, 1, 4, 4, 2)
    geometry[..., :2] = torch.where(geometry[..., :2] > 0, 0.5, -0.5)
    geometry[..., 2:] = torch.tensor((100.0, 0.0, 100.0, 0.01))
    steps = torch.linspace(0, 4, 65, dtype=torch.float64)
    out = splat_grid(geometry, channels, steps, steps, 2)
    expected = splat(geometry.double(), channels.double(), grid_points(steps, steps), 2)
    shares, wanted = out[..., :2] / out[..., -1:], expected[..., :2] / expected[..., -1:]
    assert_near(shares, wanted, 1e-4)


def test_where_triton_does_not_compile_plain_torch_is_taken(monkeypatch) -> None:
    def broken() -> None:
        raise RuntimeError("Python.h: No such file or directory")

    splat_module._has_triton.cache_clear()
    monkeypatch.setattr(splat_module, "find_spec", lambda _: object())
    monkeypatch.setattr(splat_module, "_try_triton", broken)
    with pytest.warns(UserWarning, match=r"cannot compile its kernels here.*Python\.h"):
        assert not splat_module._has_triton()
    splat_module._has_triton.cache_clear()


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_no_slopes_are_the_slopes_of_none(backend: str) -> None:
    geometry, channels, points = scene(5, 1, 4, 5, 3)
    plain = splat(geometry, channels, points, 2, backend)
    given = splat(geometry, channels, points, 2, backend, slopes=reference.flat(channels))
    assert torch.equal(plain, given)
