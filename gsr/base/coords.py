"""The plane, stated once.

x runs right, y runs down, the unit is one LR pixel. Pixel (row i, column j) covers
[j, j + 1] x [i, i + 1]; its centre is (j + 0.5, i + 0.5). Sizes are (height, width),
points are (x, y). `scale` is magnification: output pixels per LR pixel, per axis (sy, sx).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from numbers import Integral, Real

import torch
from torch import Tensor

from gsr.base.errors import ScaleError, shown
from gsr.base.limits import MAX_SIDE, whole_pixels

MIN_SCALE, MAX_SCALE = 1 / 64, 64.0
"""Magnifications a render accepts. Below 1 the picture is reduced with anti-aliasing."""
MAX_OUTPUT_PIXELS = 2**30
"""Pixels of one render."""
FARTHEST = 2.0**31
"""LR pixels from the corner of a picture that a view may begin at; no picture is so large."""


def parse_scale(scale: float | tuple[float, float]) -> tuple[float, float]:
    """One number or (sy, sx) as a checked pair.

    Raises:
        ScaleError: when a number is not finite or outside [MIN_SCALE, MAX_SCALE].
    """
    pair = tuple(scale) if isinstance(scale, tuple | list) else (scale, scale)
    if len(pair) != 2:
        raise ScaleError(f"scale must be one number or a pair (sy, sx), got {shown(scale)}.")
    for value in pair:
        if not is_number(value) or not MIN_SCALE <= value <= MAX_SCALE:
            raise ScaleError(
                f"scale must be a number between {MIN_SCALE:g} and {MAX_SCALE:g}, "
                f"got {shown(value)}."
            )
    return float(pair[0]), float(pair[1])


def is_number(value: object) -> bool:
    """A finite number that a float can hold, numpy's among them, but not a bool."""
    try:
        return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # a whole number or a fraction of hundreds of digits
        return False


def scaled_size(lr_size: tuple[int, int], scale: float | tuple[float, float]) -> tuple[int, int]:
    """Output (height, width) of a whole image at `scale`, see `whole_pixels`."""
    sy, sx = parse_scale(scale)
    return whole_pixels(lr_size[0] * sy), whole_pixels(lr_size[1] * sx)


def check_size(size: object) -> tuple[int, int]:
    """Output (height, width) as it was given, if it is one.

    Raises:
        ScaleError: unless it is a pair of integers of at least 1.
    """
    if isinstance(size, tuple | list) and len(size) == 2:
        height, width = (int(n) if isinstance(n, Integral) else 0 for n in size)
        if min(height, width) >= 1 and max(height, width) <= MAX_SIDE:
            return height, width
    raise ScaleError(
        f"size must be (height, width) in whole pixels between 1 and {MAX_SIDE:,}, "
        f"got {shown(size)}."
    )


@dataclass(frozen=True)
class View:
    """A rectangle of the plane and how many pixels to show it with. Nothing else says "where".

    Attributes:
        x, y: Left and top edge, in LR pixels. May lie outside the image: the border continues.
            At most `FARTHEST` from its corner.
        width, height: Extent in LR pixels, > 0.
        size: Output (height, width) in pixels, each >= 1.

    Examples:
        >>> import gsr
        >>> gsr.View(x=10, y=20, width=32, height=24, size=(768, 1024)).scale
        (32.0, 32.0)
    """

    x: float
    y: float
    width: float
    height: float
    size: tuple[int, int]

    def __post_init__(self) -> None:
        numbers = (self.x, self.y, self.width, self.height)
        if not all(map(is_number, numbers)):
            raise ScaleError(f"a view needs finite x, y, width and height, got {shown(numbers)}.")
        if max(abs(self.x), abs(self.y)) > FARTHEST:
            raise ScaleError(
                f"a view's x and y must be between {-FARTHEST:,.0f} and {FARTHEST:,.0f} LR pixels, "
                f"got {self.x:g} and {self.y:g}."
            )
        if self.width <= 0 or self.height <= 0:
            raise ScaleError(
                f"a view needs width and height above 0, got {self.width:g} x {self.height:g}."
            )
        object.__setattr__(self, "size", check_size(self.size))
        for name in ("x", "y", "width", "height"):
            object.__setattr__(self, name, float(getattr(self, name)))
        # Half of MIN_SCALE, because a whole image's size was rounded: 80 pixels at 1/64 are 1.
        low, high = MIN_SCALE / 2, MAX_SCALE * (1 + 1e-9)
        if not low <= min(self.scale) <= max(self.scale) <= high:
            raise ScaleError(
                f"a view's scale must be between {MIN_SCALE:g} and {MAX_SCALE:g} on both axes, "
                f"got {self.scale[0]:g} and {self.scale[1]:g}."
            )

    @classmethod
    def whole(cls, lr_size: tuple[int, int], size: tuple[int, int]) -> "View":
        """The whole image shown with `size` pixels."""
        return cls(0.0, 0.0, float(lr_size[1]), float(lr_size[0]), size)

    @property
    def scale(self) -> tuple[float, float]:
        """Magnification (sy, sx)."""
        return self.size[0] / self.height, self.size[1] / self.width

    def band(self, start: int, stop: int) -> "View":
        """Output rows `start` to `stop` of this view, as a view."""
        step = self.height / self.size[0]
        return replace(
            self,
            y=self.y + start * step,
            height=(stop - start) * step,
            size=(stop - start, self.size[1]),
        )

    def bands(self, pixels: int) -> Iterator[tuple[int, int]]:
        """Row ranges of at most about `pixels` output pixels each."""
        rows = max(1, pixels // self.size[1])
        for start in range(0, self.size[0], rows):
            yield start, min(start + rows, self.size[0])

    def axes(self, lr_size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """X of the output columns [W] and y of the output rows [H], kept inside the image.

        float64, because at magnification 64 a float32 coordinate of a wide image is
        coarser than a tenth of an output pixel.
        """
        height, width = self.size
        xs = self.x + (torch.arange(width, dtype=torch.float64) + 0.5) * (self.width / width)
        ys = self.y + (torch.arange(height, dtype=torch.float64) + 0.5) * (self.height / height)
        return xs.clamp(0, lr_size[1]), ys.clamp(0, lr_size[0])


def resolve_view(
    lr_size: tuple[int, int],
    scale: float | tuple[float, float] | None = None,
    size: tuple[int, int] | None = None,
    view: View | None = None,
) -> View:
    """The view that was asked for, in one of three ways.

    Raises:
        ScaleError: unless exactly one way is used and its numbers can be rendered.
    """
    if sum(way is not None for way in (scale, size, view)) != 1:
        raise ScaleError("give exactly one of scale, size and view.")
    if scale is not None:
        size = scaled_size(lr_size, parse_scale(scale))
    if size is not None:
        view = View.whole(lr_size, check_size(size))
    if not isinstance(view, View):
        raise ScaleError(f"view must be a gsr.View, got {shown(view)}.")
    if view.size[0] * view.size[1] > MAX_OUTPUT_PIXELS:
        raise ScaleError(
            f"{view.size[1]} x {view.size[0]} output pixels are more than the "
            f"{MAX_OUTPUT_PIXELS:,} that can be rendered at once; render views of it instead."
        )
    return view
