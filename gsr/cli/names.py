"""Names of files where a line ends a name and a terminal takes some characters for commands."""

import os
import re

from gsr.cli.streams import show

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_BYTE = re.compile(rb"[\x00-\x1f\x7f'\\]")


def printable(text: str) -> str:
    r"""Text for people, with control characters spelt out: a newline is shown as \n."""
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


def print_path(path: str | os.PathLike[str], *, null: bool = False) -> None:
    r"""Print the path of a result on stdout, byte for byte, since it need not be valid Unicode.

    A path with control characters would break into lines: it is quoted as bash reads it,
    `$'a\nb.png'`. With `null` it is not, and a zero byte ends it instead.
    """
    show(_line(os.fsencode(path), null), end=False)


def _line(raw: bytes, null: bool) -> bytes:
    if null:
        return raw + b"\0"
    if re.search(rb"[\x00-\x1f\x7f]", raw):
        return b"$'" + _CONTROL_BYTE.sub(_escape, raw) + b"'\n"
    return raw + b"\n"


def _escape(found: re.Match[bytes]) -> bytes:
    byte = found[0]
    named = {b"\n": b"\\n", b"\r": b"\\r", b"\t": b"\\t", b"'": b"\\'", b"\\": b"\\\\"}
    return named.get(byte, b"\\x%02x" % byte[0])
