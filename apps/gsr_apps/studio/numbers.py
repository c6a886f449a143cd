"""Numbers of requests: finite, and no larger than anything here can be."""

from typing import Annotated

from fastapi import Query

LARGEST = 1e9

Number = Annotated[float, Query(allow_inf_nan=False, ge=-LARGEST, le=LARGEST)]
Whole = Annotated[int, Query(ge=-(2**31), le=2**31)]
