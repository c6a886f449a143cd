"""What the studio can do, without a web server: open pictures, render, export."""

import threading
import time
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from gsr import GaussianSR, GsrError, View, methods
from gsr.base.errors import ConfigError, ImageError
from gsr.decoding.pool import Pool
from gsr.field.interpolated import Interpolated
from gsr.field.protocol import ContinuousImage, Progress
from gsr.field.tile_store import TileStore
from gsr.images import MAX_INPUT_PIXELS, Picture, PictureInfo, load
from gsr.methods.point_image import SampledImage
from gsr.tasks.advice import RESTORING, fault

from ..demos import demo_photos, focus_of
from ..viewer import truths
from ..viewer.comparing import INSTANT, SMOOTH, Comparing, most_compared, scores_of
from ..viewer.payloads import MAX_REDUCED_PIXELS, FrameRequest, describe, frame
from .crowd import Crowd
from .growing import Growing
from .jobs import Jobs
from .store import Entry, FieldStore
from .weights import Weights

AT_ONCE = 300_000
"""Pixels of a picture that is encoded before it is shown; larger ones fill in as people look."""
MOST_SLOW = 4_000_000
"""Pixels of a picture that other networks are asked about: most keep far more of each than ours."""
MOST_COVERED = 4 * MAX_INPUT_PIXELS
"""LR pixels of a view; it may show more than the picture."""
MEMORY = 2_000_000_000
"""Bytes for fields, half of it for tiles, unless something else is asked for."""
DISK = 4
"""Tiles on disk may take so many times the memory."""
_FIRST = ""
MOST_VIEWERS = 64
"""People whose frames may be waited for at a time; they are served in turn."""
TILE = 256
"""Side of the encoder's tiles; small ones report progress often."""


