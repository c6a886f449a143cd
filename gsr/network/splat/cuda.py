"""Splatting on a GPU: the formula of `reference` in Triton, forward and backward.

Nothing of the size points x window is ever stored. Sums are float32 whatever the inputs are, and
each is made in one fixed order, so a result depends neither on its neighbours in a batch nor on
the run: the forward pass walks the window of a point, the backward pass walks, for each LR pixel,
the points whose windows hold it. For that the points are sorted by LR pixel once, and no gradient
is added atomically.

Import this module only where Triton is installed; `TRITON_INTERPRET=1` runs it on a CPU.
"""

from typing import Any

import torch
import triton
import triton.language as tl
from jaxtyping import Float
from torch import Tensor

from gsr.network.splat.reference import MAX_EXPONENT, flat

POINTS = 32
"""Points that a program of the forward pass works on."""
NEAR = 16
"""Points that a program of the backward pass reads at a time."""
_LIMIT = tl.constexpr(MAX_EXPONENT)


@triton.jit
def _fade(distance, radius):
    """`reference.taper`."""
    far = tl.abs(distance) - (radius - 0.5)
    u = tl.minimum(tl.maximum(far, 0.0), 1.0)
    return 1.0 - u * u * (3.0 - 2.0 * u)


@triton.jit
def _forward(
    geometry, channels, slopes, cells, places, out, height, width, count, depth, sloped,
    RADIUS: tl.constexpr, BLOCK: tl.constexpr, DEPTH: tl.constexpr, SLOPED: tl.constexpr,
):  # fmt: skip
    """Weighted sums of `BLOCK` points of one image."""
    image, area = tl.program_id(1).to(tl.int64), height * width
    n = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    k, h = tl.arange(0, DEPTH), tl.arange(0, SLOPED)
    there, kept, inclined = n < count, (k >= sloped) & (k < depth), h < sloped
    at = (image * count + n) * 2
    column = tl.load(cells + at, mask=there, other=0)
    row = tl.load(cells + at + 1, mask=there, other=0)
    x = tl.load(places + at, mask=there, other=0.0)
    y = tl.load(places + at + 1, mask=there, other=0.0)
    sums = tl.zeros((BLOCK, DEPTH), tl.float32)
    first = tl.zeros((BLOCK, SLOPED), tl.float32)  # of the channels that have slopes
    mean_x = tl.zeros((BLOCK,), tl.float32)
    mean_y = tl.zeros((BLOCK,), tl.float32)
    total = tl.zeros((BLOCK,), tl.float32)
    for tap_y in tl.static_range(-RADIUS, RADIUS + 1):
        for tap_x in tl.static_range(-RADIUS, RADIUS + 1):
            i, j = row + tap_y, column + tap_x
            inside = there & (i >= 0) & (i < height) & (j >= 0) & (j < width)
            inner = i.to(tl.int64) * width + j
            pixel = image * area + inner
            g = geometry + image * 6 * area + inner
            ox = tl.load(g, mask=inside, other=0.0)
            oy = tl.load(g + area, mask=inside, other=0.0)
            a = tl.load(g + 2 * area, mask=inside, other=0.0)
            b = tl.load(g + 3 * area, mask=inside, other=0.0)
            c = tl.load(g + 4 * area, mask=inside, other=0.0)
            opacity = tl.load(g + 5 * area, mask=inside, other=0.0)
            px, py = x - tap_x, y - tap_y
            dx, dy = px - ox, py - oy
            exponent = 0.5 * (a * dx * dx + c * dy * dy) + b * dx * dy
            weight = opacity * tl.exp(-tl.minimum(exponent, _LIMIT))
            weight = tl.where(inside, weight * _fade(px, RADIUS) * _fade(py, RADIUS), 0.0)
            near = channels + pixel[:, None] * depth
            own = tl.load(near + k[None, :], mask=inside[:, None] & kept[None, :], other=0.0)
            sums += weight[:, None] * own.to(tl.float32)
            has_slope = inside[:, None] & inclined[None, :]
            slope = slopes + (pixel[:, None] * sloped + h[None, :]) * 2
            value = tl.load(near + h[None, :], mask=has_slope, other=0.0).to(tl.float32)
            value += tl.load(slope, mask=has_slope, other=0.0).to(tl.float32) * dx[:, None]
            value += tl.load(slope + 1, mask=has_slope, other=0.0).to(tl.float32) * dy[:, None]
            first += weight[:, None] * value
            mean_x += weight * dx
            mean_y += weight * dy
            total += weight
    target = out + (image * count + n) * (depth + 3)
    tl.store(target[:, None] + k[None, :], sums, mask=there[:, None] & kept[None, :])
    tl.store(target[:, None] + h[None, :], first, mask=there[:, None] & inclined[None, :])
    tl.store(target + depth, mean_x, mask=there)
    tl.store(target + depth + 1, mean_y, mask=there)
    tl.store(target + depth + 2, total, mask=there)


