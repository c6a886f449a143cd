"""A real server process, and raw requests to it."""

import http.client
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from .running import ROOT, environment, gsr

READS = 2**20
"""Bytes of an answer that are looked at."""


@dataclass(frozen=True)
class Call:
    """One request. `{key}` in its target and body stands for the id of an open picture.

    Attributes:
        kind: For the report.
        method: Of HTTP.
        target: Path and query.
        headers: Besides Host, Content-Length and Connection, which a call may replace.
        body: Bytes.
        foreign: It comes from another site, or asks for a file that was not uploaded: there must
            be no result.
        endless: The answer is a stream that is left after a moment.
    """

    kind: str
    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    foreign: bool = False
    endless: bool = False


@dataclass(frozen=True)
class Answer:
    """Status 0: none came; `seconds` until then."""

    status: int
    body: bytes
    seconds: float
    said: str = ""


@dataclass
class Server:
    """A `gsr app` of its own, with a folder for all its temporary files."""

    address: tuple[str, int]
    process: subprocess.Popen[str]
    folder: Path
    keys: list[str] = field(default_factory=list)

    def memory(self) -> int:
        """Bytes, of all its processes."""
        return sum(self._each(lambda process: process.memory_info().rss))

    def descriptors(self) -> int:
        return psutil.Process(self.process.pid).num_fds()

    def _each(self, what) -> Iterator[int]:
        top = psutil.Process(self.process.pid)
        for process in (top, *top.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                yield what(process)

    def alive(self) -> bool:
        return self.process.poll() is None

    def tracebacks(self) -> int:
        """How many its stderr tells of."""
        return (self.folder / "stderr").read_text(errors="replace").count("Traceback (most recent")

    def send(self, call: Call, timeout: float = 20.0) -> Answer:
        return send(self.address, call, timeout)

    def stop(self) -> None:
        """As a service manager does."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextmanager
def served(model: str | Path = "lite", *options: str) -> Iterator[Server]:
    """A server of its own."""
    with TemporaryDirectory(prefix="attack-") as top:
        folder = Path(top)
        (folder / "tmp").mkdir()
        with (folder / "stderr").open("wb") as errors:
            process = subprocess.Popen(
                gsr("app", "--port", 0, "--no-open", "--model", model, *options),
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=ROOT,
                env=environment(TMPDIR=str(folder / "tmp")),
            )
        server = Server(("", 0), process, folder)
        try:
            assert process.stdout is not None
            found = re.search(r"http://([\d.]+):(\d+)", process.stdout.readline())
            assert found is not None, (folder / "stderr").read_text()
            threading.Thread(target=process.stdout.read, daemon=True).start()
            server.address = found[1], int(found[2])
            yield server
        finally:
            server.stop()


def send(address: tuple[str, int], call: Call, timeout: float = 20.0) -> Answer:
    """One request on a connection of its own, as it is written, legal or not."""
    start = time.monotonic()
    try:
        with socket.create_connection(address, timeout=timeout) as connection:
            with suppress(BrokenPipeError, ConnectionResetError):  # it may answer before the end
                connection.sendall(raw(address, call))
            answer = http.client.HTTPResponse(connection, method=call.method)
            answer.begin()
            body = _read(answer, 1.0 if call.endless else timeout)
            return Answer(answer.status, body, time.monotonic() - start)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Answer(0, b"", time.monotonic() - start, repr(error))


def _read(answer: http.client.HTTPResponse, patience: float) -> bytes:
    answer.fp.raw._sock.settimeout(patience)  # type: ignore[union-attr]
    try:
        return answer.read(READS)
    except TimeoutError:
        if patience <= 1.0:
            return b""
        raise


def raw(address: tuple[str, int], call: Call) -> bytes:
    """The bytes of a request."""
    given = {name.lower() for name, _ in call.headers}
    own = [("Host", f"{address[0]}:{address[1]}"), ("Connection", "close")]
    if call.body or call.method in ("POST", "PUT"):
        own.append(("Content-Length", str(len(call.body))))
    headers = [pair for pair in own if pair[0].lower() not in given] + list(call.headers)
    lines = [f"{call.method} {call.target} HTTP/1.1", *(f"{a}: {b}" for a, b in headers), "", ""]
    return "\r\n".join(lines).encode("utf-8", "replace") + call.body
