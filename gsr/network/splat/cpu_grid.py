"""Splatting a whole view on the CPU: the compiled loop of `cpu`, arranged for grids.

Output pixels inside one LR pixel share one window. They are taken together, in blocks: all
weights of a Gaussian at once, then all sums of a pixel, so that both inner loops run over
neighbouring floats and become vector instructions. About four times as fast as point by point.

A small MLP can follow in the same pass, while a pixel's sums are still in the cache: that is a
live frame. `gsr.network.decoder` in plain torch says what it computes, and tests compare the two.
"""

import math
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from torch import Tensor

from gsr.network.splat.jit import inline, jit
from gsr.network.splat.reference import MAX_EXPONENT, flat

_LIMIT = np.float32(MAX_EXPONENT)
_HALF, _ONE, _TWO, _THREE, _ZERO = (np.float32(v) for v in (0.5, 1, 2, 3, 0))
_C3, _C4, _C5, _C6 = (np.float32(1 / math.factorial(k)) for k in (3, 4, 5, 6))
_LOG2_E = np.float32(1 / math.log(2))
# ln 2 in two parts, so that n * ln 2 loses nothing in float32.
_LN2_HIGH, _LN2_LOW = np.float32(0.693359375), np.float32(math.log(2) - 0.693359375)
_LOWEST = np.float32(np.finfo(np.float32).min)
_TILE = 128
"""Pixels that the MLP takes at once: their numbers fill a first-level cache."""
_SIDE = 16
"""Blocks have at most this many rows and columns of output pixels."""


@intrinsic
def _float_of_bits(_context: Any, _bits: Any) -> Any:
    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.FloatType())

    return types.float32(types.int32), codegen


@inline
def _exp_minus(e):
    """exp(-e) for 0 <= e <= 60, to 2e-7; unlike the library's it becomes vector code."""
    n = np.int32(e * _LOG2_E + _HALF)
    q = np.float32(n) * _LN2_HIGH - e + np.float32(n) * _LN2_LOW
    series = _C3 + q * (_C4 + q * (_C5 + q * _C6))
    series = _ONE + q * (_ONE + q * (_HALF + q * series))
    # numba hands an intrinsic its own context: one argument less here than in the definition.
    return series * _float_of_bits((np.int32(127) - n) << np.int32(23))  # type: ignore[call-arg]


@jit
def _cell(position, length):
    return min(max(math.floor(position), 0), length - 1)


@jit
def _run_end(positions, start, stop, length):
    """End of the run of positions that share the LR pixel of the first."""
    cell = _cell(positions[start], length)
    end = start + 1
    while end < stop and end - start < _SIDE and _cell(positions[end], length) == cell:
        end += 1
    return end


@jit
def _fade(local, count, radius, out):
    """Tapers of the window's rows or columns at each position. out [2 radius + 1, count]"""
    flat = np.float32(radius) - _HALF
    for tap in range(2 * radius + 1):
        centre = np.float32(tap - radius)
        for p in range(count):
            u = min(max(abs(local[p] - centre) - flat, _ZERO), _ONE)
            out[tap, p] = _ONE - u * u * (_THREE - _TWO * u)


@inline
def _weigh(g, sx, sy, px, py, fade_x, fade_y, count, out):
    """Weights of one Gaussian at the block's pixels."""
    mx, my, a, b, c = sx + g[0], sy + g[1], _HALF * g[2], g[3], _HALF * g[4]
    opacity = g[5]
    for p in range(count):
        dx, dy = px[p] - mx, py[p] - my
        e = min(a * dx * dx + c * dy * dy + b * dx * dy, _LIMIT)
        out[p] = opacity * _exp_minus(e) * fade_x[p] * fade_y[p]


