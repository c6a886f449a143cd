"""What a viewer asks, answered from a field: the notebook's side of the transport."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from gsr import GaussianField, GsrError
from gsr.base.errors import shown
from gsr.base.reading import read_values
from gsr.field.protocol import ContinuousImage
from gsr.field.provenance import titled
from gsr.methods.point_image import SampledImage

from ..viewer import payloads, truths
from ..viewer.comparing import described, most_compared, scores_of
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
            "about": (messages.Plain, self._about),
            "frame": (messages.Frame, self._frame),
            "ellipses": (messages.Ellipses, self._ellipses),
            "explain": (messages.Point, self._explain),
            "choices": (messages.Plain, lambda _: ({}, [payloads.choices(self.field)])),
            "scores": (messages.Scores, self._scores),
            "usage": (messages.Inside, self._usage),
            "footprint": (messages.Footprint, self._footprint),
        }

    def answer(self, message: Any) -> Answer:
        """Content and buffers for a message; what cannot be done is `error`, one sentence."""
        members = dict(message) if isinstance(message, dict) else {}
        what, number = members.pop("what", None), members.pop("number", None)
        if not isinstance(number, str | int | None):
            number = None  # nobody waits for such an answer
        try:
            if not isinstance(what, str) or what not in self._answers:
                raise GsrError(f"the viewer cannot be told {shown(what)}.")
            kind, find = self._answers[what]
            content, buffers = find(read_values(kind, members, f"the message {what}", GsrError))
        except GsrError as error:
            return {"number": number, "error": str(error)}, []
        except (MemoryError, RuntimeError) as error:  # torch's, out of memory for one
            return {"number": number, "error": f"that could not be computed: {error}."}, []
        return content | {"number": number}, buffers

    def _about(self, _: messages.Plain) -> Answer:
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

    def _ellipses(self, asked: messages.Ellipses) -> Answer:
        return {"found": payloads.ellipses(self.field, asked.view.view(), asked.limit)}, []

    def _explain(self, asked: messages.Point) -> Answer:
        return {"found": payloads.explanation(self.field, asked.x, asked.y, asked.scale)}, []

    def _usage(self, asked: messages.Inside) -> Answer:
        return {"found": {"shares": payloads.region_usage(self.field, asked.view.view())}}, []

    def _footprint(self, asked: messages.Footprint) -> Answer:
        return {"found": payloads.reach(self.field, asked.column, asked.row, asked.scale)}, []

    def _scores(self, asked: messages.Scores) -> Answer:
        if self.truth is None:
            raise GsrError("there is no ground truth for this picture.")
        names = list(dict.fromkeys(asked.methods.split(",")))
        region, most = asked.view.view(), most_compared(names)
        found = {name: scores_of(self._image(name), self.truth, region, most) for name in names}
        return {"found": {"scores": found}}, []
