"""What every bundled weights file makes of one small picture.

    python -m gsr_training.measure.golden

The numbers are kept in tests/data/golden.toml. A change of code that alters what shipped weights
compute (a normalisation, a constant baked into their bank) fails the test that compares them.
Whoever ships other weights, or means the change, writes the numbers again and says why they moved.
"""

from pathlib import Path
from typing import Annotated, Any, TypedDict

import numpy as np
import typer
from PIL import Image

from gsr import methods
from gsr.images import load
from gsr.images.metrics import Protocol, psnr
from gsr.methods.weights import manifest

FOLDER = Path("tests/data")
PICTURE, NUMBERS = "golden.png", "golden.toml"
SCALE, COUNT = 3.7, 12


class Golden(TypedDict):
    """What one network makes of the picture.

    Attributes:
        psnr: Luma at x2, dB.
        values: Values of the result at x3.7 along its diagonal; red, green and blue in turn.
    """

    psnr: float
    values: list[float]


def measure(name: str, picture: Image.Image) -> Golden:
    """Encode the picture reduced to half its size by Pillow's bicubic, and render it.

    Args:
        name: A bundled network.
        picture: RGB, with even sides.
    """
    width, height = picture.size
    lr = picture.resize((width // 2, height // 2), Image.Resampling.BICUBIC)
    image: Any = methods.get(name).encode(load(lr).rgb)
    score = psnr(image.render(scale=2), load(picture).rgb, protocol=Protocol.benchmark(2))
    far = image.render(scale=SCALE)
    rows, columns = (np.linspace(2, n - 3, COUNT).round().astype(int) for n in far.shape[-2:])
    values = [far[i % 3, row, columns[i]].item() for i, row in enumerate(rows)]
    return {"psnr": round(score.item(), 3), "values": [round(v, 5) for v in values]}


def to_toml(measured: dict[str, Golden]) -> str:
    """A table for each network."""
    lines = ["# Written by python -m gsr_training.measure.golden: see there."]
    for name, golden in measured.items():
        lines += ["", f"[{name}]", *(f"{key} = {value}" for key, value in golden.items())]
    return "\n".join(lines) + "\n"


def main(
    folder: Annotated[Path, typer.Option(help="Where picture and numbers lie.")] = FOLDER,
) -> None:
    """Write the numbers of all bundled weights."""
    with Image.open(folder / PICTURE) as picture:
        measured = {name: measure(name, picture) for name in manifest()}
    (folder / NUMBERS).write_text(to_toml(measured), encoding="utf-8")
    typer.echo(folder / NUMBERS)


if __name__ == "__main__":
    typer.run(main)
