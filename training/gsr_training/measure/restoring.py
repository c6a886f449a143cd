"""How enlarging copes with pictures of phones and the web.

    python -m gsr_training.measure.restoring --data BENCHMARKS

The pictures are made worse in four fixed ways that share nothing with `trainer.degrade`, which
`photo` learned from: light is counted, with more noise in red and blue, before the curve that
brightens shadows; files are saved as WebP, or twice as JPEG. PSNR as in `measure.evaluate`,
against the clean picture.
"""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Annotated, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
import typer
from PIL import Image, ImageFilter
from rich.console import Console
from rich.progress import track
from rich.table import Table

from gsr.base.errors import GsrError
from gsr.field.protocol import Method
from gsr.methods import get
from gsr.tasks.evaluation.pairs import Pair, parse_scales
from gsr_training.measure.evaluate import make_pair, score
from gsr_training.trainer.images import list_images

Pixels: TypeAlias = npt.NDArray[np.uint8]
Values: TypeAlias = npt.NDArray[np.float64]

GAMMA = 2.2
FIRST = 25
"""Pictures of a large set that are looked at."""
SEEN = np.array([0.5, 1.0, 0.6])
"""Share of the light that each channel counts: white is balanced afterwards, noise and all."""
READ = 2.0
"""Standard deviation of reading a count."""


def counted(rng: np.random.Generator, rgb: Pixels, photons: float) -> Pixels:
    """Seen by a sensor that counts light, as many photons for white as are given."""
    light = (rgb / 255.0) ** GAMMA
    count = rng.poisson(light * SEEN * photons) + rng.normal(0, READ, light.shape)
    back = (count / (SEEN * photons)).clip(0, 1) ** (1 / GAMMA)
    return (255 * back).round().astype(np.uint8)


def saved(rgb: Pixels, kind: str, **options: int | str) -> Pixels:
    """As a file of that kind gives it back."""
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, kind, **options)
    return np.asarray(Image.open(file).convert("RGB"))


def phone(rng: np.random.Generator, rgb: Pixels) -> Pixels:
    """Middling light, sharpened, saved well."""
    image = Image.fromarray(counted(rng, rgb, 1500))
    sharp = image.filter(ImageFilter.UnsharpMask(radius=1, percent=60, threshold=2))
    return saved(np.asarray(sharp), "WEBP", quality=85)


def dim(rng: np.random.Generator, rgb: Pixels) -> Pixels:
    """Little light, as the sensor saw it."""
    return counted(rng, rgb, 500)


def web(rng: np.random.Generator, rgb: Pixels) -> Pixels:
    """A small WebP."""
    return saved(rgb, "WEBP", quality=50)


def resaved(rng: np.random.Generator, rgb: Pixels) -> Pixels:
    """A JPEG whose picture was moved by three pixels and saved again."""
    once = saved(np.pad(rgb, ((3, 0), (3, 0), (0, 0)), mode="edge"), "JPEG", quality=70)
    return saved(once[3:, 3:], "JPEG", quality=60, subsampling="4:2:2")


WAYS: dict[str, Callable[[np.random.Generator, Pixels], Pixels]] = {
    "phone": phone, "dim": dim, "web": web, "resaved": resaved,
}  # fmt: skip


def worse(way: str, pair: Pair, seed: int) -> Pair:
    """The pair with its LR made worse, always the same for a seed."""
    pixels = (pair.lr * 255).round().byte().movedim(0, -1).numpy()
    made = WAYS[way](np.random.default_rng(seed), pixels)
    return replace(pair, lr=torch.from_numpy(made.copy()).movedim(-1, 0).float() / 255)


def scores(methods: list[Method], pairs: list[Pair], scale: float) -> list[list[float]]:
    """For each method, the PSNR of each pair, dB."""
    found: list[list[float]] = [[] for _ in methods]
    for pair in pairs:
        size = pair.hr.shape[-2], pair.hr.shape[-1]
        for method, row in zip(methods, found, strict=True):
            row.append(score(method.encode(pair.lr).render(size=size), pair, scale))
    return found


def main(
    data: Annotated[Path, typer.Option(help="Folder with SET/HR/*.png.")],
    methods: Annotated[
        str, typer.Option(help="Comma-separated; gains are over the first.")
    ] = "bicubic,lite,photo",
    sets: Annotated[str, typer.Option(help="Comma-separated.")] = "Set14,BSD100",
    scales: Annotated[str, typer.Option(help="Comma-separated.")] = "2,4",
) -> None:
    """Mean PSNR of each method, and over the first: mean gain, least gain, pictures below it."""
    try:
        contenders = [get(name.strip()) for name in methods.split(",")]
        numbers = parse_scales(scales)
        paths = [p for name in sets.split(",") for p in list_images(data / name / "HR")[:FIRST]]
    except GsrError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    table = Table("way", "scale", *(method.name for method in contenders))
    cases = [(way, scale) for way in WAYS for scale in numbers]
    for way, scale in track(cases, "restoring", console=Console(stderr=True)):
        pairs = [worse(way, make_pair(path, scale), i) for i, path in enumerate(paths)]
        found = scores(contenders, pairs, scale)
        table.add_row(way, f"x{scale:g}", *(_cell(mine, found[0]) for mine in found))
    Console().print(table)


def _cell(mine: list[float], first: list[float]) -> str:
    gains = [a - b for a, b in zip(mine, first, strict=True)]
    below = sum(gain < 0 for gain in gains)
    return f"{fmean(mine):.2f} ({fmean(gains):+.2f}, {min(gains):+.2f}, {below})"


if __name__ == "__main__":
    typer.run(main)