@inline
def _accumulate(weights, near, taps, p, total):
    """Sum of weights[t, p] * near[t], four Gaussians per pass."""
    wide = total.shape[0]
    total[:] = _ZERO
    t = 0
    while t + 4 <= taps:
        n0, n1, n2, n3 = near[t], near[t + 1], near[t + 2], near[t + 3]
        w0, w1, w2, w3 = weights[t, p], weights[t + 1, p], weights[t + 2, p], weights[t + 3, p]
        for k in range(wide):
            total[k] += w0 * n0[k] + w1 * n1[k] + w2 * n2[k] + w3 * n3[k]
        t += 4
    while t < taps:
        n0, w0 = near[t], weights[t, p]
        for k in range(wide):
            total[k] += w0 * n0[k]
        t += 1


@jit
def _dense(x, count, weight, bias, floor, out):
    """Out = max(floor, weight.T @ x[:count] + bias) for a tile of pixels, one per column.

    Four inputs and four outputs per pass: a number that is loaded is used four times.
    """
    for k in range(0, bias.shape[0], 4):
        o0, o1, o2, o3 = out[k], out[k + 1], out[k + 2], out[k + 3]
        for t in range(_TILE):
            o0[t], o1[t], o2[t], o3[t] = bias[k], bias[k + 1], bias[k + 2], bias[k + 3]
        for i in range(0, count, 4):
            x0, x1, x2, x3 = x[i], x[i + 1], x[i + 2], x[i + 3]
            u0, u1, u2, u3 = weight[i], weight[i + 1], weight[i + 2], weight[i + 3]
            a0, a1, a2, a3 = u0[k], u1[k], u2[k], u3[k]
            b0, b1, b2, b3 = u0[k + 1], u1[k + 1], u2[k + 1], u3[k + 1]
            c0, c1, c2, c3 = u0[k + 2], u1[k + 2], u2[k + 2], u3[k + 2]
            d0, d1, d2, d3 = u0[k + 3], u1[k + 3], u2[k + 3], u3[k + 3]
            for t in range(_TILE):
                v0, v1, v2, v3 = x0[t], x1[t], x2[t], x3[t]
                o0[t] += a0 * v0 + a1 * v1 + a2 * v2 + a3 * v3
                o1[t] += b0 * v0 + b1 * v1 + b2 * v2 + b3 * v3
                o2[t] += c0 * v0 + c1 * v1 + c2 * v2 + c3 * v3
                o3[t] += d0 * v0 + d1 * v1 + d2 * v2 + d3 * v3
        for j in range(k, k + 4):
            row = out[j]
            for t in range(_TILE):
                row[t] = max(row[t], floor)


