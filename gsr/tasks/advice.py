"""Which weights a picture asks for, by what is measured on it."""

from gsr.images import Picture
from gsr.images.condition import condition
from gsr.methods.gaussiansr import BEST
from gsr.methods.weights import manifest

RESTORING = "photo"
"""The weights that take noise and compression out of a picture."""


def fault(picture: Picture, model: str) -> str | None:
    """What `RESTORING` would take out of a picture and `model` would enlarge.

    Args:
        picture: What is to be encoded.
        model: Name of the weights that were chosen.

    Returns:
        As `gsr.images.condition.Condition.fault`; None also where those weights are chosen already
        or do not exist.
    """
    chosen = model.removeprefix(BEST).startswith(RESTORING)  # also a part of them
    if chosen or RESTORING not in manifest():
        return None
    return condition(picture.rgb).fault


def advice(picture: Picture, model: str) -> str | None:
    """The same as a sentence for the command line."""
    found = fault(picture, model)
    if found is None:
        return None
    return f"this picture {found}: --model {RESTORING} takes that out instead of enlarging it."