class Studio:
    """A model, the fields it made, and the work going on. One per server.

    Args:
        model: What encodes.
        picture: What the page shows first; a demo photo if not given.
        pool: Decodes what people upload; unless given, it is decoded in this process.
        max_bytes: Memory for fields, half of it for tiles of pictures that are filling in.
        folder: Where tiles that no longer fit are kept; unless given, they are made again.
    """

    def __init__(
        self,
        model: GaussianSR,
        picture: Picture | None = None,
        *,
        pool: Pool | None = None,
        max_bytes: int = MEMORY,
        folder: Path | None = None,
    ):
        self.model = model
        self.weights = Weights(model)
        self.pool = pool
        self.store = FieldStore(max_bytes // 2)
        self.tiles = TileStore(max_bytes // 2, folder, DISK * max_bytes)
        self.jobs = Jobs()
        self.crowd = Crowd(MOST_VIEWERS)
        self.comparing = Comparing()
        self._own: dict[str, str] = {}  # demo photos and the first picture, by name
        self._first: Future[str] = Future()
        self._picture = picture
        # Reading a picture takes many times the memory of its file: one at a time.
        self._reading = threading.Lock()
        # What comes with the page is opened once.
        self._opening = threading.Lock()
        # One picture is encoded and one frame rendered at a time: each uses all cores anyway.
        self._encoding = threading.Lock()
        self._rendering = threading.Lock()
        threading.Thread(target=self._open_first, daemon=True).start()

    def _open_first(self) -> None:
        try:
            key = self._reopen_first()
            self._first.set_result(key)
            self._warm_up(self.store.get(key).image)
        except BaseException as error:  # handed to whoever asks for the first picture
            if not self._first.done():
                self._first.set_exception(error)

    def _warm_up(self, image: ContinuousImage) -> None:
        """Compiles the splatting loop, so that the first frame is not the slow one."""
        with self._rendering:
            image.render(view=View(0.0, 0.0, 2.0, 2.0, (4, 4)))

    def first(self) -> dict[str, Any]:
        """The picture to begin with; waits until it is encoded."""
        key = self._first.result(timeout=600)
        if key not in self.store:  # dropped meanwhile for newer pictures
            key = self._reopen_first()
        return self.about(key)

    def _reopen_first(self) -> str:
        if self._picture is None:
            return self.open_demo(_first_demo())
        return self._once(_FIRST, self._picture, None)

    def about(self, key: str) -> dict[str, Any]:
        """What the page must know of a field."""
        entry = self.store.get(key)
        image = entry.complete
        about = describe(image)
        return about | {
            "id": key,
            "focus": focus_of(about["name"]),
            "truth": truths.describe(entry.truth, image),
            "original": entry.original or key,
            # Of a picture that a field file held, of those that were made before as well.
            "labels": [edit.label for edit in image.edits],
            "growing": entry.is_growing,
            "advice": entry.fault and {"fault": entry.fault, "weights": RESTORING},
        }

    def open_bytes(
        self,
        data: bytes,
        name: str,
        progress: Progress | None = None,
        shrink: float = 1.0,
    ) -> str:
        """Read and encode an image file; returns the id of its field.

        Args:
            data: The file.
            name: What its owner calls it.
            progress: Of encoding; an exception it raises cancels.
            shrink: Above 1, the picture is reduced by so much first and kept as ground truth.

        Raises:
            ImageError: when it cannot be read.
            ScaleError: when it cannot be reduced by so much.
        """
        with self._reading:
            limit = MAX_INPUT_PIXELS if shrink == 1 else truths.MAX_PIXELS
            large = self._read(data, name, limit)
        if shrink == 1:
            return self._keep(large, progress)
        small, truth = truths.shrunk(large, shrink)
        return self._keep(small, progress, truth)

    def _read(self, data: bytes, name: str, max_pixels: int) -> Picture:
        return read_picture(data, name, max_pixels, pool=self.pool)

    def open_demo(self, name: str, progress: Progress | None = None, shrink: float = 1.0) -> str:
        """The field of a demo photo, encoded at most once while it is in memory.

        Raises:
            ImageError: for an unknown photo.
            ScaleError: when it cannot be reduced by so much.
        """
        photos = {path.stem: path for path in demo_photos()}
        if name not in photos:
            raise ImageError(f"unknown demo photo {name!r}; choose one of {', '.join(photos)}.")
        if shrink == 1:
            return self._once(name, load(photos[name]), progress)
        small, truth = truths.shrunk(load(photos[name]), shrink)
        return self._keep(small, progress, truth)

    def keep_truth(self, key: str, data: bytes) -> str:
        """The same field with the large picture it was made from; returns its new id.

        Raises:
            ImageError: when it cannot be read, or cannot be the same picture.
        """
        entry = self.store.get(key)
        with self._reading:
            large = self._read(data, "the ground truth", truths.MAX_PIXELS)
        truth = truths.of_picture(large, entry.image)
        return self.store.put(entry.kept, truth, fault=entry.fault)

    def encode_with(
        self, key: str, name: str, strength: float, progress: Progress | None = None
    ) -> str:
        """The picture of a field encoded with other weights; returns the new id. Its truth stays.

        Raises:
            GsrError: for weights that are not offered, or a strength that makes no sense.
        """
        entry = self.store.get(key)
        lr, alpha = entry.image.lr[0], entry.image.alpha
        plane = None if alpha is None else alpha.lr[0, 0]
        picture = Picture(lr, plane, entry.image.info or PictureInfo())
        model = self.weights.get(name, strength)
        return self._keep(picture, progress, entry.truth, model)

    def edit(self, key: str, values: Any, replaces: str | None = None) -> str:
        """A copy of a field with edits applied; returns its id.

        Args:
            key: The field as it was encoded.
            values: Edits as plain values, see `gsr.field.edits`.
            replaces: An earlier copy that is no longer wanted.

        Raises:
            GsrError: when an edit makes no sense.
        """
        entry = self.store.get(key)
        changed = entry.applied.of_values(values)
        if replaces is not None and self._is_copy(replaces, key):
            self.store.drop(replaces)
        return self.store.put(changed, entry.truth, entry.original or key)

    def _is_copy(self, key: str, of: str) -> bool:
        return key in self.store and self.store.get(key).original == of

    def _once(self, name: str, picture: Picture, progress: Progress | None) -> str:
        """The field of a picture that comes with the page, encoded only when it is not kept."""
        with self._opening:
            key = self._own.get(name)
            if key is None or key not in self.store:
                key = self._own[name] = self._keep(picture, progress)
            return key

    def _keep(
        self,
        picture: Picture,
        progress: Progress | None = None,
        truth: SampledImage | None = None,
        model: GaussianSR | None = None,
    ) -> str:
        if picture.rgb[0].numel() > AT_ONCE:
            return self._grow(picture, truth, model)
        with self._encoding:
            return self._encode(picture, progress, truth, model)

    def _encode(
        self,
        picture: Picture,
        progress: Progress | None,
        truth: SampledImage | None = None,
        model: GaussianSR | None = None,
    ) -> str:
        field = (model or self.model).encode(picture, tile=TILE, progress=progress)
        return self.store.put(field, truth, fault=fault(picture, field.model))

    def _grow(
        self,
        picture: Picture,
        truth: SampledImage | None = None,
        model: GaussianSR | None = None,
    ) -> str:
        """The field of a picture of which nothing is encoded yet."""
        mosaic = (model or self.model).encode(picture, tile=TILE, lazy=True, store=self.tiles)
        return self.store.put(Growing(mosaic, self._between(), self.store.max_bytes), truth)

    def _between(self) -> AbstractContextManager[None]:
        """While a tile is made: nothing else is encoded, and no frame waits for it to begin."""
        return _Between(self._rendering, self._encoding)

    def frame(
        self, entry: Entry, request: FrameRequest, viewer: str, number: int
    ) -> tuple[bytes, str, float]:
        """Bytes, media type and milliseconds of a frame.

        Args:
            viewer: Who asks; a later request of the same viewer stops this one.
            number: Grows with every request of a viewer.

        Raises:
            Superseded: when that happened.
        """
        entry.turnstile.enter(viewer, number)

        def still_wanted(done: int, total: int) -> None:
            entry.turnstile.check(viewer, number)

        image = self._shown(entry, request, still_wanted)
        if request.method in INSTANT or isinstance(image, Interpolated):  # need not wait for others
            return _timed(image, request, still_wanted)
        with self._rendering:
            still_wanted(0, 1)
            return _timed(image, request, still_wanted)

    def _shown(self, entry: Entry, request: FrameRequest, progress: Progress) -> ContinuousImage:
        """What a frame shows: of very many pixels, or where nothing is asked of a method, the
        picture itself, reduced.
        """
        much = MAX_REDUCED_PIXELS < request.covered <= MOST_COVERED
        much = much and request.method in ("gsr", *SMOOTH)
        if much or (request.covered and request.layer == "lr"):
            return entry.picture
        if request.method == "gsr":
            return entry.image
        return self.image(entry, request.method, progress)

    def image(self, entry: Entry, method: str, progress: Progress | None = None) -> ContinuousImage:
        """What a method makes of the picture of a field; made when it is first asked for.

        Args:
            entry: The field.
            method: `gsr`, `truth`, or a name of `gsr.methods`.
            progress: An exception it raises cancels.

        Raises:
            ConfigError: an unknown method, or no ground truth.
        """
        if method == "gsr":
            return entry.complete
        if method == "truth":
            return truths.needed(entry.truth)
        if method not in entry.others:
            _check_size(entry.image, method)
            with nullcontext() if method in INSTANT else self._encoding:
                if method not in entry.others:
                    entry.others[method] = self.comparing.encode(entry.image, method, progress)
            self.store.trim()
        return entry.others[method]

    def scores(
        self, entry: Entry, names: list[str], region: View, viewer: str = "", number: int = 0
    ) -> dict[str, dict[str, Any]]:
        """How near methods come to the truth in a region, by name; see `comparing.scores_of`.

        Args:
            entry: The field.
            names: Methods.
            region: Where; of a large one the middle is compared.
            viewer: Who asks; a later request of the same viewer stops this one.
            number: Grows with every request of a viewer.

        Raises:
            ConfigError: an unknown method, or no ground truth.
            ScaleError: when the region holds no pixel of it.
            Superseded: when a later request came.
        """
        truth = truths.needed(entry.truth)
        entry.turnstile.enter(viewer, number)

        def still_wanted(done: int, total: int) -> None:
            entry.turnstile.check(viewer, number)

        def scored(name: str) -> dict[str, Any]:
            image = self.image(entry, name, still_wanted)
            with self._rendering:
                still_wanted(0, 1)  # it may have waited long
                return scores_of(image, truth, region, most_compared(names), still_wanted)

        return {name: scored(name) for name in names}


def _timed(
    image: ContinuousImage, request: FrameRequest, progress: Progress
) -> tuple[bytes, str, float]:
    started = time.perf_counter()
    data, media_type = frame(image, request, progress)
    return data, media_type, 1000 * (time.perf_counter() - started)


def _check_size(image: ContinuousImage, method: str) -> None:
    height, width = image.lr_size
    if method not in INSTANT and height * width > MOST_SLOW:
        raise ConfigError(
            f"{methods.described(method)[0]} is compared here on pictures of up to "
            f"{MOST_SLOW / 1e6:g} megapixels, and this one has {height * width / 1e6:.3g}."
        )


class _Between:
    """Enters a lock after a look at another, at which others come first."""

    def __init__(self, first: threading.Lock, then: threading.Lock):
        self._first, self._then = first, then

    def __enter__(self) -> None:
        with self._first:
            pass
        self._then.acquire()

    def __exit__(self, *_: object) -> None:
        self._then.release()


def _first_demo() -> str:
    return demo_photos()[0].stem


def read_picture(
    data: bytes, name: str, max_pixels: int = MAX_INPUT_PIXELS, *, pool: Pool | None = None
) -> Picture:
    """An image file that came over the network, by the name its owner knows.

    Raises:
        ImageError: when it cannot be read.
    """
    name = Path(name.replace("\\", "/")).name[:120] or "image"
    try:
        picture = load(data, max_pixels=max_pixels, pool=pool, name=name)
    except GsrError as error:
        raise ImageError(str(error)) from error
    return replace(picture, info=replace(picture.info, name=name))
