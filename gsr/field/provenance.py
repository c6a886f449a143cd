"""What made a picture, said once and written by every exporter.

`made` gathers it of a continuous image. Whatever else can change a result is one line there, and
one in `changes` where people should see it in titles.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gsr.field.edits import Edit, bounded, count, dumps
from gsr.field.protocol import ContinuousImage, Layer
from gsr.images import PictureInfo

ROOM = {".png": 1_000_000, ".svg": 1_000_000, ".bmp": 0}
"""Characters that the edits may take in a file, by suffix."""
USUAL_ROOM = 8_000
"""In all other formats: a JPEG has 64 KB for this and all that the picture brought along."""
MOST_NOTES = 2_000
"""Characters of the notes in a file."""
_NOT_TEXT = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Made:
    """What made a picture.

    Attributes:
        facts: Program, weights, scale and whatever else, under the names they have in files.
        edits: Of the field.
        notes: What was changed or left out of the picture that was put in.
    """

    facts: dict[str, str]
    edits: tuple[Edit, ...] = ()
    notes: tuple[str, ...] = ()

    def comment(self, room: int = USUAL_ROOM) -> dict[str, str]:
        """All of it as entries for `gsr.images.save`, the edits in at most `room` characters."""
        said = dict(self.facts)
        if self.edits:
            said["gsr:edits"] = dumps(bounded(self.edits, room), compact=True)
        if self.notes:
            said["gsr:notes"] = " ".join(self.notes)[:MOST_NOTES]
        return {key: _NOT_TEXT.sub("\ufffd", value) for key, value in said.items()}

    def for_file(
        self, path: str | Path, *, strip: bool = False
    ) -> tuple[dict[str, str], tuple[str, ...]]:
        """The entries for a file of this suffix, and notes for people: on the picture, on edits and
        whether the file names them.

        Args:
            path: Where to.
            strip: No entries will be written.
        """
        suffix = Path(path).suffix.lower()
        room = 0 if strip else ROOM.get(suffix, USUAL_ROOM)
        if not self.edits:
            return self.comment(room), self.notes
        if room == 0:
            named = "the file cannot say so: it holds no metadata"
        elif bounded(self.edits, room) is not self.edits:
            named = "the list is too long for this format: their number and a checksum are in it"
        else:
            named = "the file lists what was done"
        note = f"The field was edited ({count(self.edits)}), and {named}."
        return self.comment(room), (*self.notes, note)


def made(image: ContinuousImage, scale: tuple[float, float] | str, layer: Layer = "result") -> Made:
    """What made a picture of a continuous image.

    Args:
        image: A field, or what another method made.
        scale: Magnification (sy, sx), or words for a change of it.
        layer: What of it is shown.
    """
    from gsr import __version__  # not before the package is there

    facts = {"Software": f"gsr {__version__}", "gsr:model": image.model}
    if image.weights:
        facts["gsr:weights"] = f"sha256 {image.weights}"
    if image.options:
        facts["gsr:options"] = ", ".join(image.options)
    facts["gsr:scale"] = scale if isinstance(scale, str) else _number(scale)
    if layer != "result":
        facts["gsr:layer"] = layer
    edits = image.edits if layer != "lr" else ()  # the pixels that were put in stay
    return Made(facts, edits, notes_of(image.info))


def _number(scale: tuple[float, float]) -> str:
    sy, sx = (f"{value:.6g}" for value in scale)
    return sx if sx == sy else f"{sx} x {sy}"


def notes_of(info: PictureInfo | None) -> tuple[str, ...]:
    """What was changed or left out of a picture on the way to its result, in sentences."""
    if info is None:
        return ()
    return info.notes + (("The result has 8 bits per channel.",) if info.bit_depth > 8 else ())


def changes(image: ContinuousImage) -> tuple[str, ...]:
    """What makes an image another one than its model would, in a word each."""
    number = count(image.edits)
    return (*image.options, *([f"edited ({number})"] if number else []))


def titled(title: str, image: ContinuousImage) -> str:
    """A title that says what was changed, such as `GaussianSR, edited (3)`."""
    return ", ".join((title, *changes(image)))


def to_dict(image: ContinuousImage, scale: tuple[float, float]) -> dict[str, Any]:
    """As `made`, as plain values for JSON."""
    comment = made(image, scale).comment(ROOM[".png"])
    return {key.removeprefix("gsr:").lower(): value for key, value in comment.items()}
