"""A picture in the middle of a larger canvas."""

from PIL import Image, ImageColor

from gsr.base.errors import ConfigError, shown


def check_color(color: str) -> None:
    """Refuse what is not a colour.

    Raises:
        ConfigError: it is neither a name of CSS nor #rrggbb.
    """
    try:
        ImageColor.getrgb(color)
    except ValueError:
        raise ConfigError(
            f"{shown(color)} is not a colour; give a name such as white, or #rrggbb."
        ) from None


def with_margin(
    image: Image.Image, canvas: tuple[int, int], color: str | None = None
) -> Image.Image:
    """The picture on a canvas of (height, width) pixels.

    Args:
        image: At most as large.
        canvas: (height, width).
        color: Of the margin, see `check_color`; unless given, transparent where the picture has
            an alpha channel, black elsewhere.
    """
    height, width = canvas
    if image.size == (width, height):
        return image
    fill = ImageColor.getcolor(color, image.mode) if color is not None else 0
    out = Image.new(image.mode, (width, height), fill)
    out.info = dict(image.info)
    out.paste(image, ((width - image.width) // 2, (height - image.height) // 2))
    return out
