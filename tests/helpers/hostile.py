"""A decoder that does its worst when a file ends with the word for it."""

import os
import sys
import time
from typing import BinaryIO

from gsr.decoding.decode import decode
from gsr.decoding.info import Decoded

NAME = f"{__name__}:hostile"
WORDS = (b"abort", b"segfault", b"hang", b"allocate", b"exit", b"babble", b"raise", b"complain")


def hostile(stream: BinaryIO, label: str, max_pixels: int, white: float | None) -> Decoded:
    data = stream.read()
    word = next((word for word in WORDS if data.endswith(word)), b"")
    if word == b"abort":
        os.abort()
    if word == b"segfault":
        os.kill(os.getpid(), 11)
    if word == b"hang":
        time.sleep(60)
    if word == b"allocate":
        _ = [bytes(2**28) for _ in range(64)]
    if word == b"exit":
        os._exit(0)
    if word == b"babble":
        print("words where an answer is expected", flush=True)
    if word == b"raise":
        raise AssertionError("of a kind nobody expects")
    if word == b"complain":
        print("Module: Warning, unknown field.", file=sys.stderr, flush=True)
        print("Fax4Decode: Bad code word.", file=sys.stderr, flush=True)
    return decode(stream, label, max_pixels, white)
