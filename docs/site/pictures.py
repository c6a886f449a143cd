"""Make the pictures of the README from the demo photos: `python docs/site/pictures.py`."""

from pathlib import Path

from gsr_apps.demos import FOLDER
from gsr_apps.figures.bank import ellipse_points
from PIL import Image, ImageDraw, ImageFont

import gsr
from gsr.base.coords import View
from gsr.field import GaussianField
from gsr.field.inspection import gaussians_in
from gsr.network.colors import kernel_color
from gsr.tasks.sweep import Sweep

IMAGES = Path(__file__).parents[1] / "images"
PHOTO = FOLDER / "cat.png"
REDUCTION = 2.5
"""The photo is reduced first, so that single Gaussians are seen at a moderate magnification."""
EYE = 67.5, 43.5
"""Where the film goes, LR pixels."""
FILM = Sweep(start=2.6, stop=26.0, at=EYE, size=(320, 480), seconds=5, fps=16)
HOLD = 20
"""Frames that the film stays at its end."""
SHOWN_FROM, WHOLE_AT = 7.0, 15.0
"""Magnifications between which ellipses fade in."""
SMOOTH = 3
"""Lines are drawn this many times as large, and reduced."""
PANEL, GAP, LABEL = 300, 10, 34
WINDOW = 52.5, 31.0, 30.0, 25.0
"""x, y, width and height of the still, LR pixels."""


def main() -> None:
    """Write both pictures."""
    small = reduced(Image.open(PHOTO).convert("RGB"))
    field = gsr.load("lite").encode(small)
    IMAGES.mkdir(exist_ok=True)
    still(small, field).save(IMAGES / "panels.png", optimize=True)
    frames = [frame(field, view) for view in FILM.views(field.lr_size)]
    frames += [frames[-1]] * HOLD
    write_film(frames)


def reduced(photo: Image.Image) -> Image.Image:
    """The photo as it is put in."""
    width, height = (round(side / REDUCTION) for side in photo.size)
    return photo.resize((width, height), Image.Resampling.BICUBIC)


def write_film(frames: list[Image.Image]) -> None:
    """As WebP, small enough for a page that many people load."""
    first, *others = frames
    first.save(
        IMAGES / "zoom.webp",
        save_all=True,
        append_images=others,
        duration=round(1000 / FILM.fps),
        loop=0,
        quality=62,
        method=6,
    )


def frame(field: GaussianField, view: View) -> Image.Image:
    """A view, with ellipses as far as its magnification shows them."""
    shown = field.render(view=view).convert("RGB")
    strength = (view.scale[0] - SHOWN_FROM) / (WHOLE_AT - SHOWN_FROM)
    if strength <= 0:
        return shown
    return Image.blend(shown, with_ellipses(shown, field, view), min(strength, 1) * 0.85)


def with_ellipses(picture: Image.Image, field: GaussianField, view: View) -> Image.Image:
    """The one-sigma ellipses over a picture of a view, in the colours that the Studio uses."""
    large = picture.resize((SMOOTH * picture.width, SMOOTH * picture.height))
    draw = ImageDraw.Draw(large)
    found = gaussians_in(field, view)
    scale = SMOOTH * view.scale[0]
    shapes = (v.tolist() for v in (found.means, found.major, found.minor, found.angle))
    for (x, y), major, minor, angle in zip(*shapes, strict=True):
        outline = ellipse_points(major, minor, angle)
        points = [
            (scale * (x + dx - view.x), scale * (y + dy - view.y)) for dx, dy in outline.T.tolist()
        ]
        draw.line(points, fill=kernel_color(major, minor, angle), width=SMOOTH, joint="curve")
    return large.resize(picture.size, Image.Resampling.LANCZOS)


def still(small: Image.Image, field: GaussianField) -> Image.Image:
    """Pixels, bicubic, GaussianSR and its Gaussians, side by side."""
    x, y, width, height = WINDOW
    size = round(PANEL * height / width), PANEL
    view = View(x, y, width, height, size)
    box = x, y, x + width, y + height
    ours = field.render(view=view).convert("RGB")
    panels = {
        "pixels": small.resize(size[::-1], Image.Resampling.NEAREST, box=box),
        "bicubic, x10": small.resize(size[::-1], Image.Resampling.BICUBIC, box=box),
        "gsr, x10": ours,
        "its Gaussians": with_ellipses(ours, field, view),
    }
    sheet = Image.new("RGB", (4 * PANEL + 3 * GAP, size[0] + LABEL), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=20)
    for i, (label, panel) in enumerate(panels.items()):
        left = i * (PANEL + GAP)
        sheet.paste(panel, (left, 0))
        draw.text((left + 2, size[0] + 6), label, fill=(40, 40, 48), font=font)
    return sheet


if __name__ == "__main__":
    main()
