"""Field to field: change which kernel a pixel takes, or the kernels themselves."""

from dataclasses import replace
from numbers import Integral
from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from gsr.errors import GsrError, check_shape

if TYPE_CHECKING:
    from gsr.field import GaussianField


def with_index(field: "GaussianField", index: Int[Tensor, "b h w"]) -> "GaussianField":
    """Another class map.

    Raises:
        GsrError: for a class the bank does not have.
    """
    check_shape("index", index, tuple(field.index.shape))
    count = len(field.bank_raw)
    if index.numel() and not (int(index.min()) >= 0 and int(index.max()) < count):
        raise GsrError(f"a kernel's number must be from 0 to {count - 1}.")
    return replace(field, index=index.to(field.index))


def with_kernel(
    field: "GaussianField", kernel: int, pixels: Bool[Tensor, "b h w"] | None = None
) -> "GaussianField":
    """One kernel for the marked pixels, or for all."""
    if not isinstance(kernel, Integral):
        raise GsrError(f"a kernel's number must be whole, got {kernel!r}.")
    chosen = torch.full_like(field.index, int(kernel))
    if pixels is not None:
        check_shape("pixels", pixels, tuple(field.index.shape))
        if pixels.dtype != torch.bool:
            raise GsrError(f"pixels must be a mask of truth values, got {pixels.dtype}.")
        chosen = torch.where(pixels, chosen, field.index)
    return with_index(field, chosen)


def with_bank(field: "GaussianField", bank_raw: Float[Tensor, "n 4"]) -> "GaussianField":
    """Other kernels for the same classes; raw numbers, see `gsr.kernels.physical`."""
    check_shape("bank_raw", bank_raw, tuple(field.bank_raw.shape))
    return replace(field, bank_raw=bank_raw.to(field.bank_raw))


def shuffled(field: "GaussianField", generator: torch.Generator) -> "GaussianField":
    """The class map with its pixels in random order: same kernels, wrong places."""
    order = torch.randperm(field.index.numel(), generator=generator).to(field.index.device)
    return with_index(field, field.index.flatten()[order].reshape(field.index.shape))
