"""Frames to a file: animated WebP and GIF by Pillow, MP4 by PyAV (the extra `video`)."""

import importlib
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, BinaryIO

from PIL import ExifTags, Image

from gsr.base.atomic import writing
from gsr.base.errors import OutputError
from gsr.images import software_line

WEBP_QUALITY, MP4_CRF = 90, 16
"""Hardly visible losses; without any, a video of noise would be as large as its pictures."""
FASTEST_GIF = 50.0
"""Browsers show faster GIF files at ten frames per second."""
LONGEST_SIDE = {".webp": 16_383, ".gif": 65_535, ".mp4": 8_192}
_BT709, _STUDIO_RANGE = 1, 1


def check_video(path: str | Path, size: tuple[int, int], fps: float) -> None:
    """Whether a file can hold frames of `size` (height, width).

    Raises:
        OutputError: an unknown suffix, a missing extra, or a size or rate that the format lacks.
    """
    suffix = Path(path).suffix.lower()
    height, width = size
    if suffix not in _WRITERS:
        raise OutputError(
            f"{path} must end in one of {', '.join(_WRITERS)}, got {suffix or 'no suffix'!r}."
        )
    if max(size) > LONGEST_SIDE[suffix]:
        raise OutputError(
            f"{path}: {suffix} holds at most {LONGEST_SIDE[suffix]} pixels a side, "
            f"got {width} x {height}."
        )
    if suffix == ".gif" and fps > FASTEST_GIF:
        raise OutputError(f"{path}: GIF has at most {FASTEST_GIF:g} frames per second.")
    if suffix == ".mp4":
        if height % 2 or width % 2:
            raise OutputError(f"{path}: MP4 needs even sides, got {width} x {height}.")
        _import_av(path)


def write_video(
    path: str | Path, frames: Iterator[Image.Image], fps: float, comment: dict[str, str]
) -> None:
    """Write frames whole or not at all. WebP (quality 90) and GIF repeat for ever.

    Args:
        path: A `.webp`, `.gif` or `.mp4` file.
        frames: At least two, RGB, of one size. What they raise leaves no file.
        fps: Frames per second.
        comment: As in `gsr.images.save`.

    Raises:
        OutputError: as `check_video`, or the file system does not let it be written.
    """
    write = _WRITERS[Path(path).suffix.lower()]
    with writing(path) as stream:
        write(stream, frames, fps, software_line(comment))


def _write_webp(stream: BinaryIO, frames: Iterator[Image.Image], fps: float, about: str) -> None:
    first, *others = frames
    exif = Image.Exif()
    exif[ExifTags.Base.Software] = about
    first.save(
        stream,
        "WEBP",
        save_all=True,
        append_images=others,
        duration=_durations(len(others) + 1, fps, 1),
        loop=0,
        quality=WEBP_QUALITY,
        method=4,
        exif=exif,
    )


def _write_gif(stream: BinaryIO, frames: Iterator[Image.Image], fps: float, about: str) -> None:
    first, *others = (frame.quantize() for frame in frames)
    first.save(
        stream,
        "GIF",
        save_all=True,
        append_images=others,
        duration=_durations(len(others) + 1, fps, 10),
        loop=0,
        comment=about.encode(),
    )


def _durations(count: int, fps: float, unit: int) -> list[int]:
    """Milliseconds of each frame, multiples of `unit`; rounding does not add up over a video."""
    ends = [round(1000 * i / fps / unit) * unit for i in range(count + 1)]
    return [end - begin for begin, end in pairwise(ends)]


def _write_mp4(stream: BinaryIO, frames: Iterator[Image.Image], fps: float, about: str) -> None:
    av = _import_av("an .mp4 file")
    with av.open(stream, "w", format="mp4") as container:
        container.metadata["comment"] = about
        rate = Fraction(fps).limit_denominator(1001)
        video = container.add_stream("h264", rate=rate, options={"crf": str(MP4_CRF)})
        video.pix_fmt = "yuv420p"  # what every player shows
        context = video.codec_context
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = _STUDIO_RANGE
        first = next(frames)
        video.width, video.height = first.size
        for image in chain([first], frames):
            frame = av.VideoFrame.from_image(image)
            frame = frame.reformat(
                format="yuv420p", dst_colorspace=_BT709, dst_color_range=_STUDIO_RANGE
            )
            container.mux(video.encode(frame))
        container.mux(video.encode())


def _import_av(path: str | Path) -> Any:
    try:
        return importlib.import_module("av")
    except ImportError as error:
        raise OutputError(f'{path}: MP4 needs PyAV: pip install "gaussiansr[video]".') from error


_WRITERS = {".webp": _write_webp, ".gif": _write_gif, ".mp4": _write_mp4}
