"""ICC profiles of three primaries and a curve, version 4, as small as they can be.

Source: ICC.1:2022 (profile version 4.4), "three-component matrix-based" and "monochrome" profiles.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gsr.decoding.info import ColourMode

Point: TypeAlias = tuple[float, float]
Primaries: TypeAlias = tuple[Point, Point, Point, Point]
"""Chromaticities (x, y) of red, green, blue and white."""

_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


@dataclass(frozen=True)
class Curve:
    """From numbers to light: (a x + b) ** gamma, and c x below d, for `linear` = (a, b, c, d)."""

    gamma: float
    linear: tuple[float, float, float, float] | None = None


def build(name: str, primaries: Primaries, curve: Curve, mode: ColourMode) -> bytes | None:
    """The profile of RGB or grey pixels; None where the primaries cannot be those of a display."""
    found = _colorants(primaries)
    if found is None:
        return None
    adaptation, columns = found
    tags = {
        b"desc": _text(name),
        b"cprt": _text("No copyright, use freely"),
        b"wtpt": _xyz(_D50),
        b"chad": b"sf32\0\0\0\0" + b"".join(map(_fixed, adaptation.ravel())),
    }
    if mode == "grey":
        tags[b"kTRC"] = _curve(curve)
    else:
        tags |= {b"%cXYZ" % c: _xyz(column) for c, column in zip(b"rgb", columns.T, strict=True)}
        tags |= {b"%cTRC" % c: _curve(curve) for c in b"rgb"}
    return _assembled(tags, b"GRAY" if mode == "grey" else b"RGB ")


def _colorants(primaries: Primaries) -> tuple[npt.NDArray[Any], npt.NDArray[Any]] | None:
    """The adaptation of white to D50, and the adapted primaries as columns."""
    if any(not (0 <= x <= 1 and 0 < y <= 1) for x, y in primaries):
        return None
    xyz = np.array([(x / y, 1.0, (1 - x - y) / y) for x, y in primaries]).T
    white = xyz[:, 3]
    if abs(np.linalg.det(xyz[:, :3])) < 1e-3:
        return None
    columns = xyz[:, :3] * np.linalg.solve(xyz[:, :3], white)
    gains = np.diag((_BRADFORD @ _D50) / (_BRADFORD @ white))
    adaptation = np.linalg.inv(_BRADFORD) @ gains @ _BRADFORD
    columns = adaptation @ columns
    # Beyond this the numbers of the format end.
    return (adaptation, columns) if np.abs(columns).max() < 4 else None


def _assembled(tags: dict[bytes, bytes], space: bytes) -> bytes:
    at = 128 + 4 + 12 * len(tags)
    table, body, places = struct.pack(">I", len(tags)), b"", {}
    for name, data in tags.items():
        if data not in places:
            places[data] = at + len(body)
            body += data + bytes(-len(data) % 4)
        table += name + struct.pack(">II", places[data], len(data))
    size = 128 + len(table) + len(body)
    header = struct.pack(">I4sI4s4s4s", size, bytes(4), 0x04400000, b"mntr", space, b"XYZ ")
    date = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    header += date + b"acsp" + bytes(28) + b"".join(map(_fixed, _D50))
    return header.ljust(128, b"\0") + table + body


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _xyz(values: npt.NDArray[Any]) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(map(_fixed, values))


def _curve(curve: Curve) -> bytes:
    kind, numbers = (3, curve.linear) if curve.linear else (0, ())
    return (
        b"para\0\0\0\0"
        + struct.pack(">HH", kind, 0)
        + b"".join(map(_fixed, (curve.gamma, *numbers)))
    )


def _text(text: str) -> bytes:
    data = text.encode("utf-16-be")
    return b"mluc\0\0\0\0" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(data), 28) + data
