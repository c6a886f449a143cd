"""Fields in memory, the least recently used ones dropped first."""

import dataclasses
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property

from gsr import GaussianField
from gsr.base.errors import GsrError
from gsr.field.edits import Applied
from gsr.field.protocol import ContinuousImage
from gsr.methods.point_image import SampledImage


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
        field: The picture.
        truth: The large picture that it was made from, where that is known.
        original: Id of the field before edits, if there were any.
        fault: Of the picture, where other weights would mend it; see `gsr.tasks.advice`.
        others: What other methods made of the same picture, by name, as far as asked for.
        turnstile: Newest requests of its viewers.
    """

    field: GaussianField
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
    def nbytes(self) -> int:
        """Memory of the field; an edited one shares most of its maps."""
        if self.original is None:
            return self.field.nbytes + self.applied.nbytes
        mixed = 0 if self.field.mixed is None else self.field.mixed.nbytes
        return self.field.index.nbytes + mixed


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
        kept: GaussianField,
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
            self._entries.popitem(last=False)

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
            self._entries.pop(key, None)

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
