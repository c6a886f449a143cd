"""What a viewer asks, answered from a field: the notebook's side of the transport."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from gsr import GaussianField, GsrError, View
from gsr.baselines.image import SampledImage
from gsr.continuous import ContinuousImage
from gsr.provenance import titled

from ..viewer import payloads, truths
from ..viewer.comparing import described, most_compared, scores_of

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
        self._answers: dict[str, Callable[[dict[str, Any]], Answer]] = {
            "about": self._about,
            "frame": self._frame,
            "ellipses": self._ellipses,
            "explain": self._explain,
            "choices": lambda _: ({}, [payloads.choices(self.field)]),
            "scores": self._scores,
            "usage": self._usage,
            "footprint": self._footprint,
        }

    def answer(self, message: dict[str, Any]) -> Answer:
        """Content and buffers for a message; what cannot be done is `error`, one sentence."""
        number = message.get("number")
        try:
            if message.get("what") not in self._answers:
                raise GsrError(f"the viewer cannot be told {message.get('what')!r}.")
            content, buffers = self._answers[message["what"]](message)
        except GsrError as error:
            return {"number": number, "error": str(error)}, []
        except (KeyError, TypeError, ValueError) as error:
            return {"number": number, "error": f"the message is incomplete: {error}."}, []
        except (MemoryError, RuntimeError) as error:  # torch's, out of memory for one
            return {"number": number, "error": f"that could not be computed: {error}."}, []
        return content | {"number": number}, buffers

    def _about(self, _: dict[str, Any]) -> Answer:
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

    def _frame(self, message: dict[str, Any]) -> Answer:
        where = message["view"]
        x, y, width, height = (float(where[name]) for name in ("x", "y", "width", "height"))
        view = View(x, y, width, height, (int(where["rows"]), int(where["columns"])))
        request = payloads.FrameRequest(
            view, message["method"], message["layer"], message["quality"]
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

    def _ellipses(self, message: dict[str, Any]) -> Answer:
        return {"found": payloads.ellipses(self.field, _region(message), message["limit"])}, []

    def _explain(self, message: dict[str, Any]) -> Answer:
        where = (float(message[name]) for name in ("x", "y", "scale"))
        return {"found": payloads.explanation(self.field, *where)}, []

    def _usage(self, message: dict[str, Any]) -> Answer:
        return {"found": {"shares": payloads.region_usage(self.field, _region(message))}}, []

    def _footprint(self, message: dict[str, Any]) -> Answer:
        column, row = int(message["column"]), int(message["row"])
        return {"found": payloads.reach(self.field, column, row, float(message["scale"]))}, []

    def _scores(self, message: dict[str, Any]) -> Answer:
        if self.truth is None:
            raise GsrError("there is no ground truth for this picture.")
        names = str(message["methods"]).split(",")
        region, most = _region(message), most_compared(names)
        found = {name: scores_of(self._image(name), self.truth, region, most) for name in names}
        return {"found": {"scores": found}}, []


def _region(message: dict[str, Any]) -> View:
    """A rectangle where only the place counts."""
    x, y, width, height = (float(message["view"][n]) for n in ("x", "y", "width", "height"))
    return View(x, y, width, height, (max(1, round(height)), max(1, round(width))))
