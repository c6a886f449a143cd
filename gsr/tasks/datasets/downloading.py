"""One file from the net to the disk: resumed, retried, and never taken for whole when it is not.

What has arrived lies in NAME.partial, and next to it, in NAME.partial.json, which version of the
file it is a part of. NAME itself appears when everything was checked.
"""

import http.client
import json
import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field

from gsr.base.errors import ConfigError, GsrError, OutputError
from gsr.base.files import checksum
from gsr.base.reading import STRICT, read_json, read_text

ATTEMPTS = 6
"""Connections in a row that may fail without having brought anything new worth speaking of."""
PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds to wait before the second, third, ... connection."""
PROGRESS = 1 << 20
"""Bytes that are worth speaking of."""
TIMEOUT = 30.0
"""Seconds without a byte after which a connection counts as cut."""

_BLOCK = 1 << 18
_WORTH_ANOTHER_TRY = (408, 425, 429, 500, 502, 503, 504)

Told = Callable[[int, int | None], None]
"""Takes the bytes that have arrived, and how many there will be, None where unknown."""


class DownloadError(GsrError):
    """A download failed, or its file is not the expected one."""


@dataclass(frozen=True)
class Arrived:
    """A file that was checked.

    Attributes:
        path: Where it is.
        size: In bytes.
        sha256: Of its content.
    """

    path: Path
    size: int
    sha256: str


@dataclass(frozen=True)
class _Version:
    """What a server says a file is; a part is only continued with the rest of the same version."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    url: str
    total: Annotated[int, Field(ge=0, lt=2**60)] | None = None
    mark: str | None = None


class _Cut(Exception):
    """A connection failed in a way that another one may not."""


def download(
    url: str,
    target: Path,
    *,
    size: int | None = None,
    sha256: str | None = None,
    room: float = 1.0,
    told: Told | None = None,
    retrying: Callable[[str], None] | None = None,
) -> Arrived:
    """Bring a file to the disk, from where an earlier run left off.

    Args:
        url: Of the file, http or https, also after redirects.
        target: Where it goes; nothing may be there yet.
        size: What it must be in bytes, None where unknown.
        sha256: What it must be, None where unknown.
        room: Free disk space that is needed, in sizes of the file.
        told: Called as bytes arrive.
        retrying: Called with a sentence before another connection is made.

    Raises:
        ConfigError: the address is not one of http or https.
        DownloadError: the file is not there, is not the expected one, or the connection fails
            again and again.
        OutputError: the disk is full or cannot be written to.
    """
    _check_scheme(url)
    part = _Part(url, target, size, room, told or (lambda done, total: None))
    part.fetch_all(retrying or (lambda sentence: None))
    return _finish(part, sha256)


def partial(target: Path) -> Path:
    """Where the bytes of `target` lie until they are all there."""
    return target.with_name(f"{target.name}.partial")


def _check_scheme(url: str) -> None:
    if urlsplit(url).scheme not in ("http", "https"):
        raise ConfigError(f"{url} is not an address of http or https.")