@triton.jit
def _backward(
    geometry, channels, slopes, cells, places, grad, order, starts,
    grad_geometry, grad_channels, grad_slopes, height, width, count, depth, sloped,
    RADIUS: tl.constexpr, BLOCK: tl.constexpr, DEPTH: tl.constexpr, SLOPED: tl.constexpr,
):  # fmt: skip
    """Gradients of one LR pixel: over all points whose window holds it, row by row."""
    image, area = tl.program_id(1).to(tl.int64), height * width
    cell = tl.program_id(0)
    i, j = cell // width, cell % width
    pixel = image * area + cell
    k, h = tl.arange(0, DEPTH), tl.arange(0, SLOPED)
    kept, inclined = k < depth, h < sloped
    g = geometry + image * 6 * area + cell
    ox, oy = tl.load(g), tl.load(g + area)
    a, b = tl.load(g + 2 * area), tl.load(g + 3 * area)
    c, opacity = tl.load(g + 4 * area), tl.load(g + 5 * area)
    own = tl.load(channels + pixel * depth + k, mask=kept, other=0.0).to(tl.float32)
    slope = slopes + (pixel * sloped + h) * 2
    slope_x = tl.load(slope, mask=inclined, other=0.0).to(tl.float32)
    slope_y = tl.load(slope + 1, mask=inclined, other=0.0).to(tl.float32)
    to_channels = tl.zeros((DEPTH,), tl.float32)
    to_slope_x = tl.zeros((SLOPED,), tl.float32)
    to_slope_y = tl.zeros((SLOPED,), tl.float32)
    to_x = tl.zeros((BLOCK,), tl.float32)
    to_y = tl.zeros((BLOCK,), tl.float32)
    to_a = tl.zeros((BLOCK,), tl.float32)
    to_b = tl.zeros((BLOCK,), tl.float32)
    to_c = tl.zeros((BLOCK,), tl.float32)
    to_opacity = tl.zeros((BLOCK,), tl.float32)
    first, last = tl.maximum(j - RADIUS, 0), tl.minimum(j + RADIUS, width - 1)
    for r in range(tl.maximum(i - RADIUS, 0), tl.minimum(i + RADIUS, height - 1) + 1):
        # Points lie sorted by LR pixel, so those of neighbours in a row are one run.
        line = starts + image * (area + 1) + r * width
        begin, end = tl.load(line + first), tl.load(line + last + 1)
        for step in range(begin, end, BLOCK):
            m = step + tl.arange(0, BLOCK)
            there = m < end
            n = tl.load(order + image * count + m, mask=there, other=0)
            at = (image * count + n) * 2
            px = tl.load(places + at, mask=there, other=0.0)
            py = tl.load(places + at + 1, mask=there, other=0.0)
            px += tl.load(cells + at, mask=there, other=0) - j
            py += tl.load(cells + at + 1, mask=there, other=0) - i
            dx, dy = px - ox, py - oy
            exponent = 0.5 * (a * dx * dx + c * dy * dy) + b * dx * dy
            shape = tl.exp(-tl.minimum(exponent, _LIMIT))
            shape = tl.where(there, shape * _fade(px, RADIUS) * _fade(py, RADIUS), 0.0)
            weight = opacity * shape
            source = grad + (image * count + n) * (depth + 3)
            said = tl.load(
                source[:, None] + k[None, :], mask=there[:, None] & kept[None, :], other=0.0
            )
            of_sloped = tl.load(
                source[:, None] + h[None, :], mask=there[:, None] & inclined[None, :], other=0.0
            )
            said_x = tl.load(source + depth, mask=there, other=0.0)
            said_y = tl.load(source + depth + 1, mask=there, other=0.0)
            said_total = tl.load(source + depth + 2, mask=there, other=0.0)
            to_channels += tl.sum(weight[:, None] * said, 0)
            to_slope_x += tl.sum((weight * dx)[:, None] * of_sloped, 0)
            to_slope_y += tl.sum((weight * dy)[:, None] * of_sloped, 0)
            # A vector is asked for by the mean, and by slopes.
            said_x += tl.sum(of_sloped * slope_x[None, :], 1)
            said_y += tl.sum(of_sloped * slope_y[None, :], 1)
            to_weight = tl.sum(said * own[None, :], 1) + said_x * dx + said_y * dy + said_total
            to_opacity += to_weight * shape
            to_exponent = tl.where(exponent < _LIMIT, -to_weight * weight, 0.0)
            to_a += to_exponent * 0.5 * dx * dx
            to_b += to_exponent * dx * dy
            to_c += to_exponent * 0.5 * dy * dy
            to_x -= to_exponent * (a * dx + b * dy) + weight * said_x
            to_y -= to_exponent * (c * dy + b * dx) + weight * said_y
    tl.store(grad_channels + pixel * depth + k, to_channels, mask=kept)
    into = grad_slopes + (pixel * sloped + h) * 2
    tl.store(into, to_slope_x, mask=inclined)
    tl.store(into + 1, to_slope_y, mask=inclined)
    target = grad_geometry + image * 6 * area + cell
    tl.store(target, tl.sum(to_x))
    tl.store(target + area, tl.sum(to_y))
    tl.store(target + 2 * area, tl.sum(to_a))
    tl.store(target + 3 * area, tl.sum(to_b))
    tl.store(target + 4 * area, tl.sum(to_c))
    tl.store(target + 5 * area, tl.sum(to_opacity))


