"""Numbers of requests, no larger than anything here can be."""

import math
from typing import Annotated, TypeVar

from fastapi import Query
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

LARGEST = 1e9
Given = TypeVar("Given", bound=float | None)


def bounded(number: Given) -> Given:
    """The same number. What is not finite passes: where it matters, `gsr` has words for that.

    Raises:
        PydanticCustomError: it is too large; a ValueError.
    """
    if number is not None and math.isfinite(number) and abs(number) > LARGEST:
        raise PydanticCustomError("large", "Input should be from -1e9 to 1e9")
    return number


Number = Annotated[float, Query(allow_inf_nan=False, ge=-LARGEST, le=LARGEST)]
Whole = Annotated[int, Query(ge=-(2**31), le=2**31)]
# Of downloads, where each may be left out.
Real = Annotated[float, AfterValidator(bounded), Query()]
MaybeReal = Annotated[float | None, AfterValidator(bounded), Query()]
MaybeWhole = Annotated[int | None, Query(ge=-(2**31), le=2**31)]
