"""How the numbers of a picture mean colours, where a file says so without an ICC profile.

Numbers of primaries and of transfer curves are those of ITU-T H.273, "coding-independent code
points", which PNG's cICP chunk and the nclx box of AVIF and HEIF share.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from PIL import Image

from gsr.decoding import profiles
from gsr.decoding.info import ColourMode, PictureInfo
from gsr.decoding.profiles import Curve, Primaries

Cicp: TypeAlias = tuple[int, int]
"""Primaries and transfer curve."""
SRGB: Cicp = (1, 13)
UNSPECIFIED = 2
HDR = {16: "PQ", 18: "HLG"}
"""Transfer curves of high dynamic range."""

_D65, _C = (0.3127, 0.3290), (0.310, 0.316)
_PRIMARIES: dict[int, Primaries] = {
    1: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), _D65),
    4: ((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), _C),
    5: ((0.64, 0.33), (0.29, 0.60), (0.15, 0.06), _D65),
    6: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65),
    7: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),
    22: ((0.630, 0.340), (0.295, 0.605), (0.155, 0.077), _D65),
}
_NAMES = {1: "BT.709", 5: "BT.470", 6: "BT.601", 7: "BT.601", 9: "BT.2020", 11: "DCI-P3"}
_NAMES |= {12: "Display P3"}
_VIDEO = Curve(1 / 0.45, (1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081))
_CURVES = {1: _VIDEO, 6: _VIDEO, 14: _VIDEO, 15: _VIDEO}
_CURVES |= {4: Curve(2.2), 5: Curve(2.8), 8: Curve(1.0)}
_CURVES |= {13: Curve(2.4, (1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))}
_PLAIN_GAMMA = 1 / 2.2
"""In a gAMA chunk, what everybody writes and takes for sRGB."""


def profile_of(cicp: Cicp, mode: ColourMode) -> bytes | None:
    """The ICC profile with these primaries and this curve; None where there can be none."""
    primaries, curve = _PRIMARIES.get(cicp[0]), _CURVES.get(cicp[1])
    if primaries is None or curve is None:
        return None
    name = f"{_NAMES.get(cicp[0], 'Colours')}, transfer {cicp[1]}"
    return profiles.build(name, primaries, curve, mode)


def hdr_name(info: PictureInfo) -> str | None:
    """What the transfer curve is called where it is one of high dynamic range."""
    return HDR.get(info.cicp[1]) if info.cicp else None


def read_cicp(data: bytes, file_format: str | None) -> Cicp | None:
    """What the beginning of a file says; None where it is sRGB or says nothing."""
    mark, width = {"PNG": (b"cICP", 1), "AVIF": (b"colrnclx", 2), "HEIF": (b"colrnclx", 2)}.get(
        file_format or "", (b"", 0)
    )
    at = data.find(mark) if mark else -1
    if at < 0:
        return None
    numbers = data[at + len(mark) :]
    cicp = int.from_bytes(numbers[:width], "big"), int.from_bytes(numbers[width : 2 * width], "big")
    return None if cicp == SRGB or UNSPECIFIED in cicp or 0 in cicp else cicp


def is_deep_av1(data: bytes) -> bool:
    """Whether AV1 pixels, as the beginning of a file describes them, have more than 8 bits."""
    at = data.find(b"av1C")
    return at >= 0 and len(data) > at + 6 and bool(data[at + 6] & 0x40)


def described(
    image: Image.Image, info: PictureInfo, mode: ColourMode, cicp: Cicp | None, notes: list[str]
) -> PictureInfo:
    """The information with colours as the file describes them: in a PNG its cICP chunk comes
    first, elsewhere an ICC profile; gAMA and cHRM count where there is neither.
    """
    if cicp and (info.icc is None or image.format == "PNG"):
        icc = profile_of(cicp, mode)
        if cicp[1] in HDR or icc is not None:
            return _with(info, icc, cicp)
        notes.append(
            f"The colours are of primaries {cicp[0]} and transfer curve {cicp[1]} (ITU-T H.273), "
            "which have no profile here; only PNG results say so."
        )
        return _with(info, info.icc, cicp)
    if info.icc is None and (icc := _by_gamma(image, mode)) is not None:
        return _with(info, icc, None)
    return info


def _with(info: PictureInfo, icc: bytes | None, cicp: Cicp | None) -> PictureInfo:
    return replace(info, icc=icc, cicp=cicp)


def _by_gamma(image: Image.Image, mode: ColourMode) -> bytes | None:
    """The profile that PNG's gAMA and cHRM chunks describe, where it is not that of sRGB."""
    gamma, places = image.info.get("gamma"), image.info.get("chromaticity")
    if image.format != "PNG" or "srgb" in image.info or not (gamma or places):
        return None
    primaries = _PRIMARIES[1]
    if places and len(places) == 8:
        white, *colours = ((places[i], places[i + 1]) for i in range(0, 8, 2))
        primaries = (*colours, white)  # type: ignore[assignment]
    gamma = gamma or _PLAIN_GAMMA
    plain = abs(gamma - _PLAIN_GAMMA) < 1e-3
    same = all(
        abs(a - b) < 2e-3
        for mine, other in zip(primaries, _PRIMARIES[1], strict=True)
        for a, b in zip(mine, other, strict=True)
    )
    if (plain and same) or not 0.1 <= gamma <= 10:
        return None
    curve = _CURVES[13] if plain else Curve(1 / gamma)
    return profiles.build(f"gamma {1 / gamma:.3g}", primaries, curve, mode)
