"""A zoom as a video: a picture rendered from one magnification to another, into one point."""

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from PIL import Image, ImageCms, ImageDraw, ImageFont

from gsr.base.coords import View, check_size, is_number, parse_scale
from gsr.base.errors import ScaleError, shown
from gsr.base.limits import whole_pixels
from gsr.field.protocol import ContinuousImage, Progress
from gsr.field.provenance import made
from gsr.images import PictureInfo
from gsr.tasks.video import check_video, write_video

BACKGROUND = (24, 24, 27)
"""Around a picture smaller than the frame, and behind a transparent one."""
LONGEST_SECONDS, FASTEST = 60.0, 60.0
MAX_PIXELS = 2**28
"""Of all frames together; WebP and GIF are written when the last one is there."""
SHORT_SIDE, LONG_SIDE = 480, 960
"""Between these is the longer side of a frame whose size was not given."""


@dataclass(frozen=True)
class Sweep:
    """Where a zoom begins and ends.

    Attributes:
        start, stop: Magnification of the first and the last frame; it changes by equal factors.
        at: The point (x, y) zoomed into, LR pixels; the middle if not given.
        size: (height, width) of the frames; a size near the picture's if not given.
        seconds: Duration, up to 60.
        fps: Frames per second, 1 to 60.

    Raises:
        ScaleError: a number is out of range.
    """

    start: float = 1.0
    stop: float = 16.0
    at: tuple[float, float] | None = None
    size: tuple[int, int] | None = None
    seconds: float = 4.0
    fps: float = 24.0

    def __post_init__(self) -> None:
        parse_scale(self.start)
        parse_scale(self.stop)
        if self.start == self.stop:
            raise ScaleError(f"a sweep goes from one scale to another, got {self.start:g} twice.")
        if not (is_number(self.seconds) and 0 < self.seconds <= LONGEST_SECONDS):
            raise ScaleError(
                f"seconds must be above 0 and at most {LONGEST_SECONDS:g}, got "
                f"{shown(self.seconds)}."
            )
        if not (is_number(self.fps) and 1 <= self.fps <= FASTEST):
            raise ScaleError(f"fps must be between 1 and {FASTEST:g}, got {shown(self.fps)}.")
        if self.size is not None:
            check_size(self.size)

    @property
    def num_frames(self) -> int:
        """At least two: the first and the last."""
        return max(2, round(self.seconds * self.fps))

    def frame_size(self, lr_size: tuple[int, int]) -> tuple[int, int]:
        """(height, width) of the frames for a picture of `lr_size`.

        Raises:
            ScaleError: all frames together are too many pixels.
        """
        height, width = self.size or _near(lr_size)
        if height * width * self.num_frames > MAX_PIXELS:
            raise ScaleError(
                f"{self.num_frames} frames of {width} x {height} pixels are more than the "
                f"{MAX_PIXELS / 1e6:.0f} megapixels a sweep may have; make it smaller or shorter."
            )
        return height, width

    def views(self, lr_size: tuple[int, int]) -> list[View]:
        """The frames as views.

        Both ends show the point as near to their middle as the picture's border allows. Between
        them the edges move in step with the extent, which is a zoom into one fixed point.

        Raises:
            ScaleError: the point is outside the picture, or see `frame_size`.
        """
        size, steps = self.frame_size(lr_size), self.num_frames - 1
        centre = self._point(lr_size)
        rows = _edges(self.start, self.stop, steps, size[0], centre[1], lr_size[0])
        columns = _edges(self.start, self.stop, steps, size[1], centre[0], lr_size[1])
        return [
            View(x, y, width, height, size)
            for (y, height), (x, width) in zip(rows, columns, strict=True)
        ]

    def _point(self, lr_size: tuple[int, int]) -> tuple[float, float]:
        height, width = lr_size
        x, y = self.at or (width / 2, height / 2)
        numbers = is_number(x) and is_number(y)
        if not numbers or not (0 <= x <= width and 0 <= y <= height):
            raise ScaleError(
                f"the point ({shown(x)}, {shown(y)}) is outside the image: x must be between 0 and "
                f"{width}, y between 0 and {height}, in LR pixels."
            )
        return x, y


def _near(lr_size: tuple[int, int]) -> tuple[int, int]:
    """The picture's proportions, a side that suits a screen, and even, as MP4 wants it."""
    longest = max(lr_size)
    factor = min(max(longest, SHORT_SIDE), LONG_SIDE) / longest
    height, width = (2 * whole_pixels(side * factor / 2) for side in lr_size)
    return height, width


def _edges(
    start: float, stop: float, steps: int, pixels: int, centre: float, length: int
) -> Iterator[tuple[float, float]]:
    """First coordinate and extent of every frame along one axis, LR pixels."""
    first, last = pixels / start, pixels / stop
    edges = [_edge(extent, centre, length) for extent in (first, last)]
    for i in range(steps + 1):
        extent = pixels / (start * (stop / start) ** (i / steps))
        part = (extent - first) / (last - first)
        yield edges[0] + part * (edges[1] - edges[0]), extent


