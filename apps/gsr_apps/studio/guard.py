"""What of Gradio's own server is open: what its page and `gradio_client` need, and no more.

Gradio comes with some eighty routes. A few are needed; the others are closed, among them those
that fetch addresses, save states, reload, monitor and run components' own functions. What goes
through is read here first, and answers that say no take the app's own form.
"""

import json
import re
from contextlib import nullcontext
from typing import Any

import gradio as gr
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gsr.base.errors import GsrError

from .answers import refusal, usual
from .bodies import as_body, parse_json
from .calls import UnknownCallError, checked, read_call
from .people import has_cookie, new_cookie, person_of
from .policy import PAGE
from .statuses import answer_to
from .turns import Gate
from .uploads import NotUploadedError, Uploads

OURS = re.compile(r"/(studio|viewer|page|demo)/.*|/gradio_api/(upload|upload_progress)")
"""Answered by our own routes, which say no by themselves."""
CALL = re.compile(r"/gradio_api/(?:(run|call)/(?P<name>[\w-]{1,64})|queue/join)")
EVENT = re.compile(r"/gradio_api/call/[\w-]{1,64}/(?P<event>[\w-]{1,64})")
FILE = re.compile(r"/gradio_api/file=(?P<path>.+)", re.DOTALL)
OPEN = {
    "/": "the page",
    "/config": "what gradio_client reads first",
    "/gradio_api/info": "what gradio_client reads next",
    "/theme.css": "colours and type of the page",
    "/static/.+": "parts of the page",
    "/assets/.+": "parts of the page",
    "/favicon.ico": "the page's icon, which browsers ask for",
    "/manifest.json": "named in the page",
    r"/gradio_api/heartbeat/[\w-]{1,64}": "ends the work of a page that was closed",
    "/gradio_api/queue/data": "progress and results of queued calls",
    r"/gradio_api/call/[\w-]{1,64}/[\w-]{1,64}": "the same, for one call",
    "/gradio_api/file=.+": "results, and uploads to those who sent them",
}
"""Paths of Gradio's that are open for reading, and why."""
_OPEN = re.compile("|".join(f"(?:{path})" for path in OPEN), re.DOTALL)
MAX_WAITING = 8
"""Direct calls that may wait for the one being answered."""


class Guard:
    """Stands before Gradio's server.

    Args:
        app: The app it is part of.
        demo: The page.
        uploads: What people uploaded.
    """

    def __init__(self, app: ASGIApp, demo: gr.Blocks, uploads: Uploads):
        self._app, self._demo, self._uploads = app, demo, uploads
        self._direct = Gate("Too many calls wait already; try again in a moment.")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":  # nothing here speaks it
            await send({"type": "websocket.close", "code": 1008})
        elif OURS.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
        else:
            try:
                await self._admit(scope, receive, send)
            except GsrError as error:
                await answer_to(error)(scope, receive, send)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, method = scope["path"], scope["method"]
        call = CALL.fullmatch(path)
        if call and method == "POST":
            await self._call(call, scope, receive, send)
        elif is_open(method, path):
            self._check_reading(scope)
            await self._app(_bare(scope), receive, _Answer(scope, send).send)
        else:
            await refusal(404, usual(404))(scope, receive, send)

    async def _call(self, call: re.Match[str], scope: Scope, receive: Receive, send: Send) -> None:
        body = parse_json(await _whole(scope, receive))
        envelope = read_call(body)
        function = self._function(envelope.fn_index, call["name"])
        checks = checked(envelope, function.api_name, person_of(scope), self._uploads)
        direct = call[1] == "run" and function.queue
        if direct and function.api_visibility != "public":
            raise UnknownCallError(f"{function.api_name} is called through the queue.")
        made = as_body(checks | {"fn_index": function._id})
        # One at a time, as the queue would have it.
        async with self._direct.passed(MAX_WAITING) if direct else nullcontext():
            await self._app(
                _with_length(scope, len(made)), _sending(made, receive), _Answer(scope, send).send
            )

    def _function(self, index: int | None, name: str | None) -> Any:
        functions = self._demo.fns
        if index is not None:
            found = functions.get(index)
        else:
            found = next((one for one in functions.values() if one.api_name == name), None)
        if found is None:
            raise UnknownCallError("This function does not exist.")
        return found

    def _check_reading(self, scope: Scope) -> None:
        """Refuse a file, or a stream of messages, that is not there for whoever asks."""
        file, event = FILE.fullmatch(scope["path"]), EVENT.fullmatch(scope["path"])
        if event and not self._is_called(event["event"]):
            raise UnknownCallError("This call does not exist.")
        if file:
            self._check_file(file["path"], person_of(scope))
        if scope["path"] == "/gradio_api/queue/data":
            asked = Request(scope).query_params.get("session_hash", "")
            if asked not in self._demo._queue.pending_messages_per_session:
                raise UnknownCallError("This session does not exist.")

    def _is_called(self, event: str) -> bool:
        """Whether there are results of a call to be fetched, or will be."""
        queue = self._demo._queue
        pending = queue.pending_event_ids_session.values()
        return event in queue.event_ids_to_events or any(event in events for events in pending)

    def _check_file(self, path: str, person: str) -> None:
        if path in self._uploads:
            self._uploads.find(path, person)
        elif not any(path in made for made in self._demo.temp_file_sets):
            raise NotUploadedError


def is_open(method: str, path: str) -> bool:
    """Whether Gradio's server may be asked that."""
    if method == "POST":
        return CALL.fullmatch(path) is not None
    return method in ("GET", "HEAD") and _OPEN.fullmatch(path) is not None


async def _whole(scope: Scope, receive: Receive) -> bytes:
    """The body, which others have kept within bounds."""
    return await Request(scope, receive).body()


def _bare(scope: Scope) -> Scope:
    """Without a query, but for the one that is needed: others choose states, pages, internals."""
    keep = scope["path"] == "/gradio_api/queue/data"
    return scope if keep else {**scope, "query_string": b""}


def _with_length(scope: Scope, length: int) -> Scope:
    told = (b"content-length", b"content-type", b"transfer-encoding", b"content-encoding")
    headers = [(name, value) for name, value in scope["headers"] if name not in told]
    own = [(b"content-length", str(length).encode()), (b"content-type", b"application/json")]
    return {**_bare(scope), "headers": headers + own}


def _sending(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def next_message() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return next_message


class _Answer:
    """Passes an answer on, a cookie with the page; one that says no is said in our own form."""

    def __init__(self, scope: Scope, send: Send):
        self._scope, self._send = scope, send
        self._status: int | None = None  # of an answer that says no
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if message["status"] >= 400:
                self._status = message["status"]
                return
            if self._scope["path"] == PAGE and not has_cookie(self._scope):
                cookie = (b"set-cookie", new_cookie().encode())
                message = {**message, "headers": [*message["headers"], cookie]}
        if self._status is None:
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if not message.get("more_body"):
            await self._say_no(self._status)

    async def _say_no(self, status: int) -> None:
        said = _said(self._body)
        if status == 500 and isinstance(said, str):  # how Gradio hands on what a function refused
            answer = refusal(400, said)
        else:
            answer = refusal(status, usual(status, said))
        await answer(self._scope, _nothing, self._send)


def _said(body: bytes) -> Any:
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found.get("error") or found.get("detail") if isinstance(found, dict) else None


async def _nothing() -> Message:
    return {"type": "http.disconnect"}
