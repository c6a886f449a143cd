"""Other methods on the picture of a field, and how near each comes to the truth."""

import math
import threading
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any

import torch
from torch import Tensor

from gsr import View, methods
from gsr.base.errors import ConfigError, ScaleError, ShapeError
from gsr.field.protocol import ContinuousImage, Method, Progress
from gsr.field.provenance import changes
from gsr.field.render import render
from gsr.images.metrics import Protocol, psnr, ssim
from gsr.methods.gaussiansr import BEST
from gsr.methods.point_image import SampledImage
from gsr.methods.weights import load_network, manifest
from gsr.network.fingerprint import fingerprint

INTERPOLATION = "Interpolation, nothing learned"
NETWORKS = "Networks: each view takes seconds to minutes"
OTHER_WEIGHTS = "GaussianSR made in another way"
_BEST = {
    "group": OTHER_WEIGHTS,
    "label": "GaussianSR, best of eight",
    "about": "Eight turned encodings averaged into one field: slow to make, as quick to look at",
}
PROTOCOL = Protocol("luma", 0, rounding=True)
PROTOCOL_TEXT = "luma, 8 bit, no border left out"
"""The same in words."""
MAX_SCORES = 8
"""Methods that are measured for one view."""
MOST_COMPARED = 3_000_000
"""Pixels of the truth that are compared at once; more are cut to their middle."""
MOST_COMPARED_SLOWLY = 300_000
"""The same where a method takes microseconds for each of them."""
SMOOTH = ("bicubic", "lanczos")
"""Methods that reduce a picture as everybody else does."""
INSTANT = (*(name for name, method in methods.METHODS.items() if method.instant), "truth")
"""Methods that take a few milliseconds of one core for a frame."""


def offered(own: str) -> list[dict[str, Any]]:
    """Methods to choose from besides the model `own`, in groups: quick ones come first."""
    found = [_offer(name) for name in methods.names() if name != own]
    if own in methods.names():
        found.append({"name": f"{BEST}{own}", **_BEST})
    order = [INTERPOLATION, NETWORKS, OTHER_WEIGHTS]
    return sorted(found, key=lambda method: order.index(method["group"]))


def _offer(name: str) -> dict[str, Any]:
    """A method of the menu: what people call it, and how far it was trained if that was short."""
    label, about = methods.described(name)
    method, _, size = name.partition("-")
    steps = manifest().get(name, {}).get("steps")
    if size == "tiny" and steps:
        label = f"{methods.described(method)[0]}, {steps:,} steps"
        about += f". Trained for {steps:,} steps like the others here: to compare, not to use"
    if size == "flat":
        about = "Each Gaussian of one colour, without slopes"
    if name not in manifest():
        group = INTERPOLATION
    else:
        group = OTHER_WEIGHTS if method in ("lite", "photo") else NETWORKS
    return {"name": name, "label": label, "about": about, "group": group}


def label_of(field: ContinuousImage) -> str:
    """What a field is called by what made it."""
    name = field.model.removeprefix(BEST)
    label = methods.described(name)[0] if methods.is_described(name) else f"GaussianSR, {name}"
    best = name != field.model
    other = bool(field.weights) and name in manifest() and field.weights != _bundled(name)
    words = [label, *["best of eight turns"] * best, *["other weights"] * other]
    return ", ".join(words)


@cache
def _bundled(name: str) -> str:
    return fingerprint(load_network(name))


class Comparing:
    """Methods by name, each loaded when it is first needed."""

    def __init__(self) -> None:
        self._loaded: dict[str, Method] = {}
        self._lock = threading.Lock()

    def encode(
        self, field: ContinuousImage, name: str, progress: Progress | None = None
    ) -> ContinuousImage:
        """What a method makes of the picture of a field, in the form of that picture.

        Raises:
            ConfigError: for a method that is not offered.
        """
        if name.removeprefix(BEST) not in methods.names():  # no path: this comes from the network
            raise ConfigError(
                f"method must be gsr, truth or one of {', '.join(methods.names())}, got {name!r}."
            )
        made: Any = self._get(name).encode(field.lr[0], progress=progress)
        alpha = self._get("bicubic").encode(field.alpha.lr[0]) if field.alpha else None
        shown: ContinuousImage = replace(made, info=field.info, alpha=alpha)
        return shown

    def _get(self, name: str) -> Method:
        with self._lock:
            if name not in self._loaded:
                self._loaded[name] = methods.get(name)
            return self._loaded[name]


