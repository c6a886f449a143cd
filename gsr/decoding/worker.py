"""The process that decodes for a `Pool`: it may crash, hang and run out of memory."""

from __future__ import annotations

import importlib
import io
import os
import signal
import tempfile
from collections.abc import Callable
from dataclasses import replace
from typing import BinaryIO

from gsr.base.errors import GsrError, reason
from gsr.decoding.decode import read_size
from gsr.decoding.info import Decoded
from gsr.decoding.messages import Blob, Message, pack, receive, send

Decode = Callable[[BinaryIO, str, int, float | None], Decoded]
"""As `gsr.decoding.decode.decode`."""
_MOST_REQUEST = 2**32
_GRACE = 5
"""Seconds after which a worker ends itself that nobody has ended: its parent may be dead."""


def serve(decode: str, memory: int) -> None:
    """Answer requests on standard input until it ends.

    Args:
        decode: What decodes, as `module:name`.
        memory: Bytes of address space, where the platform can limit it.
    """
    module, _, name = decode.partition(":")
    work: Decode = getattr(importlib.import_module(module), name)
    with tempfile.TemporaryFile() as said:
        requests, replies = _own_streams(said)
        _limit_memory(memory)
        send(replies, {"ready": True})
        while (request := receive(requests, _MOST_REQUEST)) is not None:
            message, blobs = request
            _end_after(message["seconds"] + _GRACE)
            send(replies, *_answer(message, blobs, work, said))
            _end_after(0)


def _own_streams(said: BinaryIO) -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output, which decoders that print must not get hold of."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.dup2(said.fileno(), 2)
    return requests, replies


def _limit_memory(memory: int) -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, ValueError, OSError):
        pass  # Windows has no such limits, and macOS does not take this one


def _end_after(seconds: float) -> None:
    if hasattr(signal, "setitimer"):  # not on Windows
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _answer(
    message: Message, blobs: list[bytearray], work: Decode, said: BinaryIO
) -> tuple[Message, list[Blob]]:
    try:
        with _source(message, blobs) as stream:
            if message["ask"] == "size":
                return {"size": read_size(stream, message["label"])}, []
            said.seek(0)
            said.truncate()
            decoded = work(stream, message["label"], message["max_pixels"], message["white"])
            return pack(_with_complaints(decoded, said))
    except GsrError as error:
        return {"error": str(error)}, []
    except MemoryError:
        return {"error": f"{message['label']} takes more memory to decode than it may."}, []
    except Exception as error:
        return {"error": f"{message['label']} cannot be decoded: {reason(error)}."}, []


def _source(message: Message, blobs: list[bytearray]) -> BinaryIO:
    return open(message["path"], "rb") if message["path"] else io.BytesIO(blobs[0])


def _with_complaints(decoded: Decoded, said: BinaryIO) -> Decoded:
    """Noted what a library printed: it has gone on where it should have stopped."""
    said.seek(0)
    lines = said.read(2000).decode("utf-8", "replace").splitlines()
    faults = [line.strip() for line in lines if line.strip() and "warning" not in line.lower()]
    if not faults:
        return decoded
    note = f"The decoder met damage ({faults[0][:100].rstrip('.')}); parts may be wrong."
    return replace(decoded, info=replace(decoded.info, notes=(*decoded.info.notes, note)))
