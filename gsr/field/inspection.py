"""Read-only questions to a field: who made this colour, what does one Gaussian touch, which
kernels are where.
"""

from dataclasses import asdict, dataclass, replace
from numbers import Integral
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from gsr.base.coords import View, is_number, parse_scale
from gsr.base.errors import GsrError, ScaleError, shown
from gsr.field.edits import count
from gsr.images import mean_color
from gsr.network.kernels import Kernels, ellipses, physical
from gsr.network.sampler import SplatMaps
from gsr.network.splat import reference, splat_grid
from gsr.network.tiles import widened

if TYPE_CHECKING:
    from gsr.field import GaussianField
    from gsr.field.mosaic import Mosaic

RGB = tuple[float, float, float]


@dataclass(frozen=True)
class Contribution:
    """One Gaussian's part in a colour.

    Attributes:
        column, row: Its LR pixel.
        kernel: Its kernel in the bank.
        share: Its part of the weights at the point, in [0, 1]; all of them sum to 1.
        mean: Its centre (x, y), LR pixels.
        color: Its colour at the point: its own, changed by its slope.
        change: What the shown colour would change by without it (with it minus without).
    """

    column: int
    row: int
    kernel: int
    share: float
    mean: tuple[float, float]
    color: RGB
    change: RGB


@dataclass(frozen=True)
class Explanation:
    """How the colour at a point came about: rgb = sum of share * color + residual.

    Attributes:
        x, y: The point, LR pixels.
        scale: Magnification (sy, sx) it is seen at.
        column, row: The LR pixel it lies in.
        kernel: That pixel's kernel.
        chosen, second: What the classifier chose there, another one after edits, and its runner-up.
        confidence: The classifier's probability of its choice.
        splatted: The Gaussians alone.
        residual: What the decoder adds.
        rgb: The result before it is clamped to [0, 1].
        contributions: Every Gaussian with a share, largest first.
        alpha: How opaque the point is, in [0, 1]; the shares of transparent Gaussians are smaller.
        edits: How many edits made the field another one than the network's.
    """

    x: float
    y: float
    scale: tuple[float, float]
    column: int
    row: int
    kernel: int
    chosen: int
    second: int
    confidence: float
    splatted: RGB
    residual: RGB
    rgb: RGB
    contributions: tuple[Contribution, ...]
    edits: int = 0
    alpha: float = 1.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class GaussianList:
    """Gaussians one by one, for drawing.

    Attributes:
        column, row: LR pixel. [n]
        kernel: Class. [n]
        means: (x, y), LR pixels. [n, 2]
        major, minor, angle: One-sigma ellipse, see `gsr.network.kernels.Ellipses`. [n]
        opacities: In (0, 1). [n]
        colors: RGB at the mean, clamped to [0, 1]. [n, 3]
        step: Every step-th LR row and column was kept.
    """

    column: Int[Tensor, " n"]
    row: Int[Tensor, " n"]
    kernel: Int[Tensor, " n"]
    means: Float[Tensor, "n 2"]
    major: Float[Tensor, " n"]
    minor: Float[Tensor, " n"]
    angle: Float[Tensor, " n"]
    opacities: Float[Tensor, " n"]
    colors: Float[Tensor, "n 3"]
    step: int


def _point(field: "GaussianField | Mosaic", x: float, y: float) -> Tensor:
    height, width = field.lr_size
    numbers = is_number(x) and is_number(y)
    if not numbers or not (0 <= x <= width and 0 <= y <= height):
        raise ScaleError(
            f"the point ({shown(x)}, {shown(y)}) is outside the image: x must be between 0 and "
            f"{width}, y between 0 and {height}, in LR pixels."
        )
    return torch.tensor((float(x), float(y)), dtype=torch.float64, device=field.lr.device)


def _check_image(field: "GaussianField", image: int) -> None:
    if not _is_index(image, len(field.lr)):
        raise GsrError(f"image must be between 0 and {len(field.lr) - 1}, got {shown(image)}.")


def _is_index(value: object, length: int) -> bool:
    return isinstance(value, Integral) and 0 <= int(value) < length


def _only(maps: SplatMaps, image: int) -> SplatMaps:
    pick = slice(image, image + 1)
    return SplatMaps(
        maps.kernels[pick],  # type: ignore[index]
        maps.offsets[pick],
        maps.colors[pick],
        maps.feat[pick],
        maps.context[pick],
        None if maps.slopes is None else maps.slopes[pick],
    )


