"""Damage: to any bytes, and inside of chunks whose checksums are put right again."""

import random
import struct
import zlib
from collections.abc import Callable

EXTREMES = (0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
Parts = list[tuple[bytes, bytes]]
"""Chunks: a name, and the data."""


def cut(data: bytes, g: random.Random) -> bytes:
    """Cut short, with more cuts near both ends."""
    place = g.choice((g.random(), g.random() ** 4, 1 - g.random() ** 4))
    return data[: int(len(data) * place)]


def flipped(data: bytes, g: random.Random) -> bytes:
    """Some bits turned; half of the time in the first hundred bytes."""
    found = bytearray(data)
    reach = len(found) if g.random() < 0.5 else min(100, len(found))
    for _ in range(g.choice((1, 1, 2, 8, 40))):
        found[g.randrange(reach)] ^= 1 << g.randrange(8)
    return bytes(found)


def extreme(data: bytes, g: random.Random) -> bytes:
    """A number of the header, or anywhere, becomes an extreme one, in either order of bytes."""
    form = g.choice(("<I", ">I", "<H", ">H", "B"))
    size = struct.calcsize(form)
    reach = min(len(data), g.choice((32, 64, 256, len(data)))) - size
    if reach < 1:
        return data
    place = g.randrange(reach)
    value = g.choice(EXTREMES) & ((1 << 8 * size) - 1)
    return data[:place] + struct.pack(form, value) + data[place + size :]


def moved(data: bytes, g: random.Random) -> bytes:
    """A stretch taken out, doubled, zeroed or replaced by noise; or something glued on."""
    a = g.randrange(len(data))
    b = min(len(data), a + g.choice((1, 4, 30, 300)))
    noise = g.randbytes(b - a)
    return g.choice(
        (
            data[:a] + data[b:],
            data[:b] + data[a:],
            data[:a] + bytes(b - a) + data[b:],
            data[:a] + noise + data[b:],
            data + g.randbytes(500),
            data + data,
            b"%PDF-1.4\n" + data,
        )
    )


BLIND = (cut, flipped, extreme, moved)


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG file."""
    checked = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checked)


PNG = b"\x89PNG\r\n\x1a\n"


def png_parts(data: bytes) -> Parts:
    found, place = [], len(PNG)
    while place + 8 <= len(data):
        (size,) = struct.unpack_from(">I", data, place)
        found.append((data[place + 4 : place + 8], data[place + 8 : place + 8 + size]))
        place += 12 + size
    return found


def png_of(parts: Parts) -> bytes:
    return PNG + b"".join(chunk(kind, data) for kind, data in parts)


def jpeg_parts(data: bytes) -> Parts:
    """Segments by their marker; the last holds everything from the scan on."""
    found, place = [], 2
    while place + 4 <= len(data):
        marker = data[place : place + 2]
        if marker == b"\xff\xda":
            return [*found, (b"", data[place:])]
        (size,) = struct.unpack_from(">H", data, place + 2)
        found.append((marker, data[place + 4 : place + 2 + size]))
        place += 2 + size
    return found


def jpeg_of(parts: Parts) -> bytes:
    found = bytearray(b"\xff\xd8")
    for marker, data in parts:
        length = struct.pack(">H", min(len(data) + 2, 0xFFFF)) if marker else b""
        found += marker + length + data
    return bytes(found)


def riff_parts(data: bytes) -> Parts:
    found, place = [], 12
    while place + 8 <= len(data):
        (size,) = struct.unpack_from("<I", data, place + 4)
        found.append((data[place : place + 4], data[place + 8 : place + 8 + size]))
        place += 8 + size + size % 2
    return found


def riff_of(parts: Parts) -> bytes:
    inside = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2) for kind, data in parts
    )
    return b"RIFF" + struct.pack("<I", len(inside)) + inside


_CHUNKED: dict[str, tuple[Callable[[bytes], Parts], Callable[[Parts], bytes]]] = {
    ".png": (png_parts, png_of),
    ".jpg": (jpeg_parts, jpeg_of),
    ".webp": (riff_parts, riff_of),
}


def rebuilt(data: bytes, suffix: str, g: random.Random) -> bytes:
    """Chunks dropped, doubled, put in another order, emptied or damaged inside, in sound files."""
    take_apart, put_together = _CHUNKED[suffix]
    parts = take_apart(data)
    for _ in range(g.choice((1, 1, 2, 4))):
        place = g.randrange(len(parts))
        kind, inside = parts[place]
        way = g.randrange(7)
        if way == 0 and len(parts) > 1:
            del parts[place]
        elif way == 1:
            parts.insert(g.randrange(len(parts)), parts[place])
        elif way == 2:
            g.shuffle(parts)
        elif way == 3:
            parts[place] = kind, b""
        elif way == 4 and kind:
            parts[place] = g.choice(parts)[0] or kind, inside
        elif inside:
            parts[place] = kind, g.choice((flipped, extreme, cut))(inside, g)
    return put_together(parts)


def retagged(data: bytes, g: random.Random) -> bytes:
    """A TIFF file, one to three of whose entries lie about type, count or value."""
    order = "<" if data[:1] == b"I" else ">"
    if struct.unpack_from(order + "H", data, 2)[0] != 42:
        return extreme(data, g)
    found = bytearray(data)
    (start,) = struct.unpack_from(order + "I", data, 4)
    (entries,) = struct.unpack_from(order + "H", data, start)
    for _ in range(g.choice((1, 1, 3))):
        entry = start + 2 + 12 * g.randrange(entries)
        where, form, values = g.choice(
            (
                (0, "H", (256, 257, 258, 259, 262, 273, 274, 277, 279, 284, 317, 320, 338, 339)),
                (2, "H", (0, 1, 2, 3, 4, 5, 7, 12, 13, 99)),
                (4, "I", EXTREMES),
                (8, "I", (*EXTREMES, start, entry)),
                (8, "H", (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 32, 64, 255, 32773, 34712, 65535)),
            )
        )
        struct.pack_into(order + form, found, entry + where, g.choice(values))
    return bytes(found)
