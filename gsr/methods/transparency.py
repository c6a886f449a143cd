"""Colour and transparency of one set of Gaussians, so that their edges lie in the same places.

Enlarged as two pictures, both edges are sharpened on their own, and where they come to lie a
little apart, dark and light outlines appear. Here each Gaussian has a transparency besides its
colour, both are splatted with the same weights, and its part in a colour is as large as it is
opaque: what is splatted is colour multiplied by alpha, divided by alpha, as blending wants it.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from gsr.network.tiles import Slices, widened

FAVOUR = 1.4
"""By how much an edge of the transparency counts for more than one of the colour, where it is asked
which of them the kernel follows: it is seen on every background.
"""
TOGETHER = 2.0
"""Where both have an edge, neither is sharpened; wholly so where the product of their ranges, of
three pixels either way, is one in so many.
"""
HIDDEN = 1e-4
"""The part in a colour of a Gaussian that is transparent: none, unless all around are."""
NOTICED = 8.0
"""Where colours differ by less than one in so many, the less the more all Gaussians have a part."""
REACH = 3
"""LR pixels around one that its colour and transparency are brought together by."""
GEOMETRY = ("index", "evidence", "offsets")
"""Maps that colour and transparency share."""
Maps = dict[str, Tensor]


def brought_together(
    color: Maps,
    veil: Maps,
    lr: Float[Tensor, "b 3 h w"],
    alpha: Float[Tensor, "b 3 h w"],
    part: Slices,
    still: Float[Tensor, " d"],
) -> tuple[Maps, Maps]:
    """Maps of the colours and of the transparency of a part of pictures, of the same Gaussians.

    Those of the colours say as `alone` where they are as the network has them, 0 to 1.

    Args:
        color, veil: What the network says of each as a picture. [b, rows, columns, ...]
        lr: The whole pictures.
        alpha: Their transparency, in each of three channels.
        part: Rows and columns that the maps are of.
        still: Features of a flat picture, to which a decoder adds next to nothing.
    """
    outer = widened(part, REACH, (lr.shape[-2], lr.shape[-1]))
    cut = tuple(
        slice(a.start - b.start, a.stop - b.start) for a, b in zip(part, outer, strict=True)
    )
    of_color, of_alpha = (_range(planes[:, :, *outer]) for planes in (lr, alpha))
    follows = (FAVOUR * of_alpha > of_color)[:, *cut]
    both = F.max_pool2d((TOGETHER * of_color * of_alpha)[:, None].clamp(0, 1), 3, 1, 1)[:, 0]
    alone = 1 - both[:, *cut]
    pixels, seen = (planes[:, :, *part].movedim(1, -1) for planes in (lr, alpha))
    shared = {name: _chosen(follows, veil[name], color[name]) for name in GEOMETRY}
    flat = 1 - NOTICED * F.max_pool2d(of_color[:, None], 5, 1, 2)[:, 0][:, *cut]
    presence = torch.maximum(seen[..., 0], flat).clamp_min(HIDDEN)
    feat = torch.lerp(still.expand_as(color["feat"]), color["feat"], alone[..., None])
    said = {"presence": presence, "alone": alone, "feat": feat}
    kept = color | shared | _calmed(color, pixels, alone) | said
    nothing = veil["feat"].new_zeros((*veil["feat"].shape[:-1], 0))
    plain = {"feat": nothing, "context": veil["context"][..., :0]}
    return kept, veil | shared | _calmed(veil, seen, alone) | plain


def _range(planes: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b h w"]:
    """By how much the pixels around each differ, in the channel where it is most."""
    highest, lowest = (F.max_pool2d(sign * planes, 3, 1, 1) for sign in (1, -1))
    return (highest + lowest).amax(1)


def _chosen(which: Tensor, first: Tensor, second: Tensor) -> Tensor:
    return torch.where(which.reshape(*which.shape, *(1,) * (first.ndim - 3)), first, second)


def _calmed(maps: Maps, pixels: Tensor, alone: Tensor) -> Maps:
    """Colours and slopes of the network where it is `alone`, the pixels themselves elsewhere."""
    colors = torch.lerp(pixels, maps["colors"], alone[..., None])
    if "slopes" not in maps:
        return {"colors": colors}
    return {"colors": colors, "slopes": maps["slopes"] * alone[..., None, None]}
