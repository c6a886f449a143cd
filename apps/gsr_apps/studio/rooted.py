"""The app below a path of a proxy, as Jupyter, code-server or nginx put it there."""

import re
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from gsr.base.errors import ConfigError

_ROOT = re.compile(r"(/[\w.~%@:+-]+)*", re.ASCII)
_HEADERS = (b"x-forwarded-prefix", b"x-forwarded-context", b"x-proxycontextpath")
"""What proxies say the path in, which they cut off before they ask."""


def checked_root(path: str) -> str:
    """A path without a slash at its end.

    Raises:
        ConfigError: `path` is not like `/user/ann/gsr`.
    """
    root = path.rstrip("/")
    if not _is_root(root):
        raise ConfigError(f"a path of a proxy is like /user/ann/gsr, got {path!r}.")
    return root


def _is_root(path: str) -> bool:
    steps = path.split("/")
    return _ROOT.fullmatch(path) is not None and not {".", ".."} & set(steps)


class Outside:
    """Stands before everything: takes the proxy's path off, and notes it as the root.

    Args:
        app: What answers.
        root: The path; empty where the proxy says it with each request, if there is one.
    """

    def __init__(self, app: ASGIApp, root: str = ""):
        self._app, self._root = app, checked_root(root)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            root = self._root or _told(scope)
            path = scope["path"]
            if root and (path == root or path.startswith(f"{root}/")):  # it was not cut off
                path = path.removeprefix(root) or "/"
            scope = {**scope, "path": path, "root_path": root}
        await self._app(scope, receive, send)


class Inside:
    """Stands before what writes addresses: gives it the whole path, as ASGI has it."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope.get("root_path"):
            scope = {**scope, "path": scope["root_path"] + scope["path"]}
        await self._app(scope, receive, send)


def _told(scope: Any) -> str:
    for name in _HEADERS:
        for key, value in scope["headers"]:
            root = value.decode("latin-1").rstrip("/")
            if key == name and root and _is_root(root):
                return root
    return ""
