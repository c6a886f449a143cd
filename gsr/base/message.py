"""How data travels to a page: a short prefix, a JSON header and one compressed body.

All numbers are little-endian:

    4 bytes   what it is, such as "GSRP"
    uint16    version
    uint16    0
    uint32    length of the header in bytes
    uint32    length of the body in bytes
    uint32    CRC-32 of header and body
    header    JSON, UTF-8
    body      one zlib stream

A message says how long it is, so several may follow each other in one file or stream. Every bit of
it is checked: one that is turned is noticed.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from gsr.base.errors import ImageError

PREFIX = struct.Struct("<4sHHIII")


@dataclass(frozen=True)
class Kind:
    """A kind of message.

    Attributes:
        magic: Its first four bytes.
        version: The one that is written, and the only one that is read.
        called: What messages of this kind are to people, such as "field for a page".
    """

    magic: bytes
    version: int
    called: str

    def write(self, header: bytes, body: bytes, level: int = 9) -> bytes:
        """A message of a JSON header and a body, which is compressed here.

        Args:
            level: From 1, quick, to 9, small.
        """
        packed = zlib.compress(body, level)
        check = zlib.crc32(packed, zlib.crc32(header))
        prefix = PREFIX.pack(self.magic, self.version, 0, len(header), len(packed), check)
        return prefix + header + packed

    def header(self, data: bytes) -> bytes:
        """The header of exactly one whole message.

        Raises:
            ImageError: it is of another kind or version, damaged, cut short or followed by more.
        """
        head, _ = self._parts(data)
        return head

    def body(self, data: bytes, length: int) -> bytes:
        """The body of a message whose `header` was read, which says how long it is.

        Raises:
            ImageError: it is of another length.
        """
        _, packed = self._parts(data)
        try:
            body = zlib.decompressobj().decompress(packed, length + 1)
        except zlib.error:
            raise ImageError(f"this {self.called} is damaged or cut short.") from None
        if len(body) != length:
            raise ImageError(f"this {self.called} does not hold what its header says.")
        return body

    def split(self, data: bytes) -> Iterator[bytes]:
        """The messages that follow each other in `data`.

        Raises:
            ImageError: as `header`, at the first that is not whole.
        """
        while data:
            length = self._length(data)
            yield data[:length]
            data = data[length:]

    def _length(self, data: bytes) -> int:
        """Of the message that `data` begins with."""
        if len(data) < len(self.magic) or data[: len(self.magic)] != self.magic:
            raise ImageError(
                f"this is not a {self.called}: it does not begin with {self.magic.decode()}."
            )
        if len(data) < PREFIX.size:
            raise ImageError(f"this {self.called} is damaged or cut short.")
        _, version, zero, head, body, _ = PREFIX.unpack_from(data)
        if version != self.version:
            raise ImageError(
                f"version {version} of a {self.called} is not known, only {self.version} is."
            )
        length = PREFIX.size + head + body
        if zero or length > len(data):
            raise ImageError(f"this {self.called} is damaged or cut short.")
        return length

    def _parts(self, data: bytes) -> tuple[bytes, bytes]:
        """Header and compressed body."""
        length = self._length(data)
        _, _, _, head, _, check = PREFIX.unpack_from(data)
        if length != len(data) or zlib.crc32(data[PREFIX.size :]) != check:
            raise ImageError(f"this {self.called} is damaged or cut short.")
        end = PREFIX.size + head
        return data[PREFIX.size : end], data[end:]
