"""Field to field: change which kernel a pixel takes, or the kernels themselves.

Each changed field lists what was done to it in `edits`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from numbers import Integral
from typing import TYPE_CHECKING, Annotated, ClassVar, Concatenate, ParamSpec

import torch
from jaxtyping import Bool, Float, Int
from pydantic import ConfigDict, Field
from torch import Tensor

from gsr.base.errors import GsrError, check_shape, shown
from gsr.base.reading import STRICT
from gsr.network.classifier import by_bands, class_scores
from gsr.network.kernels import RHO_LIMIT, SIGMA_RANGE, Kernels, raw

if TYPE_CHECKING:
    from gsr.field import GaussianField

P = ParamSpec("P")


@dataclass(frozen=True)
class Other:
    """Changes that are known to have been made, and cannot be made again from here.

    Attributes:
        what: Which changes, in a few words.
        count: How many.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    what: Annotated[str, Field(max_length=200)]
    count: Annotated[int, Field(ge=1, le=2**31)] = 1


def _listed(
    what: str,
) -> Callable[
    [Callable[Concatenate["GaussianField", P], "GaussianField"]],
    Callable[Concatenate["GaussianField", P], "GaussianField"],
]:
    """Make a change list itself; of changes made of others the outermost is listed."""

    def listing(
        change: Callable[Concatenate["GaussianField", P], "GaussianField"],
    ) -> Callable[Concatenate["GaussianField", P], "GaussianField"]:
        @wraps(change)
        def changed(
            field: "GaussianField", /, *args: P.args, **kwargs: P.kwargs
        ) -> "GaussianField":
            return replace(change(field, *args, **kwargs), edits=(*field.edits, Other(what)))

        return changed

    return listing


@_listed("another class map")
def with_index(field: "GaussianField", index: Int[Tensor, "b h w"]) -> "GaussianField":
    """Another class map.

    Raises:
        GsrError: for a class the bank does not have.
    """
    check_shape("index", index, tuple(field.index.shape))
    count = len(field.bank_raw)
    if index.numel() and not (int(index.min()) >= 0 and int(index.max()) < count):
        raise GsrError(f"a kernel's number must be from 0 to {count - 1}.")
    return replace(field, index=index.to(field.index), mixed=None)


@_listed("one kernel for some pixels")
def with_kernel(
    field: "GaussianField", kernel: int, pixels: Bool[Tensor, "b h w"] | None = None
) -> "GaussianField":
    """One kernel for the marked pixels, or for all.

    Args:
        field: What to change.
        kernel: Its number in the bank.
        pixels: A mask, as a tensor or an array; all if not given.

    Raises:
        GsrError: for a kernel the bank does not have, or for what is no mask of the field.
    """
    chosen = torch.full_like(field.index, _checked(field, kernel))
    if pixels is not None:
        pixels = torch.as_tensor(pixels, device=field.index.device)
        check_shape("pixels", pixels, tuple(field.index.shape))
        if pixels.dtype != torch.bool:
            raise GsrError(f"pixels must be a mask of truth values, got {pixels.dtype}.")
        chosen = torch.where(pixels, chosen, field.index)
    changed = with_index(field, chosen)
    if pixels is None or field.mixed is None:
        return changed
    mixed = torch.where(pixels[..., None], field.bank_raw[int(kernel)], field.mixed)
    return replace(changed, mixed=mixed)


@_listed("another bank of kernels")
def with_bank(field: "GaussianField", bank_raw: Float[Tensor, "n 4"]) -> "GaussianField":
    """Other kernels for the same classes; raw numbers, see `gsr.network.kernels.physical`.

    A mixture (`soft`, `mean_kernel`) keeps the shapes it was made of.
    """
    check_shape("bank_raw", bank_raw, tuple(field.bank_raw.shape))
    return replace(field, bank_raw=bank_raw.to(field.bank_raw))


@_listed("choices shuffled")
def shuffled(field: "GaussianField", generator: torch.Generator) -> "GaussianField":
    """The class map with its pixels in random order: same kernels, wrong places."""
    mixed_up = [image.flatten()[_order(image, generator)] for image in field.index]
    return with_index(field, torch.stack(mixed_up).reshape(field.index.shape))


def _order(image: Tensor, generator: torch.Generator) -> Tensor:
    """The pixels of one image in random order: pictures of a batch do not mix."""
    return torch.randperm(image.numel(), generator=generator).to(image.device)