# --- Connections -----------------------------------------------------------------------------


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows to http and https only; the library's own would also follow to ftp."""

    def http_error_302(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any
    ) -> Any:
        # Asked before the library, which answers other schemes with a puzzling HTTP error.
        target = headers.get("location") or headers.get("uri") or ""
        if urlsplit(target).scheme not in ("", "http", "https"):
            raise DownloadError(f"{req.full_url} leads to {target}, which is not followed.")
        return super().http_error_302(req, fp, code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def _opener() -> urllib.request.OpenerDirector:
    """Speaks http and https and nothing else: no files, no ftp, no data addresses."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Redirects(),
    ):
        opener.add_handler(handler)
    return opener


def _connect(request: urllib.request.Request) -> Any:
    """An open answer.

    Raises:
        DownloadError: the server has no such file.
        _Cut: it may have, the next time.
    """
    try:
        return _opener().open(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == 416:
            return error
        with error:
            said = f"{request.full_url} cannot be had: the server answers {error.code}"
            reason = f"{said} ({error.reason})" if error.reason else said
        if error.code in _WORTH_ANOTHER_TRY:
            raise _Cut(reason) from error
        raise DownloadError(f"{reason}.") from error
    except (http.client.HTTPException, OSError) as error:
        cause = getattr(error, "reason", None) or error
        raise _Cut(f"{request.full_url} cannot be reached ({cause})") from error


# --- The part that is there ------------------------------------------------------------------


@dataclass
class _Part:
    """A file on its way."""

    url: str
    target: Path
    size: int | None
    room: float
    told: Told

    def __post_init__(self) -> None:
        self.path = partial(self.target)
        self.about = self.path.with_name(f"{self.path.name}.json")
        self.version = self._read_version()
        if self.version is None:
            self.path.unlink(missing_ok=True)

    @property
    def have(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def _read_version(self) -> _Version | None:
        """Of what `path` is a part; None where that is not known, so that it is of no use."""
        try:
            text = read_text(self.about, "what is known of a part", DownloadError, most=2**16)
            version = read_json(_Version, text, str(self.about), DownloadError)
        except DownloadError:
            return None
        return version if version.url == self.url else None

    def fetch_all(self, retrying: Callable[[str], None]) -> None:
        failures, furthest = 0, self.have
        while True:
            try:
                self._fetch()
                return
            except _Cut as cut:
                if self.have >= furthest + PROGRESS:
                    failures, furthest = 0, self.have
                failures += 1
                if failures >= ATTEMPTS:
                    raise DownloadError(
                        f"{cut}, {ATTEMPTS} times in a row; run the command again to resume "
                        f"after the {self.have:,} bytes that have arrived."
                    ) from cut
                pause = PAUSES[min(failures, len(PAUSES)) - 1]
                retrying(f"{cut}; trying again in {pause:g} s.")
                time.sleep(pause)

    def _fetch(self) -> None:
        """One connection: all of the rest, or a `_Cut`."""
        have = self.have
        if have and self.version is not None and have == self.version.total:
            return
        with _connect(self._request(have)) as answer:
            if answer.status == 416:
                # What is there is longer than the file, so it is of another version.
                self.forget()
                raise _Cut(f"{self.url} has become shorter")
            start, total = self._position(answer, have)
            self._check(answer, start, total)
            self._receive(answer, start, total)

    def _request(self, have: int) -> urllib.request.Request:
        from gsr import __version__

        headers = {"User-Agent": f"gsr/{__version__}", "Accept-Encoding": "identity"}
        if have and self.version is not None:
            headers["Range"] = f"bytes={have}-"
            if self.version.mark is not None:
                headers["If-Range"] = self.version.mark
        return urllib.request.Request(self.url, headers=headers)

    def _position(self, answer: Any, have: int) -> tuple[int, int | None]:
        """Where the answer starts in the file, and how long the file is."""
        if answer.status != 206:
            return 0, _number(answer.headers.get("Content-Length"))
        start, total = _content_range(answer.headers.get("Content-Range", ""))
        known = self.version.total if self.version else None
        if start != have or (known is not None and total not in (None, known)):
            self.forget()
            raise _Cut(f"{self.url} was answered with another part than was asked for")
        return start, total if total is not None else known

    def _check(self, answer: Any, start: int, total: int | None) -> None:
        if answer.headers.get_content_type() == "text/html":
            raise DownloadError(f"{self.url} is a web page, not a file; it may have moved.")
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise DownloadError(f"{self.url} is sent compressed, which was not asked for.")
        if self.size is not None and total is not None and total != self.size:
            self.forget()
            raise DownloadError(
                f"{self.url} has {total:,} bytes and {self.size:,} are expected, "
                "so it is not the file that is known."
            )
        if total is not None:
            check_room(self.target.parent, int(total * self.room) - start)

    def _receive(self, answer: Any, start: int, total: int | None) -> None:
        done = start
        limit = total if total is not None else self.size
        try:
            with self.path.open("r+b" if start else "wb") as file:
                file.seek(start)
                self._remember(answer, total)
                while block := _read(answer, self.url):
                    file.write(block)
                    done += len(block)
                    if limit is not None and done > limit:
                        raise DownloadError(f"{self.url} sends more than {limit:,} bytes.")
                    self.told(done, limit)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            reason = (error.strerror or str(error)).rstrip(".").lower()
            raise OutputError(f"{self.path} cannot be written: {reason}.") from error
        if total is not None and done < total:
            raise _Cut(f"{self.url} was cut after {done:,} of {total:,} bytes")

    def _remember(self, answer: Any, total: int | None) -> None:
        etag = answer.headers.get("ETag", "")
        # A weak tag may stand for different bytes, and must not be asked with.
        mark = etag if etag and not etag.startswith("W/") else answer.headers.get("Last-Modified")
        self.version = _Version(self.url, total, mark)
        self.about.write_text(json.dumps(asdict(self.version)), "utf-8")

    def forget(self) -> None:
        self.version = None
        self.path.unlink(missing_ok=True)
        self.about.unlink(missing_ok=True)


def _read(answer: Any, url: str) -> bytes:
    try:
        return bytes(answer.read1(_BLOCK))
    except (http.client.HTTPException, OSError) as error:
        raise _Cut(f"the connection to {url} broke ({error})") from error


def _number(text: str | None) -> int | None:
    return int(text) if text and text.strip().isdecimal() else None


def _content_range(text: str) -> tuple[int, int | None]:
    """Start and total of `bytes 5-9/10`; (-1, None) where it says something else."""
    unit, _, rest = text.partition(" ")
    span, _, total = rest.partition("/")
    start = _number(span.partition("-")[0])
    if unit != "bytes" or start is None:
        return -1, None
    return start, _number(total)


def check_room(folder: Path, needed: int) -> None:
    """Make sure that a disk can take what is coming.

    Args:
        folder: On the disk.
        needed: In bytes.

    Raises:
        OutputError: if there is less, or if it cannot be determined.
    """
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise OutputError(f"cannot determine the free space on {folder} ({error}).") from error
    if needed > free:
        raise OutputError(
            f"{folder} needs {needed / 1e9:.2f} GB of free space and has {free / 1e9:.2f} GB."
        )


def _finish(part: _Part, sha256: str | None) -> Arrived:
    """Check the whole file and give it its name."""
    have = part.have
    if part.size is not None and have != part.size:
        part.forget()
        raise DownloadError(
            f"{part.url} brought {have:,} bytes and {part.size:,} are expected; it was not kept."
        )
    found = checksum(part.path)
    if sha256 is not None and found != sha256:
        part.forget()
        raise DownloadError(
            f"{part.url} has the sha256 {found} and {sha256} is expected; it was not kept."
        )
    try:
        os.replace(part.path, part.target)
        part.about.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{part.target} cannot be written ({error}).") from error
    return Arrived(part.target, have, found)
