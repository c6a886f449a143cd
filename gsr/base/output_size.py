"""How large a result is asked to be: a scale, or pixels in one of four ways."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gsr.base.errors import ConfigError, ScaleError, shown
from gsr.base.limits import MAX_SIDE, whole_pixels

if TYPE_CHECKING:
    from gsr.base.coords import View

Kind = Literal["scale", "size", "width", "height", "longest"]
Fit = Literal["inside", "crop", "pad", "stretch"]
_LABELS: dict[Kind, str] = {"scale": "x", "size": "", "width": "w", "height": "h", "longest": "max"}


@dataclass(frozen=True)
class Layout:
    """What is rendered of a picture, and the canvas it is placed on.

    Attributes:
        view: The part of the picture, and its size in pixels.
        canvas: (height, width) of the result; larger than the view where it is padded.
        note: What a caller should know, where the request left a choice.
    """

    view: "View"
    canvas: tuple[int, int]
    note: str = ""


@dataclass(frozen=True)
class OutputSize:
    """A request for a size.

    Attributes:
        kind: `scale` and the sides keep the proportions of the picture.
        value: The scale, or pixels; (width, height) for `size`.
        fit: How a picture of other proportions fits a `size`: `inside` it (smaller on one side),
            by a `crop` of its middle, with a margin (`pad`), or distorted (`stretch`).

    Raises:
        ScaleError: a side that no picture has.
    """

    kind: Kind
    value: float | tuple[int, int]
    fit: Fit = "inside"

    def __post_init__(self) -> None:
        if self.kind in ("width", "height", "longest") and not _is_side(self.value):
            raise ScaleError(
                f"{self.kind} must be between 1 and {MAX_SIDE:,} pixels, got {shown(self.value)}."
            )

    @property
    def label(self) -> str:
        """For names of files: x3.7, w1920, 800x600, 800x600-crop."""
        if isinstance(self.value, tuple):
            fit = "" if self.fit == "inside" else f"-{self.fit}"
            return f"{self.value[0]}x{self.value[1]}{fit}"
        return f"{_LABELS[self.kind]}{self.value:.6g}"

    def for_picture(self, lr_size: tuple[int, int]) -> tuple[int, int]:
        """(height, width) of the result for a picture of `lr_size` (height, width).

        Raises:
            ScaleError: it cannot be rendered.
        """
        return self.layout(lr_size).canvas

    def layout(self, lr_size: tuple[int, int]) -> Layout:
        """What to render of a picture of `lr_size` (height, width), and onto what.

        Raises:
            ScaleError: it cannot be rendered.
        """
        # Not before a picture is there: coordinates need torch, and a mistake in a size does not.
        from gsr.base.coords import resolve_view, scaled_size

        if isinstance(self.value, tuple):
            return self._in_box(lr_size, (self.value[1], self.value[0]))
        by_scale = self.kind == "scale"
        size = scaled_size(lr_size, self.value) if by_scale else self._from_side(lr_size)
        return Layout(resolve_view(lr_size, size=size), size)

    def _from_side(self, lr_size: tuple[int, int]) -> tuple[int, int]:
        assert isinstance(self.value, int)
        height, width = lr_size
        by_width = self.kind == "width" or (self.kind == "longest" and width >= height)
        if by_width:
            return whole_pixels(height * self.value / width), self.value
        return self.value, whole_pixels(width * self.value / height)

    def _in_box(self, lr_size: tuple[int, int], box: tuple[int, int]) -> Layout:
        from gsr.base.coords import View, resolve_view

        tall, wide = _inside(lr_size, box)
        inside = whole_pixels(tall), whole_pixels(wide)
        if self.fit == "stretch" or inside == box:
            return Layout(resolve_view(lr_size, size=box), box)
        if self.fit == "crop":
            height, width = _inside(box, lr_size)
            x, y = (lr_size[1] - width) / 2, (lr_size[0] - height) / 2
            return Layout(resolve_view(lr_size, view=View(x, y, width, height, box)), box)
        view = resolve_view(lr_size, size=inside)
        if self.fit == "pad":
            resolve_view(lr_size, view=View.whole(box, box))  # it may have too many pixels
            return Layout(view, box)
        note = (
            f"its proportions were kept: {inside[1]} x {inside[0]} pixels, the most inside "
            f"{box[1]} x {box[0]}; to fill that, choose --fit crop, pad or stretch."
        )
        return Layout(view, inside, note)


def _inside(shape: tuple[int, int], box: tuple[int, int]) -> tuple[float, float]:
    """The largest (height, width) in a box with the proportions of `shape`."""
    height, width = shape
    if height * box[1] > width * box[0]:
        return box[0], width * box[0] / height
    return height * box[1] / width, box[1]


def _is_side(value: object) -> bool:
    return isinstance(value, int) and 1 <= value <= MAX_SIDE


def parse_size(text: str) -> tuple[int, int]:
    """(width, height) in pixels from text such as 1920x1080.

    Raises:
        ConfigError: if it is not a size.
    """
    match = re.fullmatch(r"([1-9]\d{0,6})[xX×]([1-9]\d{0,6})", text.strip(), re.ASCII)
    if not match:
        raise ConfigError(
            f"{text!r} is not a size; give width x height in pixels, such as 1920x1080."
        )
    return int(match[1]), int(match[2])
