"""Who a request comes from, as far as it matters for what people upload."""

import re
import secrets
from typing import Any

from starlette.requests import cookie_parser

COOKIE = "gsr-person"
_MADE_HERE = re.compile(r"[\w-]{22}")


def person_of(scope: Any) -> str:
    """Whoever holds the page's cookie; of programs, which keep none, their address."""
    known = _cookie_of(scope)
    if known is not None:
        return f"cookie {known}"
    client = scope.get("client")
    return f"address {client[0] if client else ''}"


def has_cookie(scope: Any) -> bool:
    """Whether the page was opened here before."""
    return _cookie_of(scope) is not None


def new_cookie() -> str:
    """Value of `Set-Cookie` for somebody new."""
    return f"{COOKIE}={secrets.token_urlsafe(16)}; Path=/; HttpOnly; SameSite=Strict"


def _cookie_of(scope: Any) -> str | None:
    for name, value in scope["headers"]:
        if name == b"cookie":
            found = cookie_parser(value.decode("latin-1")).get(COOKIE, "")
            if _MADE_HERE.fullmatch(found):
                return found
    return None
