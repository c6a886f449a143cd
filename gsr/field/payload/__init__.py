"""A field as a compact message: what a page needs to render and explain it without a server.

The frame is that of `gsr.base.message`; the header is `Header`. A message holds the whole field or
a rectangle of it, a part, which is a smaller field by itself; parts may be shown as they come, in
any order, and messages that follow each other are one file. `docs/payload.md` has it as tables.

The body holds the planes, then the bank, then the decoder. Planes stand in the order of the header.
A plane has `channels` maps of height x width whole numbers, channel by channel and row by row; a
number n means low + n * step of its channel. With 16 bits the low bytes of a channel come first,
then its high bytes, which compresses better. The bank is raw kernels, and the decoder is weight
(out x in) and bias of its layers, all float32.

Colours and the classifier's answer keep 12 bits, mixed kernels 16 and everything else 8: no value
is off by more than half a step of the range that its channel spans in this part of the picture.
"""

from gsr.field.payload.layout import BITS, KIND, MAX_SIDE, PART, Header, decoder_layers
from gsr.field.payload.reading import unpack
from gsr.field.payload.writing import pack, pack_parts

__all__ = [
    "BITS",
    "KIND",
    "MAX_SIDE",
    "PART",
    "Header",
    "decoder_layers",
    "pack",
    "pack_parts",
    "unpack",
]
