"""Overlapping tiles whose cores put together equal the whole."""

from collections.abc import Iterator
from dataclasses import dataclass

Slices = tuple[slice, slice]


@dataclass(frozen=True)
class Tile:
    """One tile of an image.

    Attributes:
        core: What this tile contributes, in image pixels.
        outer: What must be read for it: the core and its halo, cut at the image border.
        inner: The core, within the outer rectangle.
    """

    core: Slices
    outer: Slices
    inner: Slices


def _spans(length: int, tile: int, halo: int) -> Iterator[tuple[slice, slice, slice]]:
    for start in range(0, length, tile):
        stop = min(start + tile, length)
        left = max(0, start - halo)
        outer = slice(left, min(length, stop + halo))
        yield slice(start, stop), outer, slice(start - left, stop - left)


def tiles(size: tuple[int, int], tile: int, halo: int) -> Iterator[Tile]:
    """Tiles of an image of `size` (height, width), row by row."""
    for rows in _spans(size[0], tile, halo):
        for columns in _spans(size[1], tile, halo):
            yield Tile(*((y, x) for y, x in zip(rows, columns, strict=True)))
