"""Overlapping tiles whose cores put together equal the whole."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

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


@dataclass(frozen=True)
class Grid:
    """Tiles of an image by number, row by row.

    Attributes:
        size: (height, width) of the image.
        tile: Side of a tile in pixels; those at the right and lower border may be smaller.
    """

    size: tuple[int, int]
    tile: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of tiles."""
        return -(-self.size[0] // self.tile), -(-self.size[1] // self.tile)

    def __len__(self) -> int:
        return self.shape[0] * self.shape[1]

    def core(self, number: int) -> Slices:
        """Rows and columns of the pixels of a tile."""
        row, column = divmod(number, self.shape[1])
        rows, columns = (
            slice(i * self.tile, min((i + 1) * self.tile, n))
            for i, n in zip((row, column), self.size, strict=True)
        )
        return rows, columns

    def touched(self, rows: slice, columns: slice) -> list[int]:
        """Numbers of the tiles that hold any of these pixels, which must be some of the image's."""
        down = range(rows.start // self.tile, (rows.stop - 1) // self.tile + 1)
        across = range(columns.start // self.tile, (columns.stop - 1) // self.tile + 1)
        return [row * self.shape[1] + column for row in down for column in across]

    def parts(self, xs: Tensor, ys: Tensor) -> Iterator[tuple[int, Slices]]:
        """Which tile the points of a grid lie in: its number, rows of ys and columns of xs.

        Args:
            xs, ys: Ascending, in pixels, within the image.
        """
        across = list(self._runs(xs, self.size[1]))
        for row, rows in self._runs(ys, self.size[0]):
            for column, columns in across:
                yield row * self.shape[1] + column, (rows, columns)

    def _runs(self, places: Tensor, length: int) -> Iterator[tuple[int, slice]]:
        """(tile, slice of the places in it) along one axis."""
        of = places.long().clamp(0, length - 1) // self.tile
        found, counts = torch.unique_consecutive(of, return_counts=True)
        stops = counts.cumsum(0)
        for tile, start, stop in zip(
            *(v.tolist() for v in (found, stops - counts, stops)), strict=True
        ):
            yield tile, slice(start, stop)


def widened(part: Slices, by: int, size: tuple[int, int]) -> Slices:
    """A rectangle with a margin, cut at the border of an image of `size`."""
    rows, columns = (
        slice(max(0, span.start - by), min(n, span.stop + by))
        for span, n in zip(part, size, strict=True)
    )
    return rows, columns


def within(part: Slices, outer: Slices) -> Slices:
    """A rectangle as seen from the corner of another that holds it."""
    rows, columns = (
        slice(span.start - whole.start, span.stop - whole.start)
        for span, whole in zip(part, outer, strict=True)
    )
    return rows, columns