def _edge(extent: float, centre: float, length: int) -> float:
    if extent >= length:
        return (length - extent) / 2
    return min(max(centre - extent / 2, 0.0), length - extent)


# --- frames ----------------------------------------------------------------------------------


def frames(image: ContinuousImage, sweep: Sweep, *, caption: bool = False) -> Iterator[Image.Image]:
    """The frames of a sweep, rendered one by one, in RGB.

    Args:
        image: Of a picture, not of a tensor: it renders PIL images.
        sweep: Where to go.
        caption: Write the magnification into a corner.
    """
    for view in sweep.views(image.lr_size):
        frame = _frame(image, view)
        if caption:
            _write_caption(frame, f"x{view.scale[0]:.2f}")
        yield frame


def _frame(image: ContinuousImage, view: View) -> Image.Image:
    height, width = view.size
    whole = Image.new("RGB", (width, height), BACKGROUND)
    left, columns = _inside(view.x, view.width, width, image.lr_size[1])
    top, rows = _inside(view.y, view.height, height, image.lr_size[0])
    if not rows or not columns:
        return whole
    step_x, step_y = view.width / width, view.height / height
    part = View(
        view.x + left * step_x,
        view.y + top * step_y,
        columns * step_x,
        rows * step_y,
        (rows, columns),
    )
    shown = cast(Image.Image, image.render(view=view if part.size == view.size else part))
    mask = shown.getchannel("A") if shown.has_transparency_data else None
    whole.paste(shown.convert("RGB"), (left, top), mask)
    return whole


def _inside(start: float, extent: float, pixels: int, length: int) -> tuple[int, int]:
    """First pixel of a row whose centre is in the picture, and how many are."""
    step = extent / pixels
    first = max(0, math.ceil(-start / step - 0.5))
    last = min(pixels - 1, math.floor((length - start) / step - 0.5))
    return first, max(0, last - first + 1)


def _write_caption(frame: Image.Image, text: str) -> None:
    size = max(10, frame.height // 20)
    place = size // 2, frame.height - size // 2
    font = ImageFont.load_default(size)
    ImageDraw.Draw(frame).text(
        place,
        text,
        "white",
        font,
        anchor="ld",
        stroke_width=max(1, size // 10),
        stroke_fill="black",
    )


# --- files -----------------------------------------------------------------------------------


def save_sweep(
    image: ContinuousImage,
    path: str | Path,
    sweep: Sweep,
    *,
    info: PictureInfo | None = None,
    model: str | None = None,
    caption: bool = False,
    progress: Progress | None = None,
) -> tuple[str, ...]:
    """Render a sweep into a file, whole or not at all.

    Args:
        image: Of a picture; its renders are PIL images.
        path: A `.webp`, `.gif` or `.mp4` file, see `gsr.tasks.video`.
        sweep: Where to go.
        info: Its colour profile is applied: videos are sRGB.
        model: What made the image, where that is not what it says itself.
        caption: Write the magnification into a corner.
        progress: Called with (frames done, frames in all); an exception it raises cancels.

    Returns:
        Notes on what was changed or left out on the way from the picture to the film.

    Raises:
        OutputError: the format cannot hold the sweep, a missing extra, or a failing file system.
        ScaleError: the sweep cannot be rendered.
    """
    check_sweep(path, sweep, image.lr_size)
    shown = frames(image, sweep, caption=caption)
    if info is not None and info.icc is not None:
        shown = _in_srgb(shown, info.icc)
    by = made(image, f"{sweep.start:g} to {sweep.stop:g}")
    by = replace(by, notes=(*by.notes, *_film_notes(image, info)))
    if model is not None:
        by.facts["gsr:model"] = model
    comment, notes = by.for_file(path)
    write_video(path, _counted(shown, sweep.num_frames, progress), sweep.fps, comment)
    return notes


def _film_notes(image: ContinuousImage, info: PictureInfo | None) -> Iterator[str]:
    """What a film cannot hold of a picture."""
    if image.alpha is not None:
        yield "A film has no transparency: the picture lies on a dark ground."
    if info is not None and info.icc is not None:
        yield "The colour profile was applied: films are sRGB."


def check_sweep(path: str | Path, sweep: Sweep, lr_size: tuple[int, int]) -> None:
    """All that can be known before the first frame; errors as of `save_sweep`."""
    check_video(path, sweep.frame_size(lr_size), sweep.fps)
    sweep.views(lr_size)


def _counted(
    shown: Iterator[Image.Image], total: int, progress: Progress | None
) -> Iterator[Image.Image]:
    for done, frame in enumerate(shown, 1):
        yield frame
        if progress:
            progress(done, total)


def _in_srgb(shown: Iterator[Image.Image], icc: bytes) -> Iterator[Image.Image]:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        srgb = ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(source, srgb, "RGB", "RGB")
    except (OSError, ImageCms.PyCMSError):  # of grey, or broken: shown as it is
        yield from shown
        return
    for frame in shown:
        yield ImageCms.applyTransform(frame, transform) or frame
