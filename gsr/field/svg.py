"""The Gaussians of a view as a drawing: ellipses over the picture, in one SVG file."""

import base64
import io
import json
import math
import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Literal, get_args
from xml.etree import ElementTree

import torch
from torch import Tensor

from gsr.base.atomic import writing
from gsr.base.coords import View, is_number
from gsr.base.errors import GsrError, OutputError, ScaleError
from gsr.base.errors import shown as in_words
from gsr.field import GaussianField
from gsr.field.inspection import GaussianList, gaussians_in
from gsr.field.protocol import Layer
from gsr.field.provenance import ROOM, made, titled
from gsr.field.render import as_picture, render
from gsr.images import software_line, to_pil
from gsr.network.colors import (
    bank_ellipses,
    direction_color,
    distinct_color,
    kernel_color,
    ramp_color,
    size_color,
)

Paint = Literal["kernel", "direction", "size", "opacity", "confidence", "own", "number"]
"""What the colour of an ellipse shows, in the viewer's words: its kernel's shape, the direction of
that alone, a number on a scale from dark to light, the Gaussian's own colour (at its mean), or its
kernel's number. The viewer has the same colours."""

MAX_ELLIPSES = 20_000
MAX_PICTURE_PIXELS = 16_000_000
MAX_SIGMA = 5.0
STROKE = 1.2
"""Width of the lines in output pixels, at any zoom of the drawing."""
_DECIMALS = 3
"""Of the numbers that the viewer gets, which decide on a step of the scale."""
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def overlay_svg(
    field: GaussianField,
    view: View,
    *,
    sigma: float = 1.0,
    color: Paint = "kernel",
    picture: bool = True,
    layer: Layer = "result",
    limit: int = MAX_ELLIPSES,
    thin: bool = False,
    image: int = 0,
) -> str:
    """An SVG document as large as the view: its picture, and an ellipse per Gaussian that meets it.

    Args:
        field: What to draw.
        view: Where; its size is the drawing's in pixels.
        sigma: Level of the ellipses in standard deviations, above 0 and at most 5.
        color: See `Paint`.
        picture: Put the rendered view below the ellipses, as PNG inside the document.
        layer: Which layer of it.
        limit: More Gaussians are refused, because no program opens such a drawing gladly.
        thin: Draw evenly chosen rows and columns then, instead of refusing; the document says so.
        image: Which image of a batch.

    Raises:
        GsrError: an unknown colour.
        ScaleError: too many Gaussians, too large a picture, or sigma out of range.
    """
    if color not in get_args(Paint):
        raise GsrError(f"color must be one of {', '.join(get_args(Paint))}, got {in_words(color)}.")
    if not (is_number(sigma) and 0 < sigma <= MAX_SIGMA):
        raise ScaleError(f"sigma must be above 0 and at most {MAX_SIGMA:g}, got {in_words(sigma)}.")
    shown = _shown(field, view, sigma, limit, thin, image)
    height, width = view.size
    size = {"width": str(width), "height": str(height)}
    root = ElementTree.Element(
        "svg", size | {"xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {width} {height}"}
    )
    name = field.info.name if field.info is not None else "image"
    comment = made(field, view.scale, layer).comment(ROOM[".svg"])
    about = _about(view, sigma, color, shown.step), software_line(comment)
    _say(root, "title", titled(name, field))
    _say(root, "desc", " ".join(about))
    _say(root, "metadata", json.dumps(comment))
    if picture:
        link = _picture(field, view, layer, image)
        ElementTree.SubElement(root, "image", size | {"preserveAspectRatio": "none", "href": link})
    _draw(root, view, shown, _paints(field, shown, color, image), sigma)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False)


def save_svg(svg: str, path: str | Path) -> Path:
    """Write a drawing whole or not at all.

    Raises:
        OutputError: another suffix than .svg, or a failing file system.
    """
    path = Path(path)
    if path.suffix.lower() != ".svg":
        raise OutputError(f"{path} must end in .svg, got {path.suffix or 'no suffix'!r}.")
    with writing(path) as stream:
        stream.write(svg.encode())
    return path


def _shown(
    field: GaussianField, view: View, sigma: float, limit: int, thin: bool, image: int
) -> GaussianList:
    """The Gaussians whose ellipses meet the view.

    Raises:
        ScaleError: when they are too many.
    """
    reach = sigma * float(bank_ellipses(field.bank_raw).major.max()) + 0.5  # 0.5: an offset
    width, height = view.width + 2 * reach, view.height + 2 * reach
    size = max(1, round(height)), max(1, round(width))  # any will do; it has to have one
    wider = View(view.x - reach, view.y - reach, width, height, size)
    found = gaussians_in(field, wider, limit=limit, image=image)
    if found.step > 1 and not thin:
        raise ScaleError(
            f"more than {limit:,} Gaussians are in a view of {view.width:g} x {view.height:g} "
            f"pixels, and a drawing takes {limit:,}; choose a smaller view, or thin them out."
        )
    return _picked(found, _meets(found, view, sigma))


