"""Bodies of requests: refused for their length before anything reads them."""

import asyncio
import json
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from fastapi.concurrency import run_in_threadpool
from pydantic_core import from_json
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gsr.base.errors import GsrError, ImageError

from .answers import refusal
from .budget import Budget
from .people import person_of

MAX_UPLOAD_BYTES = 64 * 2**20
MAX_FIELD_BYTES = 2**30
MAX_EDIT_BYTES = 4 * 2**20
"""Strokes over a whole picture come to a few hundred kilobytes."""
MAX_CALL_BYTES = 2**20
MAX_DEPTH = 32
DROP_SECONDS = 10.0
"""For how long the rest of a body is taken in that was refused."""
MAX_NUMBER = 1e15
"""Nothing here is counted beyond it, and a float still holds its integers exactly."""

MEMORY = Budget(4 * MAX_UPLOAD_BYTES, 12 * MAX_UPLOAD_BYTES)
"""Bodies that are held in memory while they are worked on."""


class TooLongError(GsrError):
    """A body with more bytes than such a request needs."""


class Bodies:
    """Limits how much is sent: one body, all bodies of one person, all bodies there are.

    Args:
        app: What reads the bodies.
        disk: Budget of what goes to files.
        memory: Budget of everything else.
    """

    def __init__(self, app: ASGIApp, disk: Budget, memory: Budget):
        self._app, self._disk, self._memory = app, disk, memory

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":  # nothing else reads a body
            await self._app(scope, receive, send)
            return
        limit, goes_to_files = limit_of(scope["path"])
        budget = self._disk if goes_to_files else self._memory
        person, got, over = person_of(scope), 0, False

        async def received() -> Message:
            nonlocal over
            message = await receive()
            over = over or not message.get("more_body")
            return message

        async def counted() -> Message:
            nonlocal got
            message = await received()
            size = len(message.get("body", b""))
            if size:
                if got + size > limit:
                    raise TooLongError(_too_long(limit))
                budget.take(person, size)
                got += size
            return message

        async def heard_out(message: Message) -> None:
            """Who is cut off while sending never reads why: take the rest in, and drop it."""
            if message["type"] == "http.response.start" and message["status"] >= 400:
                with suppress(TimeoutError):
                    async with asyncio.timeout(DROP_SECONDS):
                        while not over:
                            await received()
            await send(message)

        if _declared(scope) > limit:
            await refusal(413, _too_long(limit))(scope, receive, heard_out)
            return
        try:
            with suppress(ClientDisconnect):  # in the middle of its body: nobody waits any more
                # The app answers to what `counted` raises.
                await self._app(scope, counted, heard_out)
        finally:
            budget.give_back(person, got)


_FIELD = r"/studio/fields/[^/]+"
_LIMITS: list[tuple[str, int, bool]] = [
    (r"/studio/open|" + _FIELD + "/truth", MAX_UPLOAD_BYTES, False),
    (r"/studio/open-field", MAX_FIELD_BYTES, True),
    (r"/gradio_api/upload", MAX_FIELD_BYTES, True),  # many files in one body
    (_FIELD + "/edit", MAX_EDIT_BYTES, False),
]


def limit_of(path: str) -> tuple[int, bool]:
    """Bytes that a request to a path may have, and whether they go to files."""
    for pattern, limit, goes_to_files in _LIMITS:
        if re.fullmatch(pattern, path):
            return limit, goes_to_files
    return MAX_CALL_BYTES, False


def _declared(scope: Scope) -> int:
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    return max((int(value) for value in lengths if value.isdigit()), default=0)


def _too_long(limit: int) -> str:
    return f"At most {limit / 2**20:g} MiB are accepted here."


async def read_picture_bytes(request: Request) -> bytes:
    """A body that holds a picture.

    Raises:
        ImageError: it is longer than a picture may be.
    """
    return await _read(request, MAX_UPLOAD_BYTES, ImageError, "The file is larger than")


async def _read(request: Request, limit: int, error: Callable[[str], GsrError], said: str) -> bytes:
    parts = bytearray()
    async for chunk in request.stream():
        parts += chunk
        if len(parts) > limit:
            raise error(f"{said} {limit // 2**20} MiB, the most that is accepted.")
    return bytes(parts)


async def read_json(request: Request, limit: int) -> Any:
    """A body of JSON as plain values.

    Raises:
        TooLongError: it has more than `limit` bytes.
        GsrError: if it is not JSON, nested too deeply, or holds a number beyond all measure.
    """
    body = await _read(request, limit, TooLongError, "The body is longer than")
    # A long one takes a moment, which is not the event loop's.
    return await run_in_threadpool(parse_json, body)


def parse_json(body: bytes) -> Any:
    """Plain values from JSON.

    Raises:
        GsrError: if it is not JSON, nested too deeply, or holds a number beyond all measure.
    """
    try:
        values = from_json(body, allow_inf_nan=False, cache_strings=False)
    except ValueError as error:
        raise GsrError(f"The body is not JSON: {error}.") from None
    _check(values)
    return values


def _check(values: Any) -> None:
    level = [values]
    for _ in range(MAX_DEPTH):
        if not all(map(_is_sensible, level)):
            raise GsrError(f"Numbers in the body go from {-MAX_NUMBER:g} to {MAX_NUMBER:g}.")
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return
    raise GsrError(f"The body is nested more than {MAX_DEPTH} levels deep.")


def _is_sensible(value: Any) -> bool:
    return not isinstance(value, (int, float)) or -MAX_NUMBER <= value <= MAX_NUMBER


def as_body(values: Any) -> bytes:
    """Plain values as JSON."""
    return json.dumps(values).encode()
