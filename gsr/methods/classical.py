"""Interpolations without a network: bicubic, Lanczos, nearest and sinc."""

import torch
from jaxtyping import Float
from torch import Tensor

from gsr.base.coords import View
from gsr.field.protocol import Method, Progress
from gsr.images import Kind, bicubic_view
from gsr.methods.point_image import PointMethod, as_they_are, blocks


class Pillow(PointMethod):
    """Pillow's resampling, computed in floating point."""

    def __init__(self, kind: Kind, device: str | torch.device = "cpu"):
        self.kind: Kind = kind
        self.device = device

    @property
    def name(self) -> str:
        """`bicubic`, `lanczos` or `nearest`."""
        return self.kind

    def maps(self, lr: Tensor, tile: int, progress: Progress | None) -> tuple[Tensor, Tensor]:
        """The picture itself; nothing is computed yet."""
        return as_they_are(lr.to(self.device), progress)

    def read(self, lr: Tensor, maps: Tensor, view: View) -> Tensor:
        """See `gsr.methods.point_image.Reader`."""
        box = view.x, view.y, view.width, view.height
        return torch.stack([bicubic_view(image, box, view.size, kind=self.kind) for image in lr])


class Bicubic(Pillow):
    """Of Keys's cubic, a = -0.5."""

    label, about, instant = "Bicubic", "Smooth interpolation, as most programs enlarge", True

    def __init__(self, device: str | torch.device = "cpu"):
        super().__init__("bicubic", device)


class Lanczos(Pillow):
    """Of three lobes."""

    label, instant = "Lanczos", True
    about = "Interpolation that is sharper than bicubic and rings at edges"

    def __init__(self, device: str | torch.device = "cpu"):
        super().__init__("lanczos", device)


class Nearest(Pillow):
    """No interpolation."""

    label, about, instant = "Nearest pixel", "Every pixel as a square", True

    def __init__(self, device: str | torch.device = "cpu"):
        super().__init__("nearest", device)


class Sinc(PointMethod):
    """Band-limited interpolation of the picture continued by reflection.

    The samples are the even, periodic signal of the discrete cosine transform; the result is its
    trigonometric polynomial, exact at any point. On the fixed result of a network it is the
    baseline that Thera (arXiv:2311.17643) compares with.

    Args:
        base: A method whose result at magnification `BASE_SCALE` is resampled instead.
        device: Where it is computed.
    """

    label, about = "Sinc", "The one interpolation that adds no frequency"

    def __init__(self, base: Method | None = None, device: str | torch.device = "cpu"):
        self.base = base
        self.device = device

    @property
    def name(self) -> str:
        """`sinc`, or `sinc:` and the method it resamples."""
        return f"sinc:{self.base.name}" if self.base else "sinc"

    def maps(self, lr: Tensor, tile: int, progress: Progress | None) -> tuple[Tensor, Tensor]:
        """The picture itself, or what the base makes of it: that runs here, once."""
        lr = lr.to(self.device)
        if self.base is None:
            return as_they_are(lr, progress)
        return lr, self.base.encode(lr, progress=progress).render(BASE_SCALE)

    def read(self, lr: Tensor, maps: Tensor, view: View) -> Tensor:
        """See `gsr.methods.point_image.Reader`."""
        (height, width), size = lr.shape[-2:], maps.shape[-2:]
        xs, ys = view.axes((height, width))
        xs, ys = xs * (size[1] / width), ys * (size[0] / height)
        # Below the magnification of the base, waves that the output pixels cannot hold go.
        terms = [
            min(n, max(1, int(extent * scale + 1e-6)))
            for n, extent, scale in zip(size, (height, width), view.scale, strict=True)
        ]
        out = maps.new_empty((len(maps), 3, *view.size))
        for rows, columns in blocks(view.size, *(max(1, MATRIX // n) for n in size)):
            down = sinc_matrix(ys[rows], size[0], terms[0]).to(maps)
            across = sinc_matrix(xs[columns], size[1], terms[1]).to(maps)
            out[:, :, rows, columns] = down @ maps @ across.mT
        return out


BASE_SCALE = 4
MATRIX = 2**22
"""Entries of one interpolation matrix held at a time."""


def sinc_matrix(points: Float[Tensor, " n"], length: int, terms: int) -> Float[Tensor, "n length"]:
    """Weights of the samples, whose centres c are j + 0.5, at points x of [0, length].

    The first `terms` of the sum of cosines (1 / n) sum_k a_k cos(pi k x / n) cos(pi k c / n) in
    closed form: half the Dirichlet kernel of x - c and half of x + c, its mirror image.
    """
    centres = torch.arange(length, dtype=torch.float64, device=points.device) + 0.5
    x = points.double()[:, None]
    both = (_dirichlet(x + sign * centres, length, terms) for sign in (-1, 1))
    return sum(both, torch.zeros(())) / (2 * length)


def _dirichlet(distance: Tensor, length: int, terms: int) -> Tensor:
    """1 + 2 sum of cos(k t) for 0 < k < `terms`, with t = pi distance / length."""
    half = torch.pi * distance / (2 * length)
    whole = half.sin().abs() < 1e-9  # t is a multiple of 2 pi, every cosine is 1
    value = ((2 * terms - 1) * half).sin() / torch.where(whole, 1.0, half.sin())
    return torch.where(whole, 2.0 * terms - 1, value)
