"""How large a picture is, from its first bytes."""

from pathlib import Path
from typing import TYPE_CHECKING

from gsr.base.errors import GsrError
from gsr.base.files import is_stream

if TYPE_CHECKING:
    from gsr.decoding.pool import Pool


def header_size(path: Path, pool: "Pool | None" = None) -> tuple[int, int] | None:
    """Upright (height, width) from a picture's header, None where only the loader can judge.

    Args:
        path: The picture.
        pool: Reads it in another process, as of `gsr.images.load`.
    """
    # A command line that only shows its help needs neither NumPy nor Pillow.
    from gsr.decoding.decode import read_size

    try:
        if is_stream(path) or not path.is_file():  # a pipe can be read once
            return None
        if pool is not None:
            return pool.size(path, str(path))
        with path.open("rb") as stream:
            return read_size(stream, str(path))
    except (GsrError, OSError):
        return None  # `gsr.images.load` finds the words for it
