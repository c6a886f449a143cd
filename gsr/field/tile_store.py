"""Encoded tiles in memory, and beyond its bound as compact files or not at all."""

import threading
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor

from gsr.base.errors import ConfigError

Maps = dict[str, Tensor]
"""Members of a field by name, of one tile."""
Key = tuple[str, int]
"""Of a tile: its mosaic and its number."""
MEMORY = 2_000_000_000
"""Bytes of tiles that are held, unless something else is asked for."""
DISK = 16_000_000_000
"""Bytes of tiles in files."""


def nbytes(maps: Maps) -> int:
    """Memory of maps."""
    return sum(value.nbytes for value in maps.values())


class TileStore:
    """Tiles of any number of mosaics, those used last. Safe to use from several threads.

    Args:
        max_bytes: Memory for tiles.
        folder: Where those that no longer fit are kept as files, with numbers in half precision;
            unless given, they are dropped, and made again when someone wants them.
        max_disk_bytes: Disk for them.
    """

    def __init__(
        self, max_bytes: int = MEMORY, folder: Path | None = None, max_disk_bytes: int = DISK
    ):
        self.max_bytes = max_bytes
        self._kept: OrderedDict[Key, Maps] = OrderedDict()
        self._files = _Files(folder, max_disk_bytes) if folder else None
        self._bytes = 0
        self._lock = threading.RLock()

    def check(self, tile_bytes: int) -> None:
        """Refuse a bound that no tile fits under.

        Raises:
            ConfigError: with both numbers.
        """
        if tile_bytes > self.max_bytes:
            raise ConfigError(
                f"a memory of {self.max_bytes / 1e6:.3g} MB is too small: one tile of a picture "
                f"takes {tile_bytes / 1e6:.3g} MB."
            )

    def holds(self, tile_bytes: int) -> bool:
        """Whether tiles of this many bytes in all can be kept without any being lost."""
        halves = 2 * self._files.max_bytes if self._files else 0
        return tile_bytes <= self.max_bytes + halves

    @property
    def nbytes(self) -> int:
        """Memory of the tiles that are held."""
        return self._bytes

    def __contains__(self, key: Key) -> bool:
        with self._lock:
            return key in self._kept or (self._files is not None and key in self._files)

    def get(self, key: Key) -> Maps | None:
        """A tile, if it is there; it becomes the one used last."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            maps = self._files.get(key) if self._files else None
            if maps is not None:
                self._keep(key, maps)
            return maps

    def held(self, key: Key) -> Maps | None:
        """A tile, if it is in memory; it counts as no use."""
        return self._kept.get(key)

    def put(self, key: Key, maps: Maps) -> None:
        """Keep a tile; those used longest ago make room for it."""
        with self._lock:
            if self._files:
                self._files.drop(key)
            self._keep(key, maps)

    def _keep(self, key: Key, maps: Maps) -> None:
        self._forget(key)
        self._kept[key] = maps
        self._bytes += nbytes(maps)
        while self._bytes > self.max_bytes and len(self._kept) > 1:
            oldest, left = next(iter(self._kept.items()))
            self._forget(oldest)
            if self._files:
                self._files.put(oldest, left)

    def _forget(self, key: Key) -> None:
        maps = self._kept.pop(key, None)
        if maps is not None:
            self._bytes -= nbytes(maps)

    def forget(self, mosaic: str) -> None:
        """Drop all tiles of a mosaic, also those in files."""
        with self._lock:
            for key in [key for key in self._kept if key[0] == mosaic]:
                self._forget(key)
            if self._files:
                self._files.forget(mosaic)


class _Files:
    """Tiles in half precision, a file each, bounded in bytes. What cannot be written is lost."""

    def __init__(self, folder: Path, max_bytes: int):
        self.folder, self.max_bytes = folder, max_bytes
        self._sizes: OrderedDict[Key, int] = OrderedDict()

    def __contains__(self, key: Key) -> bool:
        return key in self._sizes

    def _path(self, key: Key) -> Path:
        return self.folder / f"{key[0]}-{key[1]}.tile"

    def get(self, key: Key) -> Maps | None:
        if key not in self._sizes:
            return None
        try:
            maps = load_file(self._path(key))
        except Exception:  # gone or damaged: the tile is made again
            self.drop(key)
            return None
        return {name: v.float() if v.is_floating_point() else v for name, v in maps.items()}

    def put(self, key: Key, maps: Maps) -> None:
        if key in self._sizes:  # it came from there, and files keep what they hold
            return
        halves = {
            name: (v.half() if v.is_floating_point() else v).contiguous()
            for name, v in maps.items()
        }
        size = nbytes(halves)
        while self._sizes and sum(self._sizes.values()) + size > self.max_bytes:
            self.drop(next(iter(self._sizes)))
        if size > self.max_bytes:
            return
        try:
            save_file(halves, self._path(key))
            self._sizes[key] = size
        except Exception:  # a full disk, most likely: no reason to stop looking
            self._unlink(key)

    def drop(self, key: Key) -> None:
        if self._sizes.pop(key, None) is not None:
            self._unlink(key)

    def _unlink(self, key: Key) -> None:
        with suppress(OSError):
            self._path(key).unlink(missing_ok=True)

    def forget(self, mosaic: str) -> None:
        for key in [key for key in self._sizes if key[0] == mosaic]:
            self.drop(key)
