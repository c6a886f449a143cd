"""Where LR pictures come from: three ways to make them, or files that someone else made.

All are 8-bit, as files are. The ways differ at the border and by one grey level elsewhere.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from gsr.base.errors import ConfigError, ImageError
from gsr.base.files import READABLE_SUFFIXES
from gsr.decoding.header import header_size
from gsr.images import downscale
from gsr.images.imresize import imresize
from gsr.tasks.evaluation.pairs import Size, read_hr


class Reduction(Protocol):
    """What gives the LR picture of an HR one."""

    @property
    def name(self) -> str:
        """For a column of a table."""
        ...

    @property
    def text(self) -> str:
        """For its heading."""
        ...

    def file(self, set_name: str, path: Path, scale: float, size: Size) -> Path | None:
        """The LR file of an HR file, checked by its header; None where LR is made."""
        ...

    def reduce(
        self, hr: UInt8[Tensor, "3 H W"], size: Size, file: Path | None
    ) -> UInt8[Tensor, "3 h w"]:
        """LR of `size` (height, width)."""
        ...


# --- made here -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Made:
    """LR computed from HR."""

    name: str
    text: str
    by: Callable[[Tensor, Size], Tensor]

    def file(self, set_name: str, path: Path, scale: float, size: Size) -> None:
        """There is none."""

    def reduce(self, hr: Tensor, size: Size, file: Path | None) -> Tensor:
        """See `Reduction`."""
        return self.by(hr, size)


def _pillow(hr: Tensor, size: Size) -> Tensor:
    image = Image.fromarray(hr.permute(1, 2, 0).contiguous().numpy())
    small = image.resize((size[1], size[0]), Image.Resampling.BICUBIC)
    pixels = torch.frombuffer(bytearray(small.tobytes()), dtype=torch.uint8)
    return pixels.reshape(*size, 3).permute(2, 0, 1)


def _torch(hr: Tensor, size: Size) -> Tensor:
    return _eight_bit(downscale(hr.float() / 255, size))


def _matlab(hr: Tensor, size: Size) -> Tensor:
    return _eight_bit(imresize(hr.double() / 255, size=size))


def _eight_bit(rgb: Tensor) -> Tensor:
    """Rounded once, at the end, halves upwards as MATLAB does."""
    return (rgb.clamp(0, 1) * 255 + 0.5).floor().to(torch.uint8)


_WAYS = (
    Made("pil", "Pillow's bicubic", _pillow),
    Made("torch", "torch's antialiased bicubic", _torch),
    Made("matlab", "MATLAB's imresize, bicubic", _matlab),
)
MADE = {way.name: way for way in _WAYS}


# --- given as files --------------------------------------------------------------------------


@dataclass(frozen=True)
class Given:
    """LR in files, named as in the archives of EDSR and DIV2K: `X2/babyx2.png`.

    Attributes:
        folder: The set's folder of LR files or one above it: `LR_bicubic`, the set, the folder
            of sets.
    """

    folder: Path
    name: str = "given"
    text: str = "files that were given"

    def file(self, set_name: str, path: Path, scale: float, size: Size) -> Path:
        """See `Reduction`.

        Raises:
            ImageError: there is none, or it has another size.
        """
        found = next((p for p in self._candidates(set_name, path.stem, scale) if p.is_file()), None)
        if found is None:
            raise ImageError(
                f"{self.folder} holds no LR file of {path.name} for scale {scale:g}, such as "
                f"X{scale:g}/{path.stem}x{scale:g}.png."
            )
        _check_header(found, path, scale, size)
        return found

    def reduce(self, hr: Tensor, size: Size, file: Path | None) -> Tensor:
        """See `Reduction`."""
        assert file is not None  # `file` has found it
        return read_hr(file)

    def _candidates(self, set_name: str, stem: str, scale: float) -> Iterator[Path]:
        part = f"X{scale:g}"
        inside = (part, f"LR_bicubic/{part}")
        for place in (*(f"{set_name}/{place}" for place in inside), *inside, "."):
            for name in (f"{stem}x{scale:g}", stem):
                for suffix in READABLE_SUFFIXES:
                    yield self.folder / place / f"{name}{suffix}"


def _check_header(file: Path, hr: Path, scale: float, size: Size) -> None:
    got = header_size(file)
    if got is None:
        raise ImageError(f"{file} is not an image that gsr can read.")
    if got != size:
        raise ImageError(
            f"{file} is {got[1]} x {got[0]} pixels, and for {hr.name} at scale {scale:g} LR must "
            f"be {size[1]} x {size[0]}."
        )


def find_reduction(text: str) -> Reduction:
    """A way by its name, or the files of a folder.

    Raises:
        ConfigError: it is neither.
    """
    if text in MADE:
        return MADE[text]
    if not Path(text).is_dir():
        raise ConfigError(
            f"LR pictures are made by {', '.join(MADE)}, or lie in a folder, and {text!r} is none "
            "of these."
        )
    return Given(Path(text))
