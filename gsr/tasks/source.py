"""Whatever a user names as a source: a picture to encode, or a field that is encoded already."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

from gsr.base.errors import ImageError
from gsr.base.files import STDIN, is_field_file
from gsr.decoding.pool import Pool
from gsr.field import GaussianField
from gsr.field.file import open_field
from gsr.field.protocol import ContinuousImage, Method, Progress
from gsr.field.provenance import changes
from gsr.images import Picture, PictureInfo, load
from gsr.tasks.advice import advice


@dataclass(frozen=True)
class Opened:
    """A file that was read, before any work on it.

    Attributes:
        content: A picture, or the field of one.
        lr_size: Its (height, width).
        info: What the file said besides its pixels.
        transparent: Whether renders have an alpha channel.
    """

    content: Picture | GaussianField
    lr_size: tuple[int, int]
    info: PictureInfo
    transparent: bool

    @property
    def is_field(self) -> bool:
        """Encoded already; no method is needed."""
        return isinstance(self.content, GaussianField)

    @property
    def changes(self) -> tuple[str, ...]:
        """What was changed in a field before it was kept, in a word each."""
        return changes(self.content) if isinstance(self.content, GaussianField) else ()

    def encode(self, method: Method | None, progress: Progress | None = None) -> ContinuousImage:
        """The continuous image; a field needs no method. Its renders are PIL images."""
        if isinstance(self.content, GaussianField):
            return self.content
        assert method is not None  # whoever opens pictures has one
        return method.encode(self.content, progress=progress)

    def advice(self, method: Method | None) -> str | None:
        """What had better be chosen instead of `method`; see `gsr.tasks.advice`."""
        if method is None or isinstance(self.content, GaussianField):
            return None
        return advice(self.content, method.name)


def open_source(path: Path, *, white: float | None = None, pool: Pool | None = None) -> Opened:
    """Read a picture, or a field file, which is recognized by its suffix.

    Args:
        path: The file; `-` is a picture from standard input.
        white: As of `gsr.images.load`.
        pool: As of `gsr.images.load`.

    Raises:
        ImageError: it cannot be read, or is a field of several pictures.
    """
    if not is_field_file(path):
        source = sys.stdin.buffer if path == STDIN else path
        picture = load(source, white=white, pool=pool, name="stdin")
        size = picture.rgb.shape[1], picture.rgb.shape[2]
        return Opened(picture, size, picture.info, picture.alpha is not None)
    field = open_field(path)
    if len(field.lr) != 1:
        raise ImageError(f"{path} is a field of {len(field.lr)} pictures, and one is needed.")
    info = field.info or PictureInfo(name=f"{path.stem}.png")
    return Opened(replace(field, info=info), field.lr_size, info, field.alpha is not None)
