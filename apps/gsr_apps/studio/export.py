"""What can be taken away of a field: pixels at any size, drawings, videos, the field itself.

Pure functions: they say what a file will be, and write it. `export_routes` carries them.
"""

from dataclasses import dataclass
from pathlib import Path

from gsr import View
from gsr.base.coords import FARTHEST, MAX_SCALE, parse_scale
from gsr.base.errors import ScaleError
from gsr.base.files import marked
from gsr.base.limits import whole_pixels
from gsr.field.protocol import ContinuousImage, Layer, Progress
from gsr.field.provenance import Made, made, notes_of
from gsr.field.render import as_picture
from gsr.images import PictureInfo, check_output, save
from gsr.tasks.sweep import Sweep, check_sweep, save_sweep

MAX_EXPORT_PIXELS = 100_000_000
FORMATS = {"png": "image/png", "webp": "image/webp", "jpeg": "image/jpeg"}
"""Of pictures; PNG and WebP are lossless."""
VIDEOS = {"webp": "image/webp", "gif": "image/gif", "mp4": "video/mp4"}

Exported = ContinuousImage
"""A field, or what another method made of the same picture."""
Region = tuple[float, float, float, float]
"""x, y, width and height in LR pixels."""


@dataclass(frozen=True)
class PictureRequest:
    """Pixels to take away.

    Attributes:
        format: One of `FORMATS`.
        scale: Magnification; or one or both sides instead.
        width, height: Pixels; one alone keeps the proportions.
        region: Which part; the whole picture if not given.
        layer: What of the field.
        method: Another than the field's own, to be named in the file's name.
        quality: Of JPEG, 1 to 100.
        strip: Leave all metadata out.

    Raises:
        ScaleError: an unknown format, or no single way to say the size.
    """

    format: str = "png"
    scale: float | None = None
    width: int | None = None
    height: int | None = None
    region: Region | None = None
    layer: Layer = "result"
    method: str = "gsr"
    quality: int = 95
    strip: bool = False

    def __post_init__(self) -> None:
        _check_format(self.format, FORMATS)
        sides = self.width is not None or self.height is not None
        if (self.scale is not None) == sides:
            raise ScaleError("give the size of the file by a scale, or by width or height.")

    def view(self, field: Exported) -> View:
        """What will be rendered.

        Raises:
            ScaleError: it cannot be rendered or is too large.
        """
        height, width = field.lr_size
        x, y, w, h = self.region or (0.0, 0.0, float(width), float(height))
        if not all(1 / MAX_SCALE <= side <= FARTHEST for side in (w, h)):
            raise ScaleError(
                f"a view needs width and height above 0, from {1 / MAX_SCALE:g} to "
                f"{FARTHEST:,.0f} LR pixels, got {w:g} x {h:g}."
            )
        size = self._size(w, h)
        if size[0] * size[1] > MAX_EXPORT_PIXELS:
            largest = largest_scale((h, w))
            raise ScaleError(
                f"{size[1]} x {size[0]} pixels ({size[0] * size[1] / 1e6:.0f} megapixels) are too "
                f"many: downloads go up to {MAX_EXPORT_PIXELS / 1e6:.0f} megapixels, that is "
                f"scale {largest:.2f} here."
            )
        return View(x, y, w, h, size)

    def _size(self, w: float, h: float) -> tuple[int, int]:
        """(height, width) for a region of w x h LR pixels."""
        if self.scale is not None:
            scale, _ = parse_scale(self.scale)
            return whole_pixels(h * scale), whole_pixels(w * scale)
        if any(side is not None and not 1 <= side <= 10**6 for side in (self.width, self.height)):
            raise ScaleError("width and height must be between 1 and 1,000,000 pixels.")
        width = self.width or whole_pixels(w * (self.height or 0) / h)
        return self.height or whole_pixels(h * width / w), width

    @property
    def media_type(self) -> str:
        """Of the file."""
        return FORMATS[self.format]

    def name(self, field: Exported) -> str:
        """Of the file, such as `osprey-x3.7.png`."""
        part = "" if self.method == "gsr" else f"-{self.method}"
        part += "" if self.layer == "result" else f"-{self.layer}"
        part += "-view" if self.region is not None else ""
        size = (
            f"x{self.scale:.6g}"
            if self.scale is not None
            else "{1}x{0}".format(*self.view(field).size)
        )
        suffix = "jpg" if self.format == "jpeg" else self.format
        of_field = self.method == "gsr" and self.layer != "lr"
        return f"{stem(field, edited=of_field)}{part}-{size}.{suffix}"

    def made(self, field: Exported) -> Made:
        """What makes the file."""
        by = made(field, self.view(field).scale, self.layer)
        if self.region is not None:
            by.facts["gsr:view"] = " ".join(f"{value:.6g}" for value in self.region)
        return by

    def notes(self, field: Exported) -> tuple[str, ...]:
        """What people should know of the file."""
        if self.method != "gsr":
            return notes_of(field.info)
        return self.made(field).for_file(self.name(field), strip=self.strip)[1]

    def check(self, field: Exported) -> View:
        """All that can be known before a pixel is rendered.

        Raises:
            GsrError: it cannot be made, or the format cannot hold it.
        """
        view = self.view(field)
        check_output(self.name(field), view.size, transparent=field.alpha is not None)
        return view


def largest_scale(extent: tuple[float, float]) -> float:
    """The largest scale, in hundredths, at which (height, width) LR pixels may be downloaded."""
    return min(64.0, int(100 * (MAX_EXPORT_PIXELS / (extent[0] * extent[1])) ** 0.5 - 1) / 100)


def write_picture(
    field: Exported, request: PictureRequest, path: Path, progress: Progress | None = None
) -> tuple[str, ...]:
    """Write the pixels, with the metadata of the picture, the model, the scale and the part.

    Returns:
        Notes on what was changed or left out on the way from the picture's file to this one.
    """
    view = request.check(field)
    image = as_picture(field).render(view=view, layer=request.layer, progress=progress)
    comment, notes = request.made(field).for_file(path)
    left_out = save(
        image,
        path,
        field.info or PictureInfo(),
        strip=request.strip,
        comment=comment,
        quality=request.quality,
    )
    return (*notes, *left_out)


def check_video(field: Exported, kind: str, sweep: Sweep) -> str:
    """The name of the file, if it can be made.

    Raises:
        GsrError: for an unknown format, or for a film that is too large.
    """
    _check_format(kind, VIDEOS)
    name = f"{stem(field)}-sweep.{kind}"
    check_sweep(name, sweep, field.lr_size)
    return name


def write_video(
    field: Exported,
    sweep: Sweep,
    path: Path,
    caption: bool = False,
    progress: Progress | None = None,
) -> tuple[str, ...]:
    """Write a sweep; returns notes as `write_picture`."""
    return save_sweep(
        as_picture(field),
        path,
        sweep,
        info=field.info,
        caption=caption,
        progress=progress,
    )


def _check_format(kind: str, accepted: dict[str, str]) -> None:
    if kind not in accepted:
        raise ScaleError(f"format must be one of {', '.join(accepted)}, got {kind!r}.")


def stem(field: Exported, *, edited: bool = True) -> str:
    """How files made of a field are called, before a mark and a suffix.

    Args:
        field: What they are made of.
        edited: Say so of an edited field, since its edits show in the file.
    """
    name = Path(field.info.name).stem if field.info is not None else ""
    clean = name.encode("utf-8", "replace").decode() or "image"
    return marked(clean, edited=edited and bool(field.edits))