def _meets(found: GaussianList, view: View, sigma: float) -> Tensor:
    """Whether the box of an ellipse meets the view. [n]"""
    x, y = found.means.unbind(-1)
    cos, sin = found.angle.cos(), found.angle.sin()
    across = sigma * torch.hypot(found.major * cos, found.minor * sin)
    down = sigma * torch.hypot(found.major * sin, found.minor * cos)
    sideways = (x + across > view.x) & (x - across < view.x + view.width)
    return sideways & (y + down > view.y) & (y - down < view.y + view.height)


def _picked(found: GaussianList, kept: Tensor) -> GaussianList:
    values = {f.name: getattr(found, f.name)[kept] for f in fields(found) if f.name != "step"}
    return GaussianList(**values, step=found.step)


def _say(root: ElementTree.Element, tag: str, text: str) -> None:
    ElementTree.SubElement(root, tag).text = _NOT_IN_XML.sub("�", text)


def _about(view: View, sigma: float, color: Paint, step: int) -> str:
    thinned = f" Of {step} rows and columns one is drawn." if step > 1 else ""
    return (
        f"Gaussians at {sigma:g} sigma, coloured by {color}, in the view from "
        f"({view.x:.6g}, {view.y:.6g}) over {view.width:.6g} x {view.height:.6g} pixels of the "
        f"source.{thinned}"
    )


def _picture(field: GaussianField, view: View, layer: Layer, image: int) -> str:
    """The rendered view as a data URI."""
    height, width = view.size
    if height * width > MAX_PICTURE_PIXELS:
        raise ScaleError(
            f"a picture inside a drawing has at most {MAX_PICTURE_PIXELS / 1e6:g} megapixels, got "
            f"{width} x {height}; make it smaller, or leave the picture out."
        )
    profile = {}
    if field.info is None:
        shown = to_pil(render(field, view=view, layer=layer)[image])
    else:
        shown = as_picture(field).render(view=view, layer=layer)
        profile = {"icc_profile": field.info.icc} if field.info.icc else {}
    out = io.BytesIO()
    shown.save(out, "PNG", **profile)
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def _paints(field: GaussianField, shown: GaussianList, color: Paint, image: int) -> list[str]:
    """`#rrggbb` of each Gaussian, from the numbers that the viewer would get of it."""
    if color == "number":
        return [distinct_color(kernel) for kernel in shown.kernel.tolist()]
    if color == "own":
        levels = (shown.colors * 255).round().int().tolist()
        return [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in levels]
    if color == "confidence":
        return [ramp_color(part) for part in _confidence(field, shown, image)]
    paint = _OF_SHAPE[color]
    if field.mixed is not None:
        own = (shown.major, shown.minor, shown.angle, shown.opacities)
        return [paint(*shape) for shape in zip(*map(_rounded, own), strict=True)]
    bank = bank_ellipses(field.bank_raw)
    shapes = bank.major, bank.minor, bank.angle, field.bank.opacities
    of_kernel = [paint(*shape) for shape in zip(*(v.tolist() for v in shapes), strict=True)]
    return [of_kernel[kernel] for kernel in shown.kernel.tolist()]


_OF_SHAPE: dict[str, Callable[[float, float, float, float], str]] = {
    "kernel": lambda major, minor, angle, opacity: kernel_color(major, minor, angle),
    "direction": lambda major, minor, angle, opacity: direction_color(major, minor, angle),
    "size": lambda major, minor, angle, opacity: size_color(major, minor),
    "opacity": lambda major, minor, angle, opacity: ramp_color(opacity),
}


def _rounded(values: Tensor) -> list[float]:
    return [round(value, _DECIMALS) for value in values.tolist()]


def _confidence(field: GaussianField, shown: GaussianList, image: int) -> list[float]:
    if not len(shown.row):
        return []
    top, left = int(shown.row.min()), int(shown.column.min())
    rows, columns = (slice(int(v.min()), int(v.max()) + 1) for v in (shown.row, shown.column))
    confidence = field.choice_at(rows, columns).confidence[image].cpu()
    return _rounded(confidence[shown.row - top, shown.column - left])


def _draw(
    root: ElementTree.Element, view: View, shown: GaussianList, paints: list[str], sigma: float
) -> None:
    """Ellipses in LR pixels inside a group that magnifies them; one group per colour."""
    sy, sx = view.scale
    plane = ElementTree.SubElement(
        root,
        "g",
        {
            "fill": "none",
            "stroke-width": str(STROKE),
            "transform": f"scale({sx:.9g} {sy:.9g})",
        },
    )
    groups: dict[str, ElementTree.Element] = {}
    rows = zip(
        paints,
        (shown.means - torch.tensor((view.x, view.y))).tolist(),
        (sigma * shown.major).tolist(),
        (sigma * shown.minor).tolist(),
        (shown.angle * 180 / math.pi).tolist(),
        strict=True,
    )
    for paint, (x, y), major, minor, angle in rows:
        if paint not in groups:
            groups[paint] = ElementTree.SubElement(plane, "g", {"stroke": paint})
        ElementTree.SubElement(
            groups[paint],
            "ellipse",
            {
                "rx": _short(major),
                "ry": _short(minor),
                "transform": f"translate({_short(x)} {_short(y)}) rotate({_short(angle)})",
                "vector-effect": "non-scaling-stroke",
            },
        )


def _short(value: float) -> str:
    """Thousandths are a fifteenth of an output pixel at magnification 64."""
    return f"{value:.3f}".rstrip("0").rstrip(".")
