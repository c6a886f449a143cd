"""A picture in memory: what every reader gives and every writer takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy.typing as npt
from PIL import Image
from torch import Tensor

from gsr.decoding.info import PictureInfo


@dataclass(frozen=True)
class Picture:
    """A picture ready for a model.

    Attributes:
        rgb: [3, h, w] float32 in [0, 1], as encoded (gamma not removed); grey has three equal
            channels.
        alpha: [h, w] float32 in [0, 1], or None without transparency. RGB is not premultiplied.
        info: everything else.
    """

    rgb: Tensor
    alpha: Tensor | None
    info: PictureInfo


PictureSource: TypeAlias = str | Path | bytes | BinaryIO | Image.Image | npt.NDArray[Any] | Picture
"""What is a picture to its caller: what is made of it is a PIL image again."""
Source: TypeAlias = PictureSource | Tensor
"""Whatever `load` takes."""
