"""Who may talk to the app: its own page and programs, not the pages of other sites.

A page of another site can make a browser send requests here, and by a name of its own that it
points at this machine even read the answers. So a request must call the app by a name that is
its own (`Host`), and a browser must say that it comes from the app's own page (`Origin`,
`Sec-Fetch-Site`).
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from gsr.base.errors import ConfigError

from .answers import refusal

_PLACE = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[\w.-]+)(?::(?P<port>\d{1,5}))?", re.ASCII)
_USUAL_PORTS = {"http": "80", "https": "443"}


@dataclass(frozen=True)
class Hosts:
    """Names by which the app is called, besides those of this machine for itself.

    Attributes:
        listening: Address that the app listens on; all addresses count if it listens on all.
        others: More names, of proxies for instance.
    """

    listening: str = "127.0.0.1"
    others: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in self.others:
            if not _PLACE.fullmatch(name.lower()) or ":" in name.rpartition("]")[2]:
                raise ConfigError(
                    f"a host to allow is a name such as gsr.example.org, without a port, "
                    f"got {name!r}."
                )

    def admit(self, place: str) -> bool:
        """Whether `NAME` or `NAME:PORT` is the app."""
        parts = _PLACE.fullmatch(place.lower())
        if parts is None:
            return False
        name = parts["name"].strip("[]").removesuffix(".")
        address = _address(name)
        known = {"localhost", self.listening.lower(), *(other.lower() for other in self.others)}
        if name in known or f"[{name}]" in known:
            return True
        # An address cannot be pointed elsewhere as a name can.
        everywhere = self.listening in ("0.0.0.0", "::")
        return address is not None and (address.is_loopback or everywhere)

    def names(self, place: str) -> bool:
        """Whether the name was given as one of the others, whatever the port."""
        parts = _PLACE.fullmatch(place.lower())
        return parts is not None and parts["name"] in {other.lower() for other in self.others}


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


class Doors:
    """Turns away what comes from elsewhere.

    Args:
        app: What is protected.
        hosts: What the app is called.
    """

    def __init__(self, app: ASGIApp, hosts: Hosts):
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wrong = None if scope["type"] == "lifespan" else self._wrong(scope)
        if wrong is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refusal(403, wrong)(scope, receive, send)

    def _wrong(self, scope: Scope) -> str | None:
        """What is wrong with where a request comes from, or goes to."""
        hosts = _all(scope, b"host")
        called = hosts + _all(scope, b"x-forwarded-host")  # Gradio writes it into the page
        if len(hosts) != 1 or not all(self._hosts.admit(name) for name in called):
            return (
                "The app does not know itself by this name; start it with --allow-host NAME to "
                "reach it by another one."
            )
        for origin in _all(scope, b"origin"):
            if not self._is_own(origin, called):
                return "Pages of other sites may not use the app."
        sites = _all(scope, b"sec-fetch-site")
        if set(sites) - {"same-origin", "none"} and not _opens_the_page(scope):
            return "Pages of other sites may not use the app."
        return None

    def _is_own(self, origin: str, called: list[str]) -> bool:
        scheme, _, place = origin.partition("://")
        if scheme not in _USUAL_PORTS:
            return False
        return self._hosts.names(place) or any(
            _placed(place, scheme) == _placed(host, scheme) for host in called
        )


def _all(scope: Any, wanted: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name == wanted]


def _placed(place: str, scheme: str) -> str:
    """`NAME:PORT`, also where the port is the usual one."""
    parts = _PLACE.fullmatch(place.lower())
    return f"{parts['name']}:{parts['port'] or _USUAL_PORTS[scheme]}" if parts else place


def _opens_the_page(scope: Scope) -> bool:
    """A link from another site, or a frame, which the page's own policy looks at."""
    if scope["type"] != "http" or (scope["method"], scope["path"]) != ("GET", "/"):
        return False
    return _all(scope, b"sec-fetch-mode") == ["navigate"]
