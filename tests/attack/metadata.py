"""Sound pixels with hostile metadata: they must become a picture, whatever is written beside."""

import random
import struct
import zlib

from PIL import Image, PngImagePlugin

from .cases import Case
from .damage import chunk, jpeg_of, jpeg_parts, riff_of, riff_parts
from .sound import drawn, saved

SIZES = (0, 1, 5, 127, 128, 129, 2000, 60_960, 65_422, 70_000, 200_000)


def exif(g: random.Random) -> bytes:
    """A TIFF block: garbage, loops, impossible types and counts, orientations of any kind."""
    way = g.randrange(5)
    if way == 0:
        return g.choice((b"", b"x", b"II", b"II*\0", b"MM\0*\xff\xff\xff\xff", g.randbytes(60)))
    if way == 1:
        block = Image.Exif()
        block[0x010E] = "a" * g.choice(SIZES)
        block[0x0112] = g.choice((0, 1, 9, 255, 65_535))
        block[0x9286] = g.randbytes(g.choice(SIZES))
        return block.tobytes()
    order = g.choice("<>")
    tags = g.sample((0x0112, 0x010E, 0x8769, 0x8825, 0xA005, 0x011A, 0x0128, 0x927C, 0x9286), 4)
    entries = b"".join(
        struct.pack(
            order + "HHII",
            tag,
            g.choice((1, 2, 3, 4, 5, 7, 10, 12, 0, 99)),
            g.choice((0, 1, 1, 4, 2**16, 2**32 - 1)),
            g.choice((0, 8, 9, 30, 10**6, 2**32 - 1)),  # 8 is the directory itself
        )
        for tag in sorted(tags)
    )
    magic = b"II*\0" if order == "<" else b"MM\0*"
    start, count = struct.pack(order + "I", 8), struct.pack(order + "H", g.choice((4, 4, 4, 900)))
    return magic + start + count + entries + struct.pack(order + "I", g.choice((0, 8)))


def icc(g: random.Random) -> bytes:
    """A colour profile that is none, of any size."""
    body = bytearray(g.randbytes(g.choice(SIZES)) if g.random() < 0.5 else bytes(g.choice(SIZES)))
    if len(body) >= 40 and g.random() < 0.7:
        body[16:20] = g.choice((b"RGB ", b"GRAY", b"CMYK", b"Lab ", b"\xff\xff\xff\xff"))
        body[36:40] = b"acsp"
    return bytes(body)


def xmp(g: random.Random) -> bytes:
    """XML with an orientation of its own, broken, nested or enormous."""
    turned = f'<a xmlns:tiff="t" tiff:Orientation="{g.choice(("6", "0", "-1", "x", "9" * 50))}"/>'
    nested = "<a>" * g.choice((1, 3000)) + turned
    bomb = '<!DOCTYPE a [<!ENTITY b "cccccccc"><!ENTITY d "&b;&b;&b;">]><a>&d;</a>'
    return g.choice((turned, nested, bomb, "<", "\0" * 50, "x" * g.choice(SIZES))).encode()


def text(g: random.Random) -> str:
    """Words of any length, with line breaks, controls and letters of elsewhere."""
    return g.choice(("a", "line\nline", "\x1b[31m", "é漢\U0001f600", "{}%s", " ")) * g.choice(SIZES)