@torch.no_grad()
def explain(
    field: "GaussianField",
    x: float,
    y: float,
    scale: float | tuple[float, float] = 4.0,
    *,
    image: int = 0,
) -> Explanation:
    """Which Gaussians made the colour at (x, y).

    Args:
        x, y: Point in LR pixels, inside the image.
        scale: Magnification it is seen at. Below 1 a picture is a reduction of the one at 1,
            and so is its explanation: the one at 1 is given.
        image: Which image of a batch.

    Raises:
        ScaleError: for a point outside the image or a scale that cannot be rendered.
    """
    _check_image(field, image)
    point = _point(field, x, y)
    sy, sx = parse_scale(scale)
    pair = max(sy, 1.0), max(sx, 1.0)
    maps, (left, top) = field.splat_maps(point[:1], point[1:])
    maps = _only(maps, image)
    where = (point - point.new_tensor((left, top)))[None, None]  # [1, 1, 2]
    seen = field.lr.new_tensor(pair)[None]
    index, weight, vector = reference.weights(
        field.sampler.geometry(maps, seen), where, field.sampler.config.radius
    )
    index, weight = index[0, 0], weight[0, 0]  # [k]
    kept = weight > 0
    index, weight, vector = index[kept], weight[kept], vector[0, 0][kept]
    colors = maps.colors[0].flatten(0, 1)[index]
    if maps.slopes is not None:
        slopes = maps.slopes[0].flatten(0, 1)[index]  # [k, 3, 2]
        colors = colors + (slopes * vector.unsqueeze(-2)).sum(-1)
    feat = maps.feat[0].flatten(0, 1)[index]
    near = torch.cat((colors, feat, vector, torch.ones_like(weight)[:, None]), -1) * weight[:, None]
    # Row 0 is the sum of all, row i + 1 the sum without Gaussian i: of the others, since taking
    # one away from the sum loses everything when it is nearly all of it.
    others = 1 - torch.eye(len(near), dtype=near.dtype, device=near.device)
    sums = torch.cat((near.sum(0, keepdim=True), others @ near))[None]
    # Alone in its window (a 1 x 1 image), a Gaussian leaves nothing behind when it goes.
    sums[..., -1] = sums[..., -1].clamp_min(torch.finfo(sums.dtype).tiny)
    sample = field.sampler.decode(sums, maps, where.expand(1, sums.shape[1], 2), seen)
    rgb = mean_color(sample.rgb[0], -1) if field.grey[image] else sample.rgb[0]
    change = rgb[:1] - rgb[1:]

    columns = maps.colors.shape[2]
    rows, cols = index // columns + top, index % columns + left
    shares = weight / weight.sum()
    order = shares.argsort(descending=True).tolist()
    contributions = tuple(
        Contribution(
            column=int(cols[i]),
            row=int(rows[i]),
            kernel=int(field.index[image, rows[i], cols[i]]),
            share=float(shares[i]),
            mean=_pair(field.offsets[image, rows[i], cols[i]], int(cols[i]), int(rows[i])),
            color=_rgb(colors[i]),
            change=_rgb(change[i]),
        )
        for i in order
    )
    found = _explanation(field, image, point, pair, rgb[0], sample.colors[0, 0], contributions)
    if field.alpha is None:
        return found
    opaque = explain(field.alpha, x, y, scale, image=image).rgb[0]
    return replace(found, alpha=min(max(opaque, 0.0), 1.0))


def explain_part(
    mosaic: "Mosaic", x: float, y: float, scale: float | tuple[float, float] = 4.0
) -> Explanation:
    """As `explain`, of a field in tiles: from the Gaussians around the point alone.

    Raises:
        ScaleError: when the point is outside the image.
    """
    column, row = (int(v) for v in _point(mosaic, x, y).tolist())
    by = 2 * mosaic.margin
    part = widened((slice(row, row + 1), slice(column, column + 1)), by, mosaic.lr_size)
    top, left = (span.start for span in part)
    found = explain(mosaic.cut(part), x - left, y - top, scale)
    return replace(
        found,
        x=float(x),
        y=float(y),
        column=found.column + left,
        row=found.row + top,
        contributions=tuple(_moved(one, left, top) for one in found.contributions),
    )


def _moved(one: Contribution, left: int, top: int) -> Contribution:
    x, y = one.mean
    return replace(one, column=one.column + left, row=one.row + top, mean=(x + left, y + top))


