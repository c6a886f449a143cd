"""Reading folders of training images."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gsr.base.errors import GsrError, ImageError
from gsr.images import load

_OTHER = re.compile(
    r"(^|[_-])(lr|lq|valid|validation|val|test)($|[_-]|bic|mild|wild|x?\d)|^x\d+$", re.IGNORECASE
)
"""Names of folders next to those of training images."""

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}


@dataclass
class Images:
    """What was read, and what was not.

    Attributes:
        found: uint8 [3, h, w] by path.
        small: Files with a side below what was asked for.
        broken: Files that are not images, and why.
    """

    found: dict[Path, Tensor] = field(default_factory=dict)
    small: list[Path] = field(default_factory=list)
    broken: dict[Path, str] = field(default_factory=dict)


def list_images(folder: Path, names: Iterable[str] | None = None) -> list[Path]:
    """Image files below `folder`, sorted; only those in `names` (relative) if given.

    Raises:
        GsrError: for a folder that is not there or holds no image.
    """
    if names is not None:
        return list(dict.fromkeys(folder / name for name in names))
    if not folder.is_dir():
        raise GsrError(f"{folder} does not exist; name a folder with images.")
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    if not found:
        raise GsrError(f"{folder} holds no image; accepted are {', '.join(sorted(SUFFIXES))}.")
    return found


def parted(paths: Iterable[Path], folder: Path) -> tuple[list[Path], list[str]]:
    """Images below `folder` without those in folders of reduced or of validation images.

    Data sets are unpacked next to their reduced copies and their validation images
    (`DIV2K_train_LR_bicubic/X2`, `Set5/LR_bicubic`, `DIV2K_valid_HR`), which nobody means to
    train on.

    Returns:
        The images, and the names of the outermost folders that were left out.
    """
    kept, others = [], dict[str, None]()
    for path in paths:
        place = path.relative_to(folder).parent
        outer = next((p for p in reversed((place, *place.parents)) if _OTHER.search(p.name)), None)
        if outer is None:
            kept.append(path)
        else:
            others[outer.as_posix()] = None
    return kept, list(others)


def read_images(
    paths: list[Path],
    smallest: int,
    *,
    strict: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Images:
    """Images with both sides of at least `smallest` pixels.

    Args:
        strict: A file that cannot be read is an error, not a note in `Images.broken`.

    Raises:
        ImageError: under `strict`, for the first file that is not an image.
    """
    images = Images()
    for i, path in enumerate(paths):
        try:
            rgb = load(path).rgb
        except ImageError as error:
            if strict:
                raise
            images.broken[path] = str(error)
        else:
            if min(rgb.shape[1:]) < smallest:
                images.small.append(path)
            else:
                images.found[path] = (rgb * 255).round().byte()
        if progress:
            progress(i + 1, len(paths))
    return images


def shrunk(image: Tensor, factor: float, smallest: int) -> Tensor:
    """A picture uint8 [3, h, w] reduced to the mean of each area.

    Args:
        image: What is reduced.
        factor: By how much; by less where a side would have fewer than `smallest` pixels.
        smallest: At most the shorter side of `image`.
    """
    height, width = image.shape[1:]
    factor = min(factor, min(height, width) / smallest)
    if factor <= 1:
        return image
    size = round(width / factor), round(height / factor)
    pixels = Image.fromarray(image.movedim(0, -1).numpy())
    small = np.asarray(pixels.resize(size, Image.Resampling.BOX))
    return torch.from_numpy(small.copy()).movedim(-1, 0)
