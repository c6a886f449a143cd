"""Tiles: cores make the whole, halos are as wide as asked for."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gsr.network.tiles import Tile, tiles


def test_two_tiles_by_hand() -> None:
    first, second = tiles((4, 10), 6, 2)
    assert first == Tile(
        core=(slice(0, 4), slice(0, 6)),
        outer=(slice(0, 4), slice(0, 8)),
        inner=(slice(0, 4), slice(0, 6)),
    )
    assert second == Tile(
        core=(slice(0, 4), slice(6, 10)),
        outer=(slice(0, 4), slice(4, 10)),
        inner=(slice(0, 4), slice(2, 6)),
    )


@settings(deadline=None)
@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    tile=st.integers(1, 45),
    halo=st.integers(0, 12),
)
def test_cores_make_the_whole(size: tuple[int, int], tile: int, halo: int) -> None:
    image = torch.arange(size[0] * size[1]).reshape(size)
    seen = torch.zeros(size, dtype=torch.int64)
    for part in tiles(size, tile, halo):
        assert torch.equal(image[part.outer][part.inner], image[part.core])
        seen[part.core] += 1
        for core, outer, length in zip(part.core, part.outer, size, strict=True):
            assert outer == slice(max(0, core.start - halo), min(length, core.stop + halo))
            assert core.stop - core.start <= tile
    assert (seen == 1).all()


@pytest.mark.parametrize("tile", [7, 8, 100])
def test_one_tile_when_it_is_large_enough(tile: int) -> None:
    whole = (slice(0, 5), slice(0, 7))
    assert list(tiles((5, 7), tile, 3)) == [Tile(whole, whole, whole)]