def located(points: Float[Tensor, "b n 2"], height: int, width: int) -> tuple[Tensor, Tensor]:
    """The LR pixel that each point lies in, and its place from that pixel's centre.

    Graphics cards are slow in double precision: points are taken apart here, once, so that the
    kernels need single precision only, however large the picture is.

    Returns:
        (column, row) int32 and (x, y) float32, both [b, n, 2].
    """
    limit = torch.tensor((width - 1, height - 1), device=points.device)
    cell = torch.minimum(points.floor().long().clamp_min(0), limit)
    return cell.int(), (points - cell - 0.5).float()


def sorted_points(points: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Points, or the (column, row) that they lie in, by LR pixel.

    Args:
        points: (x, y). [b, n, 2]

    Returns:
        Their numbers, sorted by pixel and then by number [b, n]; and where the run of each
        pixel begins, with the end behind the last [b, height * width + 1]. Both int32.
    """
    column, row = points.floor().long().unbind(-1)
    column, row = column.clamp(0, width - 1), row.clamp(0, height - 1)
    cell, order = torch.sort(row * width + column, dim=-1, stable=True)
    edges = torch.arange(height * width + 1, device=points.device).expand(len(points), -1)
    starts = torch.searchsorted(cell, edges.contiguous())
    return order.int(), starts.int()


def _by_number(geometry: Float[Tensor, "b h w 6"]) -> Float[Tensor, "b 6 hw"]:
    """Each of the six numbers of all pixels in one row: neighbours read neighbours."""
    return geometry.float().flatten(1, 2).mT.contiguous()


def _blocks(channels: Tensor, slopes: Tensor) -> dict[str, int]:
    """Widths of blocks, which are powers of two: of all channels, and of those with slopes."""
    return {
        "DEPTH": triton.next_power_of_2(channels.shape[3]),
        "SLOPED": triton.next_power_of_2(max(1, slopes.shape[3])),
    }


class _Splat(torch.autograd.Function):
    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, geometry: Tensor, channels: Tensor, slopes: Tensor, points: Tensor, radius: int
    ) -> Tensor:
        channels, slopes = channels.contiguous(), slopes.contiguous()
        images, height, width, depth = channels.shape
        count = points.shape[1]
        out = channels.new_empty((images, count, depth + 3), dtype=torch.float32)
        numbers = _by_number(geometry)
        cells, places = located(points, height, width)
        if out.numel():
            with torch.cuda.device_of(channels):  # Triton launches on the current device
                _forward[(triton.cdiv(count, POINTS), images)](
                    numbers, channels, slopes, cells, places, out, height, width, count, depth,
                    slopes.shape[3], RADIUS=radius, BLOCK=POINTS, **_blocks(channels, slopes),
                )  # fmt: skip
        ctx.save_for_backward(numbers, channels, slopes, cells, places)
        ctx.radius, ctx.kind = radius, geometry.dtype
        return out

    @staticmethod
    def backward(  # type: ignore[override]
        ctx: Any, grad: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, None, None]:
        numbers, channels, slopes, cells, places = ctx.saved_tensors
        images, height, width, depth = channels.shape
        count = cells.shape[1]
        to_numbers, to_channels, to_slopes = (
            torch.zeros_like(value, dtype=torch.float32) for value in (numbers, channels, slopes)
        )
        if grad.numel():
            order, starts = sorted_points(cells, height, width)
            with torch.cuda.device_of(channels):
                _backward[(height * width, images)](
                    numbers, channels, slopes, cells, places, grad.float().contiguous(), order,
                    starts, to_numbers, to_channels, to_slopes, height, width, count, depth,
                    slopes.shape[3], RADIUS=ctx.radius, BLOCK=NEAR, num_warps=1,
                    **_blocks(channels, slopes),
                )  # fmt: skip
        to_geometry = to_numbers.mT.unflatten(1, (height, width)).to(ctx.kind)
        return to_geometry, to_channels.to(channels.dtype), to_slopes.to(slopes.dtype), None, None


def splat(
    geometry: Float[Tensor, "b h w 6"],
    channels: Float[Tensor, "b h w d"],
    points: Float[Tensor, "b n 2"],
    radius: int,
    slopes: Float[Tensor, "b h w s 2"] | None = None,
) -> Float[Tensor, "b n d+3"]:
    """As `reference.splat`, of inputs in any floating type; the sums are float32.

    Gradients reach all but the points.
    """
    slopes = flat(channels) if slopes is None else slopes
    result: Tensor = _Splat.apply(geometry, channels, slopes, points, radius)  # type: ignore[no-untyped-call]
    return result
