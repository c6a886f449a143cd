"""A whole picture at one scale, as a lossless file."""

from pathlib import Path

from gsr import GaussianField
from gsr.continuous import Progress
from gsr.coords import scaled_size
from gsr.errors import ScaleError
from gsr.images import provenance, save

MAX_EXPORT_PIXELS = 100_000_000
MIN_EXPORT_SCALE = 1.0


def export_size(field: GaussianField, scale: float) -> tuple[int, int]:
    """Output (height, width).

    Raises:
        ScaleError: for a scale that cannot be rendered or a picture that would be too large.
    """
    height, width = scaled_size(field.lr_size, scale)
    if scale < MIN_EXPORT_SCALE:
        raise ScaleError(f"a download has a scale of at least {MIN_EXPORT_SCALE:g}, got {scale:g}.")
    if height * width > MAX_EXPORT_PIXELS:
        raise ScaleError(
            f"scale {scale:g} makes {width} x {height} pixels ({height * width / 1e6:.0f} "
            f"megapixels); downloads go up to {MAX_EXPORT_PIXELS / 1e6:.0f} megapixels, that is "
            f"scale {largest_scale(field):.2f} for this picture."
        )
    return height, width


def largest_scale(field: GaussianField) -> float:
    """The largest scale, in hundredths, whose picture may be downloaded."""
    height, width = field.lr_size
    return min(64.0, int(100 * (MAX_EXPORT_PIXELS / (height * width)) ** 0.5 - 1) / 100)


def export_png(
    field: GaussianField, scale: float, path: Path, progress: Progress | None = None
) -> None:
    """Write the whole picture at `scale`, with the metadata of the file it came from."""
    image = field.render(size=export_size(field, scale), progress=progress)
    save(image, path, field.info, comment=provenance(field.model, (scale, scale)))


def export_name(field: GaussianField, scale: float) -> str:
    """File name for a download, such as `osprey-x3.7.png`."""
    stem = Path(field.info.name).stem if field.info is not None else "image"
    return f"{stem or 'image'}-x{scale:g}.png"
