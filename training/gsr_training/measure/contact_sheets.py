"""Contact sheets for the model card.

    python -m gsr_training.measure.contact_sheets PHOTOS -o FOLDER

`ellipses.jpg`: for each photo its busiest place, the LR pixels, the Gaussians alone, the result,
and the one-sigma ellipses coloured by direction. `far.jpg`: the same places at x8, x16 and x30,
between bicubic and Lanczos.
"""

import math
from pathlib import Path
from typing import Annotated

import torch
import typer
from PIL import Image, ImageDraw
from torch import Tensor

import gsr
from gsr.base.coords import View
from gsr.base.errors import GsrError
from gsr.field.edges import edge_structure
from gsr.field.inspection import gaussians_in
from gsr.field.protocol import Layer
from gsr.field.render import render
from gsr.images import load, to_pil
from gsr.methods import get
from gsr.network.colors import bank_colors
from gsr_training.trainer.images import list_images

TILE = 256
"""Side of one picture of a sheet, pixels."""
GAP = 6
PLACE = 20.0
"""Side of the place that the ellipses are shown of, LR pixels."""
LONGEST = 160
"""Photos are reduced to this side first: small pictures are what enlarging is for."""
FAR = (8, 16, 30)
_SMOOTH = 3
"""Ellipses are drawn so much larger and reduced, for smooth lines."""


def busiest(rgb: Tensor, side: float) -> tuple[float, float]:
    """Corner (x, y) of the square with the strongest edges, LR pixels."""
    strength = edge_structure(rgb[None])[1].sqrt()
    whole = min(round(side), *strength.shape[1:])
    sums = torch.nn.functional.avg_pool2d(strength[:, None], whole, stride=2)[0, 0]
    row, column = divmod(int(sums.argmax()), sums.shape[1])
    return 2.0 * column, 2.0 * row


def with_ellipses(field: gsr.GaussianField, view: View) -> Image.Image:
    """The result of a view, dimmed, and the one-sigma ellipse of each Gaussian."""
    large = View(view.x, view.y, view.width, view.height, (_SMOOTH * TILE, _SMOOTH * TILE))
    drawn = to_pil(0.35 * render(field, view=large)[0])
    pen = ImageDraw.Draw(drawn)
    found, colors = gaussians_in(field, view), bank_colors(field.bank_raw)
    zoom = _SMOOTH * TILE / view.width
    turn = torch.linspace(0, 2 * math.pi, 33)
    for i, kernel in enumerate(found.kernel.tolist()):
        a, b = found.major[i] * turn.cos(), found.minor[i] * turn.sin()
        cos, sin = found.angle[i].cos(), found.angle[i].sin()
        x = (found.means[i, 0] + a * cos - b * sin - view.x) * zoom
        y = (found.means[i, 1] + a * sin + b * cos - view.y) * zoom
        pen.line(list(zip(x.tolist(), y.tolist(), strict=True)), colors[kernel], _SMOOTH)
    return drawn.resize((TILE, TILE), Image.Resampling.LANCZOS)


def sheet(rows: list[list[Image.Image]], titles: list[str]) -> Image.Image:
    """Pictures in rows, with a line of titles."""
    head = 22
    width = GAP + (TILE + GAP) * len(titles)
    page = Image.new("RGB", (width, head + GAP + (TILE + GAP) * len(rows)), (18, 18, 20))
    pen = ImageDraw.Draw(page)
    for column, title in enumerate(titles):
        pen.text((GAP + column * (TILE + GAP) + 4, 8), title, (225, 225, 225))
    for row, pictures in enumerate(rows):
        for column, picture in enumerate(pictures):
            at = GAP + column * (TILE + GAP), head + GAP + row * (TILE + GAP)
            page.paste(picture, at)
    return page


def _small(path: Path) -> Tensor:
    picture = to_pil(load(path).rgb)
    picture.thumbnail((LONGEST, LONGEST), Image.Resampling.BICUBIC)
    return load(picture).rgb


def main(
    photos: Annotated[Path, typer.Argument(help="Folder of photos.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the sheets.")],
    model: Annotated[str, typer.Option(help="Bundled name or weights file.")] = "lite",
) -> None:
    """Ellipses over photos, and edges far beyond the trained scales."""
    try:
        make(photos, out, gsr.load(model))
    except GsrError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    typer.echo(f"{out / 'ellipses.jpg'}\n{out / 'far.jpg'}")


def make(photos: Path, out: Path, network: gsr.GaussianSR) -> None:
    """Write both sheets.

    Raises:
        GsrError: when a photo cannot be read, or there is none.
    """
    inside, far = [], []
    for path in list_images(photos):
        rgb = _small(path)
        field = network.encode(rgb)
        others = [get(name).encode(rgb) for name in ("bicubic", "lanczos")]
        x, y = busiest(rgb, PLACE)
        view = View(x, y, PLACE, PLACE, (TILE, TILE))
        layers: tuple[Layer, ...] = ("lr", "gaussians", "result")
        pictures = [to_pil(field.render(view=view, layer=layer)) for layer in layers]
        inside.append([*pictures, with_ellipses(field, view)])
        row = []
        for scale in FAR:
            side = TILE / scale
            at = x + (PLACE - side) / 2, y + (PLACE - side) / 2
            view = View(*at, side, side, (TILE, TILE))
            row += [to_pil(image.render(view=view)) for image in (others[0], others[1], field)]
        far.append(row)
    out.mkdir(parents=True, exist_ok=True)
    sheet(inside, ["LR pixels", "Gaussians alone", "result", "1 sigma"]).save(
        out / "ellipses.jpg", quality=88
    )
    titles = [f"{name} x{scale}" for scale in FAR for name in ("bicubic", "Lanczos", network.name)]
    sheet(far, titles).save(out / "far.jpg", quality=88)


if __name__ == "__main__":
    typer.run(main)
