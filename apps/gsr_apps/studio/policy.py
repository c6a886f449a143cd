"""The policy sent with every answer: what a page may do, and who may show it in a frame."""

import base64
import hashlib
import re
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gsr.base.errors import ConfigError

PAGE = "/"
_SCRIPT = re.compile(rb"<script(?P<with>[^>]*)>(?P<text>.*?)</script>", re.DOTALL)
_SITE = re.compile(r"https?://[\w.-]+(:\d{1,5})?|https?://\[[0-9a-f:.]+\](:\d{1,5})?", re.ASCII)


@dataclass(frozen=True)
class Policy:
    """Rules for browsers.

    Attributes:
        embed: Sites whose pages may show the app in a frame, besides its own.
    """

    embed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for site in self.embed:
            if not _SITE.fullmatch(site):
                raise ConfigError(
                    f"a site that may embed the app is like https://example.org or "
                    f"http://localhost:8888, got {site!r}."
                )

    def of_page(self, html: bytes) -> str:
        """The policy of the page: its own scripts, identified by their hashes, and no others."""
        rules = {
            "default-src": "'none'",
            "script-src": " ".join(["'self'", *_hashes(html)]),
            # Svelte and Plotly set styles on elements; styles alone run nothing.
            "style-src": "'self' 'unsafe-inline'",
            # Pictures that the page draws or was given, and Gradio's icons, stand in addresses.
            "img-src": "'self' data: blob:",
            "media-src": "'self' blob:",
            "font-src": "'self' data:",
            "connect-src": "'self'",
            "manifest-src": "'self'",
            "base-uri": "'self'",
            "form-action": "'self'",
            "frame-ancestors": self._frames,
        }
        return "; ".join(f"{name} {value}" for name, value in rules.items())

    @property
    def of_files(self) -> str:
        """The policy of everything else, should somebody open it as a page."""
        return f"default-src 'none'; sandbox; frame-ancestors {self._frames}"

    @property
    def _frames(self) -> str:
        return " ".join(["'self'", *self.embed])


def _hashes(html: bytes) -> list[str]:
    """Sources that allow the scripts inside a page."""
    scripts = [found["text"] for found in _SCRIPT.finditer(html) if b"src=" not in found["with"]]
    digests = [base64.b64encode(hashlib.sha256(text).digest()).decode() for text in scripts]
    return [f"'sha256-{digest}'" for digest in digests]


class Told:
    """Adds the rules to every answer.

    Args:
        app: What answers.
        policy: The rules.
    """

    def __init__(self, app: ASGIApp, policy: Policy):
        self._app, self._policy = app, policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"] == PAGE:
            # The scripts in it are looked at, which a compressed page would hide.
            headers = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
            scope = {**scope, "headers": headers}
        await self._app(scope, receive, _Telling(self._policy, send).send)


class _Telling:
    def __init__(self, policy: Policy, send: Send):
        self._policy, self._send = policy, send
        self._page: Message | None = None  # the start of a page whose body is still coming
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            message.setdefault("headers", [])
            headers = MutableHeaders(scope=message)
            self._tell(headers)
            if headers.get("content-type", "").startswith("text/html"):
                self._page = message
                return
        elif self._page is not None:
            self._body += message.get("body", b"")
            if message.get("more_body"):
                return
            start, self._page = self._page, None
            rules = self._policy.of_page(self._body)
            MutableHeaders(scope=start)["content-security-policy"] = rules
            await self._send(start)
            message = {"type": "http.response.body", "body": self._body}
        await self._send(message)

    def _tell(self, headers: MutableHeaders) -> None:
        headers["x-content-type-options"] = "nosniff"
        headers["referrer-policy"] = "same-origin"
        headers["cross-origin-resource-policy"] = "same-origin"
        headers["content-security-policy"] = self._policy.of_files
        if not self._policy.embed:  # it knows no list of sites
            headers["x-frame-options"] = "SAMEORIGIN"
