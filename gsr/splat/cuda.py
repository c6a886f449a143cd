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

from gsr.splat.reference import MAX_EXPONENT, flat

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
    geometry, channels, slopes, points, out, height, width, count, depth, sloped,
    RADIUS: tl.constexpr, BLOCK: tl.constexpr, DEPTH: tl.constexpr,
):  # fmt: skip
    """Weighted sums of `BLOCK` points of one image."""
    image = tl.program_id(1).to(tl.int64)
    n = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    k = tl.arange(0, DEPTH)
    there, kept, inclined = n < count, k < depth, k < sloped
    place = points + (image * count + n) * 2
    x, y = tl.load(place, mask=there, other=0.0), tl.load(place + 1, mask=there, other=0.0)
    column = tl.minimum(tl.maximum(tl.floor(x).to(tl.int32), 0), width - 1)
    row = tl.minimum(tl.maximum(tl.floor(y).to(tl.int32), 0), height - 1)
    sums = tl.zeros((BLOCK, DEPTH), tl.float32)
    mean_x = tl.zeros((BLOCK,), tl.float32)
    mean_y = tl.zeros((BLOCK,), tl.float32)
    total = tl.zeros((BLOCK,), tl.float32)
    for tap_y in tl.static_range(-RADIUS, RADIUS + 1):
        for tap_x in tl.static_range(-RADIUS, RADIUS + 1):
            i, j = row + tap_y, column + tap_x
            inside = there & (i >= 0) & (i < height) & (j >= 0) & (j < width)
            pixel = image * height * width + i.to(tl.int64) * width + j
            g = geometry + pixel * 6
            ox = tl.load(g, mask=inside, other=0.0).to(tl.float32)
            oy = tl.load(g + 1, mask=inside, other=0.0).to(tl.float32)
            a = tl.load(g + 2, mask=inside, other=0.0).to(tl.float32)
            b = tl.load(g + 3, mask=inside, other=0.0).to(tl.float32)
            c = tl.load(g + 4, mask=inside, other=0.0).to(tl.float32)
            opacity = tl.load(g + 5, mask=inside, other=0.0).to(tl.float32)
            px, py = (x - j - 0.5).to(tl.float32), (y - i - 0.5).to(tl.float32)
            dx, dy = px - ox, py - oy
            exponent = 0.5 * (a * dx * dx + c * dy * dy) + b * dx * dy
            weight = opacity * tl.exp(-tl.minimum(exponent, _LIMIT))
            weight = tl.where(inside, weight * _fade(px, RADIUS) * _fade(py, RADIUS), 0.0)
            near = tl.load(
                channels + pixel[:, None] * depth + k[None, :],
                mask=inside[:, None] & kept[None, :],
                other=0.0,
            ).to(tl.float32)
            slope = slopes + (pixel[:, None] * sloped + k[None, :]) * 2
            has_slope = inside[:, None] & inclined[None, :]
            near += tl.load(slope, mask=has_slope, other=0.0).to(tl.float32) * dx[:, None]
            near += tl.load(slope + 1, mask=has_slope, other=0.0).to(tl.float32) * dy[:, None]
            sums += weight[:, None] * near
            mean_x += weight * dx
            mean_y += weight * dy
            total += weight
    target = out + (image * count + n) * (depth + 3)
    tl.store(target[:, None] + k[None, :], sums, mask=there[:, None] & kept[None, :])
    tl.store(target + depth, mean_x, mask=there)
    tl.store(target + depth + 1, mean_y, mask=there)
    tl.store(target + depth + 2, total, mask=there)


