"""Splatting on the CPU: the formula of `reference`, compiled, forward and backward.

Each call is one loop over points without Python's lock; samples (training) or slices of points
(rendering) run on plain threads. numba's own thread layers are avoided on purpose: some of them
abort the process when two threads of a server render at once.
"""

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gsr.network.splat.jit import jit
from gsr.network.splat.reference import MAX_EXPONENT, flat

_LIMIT = np.float32(MAX_EXPONENT)
_HALF, _ONE, _TWO, _THREE, _ZERO = (np.float32(v) for v in (0.5, 1, 2, 3, 0))


@jit
def _taper(distance, radius):
    u = min(max(abs(distance) - (radius - _HALF), _ZERO), _ONE)
    return _ONE - u * u * (_THREE - _TWO * u)


@jit
def _forward(geometry, channels, slopes, points, radius, out):
    height, width, depth = channels.shape
    sloped = slopes.shape[2]
    reach = np.float32(radius)
    for n in range(points.shape[0]):
        cx = min(max(math.floor(points[n, 0]), 0), width - 1)
        cy = min(max(math.floor(points[n, 1]), 0), height - 1)
        fx = np.float32(points[n, 0] - cx - 0.5)
        fy = np.float32(points[n, 1] - cy - 0.5)
        row = out[n]
        row[:] = _ZERO
        mx = my = total = _ZERO
        for iy in range(max(cy - radius, 0), min(cy + radius, height - 1) + 1):
            py = fy - np.float32(iy - cy)
            fade_y = _taper(py, reach)
            for ix in range(max(cx - radius, 0), min(cx + radius, width - 1) + 1):
                px = fx - np.float32(ix - cx)
                g = geometry[iy, ix]
                dx, dy = px - g[0], py - g[1]
                e = _HALF * (g[2] * dx * dx + g[4] * dy * dy) + g[3] * dx * dy
                weight = g[5] * math.exp(-min(e, _LIMIT)) * fade_y * _taper(px, reach)
                near = channels[iy, ix]
                wx, wy = weight * dx, weight * dy
                for k in range(depth):
                    row[k] += weight * near[k]
                slope = slopes[iy, ix]
                for k in range(sloped):
                    row[k] += wx * slope[k, 0] + wy * slope[k, 1]
                mx += wx
                my += wy
                total += weight
        row[depth] = mx
        row[depth + 1] = my
        row[depth + 2] = total


@jit
def _backward(
    geometry, channels, slopes, points, radius, grad, grad_geometry, grad_channels, grad_slopes
):
    height, width, depth = channels.shape
    sloped = slopes.shape[2]
    reach = np.float32(radius)
    for n in range(points.shape[0]):
        cx = min(max(math.floor(points[n, 0]), 0), width - 1)
        cy = min(max(math.floor(points[n, 1]), 0), height - 1)
        fx = np.float32(points[n, 0] - cx - 0.5)
        fy = np.float32(points[n, 1] - cy - 0.5)
        row = grad[n]
        for iy in range(max(cy - radius, 0), min(cy + radius, height - 1) + 1):
            py = fy - np.float32(iy - cy)
            fade_y = _taper(py, reach)
            for ix in range(max(cx - radius, 0), min(cx + radius, width - 1) + 1):
                px = fx - np.float32(ix - cx)
                g = geometry[iy, ix]
                dx, dy = px - g[0], py - g[1]
                e = _HALF * (g[2] * dx * dx + g[4] * dy * dy) + g[3] * dx * dy
                plain = math.exp(-min(e, _LIMIT)) * fade_y * _taper(px, reach)
                weight = g[5] * plain
                near, into = channels[iy, ix], grad_channels[iy, ix]
                # d loss / d vector, over the weight: what was asked of the mean, and of slopes.
                gx, gy = row[depth], row[depth + 1]
                slope, slope_into = slopes[iy, ix], grad_slopes[iy, ix]
                for k in range(sloped):
                    gx += row[k] * slope[k, 0]
                    gy += row[k] * slope[k, 1]
                    slope_into[k, 0] += row[k] * weight * dx
                    slope_into[k, 1] += row[k] * weight * dy
                rise = gx * dx + gy * dy + row[depth + 2]  # d loss / d weight
                for k in range(depth):
                    rise += row[k] * near[k]
                    into[k] += row[k] * weight
                to = grad_geometry[iy, ix]
                to[5] += rise * plain
                # Past the bound the exponent is constant: no gradient through it.
                pull = rise * weight if e < _LIMIT else _ZERO
                to[0] += pull * (g[2] * dx + g[3] * dy) - weight * gx
                to[1] += pull * (g[4] * dy + g[3] * dx) - weight * gy
                to[2] -= pull * _HALF * dx * dx
                to[3] -= pull * dx * dy
                to[4] -= pull * _HALF * dy * dy


def _arrays(*tensors: Tensor) -> list[np.ndarray]:
    return [t.detach().contiguous().numpy() for t in tensors]


def _run_forward(
    geometry: Tensor, channels: Tensor, slopes: Tensor, points: Tensor, radius: int
) -> Tensor:
    batch, count = points.shape[:2]
    out = torch.empty(batch, count, channels.shape[-1] + 3)
    geo, chan, slope, where, into = _arrays(geometry, channels, slopes, points, out)
    threads = torch.get_num_threads()
    step = max(1, -(-batch * count // threads))
    jobs = [
        (geo[b], chan[b], slope[b], where[b, i : i + step], radius, into[b, i : i + step])
        for b in range(batch)
        for i in range(0, count, step)
    ]
    _run_all(_forward, jobs, threads)
    return out


def _run_all(kernel: Any, jobs: list[tuple[Any, ...]], threads: int) -> None:
    if len(jobs) == 1:
        return kernel(*jobs[0])
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda job: kernel(*job), jobs))
    return None


class _Splat(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, geometry: Tensor, channels: Tensor, slopes: Tensor, points: Tensor, radius: int
    ):
        ctx.save_for_backward(geometry, channels, slopes, points)
        ctx.radius = radius
        return _run_forward(geometry, channels, slopes, points, radius)

    @staticmethod
    def backward(ctx: Any, grad: Tensor):
        geometry, channels, slopes, points = ctx.saved_tensors
        grads = tuple(
            torch.zeros_like(value, memory_format=torch.contiguous_format)
            for value in (geometry, channels, slopes)
        )
        arrays = _arrays(geometry, channels, slopes, points, grad, *grads)
        # One job per sample: samples share no gradient cell, so the sum's order never changes.
        jobs = [
            (g, c, s, p, ctx.radius, up, to_g, to_c, to_s)
            for g, c, s, p, up, to_g, to_c, to_s in zip(*arrays, strict=True)
        ]
        _run_all(_backward, jobs, torch.get_num_threads())
        return *grads, None, None


def splat(
    geometry: Tensor, channels: Tensor, points: Tensor, radius: int, slopes: Tensor | None = None
) -> Tensor:
    """As `reference.splat`, float32 on the CPU; gradients reach all but the points."""
    slopes = flat(channels) if slopes is None else slopes
    return _Splat.apply(geometry.float(), channels.float(), slopes.float(), points.double(), radius)
