"""Amounts of memory as people type them."""

import re

from gsr.base.errors import ConfigError, shown

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def parse_memory(text: str) -> int:
    """Bytes from text such as 2G, 500M or 1.5 GB; a thousand of each make one of the next.

    Raises:
        ConfigError: it is no amount of memory.
    """
    match = re.fullmatch(
        r"(\d{1,15}(?:\.\d{1,15})?)\s?([KMGT]?)I?B?", text.strip().upper(), re.ASCII
    )
    if not match or not float(match[1]):
        raise ConfigError(f"{shown(text)} is not an amount of memory; give one such as 2G or 500M.")
    return int(float(match[1]) * _UNITS[match[2]])