@triton.jit
def _backward(
    geometry, channels, slopes, points, grad, order, starts,
    grad_geometry, grad_channels, grad_slopes, height, width, count, depth, sloped,
    RADIUS: tl.constexpr, BLOCK: tl.constexpr, DEPTH: tl.constexpr,
):  # fmt: skip
    """Gradients of one LR pixel: over all points whose window holds it, row by row."""
    image = tl.program_id(1).to(tl.int64)
    cell = tl.program_id(0)
    i, j = cell // width, cell % width
    pixel = image * height * width + cell
    k = tl.arange(0, DEPTH)
    kept, inclined = k < depth, k < sloped
    g = geometry + pixel * 6
    ox, oy = tl.load(g).to(tl.float32), tl.load(g + 1).to(tl.float32)
    a, b = tl.load(g + 2).to(tl.float32), tl.load(g + 3).to(tl.float32)
    c, opacity = tl.load(g + 4).to(tl.float32), tl.load(g + 5).to(tl.float32)
    own = tl.load(channels + pixel * depth + k, mask=kept, other=0.0).to(tl.float32)
    slope = slopes + (pixel * sloped + k) * 2
    slope_x = tl.load(slope, mask=inclined, other=0.0).to(tl.float32)
    slope_y = tl.load(slope + 1, mask=inclined, other=0.0).to(tl.float32)
    to_channels = tl.zeros((DEPTH,), tl.float32)
    to_slope_x = tl.zeros((DEPTH,), tl.float32)
    to_slope_y = tl.zeros((DEPTH,), tl.float32)
    to_x = tl.zeros((BLOCK,), tl.float32)
    to_y = tl.zeros((BLOCK,), tl.float32)
    to_a = tl.zeros((BLOCK,), tl.float32)
    to_b = tl.zeros((BLOCK,), tl.float32)
    to_c = tl.zeros((BLOCK,), tl.float32)
    to_opacity = tl.zeros((BLOCK,), tl.float32)
    first, last = tl.maximum(j - RADIUS, 0), tl.minimum(j + RADIUS, width - 1)
    for r in range(tl.maximum(i - RADIUS, 0), tl.minimum(i + RADIUS, height - 1) + 1):
        # Points lie sorted by LR pixel, so those of neighbours in a row are one run.
        line = starts + image * (height * width + 1) + r * width
        begin, end = tl.load(line + first), tl.load(line + last + 1)
        for at in range(begin, end, BLOCK):
            m = at + tl.arange(0, BLOCK)
            there = m < end
            n = tl.load(order + image * count + m, mask=there, other=0)
            place = points + (image * count + n) * 2
            x, y = tl.load(place, mask=there, other=0.0), tl.load(place + 1, mask=there, other=0.0)
            px, py = (x - j - 0.5).to(tl.float32), (y - i - 0.5).to(tl.float32)
            dx, dy = px - ox, py - oy
            exponent = 0.5 * (a * dx * dx + c * dy * dy) + b * dx * dy
            shape = tl.exp(-tl.minimum(exponent, _LIMIT))
            shape = tl.where(there, shape * _fade(px, RADIUS) * _fade(py, RADIUS), 0.0)
            weight = opacity * shape
            source = grad + (image * count + n) * (depth + 3)
            said = tl.load(
                source[:, None] + k[None, :], mask=there[:, None] & kept[None, :], other=0.0
            )
            said_x = tl.load(source + depth, mask=there, other=0.0)
            said_y = tl.load(source + depth + 1, mask=there, other=0.0)
            said_total = tl.load(source + depth + 2, mask=there, other=0.0)
            to_channels += tl.sum(weight[:, None] * said, 0)
            to_slope_x += tl.sum((weight * dx)[:, None] * said, 0)
            to_slope_y += tl.sum((weight * dy)[:, None] * said, 0)
            # A vector is asked for by the mean, and by slopes.
            said_x += tl.sum(said * slope_x[None, :], 1)
            said_y += tl.sum(said * slope_y[None, :], 1)
            to_weight = tl.sum(said * own[None, :], 1) + said_x * dx + said_y * dy + said_total
            to_opacity += to_weight * shape
            to_exponent = tl.where(exponent < _LIMIT, -to_weight * weight, 0.0)
            to_a += to_exponent * 0.5 * dx * dx
            to_b += to_exponent * dx * dy
            to_c += to_exponent * 0.5 * dy * dy
            to_x -= to_exponent * (a * dx + b * dy) + weight * said_x
            to_y -= to_exponent * (c * dy + b * dx) + weight * said_y
    tl.store(grad_channels + pixel * depth + k, to_channels, mask=kept)
    into = grad_slopes + (pixel * sloped + k) * 2
    tl.store(into, to_slope_x, mask=inclined)
    tl.store(into + 1, to_slope_y, mask=inclined)
    target = grad_geometry + pixel * 6
    tl.store(target, tl.sum(to_x))
    tl.store(target + 1, tl.sum(to_y))
    tl.store(target + 2, tl.sum(to_a))
    tl.store(target + 3, tl.sum(to_b))
    tl.store(target + 4, tl.sum(to_c))
    tl.store(target + 5, tl.sum(to_opacity))


def sorted_points(points: Float[Tensor, "b n 2"], height: int, width: int) -> tuple[Tensor, Tensor]:
    """Points by the LR pixel they lie in.

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


class _Splat(torch.autograd.Function):
    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, geometry: Tensor, channels: Tensor, slopes: Tensor, points: Tensor, radius: int
    ) -> Tensor:
        geometry, channels, slopes, points = (
            t.contiguous() for t in (geometry, channels, slopes, points)
        )
        images, height, width, depth = channels.shape
        count = points.shape[1]
        out = channels.new_empty((images, count, depth + 3), dtype=torch.float32)
        if out.numel():
            with torch.cuda.device_of(channels):  # Triton launches on the current device
                _forward[(triton.cdiv(count, POINTS), images)](
                    geometry, channels, slopes, points, out, height, width, count, depth,
                    slopes.shape[3], RADIUS=radius, BLOCK=POINTS,
                    DEPTH=triton.next_power_of_2(depth),
                )  # fmt: skip
        ctx.save_for_backward(geometry, channels, slopes, points)
        ctx.radius = radius
        return out

    @staticmethod
    def backward(  # type: ignore[override]
        ctx: Any, grad: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, None, None]:
        geometry, channels, slopes, points = ctx.saved_tensors
        images, height, width, depth = channels.shape
        count = points.shape[1]
        given = geometry, channels, slopes
        grads = [torch.zeros_like(value, dtype=torch.float32) for value in given]
        if grad.numel():
            order, starts = sorted_points(points, height, width)
            with torch.cuda.device_of(channels):
                _backward[(height * width, images)](
                    geometry, channels, slopes, points, grad.float().contiguous(), order, starts,
                    *grads, height, width, count, depth, slopes.shape[3], RADIUS=ctx.radius,
                    BLOCK=NEAR, DEPTH=triton.next_power_of_2(depth), num_warps=1,
                )  # fmt: skip
        to_geometry, to_channels, to_slopes = (
            grad.to(value) for grad, value in zip(grads, given, strict=True)
        )
        return to_geometry, to_channels, to_slopes, None, None


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