def _explanation(
    field: "GaussianField",
    image: int,
    point: Tensor,
    scale: tuple[float, float],
    rgb: Tensor,
    colors: Tensor,
    contributions: tuple[Contribution, ...],
) -> Explanation:
    height, width = field.lr_size
    column, row = (int(v) for v in point.long().tolist())
    column, row = min(column, width - 1), min(row, height - 1)
    pixel = field.choice_at(slice(row, row + 1), slice(column, column + 1))
    return Explanation(
        x=float(point[0]),
        y=float(point[1]),
        scale=scale,
        column=column,
        row=row,
        kernel=int(field.index[image, row, column]),
        chosen=int(pixel.index[image, 0, 0]),
        second=int(pixel.second[image, 0, 0]),
        confidence=float(pixel.confidence[image, 0, 0]),
        splatted=_rgb(colors),
        residual=_rgb(rgb - colors),
        rgb=_rgb(rgb),
        contributions=contributions,
        edits=count(field.edits),
    )


def _rgb(values: Tensor) -> RGB:
    red, green, blue = values.tolist()
    return red, green, blue


def _pair(offset: Tensor, column: int, row: int) -> tuple[float, float]:
    dx, dy = offset.tolist()
    return column + 0.5 + dx, row + 0.5 + dy


@torch.no_grad()
def footprint(
    field: "GaussianField", column: int, row: int, view: View, *, image: int = 0
) -> Float[Tensor, "H W"]:
    """Share of one Gaussian, in [0, 1], at every output pixel of `view`; below 1 as at 1.

    Raises:
        GsrError: if the image has no such LR pixel.
    """
    _check_image(field, image)
    height, width = field.lr_size
    if not (_is_index(column, width) and _is_index(row, height)):
        raise GsrError(
            f"no Gaussian at column {shown(column)}, row {shown(row)}: columns go from 0 "
            f"to {width - 1} and rows from 0 to {height - 1}."
        )
    xs, ys = view.axes(field.lr_size)
    maps, (left, top) = field.splat_maps(xs, ys)
    maps = _only(maps, image)
    mark = torch.zeros_like(maps.offsets[..., :1])
    if top <= row < top + mark.shape[1] and left <= column < left + mark.shape[2]:
        mark[0, row - top, column - left] = 1
    geometry = field.sampler.geometry(maps, field.lr.new_tensor(view.scale)[None].clamp_min(1))
    sums = splat_grid(geometry, mark, xs - left, ys - top, field.sampler.config.radius)
    return (sums[0, :, 0] / sums[0, :, -1]).reshape(view.size)


@torch.no_grad()
def gaussians_in(
    field: "GaussianField", view: View, *, limit: int = 12_000, image: int = 0
) -> GaussianList:
    """Gaussians whose LR pixel is in or next to `view`, thinned evenly to at most `limit`.

    Raises:
        GsrError: for a `limit` below 1.
    """
    _check_image(field, image)
    if not (isinstance(limit, Integral) and limit >= 1):
        raise GsrError(f"limit must be at least 1, got {shown(limit)}.")
    height, width = field.lr_size
    top, bottom = _span(view.y, view.height, height)
    left, right = _span(view.x, view.width, width)
    step = 1
    while -(-(bottom - top) // step) * -(-(right - left) // step) > limit:
        step += 1
    # On multiples of the step, so that panning does not change which ones are drawn.
    rows, columns = _multiples(step, top, bottom), _multiples(step, left, right)
    row, column = (v.flatten() for v in torch.meshgrid(rows, columns, indexing="ij"))
    kernel = field.index[image, row, column].cpu()
    chosen = _kernels_at(field, image, row, column)
    shape = ellipses(chosen.covariances())
    centre = torch.stack((column, row), -1) + 0.5
    return GaussianList(
        column=column,
        row=row,
        kernel=kernel,
        means=centre + field.offsets[image, row, column].cpu(),
        major=shape.major.cpu(),
        minor=shape.minor.cpu(),
        angle=shape.angle.cpu(),
        opacities=chosen.opacities.cpu(),
        colors=field.colors[image, row, column].cpu().clamp(0, 1),
        step=step,
    )


def _kernels_at(field: "GaussianField", image: int, row: Tensor, column: Tensor) -> Kernels:
    if field.mixed is not None:
        return physical(field.mixed[image, row, column])
    return field.bank[field.index[image, row, column]]


def _multiples(step: int, first: int, end: int) -> Tensor:
    """Those from `first` to before `end`: none, if `step` is longer."""
    return torch.tensor(range(-(-first // step) * step, end, step), dtype=torch.long)


def _span(start: float, extent: float, length: int) -> tuple[int, int]:
    low = min(max(int(start) - 1, 0), length - 1)
    return low, max(low + 1, min(length, int(start + extent) + 2))


def usage(field: "GaussianField") -> Float[Tensor, " n"]:
    """Fraction of the pixels that chose each kernel; sums to 1."""
    counts = torch.bincount(field.index.flatten(), minlength=len(field.bank_raw))
    return counts / counts.sum()