@_listed("kernels turned off")
def without(
    field: "GaussianField", kernels: Sequence[int], *, barred: Sequence[int] = ()
) -> "GaussianField":
    """Some kernels turned off: their pixels take the likeliest one that is left.

    Args:
        field: What to change; it does not remember which kernels are off.
        kernels: Those that pixels are taken from.
        barred: Others that those pixels may not take; pixels that have them keep them.

    Raises:
        GsrError: for a kernel the bank does not have, or when none would be left.
    """
    off, closed = _off(field, kernels), _off(field, (*kernels, *barred))
    bank = field.bank_raw.float()

    def likeliest(evidence: Tensor) -> Tensor:
        scores = class_scores(evidence.float(), bank, field.classifier)
        return scores.masked_fill(closed[:, None, None], -torch.inf).argmax(1)

    rest = by_bands(likeliest, field.evidence)
    return with_index(field, torch.where(off[field.index], rest, field.index))


def _off(field: "GaussianField", kernels: Sequence[int]) -> Bool[Tensor, " n"]:
    """Mask of the kernels that are named."""
    off = torch.zeros(len(field.bank_raw), dtype=torch.bool, device=field.index.device)
    for kernel in kernels:
        off[_checked(field, kernel)] = True
    if off.all():
        raise GsrError("at least one kernel must be left.")
    return off


@_listed("kernels mixed")
def soft(
    field: "GaussianField", top: int | None = None, off: Sequence[int] = ()
) -> "GaussianField":
    """Each pixel's kernel as the mean of all, weighted by the classifier's probabilities.

    Args:
        field: What to change.
        top: Only the likeliest so many; all if not given.
        off: Kernels that take no part.

    Raises:
        GsrError: unless `top` is a number of kernels; for `off` as `without`.
    """
    count = len(field.bank_raw)
    if top is not None and not (isinstance(top, Integral) and 1 <= top <= count):
        raise GsrError(f"top must be a whole number from 1 to {count}, got {shown(top)}.")
    none, bank = _off(field, off), field.bank_raw.float()

    def mixture(evidence: Tensor) -> Tensor:
        scores = class_scores(evidence.float(), bank, field.classifier)
        scores = scores.masked_fill(none[:, None, None], -torch.inf)
        if top is not None:
            least = scores.topk(int(top), dim=1).values[:, -1:]
            scores = scores.masked_fill(scores < least, -torch.inf)
        return scores.softmax(1).movedim(1, -1) @ bank

    return replace(field, mixed=by_bands(mixture, field.evidence))


@_listed("one mean kernel")
def mean_kernel(field: "GaussianField") -> "GaussianField":
    """One kernel for every pixel of an image, the mean of those its pixels have: content plays no
    part any more.
    """
    own = field.mixed if field.mixed is not None else field.bank_raw[field.index]
    mean = own.mean(dim=(1, 2), keepdim=True)
    return replace(field, mixed=mean.expand(*field.index.shape, 4).contiguous())


@_listed("a kernel reshaped")
def reshaped(field: "GaussianField", kernel: int, shape: Kernels) -> "GaussianField":
    """Another shape for one kernel of the bank.

    Raises:
        GsrError: for a kernel the bank does not have, or a shape out of range.
    """
    number = _checked(field, kernel)
    low, high = SIGMA_RANGE
    if not ((shape.sigmas >= low) & (shape.sigmas <= high)).all():
        raise GsrError(f"sigmas must be from {low:g} to {high:g} LR pixels.")
    if not float(shape.rho.abs().max()) < RHO_LIMIT:
        raise GsrError(f"rho must lie between -{RHO_LIMIT:g} and {RHO_LIMIT:g}.")
    if not ((shape.opacities > 0) & (shape.opacities < 1)).all():
        raise GsrError("opacity must lie between 0 and 1.")
    bank = field.bank_raw.clone()
    bank[number] = raw(shape).to(bank)
    return with_bank(field, bank)


def _checked(field: "GaussianField", kernel: int) -> int:
    count = len(field.bank_raw)
    if not isinstance(kernel, Integral):
        raise GsrError(f"a kernel's number must be whole, got {shown(kernel)}.")
    if not 0 <= kernel < count:
        raise GsrError(f"a kernel's number must be from 0 to {count - 1}, got {shown(kernel)}.")
    return int(kernel)