def compared_view(
    truth: SampledImage, region: View, most: int = MOST_COMPARED
) -> tuple[View, tuple[slice, slice]]:
    """The region on the truth's own pixel grid, as a view and as a cut of its pixels.

    Args:
        truth: What is compared with.
        region: Where; of a large one the middle is taken.
        most: Pixels of it that are compared.

    Raises:
        ScaleError: when the region holds no pixel of it.
    """
    (height, width), size = truth.lr_size, truth.maps.shape[-2:]
    rows = _whole(region.y, region.height, size[0] / height, size[0])
    columns = _whole(region.x, region.width, size[1] / width, size[1])
    area = (rows.stop - rows.start) * (columns.stop - columns.start)
    if area > most:
        shrink = math.sqrt(most / area)
        rows, columns = _middle(rows, shrink), _middle(columns, shrink)
    counts = rows.stop - rows.start, columns.stop - columns.start
    per_row, per_column = height / size[0], width / size[1]
    view = View(
        columns.start * per_column,
        rows.start * per_row,
        counts[1] * per_column,
        counts[0] * per_row,
        counts,
    )
    return view, (rows, columns)


def _whole(start: float, extent: float, scale: float, length: int) -> slice:
    first = min(max(0, math.ceil(start * scale - 1e-6)), length)
    last = min(max(0, math.floor((start + extent) * scale + 1e-6)), length)
    if last <= first:
        raise ScaleError("the region holds no pixel of the ground truth.")
    return slice(first, last)


def _middle(span: slice, part: float) -> slice:
    length = max(1, int((span.stop - span.start) * part))
    first = span.start + (span.stop - span.start - length) // 2
    return slice(first, first + length)


def measured(methods: str) -> list[str]:
    """Which methods are measured for one view, of names with commas between them."""
    return list(dict.fromkeys(methods.split(",")))[:MAX_SCORES]


def most_compared(names: Iterable[str]) -> int:
    """Pixels on which these methods are compared: all on the same, in bearable time."""
    return MOST_COMPARED if set(names) <= {"gsr", *INSTANT} else MOST_COMPARED_SLOWLY


def compared(
    image: ContinuousImage,
    truth: SampledImage,
    region: View,
    most: int = MOST_COMPARED,
    progress: Progress | None = None,
) -> tuple[Tensor, Tensor]:
    """What an image shows of a region and what it should, at the truth's magnification. [3, h, w]

    Args:
        image: What is judged.
        truth: What it should be.
        region: Where; of a large one the middle is taken.
        most: Pixels of the truth that are compared.
        progress: Called with (rows done, rows in all); an exception it raises cancels.

    Raises:
        ScaleError: when the region holds no pixel of the truth.
    """
    view, (rows, columns) = compared_view(truth, region, most)
    got: Tensor = render(image, view=view, progress=progress)[0]  # type: ignore[arg-type]
    return got.cpu(), truth.maps[0, :, rows, columns].cpu()


def scores_of(
    image: ContinuousImage,
    truth: SampledImage,
    region: View,
    most: int = MOST_COMPARED,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """How near an image comes to the truth in a region, and what was `changed` in it, if anything.

    Arguments and errors as `compared`.
    """
    found: dict[str, Any] = dict(score(*compared(image, truth, region, most, progress)))
    changed = ", ".join(changes(image))
    return found | ({"changed": changed} if changed else {})


def score(got: Tensor, expected: Tensor) -> dict[str, float | None]:
    """PSNR in dB and SSIM of the luma, 8 bit.

    PSNR is None where both are equal, SSIM where they are too small for it.
    """
    decibel = float(psnr(got, expected, protocol=PROTOCOL))
    return {
        "psnr": decibel if math.isfinite(decibel) else None,
        "ssim": _ssim(got, expected),
    }


def _ssim(got: Tensor, expected: Tensor) -> float | None:
    try:
        value = float(ssim(got, expected, protocol=PROTOCOL))
    except ShapeError:  # smaller than its window
        return None
    return value if torch.isfinite(torch.tensor(value)) else None
