"""Pictures that no writer makes: headers that lie, bombs, loops, missing parts."""

import random
import struct
import zlib
from collections.abc import Callable

from .cases import Case
from .damage import EXTREMES, PNG, chunk, jpeg_of, jpeg_parts
from .sound import drawn, picture, saved

Maker = Callable[[random.Random], tuple[str, bytes]]
SIDES = (0, 1, 2, 3, 8, 9, 100, 5000, 20_000, 65_535, 65_536, 2**31 - 1, 2**31, 2**32 - 1)


def _ihdr(side: tuple[int, int], depth: int, colour: int, *rest: int) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", *side, depth, colour, *rest))


def _png_header(g: random.Random) -> tuple[str, bytes]:
    """All depths, colour types and interlacing, legal or not; palettes of any length; few data."""
    depth, colour = g.choice((1, 2, 4, 8, 16, 16, 3, 0)), g.choice((0, 2, 3, 3, 4, 6, 1, 7))
    small = g.random() < 0.6
    side = (g.randrange(1, 12), g.randrange(1, 12)) if small else (g.choice(SIDES), g.choice(SIDES))
    rest = (g.choice((0, 0, 0, 1)), g.choice((0, 0, 0, 1)), g.choice((0, 0, 1, 1, 2)))
    parts = [_ihdr(side, depth, colour, *rest)]
    if g.random() < 0.7:
        parts.append(chunk(b"PLTE", g.randbytes(g.choice((0, 1, 3, 6, 48, 768, 771)))))
    if g.random() < 0.5:
        parts.append(chunk(b"tRNS", g.randbytes(g.choice((0, 1, 2, 6, 16, 256, 300)))))
    rows = zlib.compress(g.randbytes(g.choice((0, 5, 200, 3000))))
    parts += [chunk(b"IDAT", rows), chunk(b"IEND", b"")]
    return ".png", PNG + b"".join(parts)


def _png_grey(g: random.Random) -> tuple[str, bytes]:
    """Sound rows, of a palette that is missing or too short, or deep with transparency."""
    side, depth, colour = 8, g.choice((8, 8, 16)), g.choice((0, 2, 3, 4, 6))
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    width = side * channels * depth // 8
    rows = zlib.compress(b"".join(b"\0" + g.randbytes(width) for _ in range(side)))
    parts = [_ihdr((side, side), depth, colour, 0, 0, 0)]
    if colour == 3 and g.random() < 0.6:
        parts.append(chunk(b"PLTE", g.randbytes(3 * g.choice((1, 2, 255, 256)))))
    if g.random() < 0.5:
        parts.append(chunk(b"tRNS", g.randbytes(g.choice((1, 2, 6, 256)))))
    return ".png", PNG + b"".join([*parts, chunk(b"IDAT", rows), chunk(b"IEND", b"")])


def _png_bomb(g: random.Random) -> tuple[str, bytes]:
    """Compressed text, profile or pixels that grow a thousandfold."""
    grown = zlib.compress(bytes(g.choice((2, 20, 70)) * 2**20), 9)
    sound = saved(drawn(g, 12, 9), "PNG")
    kind = g.choice((b"zTXt", b"iTXt", b"iCCP", b"IDAT"))
    heads = {b"zTXt": b"Comment\0\0", b"iTXt": b"a\0\1\0\0\0", b"iCCP": b"icc\0\0", b"IDAT": b""}
    many = chunk(kind, heads[kind] + grown) * g.choice((1, 1, 5))
    return ".png", sound[:33] + many + sound[33:]


def _jpeg_frame(g: random.Random) -> tuple[str, bytes]:
    """Another kind of frame (12 bits, arithmetic, lossless), another size, other components."""
    parts = jpeg_parts(picture(g, ("JPEG",)).data)
    for place, (marker, inside) in enumerate(parts):
        if marker in (b"\xff\xc0", b"\xff\xc2"):
            precision = g.choice((8, 8, 8, 12, 16, 0))
            height, width = (g.choice((*SIDES[:10], 16, 17)) for _ in range(2))
            components = g.choice((inside[5], inside[5], 0, 1, 2, 4, 255))
            frame = struct.pack(">BHHB", precision, height, width, components) + inside[6:]
            kind = g.choice((marker[1], 0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC9, 0xCA, 0xCB))
            parts[place] = bytes((0xFF, kind)), frame
    return ".jpg", jpeg_of(parts)


