"""The studio's web server: routes that answer the viewer, next to the Gradio page."""

from collections.abc import Callable
from dataclasses import MISSING, fields
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any

import plotly
from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException

from gsr import GsrError, View
from gsr.tasks.exports import EXPORTS

from .. import viewer
from ..demos import FOLDER, demo_photos
from ..figures import bank_and_usage
from ..viewer import payloads, questions
from ..viewer.comparing import INSTANT, PROTOCOL_TEXT, measured, offered
from .answers import SORRY, refusal, sentence, sentence_of, usual
from .bodies import MAX_EDIT_BYTES, read_json, read_picture_bytes
from .bodies import MAX_UPLOAD_BYTES as MAX_UPLOAD_BYTES
from .export_routes import export_routes
from .growing import NotYet
from .jobs import Cancelled
from .numbers import Number, Whole
from .statuses import answer_to
from .store import Superseded
from .studio import MAX_INPUT_PIXELS, Studio
from .turns import Gate, Turns

PAGE = Path(__file__).parent / "page"
"""Folder of the page's own modules and styles."""
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_FILES = {"Cache-Control": "no-cache"}


def create_app(studio: Studio) -> FastAPI:
    """The routes without the page; `demo.mount_demo` adds that."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.state.studio = studio
    _answer_errors(app)
    app.include_router(_field_routes(studio), prefix="/studio")
    app.include_router(_question_routes(studio), prefix="/studio")
    app.include_router(_picture_routes(studio), prefix="/studio")
    app.include_router(export_routes(studio), prefix="/studio")
    app.add_api_route("/studio/plotly.js", _plotly)
    app.add_api_route("/studio/{rest:path}", _no_such, methods=list(METHODS))
    app.mount("/viewer", _Modules(directory=viewer.STATIC))
    app.mount("/page", _Modules(directory=PAGE))
    app.mount("/demo", StaticFiles(directory=FOLDER))
    return app


def _no_such() -> Response:
    """Instead of handing on to Gradio what is none of our routes."""
    return refusal(404, usual(404))


def _plotly() -> Response:
    """The library that draws the figures, from the installed package: nothing from elsewhere."""
    path = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    return FileResponse(path, media_type="text/javascript")


class _Modules(StaticFiles):
    """Scripts and styles only, checked for changes on every load."""

    async def get_response(self, path: str, scope: Any) -> Response:
        if not path.endswith((".js", ".css")):
            return JSONResponse({"error": "This file does not exist."}, 404)
        response = await super().get_response(path, scope)
        response.headers.update(_FILES)
        return response


def _answer_errors(app: FastAPI) -> None:
    """What a user can cause becomes one sentence; anything else stays a server error."""

    async def refused(_: Request, error: Exception) -> JSONResponse:
        return answer_to(error)

    for kind in (GsrError, Superseded, Cancelled, NotYet):
        app.add_exception_handler(kind, refused)

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> JSONResponse:
        return refusal(400, sentence(list(error.errors())))

    @app.exception_handler(HTTPException)
    async def usually(_: Request, error: HTTPException) -> JSONResponse:
        headers = dict(error.headers or {})
        return refusal(error.status_code, usual(error.status_code, error.detail), headers)

    @app.exception_handler(Exception)
    async def last_resort(_: Request, error: Exception) -> JSONResponse:
        return refusal(500, SORRY)  # and the server logs it


Word = Annotated[str, Query(max_length=64)]
Words = Annotated[str, Query(max_length=512)]
Name = Annotated[str, Query(max_length=1024)]
MAX_OPENING = 16
"""Pictures that may wait for the one being opened."""


class EditBody(BaseModel):
    """Edits as `gsr.field.edits` reads them, and an earlier copy that is no longer wanted."""

    model_config = ConfigDict(strict=True, extra="forbid")

    edits: list[dict[str, Any]] = Field(max_length=10_000)
    replace: str | None = Field(None, max_length=64)


async def _edit_body(request: Request) -> EditBody:
    try:
        return EditBody.model_validate(await read_json(request, MAX_EDIT_BYTES))
    except ValidationError as error:
        raise GsrError(sentence_of(error)) from None


def _region(x: Number, y: Number, width: Number, height: Number) -> View:
    """A rectangle where only the place counts."""
    return questions.Region(x, y, width, height).view()


Region = Annotated[View, Depends(_region)]
"""Numbers x, y, width and height of a request, in LR pixels."""


def _field_routes(studio: Studio) -> APIRouter:
    """Read-only questions to one field."""
    routes = APIRouter()
    # Methods that take long to begin are not in the way of the others. One frame is rendered at a
    # time, but the next stands ready.
    turns = {"own": Turns(2), "instant": Turns(2), "slow": Turns()}

    @routes.get("/fields/{key}")
    def about(key: str) -> dict[str, Any]:
        return studio.about(key)

    @routes.get("/fields/{key}/frame")
    async def frame(
        key: str,
        x: Number,
        y: Number,
        width: Number,
        height: Number,
        columns: Whole,
        rows: Whole,
        method: Word = "gsr",
        layer: Word = "result",
        quality: Word = "exact",
        viewer: Word = "",
        number: Whole = 0,
    ) -> Response:
        entry = studio.store.get(key)
        view = View(x, y, width, height, (rows, columns))
        request = payloads.FrameRequest(view, method, layer, quality)  # type: ignore[arg-type]
        entry.turnstile.enter(viewer, number)
        missing = 0
        if method == "gsr":
            entry.look(view)
            missing = entry.missing(view, request.layer)
        with studio.crowd.place(viewer):
            async with turns[_kind(method)].turn(viewer):
                data, media_type, took = await run_in_threadpool(
                    studio.frame, entry, request, viewer, number
                )
        headers = {"Cache-Control": "no-store", "Server-Timing": f"render;dur={took:.1f}"}
        if missing:  # there: interpolated for the time being
            headers["X-Gsr-Missing"] = str(missing)
        return Response(data, media_type=media_type, headers=headers)

    @routes.get("/fields/{key}/tiles")
    def tiles(key: str, region: Region, px: Number = -1.0, py: Number = -1.0) -> dict[str, Any]:
        """How far the field is; what is asked about is made next, from the pointer outwards."""
        entry = studio.store.get(key)
        entry.look(region, (px, py) if px >= 0 and py >= 0 else None)
        return entry.progress(region)

    @routes.delete("/fields/{key}/tiles")
    def stop(key: str) -> dict[str, bool]:
        studio.store.get(key).rest()
        return {"stopped": True}

    return routes


def _kind(method: str) -> str:
    if method in INSTANT:
        return "instant"
    return "own" if method in ("gsr", "truth") else "slow"


def _question_routes(studio: Studio) -> APIRouter:
    """What lies inside a field."""
    routes = APIRouter()
    measuring = Turns()

    for what, question in questions.QUESTIONS.items():
        routes.add_api_route(f"/fields/{{key}}/{what}", _asking(studio, what, question))

    @routes.get("/fields/{key}/bank")
    def bank(key: str) -> Response:
        figure = bank_and_usage(studio.store.get(key).complete)
        return Response(figure.to_json(), media_type="application/json")

    @routes.get("/fields/{key}/scores")
    async def scores(
        key: str, region: Region, methods: Words = "gsr", viewer: Word = "", number: Whole = 0
    ) -> dict[str, Any]:
        names = measured(methods)
        entry = studio.store.get(key)
        entry.turnstile.enter(viewer, number)
        async with measuring.turn(viewer):
            found = await run_in_threadpool(studio.scores, entry, names, region, viewer, number)
        return {"scores": found, "protocol": PROTOCOL_TEXT}

    return routes


def _asking(studio: Studio, what: str, question: questions.Question) -> Callable[..., Any]:
    """The route of a question: its members as parameters of the address, a view by its numbers."""
    members = fields(question.args)
    place = tuple(member.name for member in fields(questions.Region))

    def ask(key: str, **args: Any) -> Any:
        if any(member.name == "view" for member in members):
            args["view"] = {name: args.pop(name) for name in place}
        found = studio.store.get(key).answer(what, args)
        if isinstance(found, bytes):
            return Response(found, media_type="application/octet-stream")
        return found

    parameters = [Parameter("key", Parameter.KEYWORD_ONLY, annotation=str)]
    for member in members:
        kind, default = _TYPES.get(member.type), member.default
        names = place if kind is None else (member.name,)
        default = Parameter.empty if default is MISSING else default
        parameters += [
            Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=kind or Number)
            for name in names
        ]
    ask.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    return ask


_TYPES: dict[Any, Any] = {float: Number, int: Whole, questions.Word: Words}
"""Of a member of a question, as a parameter of an address."""


def _picture_routes(studio: Studio) -> APIRouter:
    """Opening pictures, and watching that."""
    routes = APIRouter()
    # Reading a picture takes many times the memory of its file: one at a time.
    gate = Gate("Too many pictures are being opened; try again in a moment.")

    @routes.get("/start")
    def start() -> dict[str, Any]:
        return studio.first() | {
            "demos": [{"name": path.stem, "file": path.name} for path in demo_photos()],
            "max_pixels": MAX_INPUT_PIXELS,
            "weights": studio.weights.offered(),
            "exports": [
                {"name": one.name, "label": one.label, "about": one.about}
                for one in EXPORTS.values()
            ],
        }

    @routes.get("/methods")
    def methods() -> dict[str, Any]:
        return {"methods": offered(studio.model.name)}

    @routes.post("/open")
    async def open_upload(
        request: Request,
        name: Name = "image",
        job: Word = "",
        shrink: Number = 1.0,
    ) -> dict[str, Any]:
        data = await read_picture_bytes(request)
        return await _opening(job, lambda step: studio.open_bytes(data, name, step, shrink))

    @routes.post("/open-demo")
    async def open_demo(name: Word, job: Word = "", shrink: Number = 1.0) -> dict[str, Any]:
        return await _opening(job, lambda step: studio.open_demo(name, step, shrink))

    @routes.post("/fields/{key}/truth")
    async def truth(request: Request, key: str) -> dict[str, Any]:
        studio.store.get(key)
        data = await read_picture_bytes(request)
        async with gate.passed(MAX_OPENING):
            return studio.about(await run_in_threadpool(studio.keep_truth, key, data))

    @routes.post("/fields/{key}/weights")
    async def weights(
        key: str, name: Word, strength: Number = 1.0, job: Word = ""
    ) -> dict[str, Any]:
        studio.store.get(key)
        return await _opening(job, lambda step: studio.encode_with(key, name, strength, step))

    @routes.post("/fields/{key}/edit")
    async def edit(request: Request, key: str) -> dict[str, Any]:
        studio.store.get(key)
        body = await _edit_body(request)
        made = await run_in_threadpool(studio.edit, key, body.edits, body.replace)
        return studio.about(made)

    async def _opening(job: str, work: Any) -> dict[str, Any]:
        try:
            async with gate.passed(MAX_OPENING):
                key = await run_in_threadpool(work, studio.jobs.get(job).step)
        finally:
            studio.jobs.forget(job)
        return studio.about(key)

    @routes.get("/jobs/{job}")
    def progress(job: str) -> dict[str, int]:
        state = studio.jobs.get(job)
        return {"done": state.done, "total": state.total}

    @routes.delete("/jobs/{job}")
    def cancel(job: str) -> dict[str, bool]:
        studio.jobs.get(job).cancelled = True
        return {"cancelled": True}

    return routes