def _in_jpeg(g: random.Random) -> bytes:
    pixels = drawn(g, 16, 12).convert(g.choice(("RGB", "RGB", "L", "CMYK")))
    extra = []
    if g.random() < 0.6:
        extra.append((b"\xff\xe1", b"Exif\0\0" + exif(g)[:65_500]))
    if g.random() < 0.5:
        extra.append((b"\xff\xe1", b"http://ns.adobe.com/xap/1.0/\0" + xmp(g)[:65_400]))
    if g.random() < 0.6:
        parts = g.choice((1, 1, 1, 2, 255))
        head = b"ICC_PROFILE\0" + bytes((1, parts))
        extra.append((b"\xff\xe2", head + icc(g)[:65_500]))
    for _ in range(g.choice((0, 1, 1, 3))):
        extra.append((b"\xff\xfe", text(g).encode()[: g.choice((100, 64_000, 65_533))]))
    if g.random() < 0.3:  # resolutions of JFIF, and thumbnails that are not there
        extra.append((b"\xff\xe0", b"JFIF\0\1\1" + g.randbytes(7)))
    if g.random() < 0.3:
        extra.append((b"\xff\xed", b"Photoshop 3.0\x008BIM" + g.randbytes(g.choice((0, 8, 4000)))))
    if g.random() < 0.2:
        extra.append((b"\xff\xe2", b"MPF\0" + exif(g)[:65_000]))
    g.shuffle(extra)
    return jpeg_of([*extra, *jpeg_parts(saved(pixels, "JPEG"))])


def _in_png(g: random.Random) -> bytes:
    pixels = drawn(g, 16, 12).convert(g.choice(("RGB", "L", "RGBA", "P")))
    info = PngImagePlugin.PngInfo()
    for _ in range(g.choice((0, 1, 3, 40))):
        key = g.choice(("Comment", "Software", "gsr:edits", "XML:com.adobe.xmp", "k" * 79, "é"))
        add = g.choice((info.add_text, info.add_itxt))
        add(key, text(g)[:100_000], zip=g.random() < 0.4)
    sound = saved(pixels, "PNG", pnginfo=info)
    extra = b""
    if g.random() < 0.6:
        extra += chunk(b"eXIf", exif(g))
    if g.random() < 0.6:
        extra += chunk(b"iCCP", b"icc\0\0" + zlib.compress(icc(g)))
    if g.random() < 0.5:
        extra += chunk(
            b"pHYs", struct.pack(">IIB", *(g.choice((0, 1, 2**32 - 1)),) * 2, g.choice((0, 1, 9)))
        )
    if g.random() < 0.5:
        extra += chunk(b"gAMA", struct.pack(">I", g.choice((0, 45_455, 2**32 - 1))))
    if g.random() < 0.3:
        extra += chunk(b"cHRM", bytes(32)) + chunk(b"sRGB", bytes([g.choice((0, 9))]))
    return sound[:33] + extra + sound[33:]


def _in_webp(g: random.Random) -> bytes:
    sound = saved(
        drawn(g, 16, 12), "WEBP", lossless=True, exif=b"II*\0\x08\0\0\0\0\0\0\0\0\0", xmp=b"x"
    )
    parts = [
        (kind, {b"EXIF": exif, b"XMP ": xmp}.get(kind, lambda _, inside=inside: inside)(g))
        for kind, inside in riff_parts(sound)
    ]
    if g.random() < 0.5:
        flags = parts[0][1][0] | 0x20
        parts[0] = parts[0][0], bytes([flags]) + parts[0][1][1:]
        parts.insert(1, (b"ICCP", icc(g)))
    return riff_of(parts)


def _in_tiff(g: random.Random) -> bytes:
    tags = {270: text(g), 305: text(g), 315: "é" * g.choice(SIZES), 700: xmp(g), 34675: icc(g)}
    kept = {tag: tags[tag] for tag in g.sample(list(tags), 3)}
    kept[274] = g.choice((0, 1, 3, 6, 9, 65_535))
    dpi = g.choice(((72, 72), (0, 0), (1, 1), (1e9, 1e-9)))
    mode = g.choice(("RGB", "L", "RGBA"))
    return saved(drawn(g, 16, 12).convert(mode), "TIFF", tiffinfo=kept, dpi=dpi)


def hostile(g: random.Random) -> Case:
    """A sound picture with something odd written beside its pixels."""
    suffix, make = g.choice(
        (
            (".jpg", _in_jpeg),
            (".jpg", _in_jpeg),
            (".png", _in_png),
            (".webp", _in_webp),
            (".tif", _in_tiff),
        )
    )
    return Case(f"metadata of {suffix[1:]}", suffix, make(g), sound=True)
