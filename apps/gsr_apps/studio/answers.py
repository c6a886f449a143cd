"""How the app says no: one sentence, in one form."""

import re
from typing import Any

from pydantic import ValidationError
from starlette.responses import JSONResponse

SORRY = "Something went wrong in the app; see its log."
_USUAL = {
    401: "This app asks for a user name and a password.",
    403: "This is not open to you.",
    404: "This page does not exist.",
    405: "This page takes no request of that kind.",
    413: "This is more than is accepted.",
    503: "Too much is going on; try again in a moment.",
}


def refusal(status: int, sentence: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """An answer `{"error": sentence}`."""
    return JSONResponse({"error": sentence}, status, headers)


def usual(status: int, said: Any = None) -> str:
    """What to say of a status; words of a library are taken where they are a sentence."""
    if isinstance(said, str) and re.fullmatch(r"[A-Z][^<>{}]*[ ][^<>{}]*[.!]", said):
        return said
    return _USUAL.get(status, SORRY if status >= 500 else "This request cannot be understood.")


def sentence(errors: list[Any], name: str = "the body") -> str:
    """The first thing that pydantic found wrong, by its own name if it has one, else by `name`."""
    first = errors[0]
    names = [str(part) for part in first["loc"] if isinstance(part, str)]
    name = names[-1] if names else name
    said = "Input should be an object" if first["type"] == "model_type" else first["msg"]
    rest = said.removeprefix("Input should ")
    return f"{name}: {said}." if rest == said else f"{name} must {rest}."


def sentence_of(error: ValidationError, name: str = "the body") -> str:
    """The same of an error."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return sentence(found, name)