def _gif(g: random.Random) -> tuple[str, bytes]:
    """Screens and frames of any size, frames outside of the screen, no colour table at all."""
    screen, frame = ([g.choice((0, 1, 9, 300, 65_535)) for _ in range(2)] for _ in range(2))
    corner = [g.choice((0, 0, 3, 65_535)) for _ in range(2)]
    flags = g.choice((0x00, 0x80, 0x91, 0xF7))
    table = g.randbytes(3 << (flags & 7) + 1) if flags & 0x80 else b""
    extension = b"\x21\xf9\x04" + g.randbytes(4) + b"\0" if g.random() < 0.5 else b""
    pixels = b"".join(bytes([n]) + g.randbytes(n) for n in (g.randrange(1, 255), 20)) + b"\0"
    body = struct.pack("<HHBBB", *screen, flags, 0, 0) + table + extension
    image = b"\x2c" + struct.pack("<HHHHB", *corner, *frame, g.choice((0, 0x40, 0x83)))
    table = g.randbytes(48) if image[-1] & 0x80 else b""
    return ".gif", b"GIF89a" + body + image + table + bytes([g.choice((2, 8, 12, 0))]) + pixels


def _bmp(g: random.Random) -> tuple[str, bytes]:
    """Negative and giant sides, odd depths, compressed rows, headers of old and new lengths."""
    signed = (*range(-3, 9), -(2**31), 2**31 - 1, 100_000)
    width, height = g.choice(signed), g.choice(signed)
    depth, way = g.choice((0, 1, 4, 8, 16, 24, 32, 64)), g.choice((0, 0, 1, 2, 3, 4, 6, 11))
    head = g.choice((12, 40, 40, 40, 52, 56, 64, 108, 124, 0, 10**6))
    colours = g.choice((0, 0, 1, 256, 257, 2**31))
    fields = struct.pack("<IiiHHIIiiII", head, width, height, 1, depth, way, 0, 1, 1, colours, 0)
    offset = g.choice((54, 14, 0, 1078, 2**31))
    body = fields + g.randbytes(g.choice((0, 30, 1500)))
    return ".bmp", b"BM" + struct.pack("<IHHI", len(body) + 14, 0, 0, offset) + body


def _ppm(g: random.Random) -> tuple[str, bytes]:
    """Numbers of any size and sign as text, comments, and few data."""
    kind = g.choice(("P1", "P2", "P3", "P4", "P5", "P6", "Pf", "PF", "P7", "P0"))
    numbers = ("0", "-1", "1", "3", "9", "65536", "99999999999", "9" * 300, "1e3", "nan", "x", "")
    sizes = [g.choice(("4", "3", *numbers)) for _ in range(2)]
    peak = g.choice(("255", "1", "15", "65535", "1000", "-1.0", "1.0", "0.5", *numbers))
    gap = g.choice((" ", "\n", "\n# a comment\n", "\t", "# \xff\n"))
    data = g.randbytes(g.choice((0, 11, 48, 400)))
    if kind in ("P1", "P2", "P3"):
        data = " ".join(g.choice((*numbers, "0", "1", "7")) for _ in range(40)).encode()
    return ".ppm", f"{kind}\n{sizes[0]}{gap}{sizes[1]}\n{peak}\n".encode("latin-1") + data


def _floats(g: random.Random) -> tuple[str, bytes]:
    """PFM with values that are no colours: huge, negative, infinite, no numbers."""
    odd = (float("nan"), float("inf"), -1.0, 1e30, 1e-40, 2.0, 255.0, 1.0001, 65536.0)
    values = [g.random() for _ in range(12)]
    for _ in range(g.choice((1, 3, 12))):
        values[g.randrange(12)] = g.choice(odd)
    return ".pfm", b"Pf\n4 3\n-1.0\n" + struct.pack("<12f", *values)


