"""Calls of Gradio's functions: read strictly, and rebuilt from what was read.

Gradio follows every file object that it finds anywhere in a call. Nothing but what stands here
reaches it: plain values of the right kind, and files that their sender uploaded.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from gsr.base.errors import GsrError

from .answers import sentence_of
from .uploads import Uploads

Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e9, le=1e9)]
Whole = Annotated[int, Field(ge=0, le=2**31)]
Text = Annotated[str, Field(max_length=4096)]
Name = Annotated[str, Field(pattern=r"^[\w-]{1,64}$")]


class UnknownCallError(GsrError):
    """No function of that name is open."""


class _Strict(BaseModel):
    # What else a client sends is left out, not refused: Gradio's own send more from time to time.
    model_config = ConfigDict(strict=True, extra="ignore")


class _Meta(_Strict):
    kind: Literal["gradio.FileData"] = Field(alias="_type")


class _File(_Strict):
    path: Text
    orig_name: Text | None = None
    meta: _Meta


class _Call(_Strict):
    data: list[Any] = Field(max_length=16)
    fn_index: Whole | None = None
    trigger_id: Whole | None = None
    session_hash: Name | None = None


View = Annotated[
    dict[Annotated[str, Field(max_length=16)], Number | list[Number]], Field(max_length=16)
]
ARGUMENTS: dict[str, dict[str, Any]] = {
    "encode": {"file": _File | None},
    "render": {"id": Text, "scale": Number | None, "view": View | None, "layer": Text},
    "explain": {"id": Text, "x": Number, "y": Number, "scale": Number},
    "start": {
        "files": Annotated[list[_File], Field(max_length=500)] | None,
        "kind": Text,
        "value": Text,
        "format": Text,
        "strip": bool,
    },
    "stop": {},
}
"""Arguments of the functions of the page, by name."""
_READERS = {
    name: {argument: TypeAdapter(kind) for argument, kind in kinds.items()}
    for name, kinds in ARGUMENTS.items()
}


def read_call(body: Any) -> _Call:
    """The envelope of a call.

    Raises:
        GsrError: if it is not a valid call.
    """
    try:
        return _Call.model_validate(body)
    except ValidationError as error:
        raise GsrError(sentence_of(error)) from None


def checked(call: _Call, name: str, person: str, uploads: Uploads) -> dict[str, Any]:
    """The call for Gradio.

    Args:
        call: As it came.
        name: Of the function.
        person: Who calls.
        uploads: What was uploaded.

    Raises:
        UnknownCallError: if the function does not exist.
        NotUploadedError: a file was not uploaded by this person.
        GsrError: the arguments are not its.
    """
    readers = _READERS.get(name)
    if readers is None:
        raise UnknownCallError(f"Unknown function {name!r}.")
    if len(call.data) != len(readers):
        wanted = ", ".join(readers) or "nothing"
        raise GsrError(f"{name} takes {wanted}; got {len(call.data)} values.")
    found = []
    for (argument, reader), value in zip(readers.items(), call.data, strict=True):
        try:
            found.append(reader.validate_python(value, strict=True))
        except ValidationError as error:
            raise GsrError(sentence_of(error, argument)) from None
    data = [_plain(value, person, uploads) for value in found]
    rest = call.model_dump(include={"trigger_id", "session_hash"}, exclude_none=True)
    return {"data": data} | rest


def _plain(value: Any, person: str, uploads: Uploads) -> Any:
    if isinstance(value, list):
        return [_plain(one, person, uploads) for one in value]
    if isinstance(value, _File):
        path = uploads.find(value.path, person)
        return {"path": str(path), "orig_name": path.name, "meta": {"_type": "gradio.FileData"}}
    return value
