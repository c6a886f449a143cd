"""The GPU's kernels, run by Triton's interpreter where there is no GPU."""

import os

import pytest
import torch

if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"  # read when kernels are compiled, so before the import

pytest.importorskip("triton", reason="Triton is installed on Linux only")

from gsr.network import splat as splat_module
from gsr.network.splat import BACKENDS, cuda, reference
from gsr.network.splat import splat as chosen

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def scene(height=5, width=7, count=23, depth=5, images=2, seed=0):
    generator = torch.Generator().manual_seed(seed)

    def draw(*size):
        return torch.rand(size, generator=generator)

    sigma = 0.2 + draw(images, height, width, 2)
    a, c = (1 / sigma.square()).unbind(-1)
    b = (draw(images, height, width) - 0.5) * (a * c).sqrt()
    offset = draw(images, height, width, 2) - 0.5
    geometry = torch.cat((offset, torch.stack((a, b, c, draw(images, height, width)), -1)), -1)
    channels = torch.randn(images, height, width, depth, generator=generator)
    points = draw(images, count, 2) * torch.tensor((width, height))
    return tuple(t.to(DEVICE) for t in (geometry, channels, points))


def gradients(splat, geometry, channels, points, radius, slopes=None):
    given = (geometry, channels) if slopes is None else (geometry, channels, slopes)
    leaves = [t.clone().requires_grad_() for t in given]
    out = splat(*leaves[:2], points, radius, *leaves[2:])
    generator = torch.Generator().manual_seed(1)
    (out * torch.randn(out.shape, generator=generator).to(out)).sum().backward()
    return out.detach(), *(leaf.grad for leaf in leaves)


@pytest.mark.parametrize("radius", [1, 2, 3])
@pytest.mark.parametrize(
    "size",
    [
        {},
        {"height": 1, "width": 1, "count": 3, "images": 1},
        {"height": 1, "width": 9, "depth": 1},
        {"depth": 8, "count": 70},
    ],
)
def test_values_and_gradients_are_those_of_the_formula(radius, size):
    inputs = scene(**size)
    for got, expected in zip(
        gradients(cuda.splat, *inputs, radius),
        gradients(reference.splat, *inputs, radius),
        strict=True,
    ):
        torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("depth", "count"), [(5, 3), (1, 1), (8, 3)])
def test_slopes_and_their_gradients(depth, count):
    inputs = scene(depth=depth)
    slopes = torch.randn(2, 5, 7, count, 2, generator=torch.Generator().manual_seed(2)).to(DEVICE)
    for got, expected in zip(
        gradients(cuda.splat, *inputs, 2, slopes),
        gradients(reference.splat, *inputs, 2, slopes),
        strict=True,
    ):
        torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)


def test_points_on_the_borders():
    geometry, channels, _ = scene(images=1)
    edges = [(x, y) for x in (0.0, 3.0, 7.0) for y in (0.0, 2.0, 5.0)]
    points = torch.tensor([edges], device=DEVICE)
    expected = gradients(reference.splat, geometry, channels, points, 2)
    for got, want in zip(
        gradients(cuda.splat, geometry, channels, points, 2), expected, strict=True
    ):
        torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5)


def test_far_gaussians_keep_a_weight_and_lose_their_gradient():
    geometry, channels, points = scene()
    geometry[..., 2:5] *= 300
    expected = gradients(reference.splat, geometry, channels, points, 2)
    got = gradients(cuda.splat, geometry, channels, points, 2)
    assert bool((got[0][..., -1] > 0).all())
    for one, want in zip(got, expected, strict=True):
        torch.testing.assert_close(one, want, rtol=1e-3, atol=1e-5)


def test_no_points_are_no_work():
    geometry, channels, points = scene(count=0)
    out, to_geometry, to_channels = gradients(cuda.splat, geometry, channels, points, 2)
    assert out.shape == (2, 0, 8)
    assert not to_geometry.any()
    assert not to_channels.any()


def test_points_that_crowd_in_one_pixel():
    geometry, channels, points = scene(count=60)
    points = points * 0.1
    expected = gradients(reference.splat, geometry, channels, points, 2)
    for got, want in zip(
        gradients(cuda.splat, geometry, channels, points, 2), expected, strict=True
    ):
        torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-4)


def test_an_image_does_not_depend_on_its_batch_mates():
    inputs = scene(images=3)
    together = gradients(cuda.splat, *inputs, 2)[0]
    alone = cuda.splat(*(t[1:2] for t in inputs), 2)
    assert torch.equal(together[1:2], alone)


def test_gradients_are_the_same_in_every_run():
    inputs = scene()
    for one, again in zip(
        gradients(cuda.splat, *inputs, 2), gradients(cuda.splat, *inputs, 2), strict=True
    ):
        assert torch.equal(one, again)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_half_precision_is_summed_in_full(kind):
    geometry, channels, points = scene()
    out, to_geometry, to_channels = gradients(cuda.splat, geometry, channels.to(kind), points, 2)
    expected = reference.splat(geometry, channels.to(kind).float(), points, 2)
    assert out.dtype == torch.float32
    assert (to_geometry.dtype, to_channels.dtype) == (torch.float32, kind)
    torch.testing.assert_close(out, expected, rtol=1e-4, atol=1e-5)


def test_double_points_keep_their_place():
    geometry, channels, points = scene()
    got = cuda.splat(geometry, channels, points.double(), 2)
    expected = reference.splat(geometry, channels, points.double(), 2)
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)


def test_sorted_points_are_found_by_pixel():
    _, _, points = scene(count=40)
    order, starts = cuda.sorted_points(points, 5, 7)
    for image in range(2):
        assert sorted(order[image].tolist()) == list(range(40))
        for cell in range(35):
            run = order[image, starts[image, cell] : starts[image, cell + 1]].tolist()
            inside = points[image].floor().long()
            assert run == (inside[:, 1] * 7 + inside[:, 0] == cell).nonzero()[:, 0].tolist()


def test_the_choice_of_back_end():
    assert set(BACKENDS) == {"reference", "cpu", "cuda"}
    inputs = scene()
    torch.testing.assert_close(
        chosen(*inputs, 2, "cuda"), reference.splat(*inputs, 2), rtol=1e-4, atol=1e-5
    )


def test_both_kernels_are_tried_before_they_are_trusted(monkeypatch) -> None:
    splat_module._try_triton(DEVICE)

    def broken(*_: object) -> None:
        raise RuntimeError("out of registers")

    monkeypatch.setattr(cuda._Splat, "backward", broken)
    with torch.no_grad(), pytest.raises(RuntimeError, match="out of registers"):
        splat_module._try_triton(DEVICE)


def test_kernels_get_single_precision_however_far_a_point_lies() -> None:
    width, far = 2**22, 2**22 - 3 + 0.123456
    cell, place = cuda.located(
        torch.tensor([[(far, 1.75), (-1.0, 9.0)]], dtype=torch.float64), 4, width
    )
    assert (cell.dtype, place.dtype) == (torch.int32, torch.float32)
    assert cell.tolist() == [[[width - 3, 1], [0, 3]]]
    torch.testing.assert_close(place[0, 0], torch.tensor((0.123456 - 0.5, 0.25)))
