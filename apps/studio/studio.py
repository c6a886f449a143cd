"""What the studio can do, without a web server: open pictures, render, export."""

import threading
import time
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

from gsr import GaussianField, GaussianSR, GsrError, View
from gsr.continuous import Progress
from gsr.errors import ImageError
from gsr.images import Picture, load

from ..demos import demo_photos, focus_of
from ..viewer.payloads import FrameRequest, describe, frame
from .jobs import Jobs
from .store import Entry, FieldStore

MAX_INPUT_PIXELS = 4_000_000
"""Beyond this, encoding takes minutes on a CPU: not a live tool any more."""
_FIRST = ""
TILE = 256
"""Side of the encoder's tiles; small ones report progress often."""


class Studio:
    """A model, the fields it made, and the work going on. One per server.

    Args:
        model: What encodes.
        picture: What the page shows first; a demo photo if not given.
        max_bytes: Memory for fields.
    """

    def __init__(
        self,
        model: GaussianSR,
        picture: Picture | None = None,
        *,
        max_bytes: int = 1_500_000_000,
    ):
        self.model = model
        self.store = FieldStore(max_bytes)
        self.jobs = Jobs()
        self._own: dict[str, str] = {}  # demo photos and the first picture, by name
        self._first: Future[str] = Future()
        self._picture = picture
        # One picture is encoded and one frame rendered at a time: each uses all cores anyway.
        self._encoding = threading.Lock()
        self._rendering = threading.Lock()
        threading.Thread(target=self._open_first, daemon=True).start()

    def _open_first(self) -> None:
        try:
            key = self._reopen_first()
            self._first.set_result(key)
            self._warm_up(self.store.get(key).field)
        except BaseException as error:  # handed to whoever asks for the first picture
            if not self._first.done():
                self._first.set_exception(error)

    def _warm_up(self, field: GaussianField) -> None:
        """Compiles the splatting loop, so that the first frame is not the slow one."""
        with self._rendering:
            field.render(view=View(0.0, 0.0, 2.0, 2.0, (4, 4)))

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
        about = describe(self.store.get(key).field)
        return about | {"id": key, "focus": focus_of(about["name"])}

    def open_bytes(self, data: bytes, name: str, progress: Progress | None = None) -> str:
        """Read and encode an image file; returns the id of its field.

        Raises:
            ImageError: when it cannot be read or is too large to look at live.
        """
        return self._keep(read_picture(data, name), progress)

    def open_demo(self, name: str, progress: Progress | None = None) -> str:
        """The field of a demo photo, encoded at most once while it is in memory.

        Raises:
            ImageError: when there is no such photo.
        """
        photos = {path.stem: path for path in demo_photos()}
        if name not in photos:
            raise ImageError(f"there is no demo photo {name!r}; there are {', '.join(photos)}.")
        return self._once(name, load(photos[name]), progress)

    def _once(self, name: str, picture: Picture, progress: Progress | None) -> str:
        """The field of a picture that comes with the page, encoded only when it is not kept."""
        with self._encoding:
            key = self._own.get(name)
            if key is None or key not in self.store:
                key = self._own[name] = self._encode(picture, progress)
            return key

    def _keep(self, picture: Picture, progress: Progress | None = None) -> str:
        with self._encoding:
            return self._encode(picture, progress)

    def _encode(self, picture: Picture, progress: Progress | None) -> str:
        return self.store.put(self.model.encode(picture, tile=TILE, progress=progress))

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

        if request.method == "bicubic":
            return _timed(entry.field, request, still_wanted)
        with self._rendering:
            still_wanted(0, 1)
            return _timed(entry.field, request, still_wanted)


def _timed(
    field: GaussianField, request: FrameRequest, progress: Progress
) -> tuple[bytes, str, float]:
    started = time.perf_counter()
    data, media_type = frame(field, request, progress)
    return data, media_type, 1000 * (time.perf_counter() - started)


def _first_demo() -> str:
    return demo_photos()[0].stem


def read_picture(data: bytes, name: str) -> Picture:
    """An image file that came over the network, by the name its owner knows.

    Raises:
        ImageError: when it cannot be read or is too large to look at live.
    """
    name = Path(name.replace("\\", "/")).name[:120] or "image"
    try:
        picture = load(data, max_pixels=MAX_INPUT_PIXELS)
    except GsrError as error:
        message = str(error)
        if message.startswith("image "):  # how the loader calls what has no file name
            message = name + message.removeprefix("image")
        if "megapixels are accepted" in message:
            message += " For larger pictures use the command `gsr upscale`."
        raise ImageError(message) from error
    return replace(picture, info=replace(picture.info, name=name))
