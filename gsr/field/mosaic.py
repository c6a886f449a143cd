"""`Mosaic`: a field that fills in, tile by tile, as someone looks at it."""

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Generic, cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from gsr.base.coords import View
from gsr.base.errors import ConfigError
from gsr.field.field import GaussianField, read_grid
from gsr.field.glimpse import Glimpse
from gsr.field.protocol import LAYERS, Layer, Pixels, Progress
from gsr.field.render import MARGIN, is_of_pixels, render_as_given
from gsr.field.tile_store import Maps, TileStore, nbytes
from gsr.images import PictureInfo
from gsr.network.tiles import Grid, Slices, widened, within

if TYPE_CHECKING:
    from gsr.field.edits import Edit
    from gsr.field.inspection import Explanation

MAPS = ("index", "evidence", "offsets", "colors", "feat", "context", "slopes")
"""Members of a field that have a value for each LR pixel, but for the picture itself."""
_OF_TRANSPARENT = ("presence",)
"""Those that only fields of transparent pictures have besides."""
_PLANAR = ("evidence", "context")
"""Those with channels before rows and columns."""


@dataclass(frozen=True, eq=False)
class Mosaic(Generic[Pixels]):
    """A field in tiles, each made when it is first needed; renders equal those of the whole.

    A tile is kept with a margin as wide as a Gaussian's window, so that each is rendered by itself.
    Safe to use from several threads: a tile is made by one of them, the others wait for it.

    Attributes:
        lr: The picture, RGB in [0, 1]. [1, 3, h, w]
        like: The field of one of its pixels, with all that is the same for the whole.
        make: The field of a rectangle of the picture, as cut out of that of the whole.
        store: Where tiles are kept.
        grid: How the picture is divided.
        alpha: Transparency as a mosaic of its own.
        info: What the image file said besides its pixels; its presence makes renders PIL images.
        batch_shape: Leading dimensions of the encoded tensor.
        key: Of its tiles in the store.

    Raises:
        ConfigError: when not even one tile fits into the store.
    """

    lr: Float[Tensor, "1 3 h w"]
    like: GaussianField
    make: Callable[[Slices], GaussianField]
    store: TileStore
    grid: Grid
    alpha: "Mosaic | None" = None
    info: PictureInfo | None = None
    batch_shape: tuple[int, ...] = ()
    key: str = field(default_factory=lambda: secrets.token_hex(8))
    making: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        side = self.grid.tile + 2 * self.margin
        height, width = (min(side, n) for n in self.lr_size)
        self.store.check(self.bytes_per_pixel * height * width)

    def __repr__(self) -> str:
        (height, width), done = self.lr_size, self.tiles_ready
        tiles = f"{done} of {len(self.grid)} tiles"
        return f"Mosaic({width} x {height} Gaussians, {tiles}, model={self.model!r})"

    @property
    def margin(self) -> int:
        """LR pixels around a tile that its own pixels are rendered from."""
        return max(self.like.sampler.config.radius, 2) + 1

    @property
    def bytes_per_pixel(self) -> int:
        """Memory of a tile, by LR pixel."""
        return nbytes(_maps(self.like))

    @property
    def nbytes(self) -> int:
        """Memory of the tiles there are; of those in files too, as they are in memory."""
        own = self.tiles_ready * self.grid.tile**2 * self.bytes_per_pixel
        return own + (self.alpha.nbytes if self.alpha else 0)

    @property
    def lr_size(self) -> tuple[int, int]:
        """(height, width) of the LR grid: the extent of the plane."""
        return self.lr.shape[-2], self.lr.shape[-1]

    @property
    def layers(self) -> tuple[Layer, ...]:
        """What `render` can show."""
        return LAYERS

    @cached_property
    def grey(self) -> tuple[bool, ...]:
        """Whether the picture is grey, as `GaussianField.grey`."""
        from gsr.images import is_grey

        return tuple(is_grey(self.lr).tolist())

    @property
    def model(self) -> str:
        """Name of the weights."""
        return self.like.model

    @property
    def weights(self) -> str:
        """Which weights, see `gsr.network.fingerprint`."""
        return self.like.weights

    @property
    def options(self) -> tuple[str, ...]:
        """What was asked of the network that is not usual, a word each."""
        return self.like.options

    @property
    def faithful(self) -> bool:
        """As `GaussianField.faithful`."""
        return self.like.faithful

    @property
    def edits(self) -> "tuple[Edit, ...]":
        """None: an edit needs the `whole` field."""
        return ()

    # --- tiles -----------------------------------------------------------------------------------

    def is_ready(self, number: int) -> bool:
        """Whether a tile is there, with its transparency."""
        if self.alpha is not None and not self.alpha.is_ready(number):
            return False
        return (self.key, number) in self.store

    @property
    def tiles_ready(self) -> int:
        """How many tiles there are."""
        return sum(self.is_ready(number) for number in range(len(self.grid)))

    def ready_map(self) -> Bool[Tensor, "rows columns"]:
        """Which tiles there are, as they lie in the picture."""
        flat = [self.is_ready(number) for number in range(len(self.grid))]
        return torch.tensor(flat).unflatten(0, self.grid.shape)

    def needed(self, view: View, layer: Layer = "result") -> list[int]:
        """Numbers of the tiles that a view is rendered from: none where the picture will do."""
        if layer == "lr" or (layer == "result" and self.faithful and is_of_pixels(view)):
            return []
        return self.below(view)

    def below(self, view: View) -> list[int]:
        """Numbers of the tiles that lie below a view."""
        xs, ys = view.axes(self.lr_size)
        # An output pixel below magnification 1 is made of those around it, see `gsr.field.render`.
        around = [(MARGIN + 0.5) / scale if scale < 1 else 0.0 for scale in view.scale]
        rows, columns = (
            slice(
                min(max(0, int(float(places[0]) - by)), length - 1),
                min(length, int(float(places[-1]) + by) + 1),
            )
            for places, by, length in zip((ys, xs), around, self.lr_size, strict=True)
        )
        return self.grid.touched(rows, columns)

    def ready(self, view: View | None = None, layer: Layer = "result") -> bool:
        """Whether a view, or all of the picture, can be rendered without making tiles first."""
        wanted = range(len(self.grid)) if view is None else self.needed(view, layer)
        return all(self.is_ready(number) for number in wanted)

    def ensure(self, number: int) -> None:
        """Make a tile unless it is there."""
        self.tile(number)
        if self.alpha is not None:
            self.alpha.tile(number)

    def tile(self, number: int) -> GaussianField:
        """The field of a tile and its margin; made if it is not there."""
        part = widened(self.grid.core(number), self.margin, self.lr_size)
        maps = self.store.get((self.key, number))
        if maps is None:
            with self.making:
                maps = self.store.get((self.key, number))  # another thread may have been first
                if maps is None:
                    maps = _maps(self.make(part))
                    self.store.put((self.key, number), maps)
        return self._field(part, maps)

    def peek(self, number: int) -> GaussianField | None:
        """The field of a tile and its margin, if it is there."""
        maps = self.store.get((self.key, number))
        if maps is None:
            return None
        return self._field(widened(self.grid.core(number), self.margin, self.lr_size), maps)

    def _field(self, part: Slices, maps: Maps) -> GaussianField:
        return replace(self.like, lr=self.lr[:, :, *part], **maps)  # type: ignore[arg-type]

    def usage(self) -> Float[Tensor, " n"]:
        """Fraction of the pixels of tiles in memory that chose each kernel."""
        counts = torch.zeros(len(self.like.bank_raw))
        for number in range(len(self.grid)):
            maps = self.store.held((self.key, number))
            if maps is not None:
                counts += maps["index"].flatten().bincount(minlength=len(counts))
        return counts / counts.sum().clamp_min(1)

    def finish(self, progress: Progress | None = None) -> "Mosaic[Pixels]":
        """Make all tiles that are missing; returns the mosaic itself.

        Args:
            progress: Called with (tiles done, tiles in all); an exception it raises cancels, and
                what was made until then stays.

        Raises:
            ConfigError: when they do not all fit into the store.
        """
        self._check_room("every tile of")
        for number in range(len(self.grid)):
            self.ensure(number)
            if progress:
                progress(number + 1, len(self.grid))
        return self

    def close(self) -> None:
        """Give up the memory and the files of its tiles; those looked at again are made again."""
        self.store.forget(self.key)
        if self.alpha is not None:
            self.alpha.close()

    # --- pixels ----------------------------------------------------------------------------------

    def render(
        self,
        scale: float | tuple[float, float] | None = None,
        *,
        size: tuple[int, int] | None = None,
        view: View | None = None,
        layer: Layer = "result",
        progress: Progress | None = None,
    ) -> Pixels:
        """As `GaussianField.render`; tiles that are missing are made first.

        Where the store holds fewer tiles than one row of them, they are made again and again.
        """
        return render_as_given(self, scale, size=size, view=view, layer=layer, progress=progress)

    def read(self, view: View, layer: Layer = "result") -> Float[Tensor, "1 3 H W"]:
        """Colours at the pixel centres of a view of magnification 1 or more, not clamped."""
        return self.read_tiles(view, layer, self.tile)

    def read_tiles(
        self, view: View, layer: Layer, tile: Callable[[int], GaussianField | None]
    ) -> Float[Tensor, "1 3 H W"]:
        """As `read`, of given tiles; where there is none, the result is not a number."""
        xs, ys = view.axes(self.lr_size)
        out = self.lr.new_full((1, 3, *view.size), torch.nan)
        for number, (rows, columns) in self.grid.parts(xs, ys):
            found = tile(number)
            if found is not None:
                top, left = (
                    span.start
                    for span in widened(self.grid.core(number), self.margin, self.lr_size)
                )
                out[..., rows, columns] = read_grid(
                    found, xs[columns] - left, ys[rows] - top, view.scale, layer
                )
        return out

    @cached_property
    def now(self) -> Glimpse[Pixels]:
        """What can be shown at once, without waiting for tiles."""
        return Glimpse.of(self)

    # --- fields ----------------------------------------------------------------------------------

    def cut(self, part: Slices) -> GaussianField[Pixels]:
        """The field of a rectangle of rows and columns, as cut out of that of the whole."""
        maps: Maps = {}
        height, width = (span.stop - span.start for span in part)
        for number in self.grid.touched(*part):
            core = self.grid.core(number)
            rows, columns = (
                slice(max(a.start, b.start), min(a.stop, b.stop))
                for a, b in zip(core, part, strict=True)
            )
            stored = widened(core, self.margin, self.lr_size)
            found = self.tile(number)
            for name, value in _maps(found).items():
                if name not in maps:
                    maps[name] = _blank(name, value, (height, width))
                source, target = within((rows, columns), stored), within((rows, columns), part)
                _at(name, maps[name], target).copy_(_at(name, value, source))
        alpha = self.alpha and self.alpha.cut(part)
        said = {"alpha": alpha, "info": self.info, "batch_shape": self.batch_shape}
        cut = replace(self._field(part, maps), **said)  # type: ignore[arg-type]
        vars(cut)["grey"] = self.grey  # of the whole picture, where a part of it may be grey
        return cast(GaussianField[Pixels], cut)

    def whole(self, progress: Progress | None = None) -> GaussianField[Pixels]:
        """The field of the whole picture, as a plain `encode` makes it; arguments as `finish`.

        Raises:
            ConfigError: when it is larger than the memory for tiles.
        """
        self._check_room("the whole field of")
        self.finish(progress)
        height, width = self.lr_size
        return self.cut((slice(0, height), slice(0, width)))

    def explain(
        self, x: float, y: float, scale: float | tuple[float, float] = 4.0
    ) -> "Explanation":
        """As `GaussianField.explain`."""
        from gsr.field.inspection import explain_part

        return explain_part(self, x, y, scale)

    @property
    def fits(self) -> bool:
        """Whether the store has room for all tiles."""
        return self.store.holds(self._bytes_in_all)

    @property
    def _bytes_in_all(self) -> int:
        side = self.grid.tile + 2 * self.margin
        parts = 1 if self.alpha is None else 2
        return parts * len(self.grid) * side * side * self.bytes_per_pixel

    def _check_room(self, what: str) -> None:
        if not self.fits:
            height, width = self.lr_size
            raise ConfigError(
                f"{what} a picture of {width} x {height} pixels takes "
                f"{self._bytes_in_all / 1e9:.3g} GB, and there is room for "
                f"{self.store.max_bytes / 1e9:.3g} GB of tiles: render it view by view, or give it "
                "more memory."
            )


def _maps(found: GaussianField) -> Maps:
    values = {name: getattr(found, name) for name in (*MAPS, *_OF_TRANSPARENT)}
    return {name: value for name, value in values.items() if value is not None}


def _at(name: str, value: Tensor, part: Slices) -> Tensor:
    return value[:, :, *part] if name in _PLANAR else value[:, *part]


def _blank(name: str, value: Tensor, size: tuple[int, int]) -> Tensor:
    """Room for a map of another size."""
    shape = (
        (*value.shape[:2], *size) if name in _PLANAR else (value.shape[0], *size, *value.shape[3:])
    )
    return value.new_empty(shape)
