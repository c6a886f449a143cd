"""What a viewer asks, answered from a field: the notebook's side of the transport."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from gsr import GaussianField, GsrError
from gsr.base.errors import shown
from gsr.base.reading import read_values
from gsr.field.protocol import ContinuousImage
from gsr.field.provenance import titled
from gsr.methods import described
from gsr.methods.point_image import SampledImage

from ..viewer import payloads, truths
from ..viewer.comparing import PROTOCOL_TEXT, measured, most_compared, scores_of
from ..viewer.questions import QUESTIONS, Plain, answer
from . import messages

Answer = tuple[dict[str, Any], list[bytes]]


class FieldService:
    """Answers the messages of one viewer. Nothing is kept between them.

    Args:
        field: What is looked at.
        images: Other continuous images of the same picture, by name.
        truth: The large picture it was made from, if that is known.
        label: What the field is called, where that is not by its weights.
    """

    def __init__(
        self,
        field: GaussianField,
        images: Mapping[str, ContinuousImage],
        truth: SampledImage | None = None,
        label: str = "",
    ):
        self.field = field
        self.label = label
        self.images = dict(images)
        self.truth = truth
        self._answers: dict[str, tuple[type, Callable[[Any], Answer]]] = {
            "about": (Plain, self._about),
            "frame": (messages.Frame, self._frame),
            "scores": (messages.Scores, self._scores),
        }

    def answer(self, message: Any) -> Answer:
        """Content and buffers for a message; what cannot be done is `error`, one sentence."""
        members = dict(message) if isinstance(message, dict) else {}
        what, number = members.pop("what", None), members.pop("number", None)
        if not isinstance(number, str | int | None):
            number = None  # nobody waits for such an answer
        try:
            content, buffers = self._answer(what, members)
        except GsrError as error:
            return {"number": number, "error": str(error)}, []
        except (MemoryError, RuntimeError) as error:  # torch's, out of memory for one
            return {"number": number, "error": f"that could not be computed: {error}."}, []
        return content | {"number": number}, buffers

    def _answer(self, what: Any, members: dict[str, Any]) -> Answer:
        if isinstance(what, str) and what in QUESTIONS:
            found = answer(self.field, what, members)
            return ({}, [found]) if isinstance(found, bytes) else ({"found": found}, [])
        if not isinstance(what, str) or what not in self._answers:
            raise GsrError(f"unknown request {shown(what)}.")
        kind, find = self._answers[what]
        return find(read_values(kind, members, f"the message {what}", GsrError))

    def _about(self, _: Plain) -> Answer:
        known = [name for name in self.images if name != "truth"]
        methods = [
            {
                "name": name,
                "label": titled(described(name)[0], self.images[name]),
                "about": described(name)[1],
            }
            for name in known
        ]
        found = payloads.describe(self.field) | {
            "truth": truths.describe(self.truth, self.field),
        }
        if self.label:
            found["label"] = self.label
        return {"found": found, "methods": methods}, []

    def _frame(self, asked: messages.Frame) -> Answer:
        request = payloads.FrameRequest(
            asked.view.view(),
            asked.method,
            asked.layer,  # type: ignore[arg-type]
            asked.quality,  # type: ignore[arg-type]
        )
        started = time.perf_counter()
        data, media_type = payloads.frame(self._image(request.method), request)
        milliseconds = 1000 * (time.perf_counter() - started)
        return {"type": media_type, "milliseconds": milliseconds}, [data]

    def _image(self, method: str) -> ContinuousImage:
        if method == "gsr":
            return self.field
        if method == "truth" and self.truth is not None:
            return self.truth
        if method not in self.images:
            known = ", ".join(["gsr", *self.images])
            raise GsrError(f"this viewer shows {known}, not {method!r}.")
        return self.images[method]

    def _scores(self, asked: messages.Scores) -> Answer:
        truth, names = truths.needed(self.truth), measured(asked.methods)
        region, most = asked.view.view(), most_compared(names)
        found = {name: scores_of(self._image(name), truth, region, most) for name in names}
        return {"found": {"scores": found, "protocol": PROTOCOL_TEXT}}, []