def _tiff(g: random.Random) -> tuple[str, bytes]:
    """Directories that point at themselves or outside, strips and tiles that lie or are missing."""
    order = g.choice("<>")
    tags = {256: g.choice((4, 4, *SIDES)), 257: g.choice((3, 3, *SIDES)), 258: g.choice((8, 1, 64))}
    tags |= {259: g.choice((1, 1, 2, 3, 4, 5, 6, 7, 8, 32773, 34712)), 262: g.choice(range(9))}
    tags |= {273: g.choice((8, 200, 2**31)), 277: g.choice((1, 1, 3, 4, 65_535)), 278: 3}
    tags |= {279: g.choice((12, 36, *EXTREMES))}
    if g.random() < 0.3:
        tags |= {322: g.choice((16, *SIDES)), 323: 16, 324: 8, 325: g.choice((256, *EXTREMES))}
    for tag in g.sample(list(tags), g.choice((0, 0, 1, 2))):
        del tags[tag]
    entries = b"".join(struct.pack(order + "HHII", t, 4, 1, v) for t, v in sorted(tags.items()))
    after = g.choice((0, 0, 8, 2**32 - 1))
    directory = struct.pack(order + "H", len(tags)) + entries + struct.pack(order + "I", after)
    magic = b"II*\0" if order == "<" else b"MM\0*"
    return ".tif", magic + struct.pack(order + "I", 8) + directory + g.randbytes(60)


def _webp(g: random.Random) -> tuple[str, bytes]:
    """An extended header whose canvas and flags have little to do with what follows."""
    side = [min(g.choice(SIDES), 2**24 - 1).to_bytes(3, "little") for _ in range(2)]
    inside = picture(g, ("WEBP",)).data[12:]
    head = b"VP8X" + struct.pack("<I", 10) + bytes([g.randrange(256), 0, 0, 0]) + b"".join(side)
    body = b"WEBP" + head + inside
    return ".webp", b"RIFF" + struct.pack("<I", g.choice((len(body), *EXTREMES))) + body


def _nothing(g: random.Random) -> tuple[str, bytes]:
    """Hardly a file: nothing, noise, a signature alone, text, a page, an archive, two in one."""
    signatures = (
        b"",
        PNG,
        b"\xff\xd8\xff",
        b"GIF89a",
        b"II*\0",
        b"MM\0+",
        b"BM",
        b"RIFF\0\0\0\0WEBP",
    )
    signatures += (b"\0\0\0\x1cftypavif", b"\0\0\0\x0cjP  \r\n\x87\n", b"\xffO\xffQ", b"P5", b"Pf")
    others = (
        b"<svg/>",
        b"<html>",
        b"PK\3\4",
        b"\x1f\x8b\x08",
        b"%!PS",
        b"8BPS\0\1",
        b"#!/bin/sh\n",
    )
    start = g.choice(signatures + others)
    rest = g.choice((b"", g.randbytes(40), bytes(3000), picture(g).data))
    return g.choice((".png", ".jpg", ".tif", ".webp", ".avif", ".jp2", ".gif")), start + rest


_MAKERS: dict[str, Maker] = {
    "png header": _png_header,
    "png palette": _png_grey,
    "png bomb": _png_bomb,
    "jpeg frame": _jpeg_frame,
    "gif by hand": _gif,
    "bmp by hand": _bmp,
    "ppm by hand": _ppm,
    "floats": _floats,
    "tiff by hand": _tiff,
    "webp by hand": _webp,
    "hardly a file": _nothing,
}
_OFTEN = [name for name in _MAKERS for _ in range(1 if name == "png bomb" else 6)]


def made(g: random.Random) -> Case:
    """A picture that was put together by hand."""
    name = g.choice(_OFTEN)
    suffix, data = _MAKERS[name](g)
    return Case(name, suffix, data)
