"""Fields in memory, the least recently used ones dropped first."""

import dataclasses
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass

from gsr import GaussianField
from gsr.baselines.image import SampledImage
from gsr.continuous import ContinuousImage
from gsr.errors import GsrError


class ExpiredError(GsrError):
    """An id names nothing that is still kept."""


class Superseded(Exception):
    """A newer request of the same viewer made this one pointless."""


class Turnstile:
    """The newest request number of each viewer; tells an older one that it is obsolete."""

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
        others: What other methods made of the same picture, by name, as far as asked for.
        turnstile: Newest requests of its viewers.
    """

    field: GaussianField
    truth: SampledImage | None = None
    original: str | None = None
    others: dict[str, ContinuousImage] = dataclasses.field(default_factory=dict)
    turnstile: Turnstile = dataclasses.field(default_factory=Turnstile)

    @property
    def nbytes(self) -> int:
        """Memory of what is its own; an edited field shares most of its maps."""
        own = self.field.nbytes if self.original is None else self.field.index.nbytes
        if self.original is not None and self.field.mixed is not None:
            own += self.field.mixed.nbytes
        truth = self.truth.maps.nbytes if self.truth and self.original is None else 0
        return own + truth + sum(_nbytes(image) for image in self.others.values())


def _nbytes(image: ContinuousImage) -> int:
    if isinstance(image, GaussianField):
        return image.nbytes
    return image.maps.nbytes if isinstance(image, SampledImage) else 0


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
    ) -> str:
        """Keep a field; returns its id."""
        key = secrets.token_urlsafe(16)
        with self._lock:
            # What other methods made of the picture is the same before and after edits.
            first = self._entries.get(original) if original else None
            self._entries[key] = Entry(kept, truth, original, first.others if first else {})
            while len(self._entries) > 1 and self._bytes() > self.max_bytes:
                self._entries.popitem(last=False)
        return key

    def get(self, key: str) -> Entry:
        """The entry of an id, which becomes the most recently used one.

        Raises:
            ExpiredError: for an id that is unknown or was dropped.
        """
        with self._lock:
            if key not in self._entries:
                raise ExpiredError(
                    "This picture is no longer in memory: newer ones took its place, or the app "
                    "was started anew; open it again."
                )
            self._entries.move_to_end(key)
            return self._entries[key]

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
        return sum(entry.nbytes for entry in self._entries.values())