@jit
def _shade(tile, inputs, filled, where, mlp, x, y, out):
    """Result and splatted colour of the pixels collected in a tile: rows are colour (3), then
    what the MLP reads. x and y hold its numbers in turn.
    """
    weights, biases, last_weight, last_bias = mlp
    _dense(tile[3:], (inputs + 3) // 4 * 4, weights[0], biases[0], _ZERO, x)
    for i in range(1, weights.shape[0]):
        _dense(x, biases.shape[1], weights[i], biases[i], _ZERO, y)
        x, y = y, x
    _dense(x, biases.shape[1], last_weight, last_bias, _LOWEST, y)
    for k in range(3):
        result, color = out[k], out[3 + k]
        for t in range(filled):
            result[where[t]] = tile[k, t] + y[k, t]
            color[where[t]] = tile[k, t]


@jit
def _collect(total, depth, dx, dy, tile, t):
    """Means of one pixel, from its sums colour (3), features, mean (2), 1, as a tile's column."""
    inverse = _ONE / total[depth + 2]
    for k in range(depth):
        tile[k, t] = total[k] * inverse
    tile[depth, t] = dx - total[depth] * inverse
    tile[depth + 1, t] = dy - total[depth + 1] * inverse


@jit
def _grid(geometry, channels, slopes, xs, ys, radius, mlp, start, stop, out):
    """Output rows start to stop of the grid xs x ys; out [len(ys) * len(xs), d + 3], or
    [6, len(ys) * len(xs)] after an MLP.
    """
    height, width, depth = channels.shape
    side, columns, sloped = 2 * radius + 1, xs.shape[0], slopes.shape[2]
    padded = (depth + 3 + 2 * sloped + 15) // 16 * 16  # whole vectors
    near = np.zeros((side * side, padded), np.float32)
    total = np.empty(padded, np.float32)
    weights = np.empty((side * side, _SIDE * _SIDE), np.float32)
    fade_x = np.empty((side, _SIDE * _SIDE), np.float32)
    fade_y = np.empty((side, _SIDE * _SIDE), np.float32)
    px = np.empty(_SIDE * _SIDE, np.float32)
    py = np.empty(_SIDE * _SIDE, np.float32)
    if mlp is not None:
        tile = np.zeros((3 + mlp[0].shape[1], _TILE), np.float32)
        x = np.empty((mlp[1].shape[1], _TILE), np.float32)
        y = np.empty((mlp[1].shape[1], _TILE), np.float32)
        where = np.empty(_TILE, np.int64)
    filled = 0
    row = start
    while row < stop:
        row_end = _run_end(ys, row, stop, height)
        cy = _cell(ys[row], height)
        column = 0
        while column < columns:
            column_end = _run_end(xs, column, columns, width)
            cx = _cell(xs[column], width)
            count = 0
            for i in range(row, row_end):
                for j in range(column, column_end):
                    # Relative to the LR pixel's centre: exact far from the origin too.
                    px[count] = np.float32(xs[j] - cx - 0.5)
                    py[count] = np.float32(ys[i] - cy - 0.5)
                    count += 1
            _fade(px, count, radius, fade_x)
            _fade(py, count, radius, fade_y)
            taps = 0
            for iy in range(max(cy - radius, 0), min(cy + radius, height - 1) + 1):
                sy = np.float32(iy - cy)
                for ix in range(max(cx - radius, 0), min(cx + radius, width - 1) + 1):
                    sx = np.float32(ix - cx)
                    g, row_near = geometry[iy, ix], near[taps]
                    for k in range(depth):
                        row_near[k] = channels[iy, ix, k]
                    # sum w d is p * sum w - sum w * mean: the mean rides as two channels.
                    row_near[depth] = sx + g[0]
                    row_near[depth + 1] = sy + g[1]
                    row_near[depth + 2] = _ONE
                    # And sum w (v + G d) is sum w (v - G mean) + sum w G times p.
                    for k in range(sloped):
                        gx, gy = slopes[iy, ix, k, 0], slopes[iy, ix, k, 1]
                        row_near[k] -= gx * (sx + g[0]) + gy * (sy + g[1])
                        row_near[depth + 3 + k] = gx
                        row_near[depth + 3 + sloped + k] = gy
                    tx, ty = ix - cx + radius, iy - cy + radius
                    _weigh(g, sx, sy, px, py, fade_x[tx], fade_y[ty], count, weights[taps])
                    taps += 1
            p = 0
            for i in range(row, row_end):
                for j in range(column, column_end):
                    _accumulate(weights, near, taps, p, total)
                    for k in range(sloped):
                        along_x, along_y = total[depth + 3 + k], total[depth + 3 + sloped + k]
                        total[k] += px[p] * along_x + py[p] * along_y
                    if mlp is not None:
                        _collect(total, depth, px[p], py[p], tile, filled)
                        where[filled] = i * columns + j
                        filled += 1
                        if filled == _TILE:
                            _shade(tile, depth - 1, filled, where, mlp, x, y, out)
                            filled = 0
                    else:
                        into = out[i * columns + j]
                        for k in range(depth):
                            into[k] = total[k]
                        into[depth] = px[p] * total[depth + 2] - total[depth]
                        into[depth + 1] = py[p] * total[depth + 2] - total[depth + 1]
                        into[depth + 2] = total[depth + 2]
                    p += 1
            column = column_end
        row = row_end
    if mlp is not None:
        _shade(tile, depth - 1, filled, where, mlp, x, y, out)


def splat_grid(
    geometry: Tensor,
    channels: Tensor,
    xs: Tensor,
    ys: Tensor,
    radius: int,
    slopes: Tensor | None = None,
) -> Tensor:
    """As `reference.splat` at every (x, y) of a grid, row by row, without gradients.

    Args:
        geometry, channels, slopes: As there; float32.
        xs, ys: Positions of the columns [W] and rows [H], ascending, LR pixels, float64.
        radius: As there.

    Returns:
        [b, H * W, d + 3]
    """
    out = torch.empty(len(geometry), len(ys) * len(xs), channels.shape[-1] + 3)
    _run(geometry, channels, slopes, xs, ys, radius, [None] * len(geometry), out)
    return out


def shade_grid(
    geometry: Tensor,
    channels: Tensor,
    xs: Tensor,
    ys: Tensor,
    radius: int,
    layers: list[list[tuple[Tensor, Tensor]]],
    slopes: Tensor | None = None,
) -> Tensor:
    """Splat and a residual MLP in one pass; see `gsr.network.decoder.ResidualDecoder`.

    Args:
        geometry, channels, xs, ys, radius, slopes: As `splat_grid`; the first 3 channels are
            colour.
        layers: Per image, the (weight [out, in], bias [out]) of each layer, ReLU between them.

    Returns:
        Result and splatted colour, plane by plane. [b, 6, H * W]
    """
    out = torch.empty(len(geometry), 6, len(ys) * len(xs))
    mlps = [_packed(own) for own in layers]
    _run(geometry, channels, slopes, xs, ys, radius, mlps, out)
    return out


def _packed(layers: list[tuple[Tensor, Tensor]]) -> tuple[np.ndarray, ...]:
    """Hidden layers as stacks [layers, in, out] and [layers, out], then the last one; inputs
    are rows, sizes are padded with zeros to multiples of four and to each other.
    """
    hidden = layers[:-1]
    wide = _fours(max(len(bias) for _, bias in hidden))
    rows = max(wide, _fours(hidden[0][0].shape[1]))
    weights = np.zeros((len(hidden), rows, wide), np.float32)
    biases = np.zeros((len(hidden), wide), np.float32)
    last_weight, last_bias = np.zeros((wide, 4), np.float32), np.zeros(4, np.float32)
    for (weight, bias), to, shift in zip(
        layers, [*weights, last_weight], [*biases, last_bias], strict=True
    ):
        to[: weight.shape[1], : len(bias)] = weight.detach().numpy().T
        shift[: len(bias)] = bias.detach().numpy()
    return weights, biases, last_weight, last_bias


def _fours(count: int) -> int:
    return (count + 3) // 4 * 4


def _run(
    geometry: Tensor,
    channels: Tensor,
    slopes: Tensor | None,
    xs: Tensor,
    ys: Tensor,
    radius: int,
    mlps: list[Any],
    out: Tensor,
) -> None:
    threads = torch.get_num_threads()
    # More pieces than threads, so that none waits long for another.
    pieces = min(4 * threads, len(ys))
    cuts = [len(ys) * i // pieces for i in range(pieces + 1)]
    slopes = flat(channels) if slopes is None else slopes
    arrays = [t.detach().contiguous().numpy() for t in (geometry, channels, slopes, out)]
    across, down = xs.numpy(), ys.numpy()
    with ThreadPoolExecutor(threads) as pool:
        jobs = [
            pool.submit(_grid, g, c, s, across, down, radius, mlp, a, b, o)
            for g, c, s, o, mlp in zip(*arrays, mlps, strict=True)
            for a, b in pairwise(cuts)
        ]
    for job in jobs:
        job.result()
