"""One user name and password before everything the server answers."""

import base64
import binascii
import hmac
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from gsr.base.errors import ConfigError

from .answers import refusal, usual


def check_credentials(credentials: str) -> None:
    """Refuse what is not `USER:PASSWORD`.

    Raises:
        ConfigError: if the value is not USER:PASSWORD.
    """
    user, _, password = credentials.partition(":")
    if not (user and password):
        raise ConfigError("auth must be USER:PASSWORD, and neither may be empty.")


class BasicAuth:
    """HTTP basic authentication around a whole app: page, frames, downloads, Gradio's own routes.

    Args:
        app: What is protected.
        credentials: `USER:PASSWORD`.

    Raises:
        ConfigError: when `credentials` have another form.
    """

    def __init__(self, app: ASGIApp, credentials: str):
        check_credentials(credentials)
        self._app = app
        self._expected = credentials.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or self._admits(scope):
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = {"WWW-Authenticate": 'Basic realm="gsr", charset="UTF-8"'}
        await refusal(401, usual(401), headers)(scope, receive, send)

    def _admits(self, scope: Any) -> bool:
        given = dict(scope["headers"]).get(b"authorization", b"")
        kind, _, encoded = given.partition(b" ")
        if kind.lower() != b"basic":
            return False
        try:
            decoded = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            return False
        return hmac.compare_digest(decoded, self._expected)
