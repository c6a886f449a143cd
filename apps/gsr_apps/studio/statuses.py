"""Which status goes with what the app refuses."""

from starlette.responses import JSONResponse

from .answers import refusal
from .bodies import TooLongError
from .budget import FullError
from .calls import UnknownCallError
from .crowd import BusyError
from .growing import NotYet
from .jobs import Cancelled
from .store import ExpiredError, Superseded
from .uploads import NotUploadedError

STATUSES: dict[type[Exception], int] = {
    NotUploadedError: 403,
    ExpiredError: 404,
    UnknownCallError: 404,
    Cancelled: 409,
    NotYet: 409,
    Superseded: 409,
    TooLongError: 413,
    BusyError: 503,
    FullError: 503,
}
"""Of errors that are not simply 400."""


def answer_to(error: Exception) -> JSONResponse:
    """The answer to a request that made no sense, or came at the wrong time."""
    status = next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), 400)
    headers = {"Retry-After": "1"} if status == 503 else None
    return refusal(status, str(error), headers)
