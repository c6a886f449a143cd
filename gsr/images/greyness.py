"""Pictures that are grey, whatever they are stored as."""

from jaxtyping import Bool, Float
from torch import Tensor


def is_grey(rgb: Float[Tensor, "b 3 h w"]) -> Bool[Tensor, " b"]:
    """Which images have red, green and blue alike in every pixel, as scans stored as RGB have."""
    red, green, blue = rgb.unbind(1)
    return ((red == green) & (green == blue)).flatten(1).all(1)


def mean_color(values: Tensor, axis: int) -> Tensor:
    """The mean of red, green and blue, which lie along `axis`, in place of each."""
    red, green, blue = values.split(1, axis)
    # One number, taken thrice, is equal to the last bit; of three equal ones it is that one.
    return (red + ((green - red) + (blue - red)) / 3).expand_as(values)
