"""`GaussianField`: a continuous image. Every tool of this project reads this noun."""

import copy
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Generic

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from gsr.base.coords import View
from gsr.base.errors import GsrError, ShapeError
from gsr.field.edits import Edit, with_bank, with_kernel
from gsr.field.html import field_html
from gsr.field.inspection import Explanation, explain
from gsr.field.protocol import LAYERS, Layer, Pixels, Progress
from gsr.field.provenance import titled
from gsr.field.render import RESIDUAL_GAIN, render_as_given
from gsr.images import PictureInfo, is_grey
from gsr.network.classifier import Choice, Kind, choose
from gsr.network.kernels import Kernels, physical
from gsr.network.sampler import Sampler, SplatMaps

FIELD_TYPES = (torch.float32, torch.float64)
"""Of a field's numbers; files hold the first one."""


@dataclass(frozen=True)
class GaussianField(Generic[Pixels]):
    """One Gaussian per LR pixel, and what turns them into colour at any magnification.

    Frozen: an edit makes another field. Maps live on the LR grid; means, covariances and
    opacities are derived. Leading batch dimensions are flattened into b and kept in
    `batch_shape`.

    Attributes:
        lr: The image, RGB in [0, 1]. [b, 3, h, w]
        bank_raw: Raw kernels, see `gsr.network.kernels.physical`. [n, 4]
        index: Kernel of each pixel, 0 to n - 1. [b, h, w]
        evidence: What the classifier said, see `gsr.network.classifier`. [b, e, h, w]
        offsets: Mean minus pixel centre (x, y), LR pixels. [b, h, w, 2]
        colors: RGB of each Gaussian, at its mean. [b, h, w, 3]
        feat: Splatted features. [b, h, w, d]
        context: Interpolated channels, may be none. [b, c, h, w]
        sampler: Splat and decoder, shared with the model.
        classifier: Which kind made `evidence`.
        model: Name of the weights.
        batch_shape: Leading dimensions of the encoded tensor.
        alpha: Transparency as a field, of the same Gaussians where the model has it so.
        info: What the image file said besides its pixels; its presence makes renders PIL images.
        slopes: Change of each Gaussian's colour per LR pixel along x and y, away from its mean;
            None where it has one colour. [b, h, w, 3, 2]
        presence: The part that each Gaussian has in a colour because of its transparency: its
            opacity is multiplied by it. None where all is opaque. [b, h, w]
        mixed: Raw kernel of each pixel, where an edit made it none of the bank. [b, h, w, 4]
        edits: What was changed since the network made it, in order; see `gsr.field.edits`.
        weights: Which weights, see `gsr.network.fingerprint`; empty where that is not known.
        options: What was asked of the network that is not usual, a word each: `not corrected`.
        faithful: Whether its colours were corrected so that it gives back the picture.

    Raises:
        ShapeError: when members do not fit together.
        GsrError: when their numbers are not all of one type, float32 or float64.
    """

    lr: Float[Tensor, "b 3 h w"]
    bank_raw: Float[Tensor, "n 4"]
    index: Int[Tensor, "b h w"]
    evidence: Float[Tensor, "b e h w"]
    offsets: Float[Tensor, "b h w 2"]
    colors: Float[Tensor, "b h w 3"]
    feat: Float[Tensor, "b h w d"]
    context: Float[Tensor, "b c h w"]
    sampler: Sampler
    classifier: Kind
    model: str
    batch_shape: tuple[int, ...] = ()
    alpha: "GaussianField | None" = None
    info: PictureInfo | None = None
    slopes: Float[Tensor, "b h w 3 2"] | None = None
    mixed: Float[Tensor, "b h w 4"] | None = None
    presence: Float[Tensor, "b h w"] | None = None
    edits: tuple[Edit, ...] = ()
    weights: str = ""
    options: tuple[str, ...] = ()
    faithful: bool = False

    def __post_init__(self) -> None:
        b, _, h, w = self.lr.shape
        expected = {
            "lr": (b, 3, h, w),
            "bank_raw": (self.bank_raw.shape[0], 4),
            "index": (b, h, w),
            "evidence": (b, self.evidence.shape[1], h, w),
            "offsets": (b, h, w, 2),
            "colors": (b, h, w, 3),
            "feat": (b, h, w, self.feat.shape[-1]),
            "context": (b, self.context.shape[1], h, w),
        }
        if self.slopes is not None:
            expected["slopes"] = (b, h, w, 3, 2)
        if self.mixed is not None:
            expected["mixed"] = (b, h, w, 4)
        if self.presence is not None:
            expected["presence"] = (b, h, w)
        for name, shape in expected.items():
            got = tuple(getattr(self, name).shape)
            if got != shape:
                raise ShapeError(f"{name} must have shape {shape}, got {got}.")
        self._check_types()

    def _check_types(self) -> None:
        """One type for all: what is computed of two would fail far from here."""
        maps = {name: v for name, v in self._tensors().items() if name != "index"}
        maps |= {f"sampler.{name}": v for name, v in self.sampler.named_parameters()}
        wanted = self.lr.dtype if self.lr.dtype in FIELD_TYPES else FIELD_TYPES[0]
        for name, value in maps.items():
            if value.dtype != wanted:
                raise GsrError(
                    "the numbers of a field must all be of one type, float32 or float64, and "
                    f"{name} is of {value.dtype} where {wanted} is needed."
                )
        if self.index.is_floating_point() or self.index.is_complex():
            raise GsrError(f"index must hold whole numbers, got {self.index.dtype}.")

    def __repr__(self) -> str:
        h, w = self.lr_size
        batch = f"batch={self.batch_shape}, " if self.batch_shape else ""
        title = titled(f"{batch}{w} x {h} Gaussians, model={self.model!r}", self)
        return f"GaussianField({title})"

    def _repr_html_(self) -> str:
        """A small picture of it, for notebooks."""
        return field_html(self)

    @property
    def lr_size(self) -> tuple[int, int]:
        """(height, width) of the LR grid: the extent of the plane."""
        return self.lr.shape[-2], self.lr.shape[-1]

    @cached_property
    def grey(self) -> tuple[bool, ...]:
        """Which images are grey, whatever they are stored as; all they show is grey then."""
        return tuple(is_grey(self.lr).tolist())

    @property
    def layers(self) -> tuple[Layer, ...]:
        """What `render` can show."""
        return LAYERS

    @property
    def bank(self) -> Kernels:
        """The bank in physical numbers. [n]"""
        return physical(self.bank_raw)

    @property
    def kernels(self) -> Kernels:
        """The kernel of each pixel. [b, h, w]"""
        return self.kernels_at()

    def kernels_at(self, rows: slice = slice(None), columns: slice = slice(None)) -> Kernels:
        """The kernels of a cut of the LR grid. [b, h, w]"""
        if self.mixed is not None:
            return physical(self.mixed[:, rows, columns])
        return self.bank[self.index[:, rows, columns]]

    @property
    def nbytes(self) -> int:
        """Memory of the maps."""
        own = sum(v.nbytes for v in self._tensors().values())
        return own + (self.alpha.nbytes if self.alpha else 0)

    def choice_at(self, rows: slice = slice(None), columns: slice = slice(None)) -> Choice:
        """Chosen kernel, runner-up, confidence and entropy of the classifier, per pixel.

        `index` may differ from `self.index` after an edit: this is what the network said, of the
        kernels as they are in the bank now.
        """
        return choose(self.evidence[:, :, rows, columns], self.bank_raw, self.classifier)

    def splat_maps(self, xs: Tensor, ys: Tensor) -> tuple[SplatMaps, tuple[int, int]]:
        """What the splat reads for points with these x and y, and the LR corner of the cut.

        Points minus the corner (x, y) are the points' places in the cut. The margin is the
        window of a Gaussian (and the four taps of a bicubic), so cutting changes nothing.
        """
        margin = max(self.sampler.config.radius, 2) + 1
        left, top = (max(0, int(v.min()) - margin) for v in (xs, ys))
        right, bottom = (int(v.max()) + margin + 1 for v in (xs, ys))
        rows, columns = slice(top, bottom), slice(left, right)
        kernels = self.kernels_at(rows, columns)
        if self.presence is not None:
            seen = kernels.opacities * self.presence[:, rows, columns]
            kernels = replace(kernels, opacities=seen)
        maps = SplatMaps(
            kernels=kernels,
            offsets=self.offsets[:, rows, columns],
            colors=self.colors[:, rows, columns],
            feat=self.feat[:, rows, columns],
            context=self.context[:, :, rows, columns],
            slopes=None if self.slopes is None else self.slopes[:, rows, columns],
        )
        return maps, (left, top)

    def to(self, device: str | torch.device) -> "GaussianField[Pixels]":
        """The field on another device (the sampler is moved as a copy)."""
        moved = {name: value.to(device) for name, value in self._tensors().items()}
        sampler = copy.deepcopy(self.sampler).to(device)
        alpha = self.alpha.to(device) if self.alpha else None
        return replace(self, sampler=sampler, alpha=alpha, **moved)  # type: ignore[arg-type]

    def render(
        self,
        scale: float | tuple[float, float] | None = None,
        *,
        size: tuple[int, int] | None = None,
        view: View | None = None,
        layer: Layer = "result",
        progress: Progress | None = None,
    ) -> Pixels:
        """The field as pixels. Give exactly one of `scale`, `size` and `view`.

        Args:
            scale: Magnification of the whole image, one number or (sy, sx), up to 64.
                Below 1 the picture is reduced with anti-aliasing.
            size: Output (height, width) of the whole image.
            view: Any rectangle at any size.
            layer: `result`, `gaussians` (splatted colour alone), `residual` (their difference,
                around 0.5) or `lr` (the pixels that were put in).
            progress: Called with (rows done, rows in all); an exception it raises cancels.

        Returns:
            A PIL image if an image was encoded, a tensor [*batch, 3, H, W] in [0, 1] if a
            tensor was; with transparency four channels.

        Raises:
            ScaleError: when the scale, the size or the view cannot be rendered.

        Examples:
            >>> import torch
            >>> import gsr
            >>> field = gsr.load("lite").encode(torch.rand(3, 6, 8))
            >>> field.render(scale=2.5).shape
            torch.Size([3, 15, 20])
            >>> window = gsr.View(x=1, y=1, width=4, height=3, size=(30, 40))
            >>> field.render(view=window, layer="gaussians").shape
            torch.Size([3, 30, 40])
        """
        return render_as_given(self, scale, size=size, view=view, layer=layer, progress=progress)

    def read(self, view: View, layer: Layer = "result") -> Float[Tensor, "b 3 H W"]:
        """Colours at the pixel centres of a view of magnification 1 or more, not clamped."""
        return read_grid(self, *view.axes(self.lr_size), view.scale, layer)

    def explain(self, x: float, y: float, scale: float | tuple[float, float] = 4.0) -> Explanation:
        """Which Gaussians made the colour at (x, y), seen at `scale`.

        Args:
            x: From the left edge, LR pixels.
            y: From the top edge, LR pixels.
            scale: Magnification, one number or (sy, sx).

        Raises:
            ScaleError: when the point is outside the image or the scale cannot be rendered.

        Examples:
            >>> import torch
            >>> import gsr
            >>> field = gsr.load("lite").encode(torch.rand(3, 6, 8))
            >>> found = field.explain(x=4.2, y=3.1, scale=4)
            >>> round(sum(one.share for one in found.contributions), 3)
            1.0
        """
        return explain(self, x, y, scale)

    def with_kernel(
        self, kernel: int, pixels: Bool[Tensor, "b h w"] | None = None
    ) -> "GaussianField[Pixels]":
        """Another field, in which the marked pixels (or all) take `kernel`.

        Args:
            kernel: Number in the bank, 0 to n - 1.
            pixels: A boolean mask; all pixels if not given. [b, h, w]

        Raises:
            GsrError: for a kernel that the bank does not have, or another kind of mask.
            ShapeError: when the mask has another size.

        Examples:
            >>> import torch
            >>> import gsr
            >>> field = gsr.load("lite").encode(torch.rand(3, 6, 8))
            >>> field.with_kernel(3)
            GaussianField(8 x 6 Gaussians, model='lite', edited (1))
        """
        return with_kernel(self, kernel, pixels)

    def with_bank(self, bank_raw: Float[Tensor, "n 4"]) -> "GaussianField[Pixels]":
        """Another field, with other kernels behind the same classes."""
        return with_bank(self, bank_raw)

    def save(self, path: str | Path) -> Path:
        """Write the field to a `.gsf` file, see `gsr.field.file`; `gsr.open_field` reads it.

        Raises:
            OutputError: another suffix, or a failing file system.

        Examples:
            >>> import torch
            >>> import gsr
            >>> field = gsr.load("lite").encode(torch.rand(3, 6, 8))
            >>> field.save("photo.gsf").name
            'photo.gsf'
        """
        # Which makes fields as well.
        from gsr.field.file import save_field

        return save_field(self, path)

    def to_html(self, path: str | Path) -> Path:
        """Write one page that holds the field and its viewer, and opens without a server.

        Raises:
            OutputError: another suffix than `.html`, or a failing file system.
            ImageError: when a page cannot show it: a batch, transparency, more than 4096 pixels a
                side, the paper's decoder.
        """
        # Pages are made by the apps, which gsr does not import before they are asked for.
        from gsr.base.optional import part

        written: Path = part("gsr_apps.page").write_page(self, path)
        return written

    def _tensors(self) -> dict[str, Tensor]:
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: v for name, v in values.items() if isinstance(v, Tensor)}


def read_grid(
    field: GaussianField,
    xs: Float[Tensor, " W"],
    ys: Float[Tensor, " H"],
    scale: tuple[float, float],
    layer: Layer = "result",
) -> Float[Tensor, "b 3 H W"]:
    """As `GaussianField.read`, at every point of a grid: ascending LR pixels within the image."""
    each = field.lr.new_tensor(scale).expand(len(field.lr), 2)
    maps, (left, top) = field.splat_maps(xs, ys)
    sample = field.sampler.grid(maps, xs - left, ys - top, each, decoded=layer != "gaussians")
    rgb = sample.rgb
    if layer == "residual":
        rgb = 0.5 + RESIDUAL_GAIN * (rgb - sample.colors)
    return rgb.movedim(-1, 1).unflatten(-1, (len(ys), len(xs)))
