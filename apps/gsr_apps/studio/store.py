"""Fields in memory, the least recently used ones dropped first."""

import dataclasses
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gsr import GaussianField, View
from gsr.base.errors import GsrError
from gsr.field.edits import Applied
from gsr.field.filling import Point
from gsr.field.interpolated import Interpolated
from gsr.field.mosaic import Mosaic
from gsr.field.protocol import ContinuousImage, Layer
from gsr.methods.point_image import SampledImage

from ..viewer.questions import answer
from .growing import FINISHED, Growing


class ExpiredError(GsrError):
    """An id names nothing that is still kept."""


class Superseded(Exception):
    """A newer request of the same viewer made this one pointless."""

    def __str__(self) -> str:
        return "A newer request took the place of this one."


class Turnstile:
    """The newest request number of each viewer; by which an older one knows that it is obsolete."""

    def __init__(self, limit: int = 256):
        self._newest: OrderedDict[str, int] = OrderedDict()
        self._limit = limit
        self._lock = threading.Lock()

    def enter(self, viewer: str, number: int) -> None:
        """Note a request.

        Raises:
            Superseded: when a newer one is known already.
        """
        with self._lock:
            if self._newest.get(viewer, number) > number:
                raise Superseded
            self._newest[viewer] = number
            self._newest.move_to_end(viewer)
            while len(self._newest) > self._limit:
                self._newest.popitem(last=False)

    def check(self, viewer: str, number: int) -> None:
        """Raise `Superseded` when a newer request came in meanwhile."""
        if self._newest.get(viewer, number) > number:
            raise Superseded


@dataclass(frozen=True)
class Entry:
    """A kept field.

    Attributes:
        kept: The picture, or what becomes of it while people look at it.
        truth: The large picture that it was made from, where that is known.
        original: Id of the field before edits, if there were any.
        fault: Of the picture, where other weights would mend it; see `gsr.tasks.advice`.
        others: What other methods made of the same picture, by name, as far as asked for.
        turnstile: Newest requests of its viewers.
    """

    kept: GaussianField | Growing
    truth: SampledImage | None = None
    original: str | None = None
    fault: str | None = None
    others: dict[str, ContinuousImage] = dataclasses.field(default_factory=dict)
    turnstile: Turnstile = dataclasses.field(default_factory=Turnstile)

    @cached_property
    def applied(self) -> Applied:
        """The field with what was last made of it by edits."""
        return Applied(self.field)

    @property
    def field(self) -> GaussianField:
        """The whole field; waits until it is made.

        Raises:
            GsrError: when it is too large for that.
        """
        return self.kept.whole() if isinstance(self.kept, Growing) else self.kept

    @property
    def image(self) -> ContinuousImage:
        """What can be shown without waiting."""
        return self.kept.image if isinstance(self.kept, Growing) else self.kept

    @property
    def complete(self) -> GaussianField | Mosaic:
        """What makes the tiles that are missing when it is rendered."""
        return self.kept.complete if isinstance(self.kept, Growing) else self.kept

    @cached_property
    def picture(self) -> Interpolated:
        """The picture itself, to be shown reduced."""
        if isinstance(self.kept, Growing):
            return self.kept.mosaic.now.picture
        return Interpolated.of(self.kept)

    @property
    def is_growing(self) -> bool:
        """Whether there may be tiles still to be made."""
        return isinstance(self.kept, Growing)

    def answer(self, what: str, args: dict[str, Any]) -> Any:
        """The answer to a question of `gsr_apps.viewer.questions`.

        Raises:
            GsrError: when it makes no sense.
        """
        if isinstance(self.kept, Growing):
            return self.kept.answer(what, args)
        return answer(self.kept, what, args)

    def look(self, view: View, point: Point | None = None) -> None:
        """Have what is in view made first."""
        if isinstance(self.kept, Growing):
            self.kept.look(view, point)

    def missing(self, view: View, layer: Layer) -> int:
        """How many tiles a view of a layer lacks."""
        return self.kept.missing(view, layer) if isinstance(self.kept, Growing) else 0

    def progress(self, view: View) -> dict[str, Any]:
        """How far the work is; see `Growing.progress`."""
        return self.kept.progress(view) if isinstance(self.kept, Growing) else FINISHED

    def rest(self) -> None:
        """Begin nothing until someone looks again."""
        if isinstance(self.kept, Growing):
            self.kept.filling.stop()

    def close(self) -> None:
        """Stop what is being made of it."""
        if isinstance(self.kept, Growing):
            self.kept.close()

    @property
    def nbytes(self) -> int:
        """Memory of the field; an edited one shares most of its maps."""
        if isinstance(self.kept, Growing):
            made = self.applied.nbytes if "applied" in vars(self) else 0
            return self.kept.nbytes + made
        if self.original is None:
            return self.kept.nbytes + self.applied.nbytes
        mixed = 0 if self.kept.mixed is None else self.kept.mixed.nbytes
        return self.kept.index.nbytes + mixed


class FieldStore:
    """Fields by unguessable id, bounded in bytes. Safe to use from several threads.

    The newest field is always kept, however large it is.
    """

    def __init__(self, max_bytes: int = 1_500_000_000):
        self.max_bytes = max_bytes
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._lock = threading.Lock()

    def put(
        self,
        kept: GaussianField | Growing,
        truth: SampledImage | None = None,
        original: str | None = None,
        fault: str | None = None,
    ) -> str:
        """Keep a field; returns its id."""
        key = secrets.token_urlsafe(16)
        with self._lock:
            # What other methods made of the picture is the same before and after edits.
            first = self._entries.get(original) if original else None
            shared = {"others": first.others, "turnstile": first.turnstile} if first else {}
            self._entries[key] = Entry(kept, truth, original, fault, **shared)  # type: ignore[arg-type]
            self._trim()
        return key

    def trim(self) -> None:
        """Drop what no longer fits, after something was added to an entry."""
        with self._lock:
            self._trim()

    def _trim(self) -> None:
        while len(self._entries) > 1 and self._bytes() > self.max_bytes:
            self._entries.popitem(last=False)[1].close()

    def get(self, key: str) -> Entry:
        """The entry of an id, which becomes the most recently used one; its original the next.

        Raises:
            ExpiredError: for an id that is unknown or was dropped.
        """
        with self._lock:
            if key not in self._entries:
                raise ExpiredError(
                    "This picture is no longer in memory: newer ones took its place, or the app "
                    "was restarted; open it again."
                )
            entry = self._entries[key]
            if entry.original is not None and entry.original in self._entries:
                self._entries.move_to_end(entry.original)
            self._entries.move_to_end(key)
            return entry

    def drop(self, key: str) -> None:
        """Forget a field, if it is still there."""
        with self._lock:
            dropped = self._entries.pop(key, None)
        if dropped is not None:
            dropped.close()

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def nbytes(self) -> int:
        """Memory of the maps that are kept."""
        with self._lock:
            return self._bytes()

    def _bytes(self) -> int:
        entries = self._entries.values()
        truths = {id(entry.truth): entry.truth.maps.nbytes for entry in entries if entry.truth}
        others = {id(entry.others): entry.others for entry in entries}
        made = sum(image.nbytes for known in others.values() for image in list(known.values()))
        return sum(entry.nbytes for entry in entries) + sum(truths.values()) + made
