"""Start the studio on this machine."""

import asyncio
import errno
import logging
import os
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import uvicorn
from h11 import LocalProtocolError
from starlette.types import ASGIApp

from gsr import GaussianSR, load
from gsr.base.errors import ConfigError
from gsr.cli.stopping import Terminated
from gsr.decoding.pool import Pool

from .auth import BasicAuth, check_credentials
from .doors import Doors, Hosts
from .policy import Policy, Told
from .rooted import Outside, checked_root
from .studio import MEMORY, Studio, read_picture
from .workplace import workplace

PORTS_TO_TRY = 20
DECODERS = 2
"""Processes that decode uploads."""


@dataclass(frozen=True)
class Rules:
    """Who may use the app: what it is called, what browsers are allowed, who may log in, and below
    which path of a proxy it is reached.
    """

    hosts: Hosts
    policy: Policy
    auth: str | None = None
    root_path: str = ""

    def around(self, app: ASGIApp) -> ASGIApp:
        """The same app behind them."""
        if self.auth is not None:
            app = BasicAuth(app, self.auth)
        return Outside(Told(Doors(app, self.hosts), self.policy), self.root_path)


def launch(
    model: str | Path | GaussianSR = "lite",
    image: str | Path | None = None,
    host: str = "127.0.0.1",
    port: int = 7860,
    open_browser: bool = False,
    auth: str | None = None,
    allow_hosts: Sequence[str] = (),
    allow_embed: Sequence[str] = (),
    strength: float = 1.0,
    root_path: str = "",
    memory: int = MEMORY,
) -> None:
    """Serve until interrupted; prints `gsr app: http://...` once the page can be opened.

    Args:
        model: Name or file of weights, or a model.
        image: What to show first; a demo photo if not given.
        host: Address to listen on. The default is reachable from this machine only.
        port: Port to listen on; the next free one if it is taken. 0 means any.
        open_browser: Also open the page.
        auth: `USER:PASSWORD` that everything then asks for.
        memory: Bytes for pictures and their fields; what does not fit goes to the disk.
        strength: As of `gsr.load`, where `model` is not one already.
        allow_hosts: Names by which the app is reached besides its own, of a proxy for instance.
        root_path: Path of a proxy below which the app is reached, where the proxy does not say it
            itself (in `X-Forwarded-Prefix`).
        allow_embed: Sites such as `http://localhost:8888` that may show the app in a frame.

    Raises:
        GsrError: when an option makes no sense, the weights or the image cannot be used, or no
            port is free.
    """
    if auth is not None:
        check_credentials(auth)
    rules = Rules(
        Hosts(host, tuple(allow_hosts)), Policy(tuple(allow_embed)), auth, checked_root(root_path)
    )
    with workplace() as folder, bind(host, port) as listener, Pool(DECODERS) as pool:
        loaded = model if isinstance(model, GaussianSR) else load(model, strength=strength)
        picture = None
        if image is not None:
            picture = read_picture(_read_file(Path(image)), Path(image).name, pool=pool)
        # Encoding starts here and continues while Gradio is imported.
        studio = Studio(loaded, picture, pool=pool, max_bytes=memory, folder=folder)
        address = f"http://{_reachable(host)}:{listener.getsockname()[1]}"

        def ready() -> None:
            _announce(address, open_browser)
            pool.warm()

        _serve(studio, listener, ready, rules)


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error


def bind(host: str, port: int) -> socket.socket:
    """A socket listening-to-be on the first free port from `port` on.

    Raises:
        ConfigError: when none of them is free or the host is not an address of this machine.
    """
    if not 0 <= port <= 65535:
        raise ConfigError(f"port must be between 0 and 65535, got {port}.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(port, min(port + PORTS_TO_TRY, 65536)):
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
            listener.listen()
        except PermissionError as error:
            listener.close()
            raise ConfigError(f"port {candidate} may not be used: no permission.") from error
        except socket.gaierror as error:
            listener.close()
            raise ConfigError(f"{host} is not an address of this machine.") from error
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRINUSE:
                raise ConfigError(f"{host} cannot be listened on: {error.strerror}.") from error
            _say(f"Port {candidate} is in use, trying the next one.", sys.stderr)
            continue
        return listener
    raise ConfigError(f"the ports from {port} on are all in use; give another one.")


def _reachable(host: str) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)
    return f"[{shown}]" if ":" in shown and not shown.startswith("[") else shown


def _serve(
    studio: Studio, listener: socket.socket, ready: Callable[[], None], rules: Rules
) -> None:
    with without_proxies():
        from .demo import mount_demo
        from .server import create_app

    app = rules.around(mount_demo(create_app(studio), studio))
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2)
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    try:
        _Server(config, ready).run(sockets=[listener])
    except Terminated:
        raise  # it has an exit code of its own, and nothing is left to be cleared up
    except KeyboardInterrupt:
        pass  # the usual way to end it


@contextmanager
def without_proxies() -> Iterator[None]:
    """No proxies in the environment: Gradio prepares to use them when it is imported, which fails
    for kinds that need further packages, and nothing here asks anybody outside.
    """
    named = {name: os.environ.pop(name) for name in list(os.environ) if _names_a_proxy(name)}
    try:
        yield
    finally:
        os.environ.update(named)


def _names_a_proxy(name: str) -> bool:
    return name.lower().endswith("_proxy")


def _is_news(record: logging.LogRecord) -> bool:
    """Whether it is worth a line. Pages keep a connection open, and stopping cuts it.

    Nor is it news that uvicorn itself has answered already, where a body was not HTTP.
    """
    error = record.exc_info[1] if record.exc_info else None
    return not (
        isinstance(error, asyncio.CancelledError)
        or (isinstance(error, LocalProtocolError) and "MUST_CLOSE" in str(error))
        or "graceful shutdown exceeded" in record.getMessage()
    )


class _Server(uvicorn.Server):
    """Says when it is up."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]):
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()


def _announce(address: str, open_browser: bool) -> None:
    _say(f"gsr app: {address}", sys.stdout)
    if open_browser:
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()


def _say(line: str, stream: TextIO) -> None:
    stream.write(line + "\n")
    stream.flush()
