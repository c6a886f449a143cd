"""The studio's web server: routes that answer the viewer, beside the Gradio page."""

from pathlib import Path
from typing import Annotated, Any

import plotly
from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel

from gsr import GsrError, View
from gsr.errors import ImageError

from .. import viewer
from ..demos import FOLDER, demo_photos
from ..figures import bank_and_usage
from ..viewer import payloads
from ..viewer.comparing import offered
from .crowd import BusyError
from .export_routes import export_routes
from .jobs import Cancelled
from .store import ExpiredError, Superseded
from .studio import MAX_INPUT_PIXELS, Studio, TooLargeError

MAX_UPLOAD_BYTES = 64 * 2**20
PAGE = Path(__file__).parent / "page"
"""Folder of the page's own modules and styles."""
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
    app.mount("/viewer", _Modules(directory=viewer.STATIC))
    app.mount("/page", _Modules(directory=PAGE))
    app.mount("/demo", StaticFiles(directory=FOLDER))
    return app


def _plotly() -> Response:
    """The library that draws the figures, from the installed package: nothing from elsewhere."""
    path = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    return FileResponse(path, media_type="text/javascript")


class _Modules(StaticFiles):
    """Scripts and styles only, checked for changes on every load."""

    async def get_response(self, path: str, scope: Any) -> Response:
        if not path.endswith((".js", ".css")):
            return JSONResponse({"error": "There is no such file."}, 404)
        response = await super().get_response(path, scope)
        response.headers.update(_FILES)
        return response


def _answer_errors(app: FastAPI) -> None:
    """What a user can cause becomes one sentence; anything else stays a server error."""

    def said(status: int, sentence: str) -> JSONResponse:
        return JSONResponse({"error": sentence}, status)

    @app.exception_handler(ExpiredError)
    async def expired(_: Request, error: ExpiredError) -> JSONResponse:
        return said(404, str(error))

    @app.exception_handler(BusyError)
    async def busy(_: Request, error: BusyError) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 503, {"Retry-After": "1"})

    @app.exception_handler(TooLargeError)
    async def too_large(_: Request, error: TooLargeError) -> JSONResponse:
        return said(413, str(error))

    @app.exception_handler(GsrError)
    async def refused(_: Request, error: GsrError) -> JSONResponse:
        return said(400, str(error))

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        return said(400, f"{first['loc'][-1]}: {first['msg']}.")

    @app.exception_handler(Superseded)
    async def superseded(_: Request, error: Superseded) -> JSONResponse:
        return said(409, "A newer request took the place of this one.")

    @app.exception_handler(Cancelled)
    async def cancelled(_: Request, error: Cancelled) -> JSONResponse:
        return said(409, "Cancelled.")


Word = Annotated[str, Query(max_length=64)]
Words = Annotated[str, Query(max_length=512)]
MOST_SCORES = 8
"""Methods that are measured for one view."""


class EditBody(BaseModel):
    """Edits as `gsr.edits` reads them, and an earlier copy that is no longer wanted."""

    edits: list[dict[str, Any]]
    replace: str | None = None


def _region(x: float, y: float, width: float, height: float) -> View:
    """A rectangle where only the place counts; a view cannot do without a size."""
    return View(x, y, width, height, (_whole(height), _whole(width)))


def _whole(extent: float) -> int:
    """An extent as a number of pixels; whether it makes sense is for `View` to say."""
    return max(1, round(extent)) if 0 < extent < 1e6 else 1


Region = Annotated[View, Depends(_region)]
"""Numbers x, y, width and height of a request, in LR pixels."""


def _field_routes(studio: Studio) -> APIRouter:
    """Read-only questions to one field."""
    routes = APIRouter()

    @routes.get("/fields/{key}")
    def about(key: str) -> dict[str, Any]:
        return studio.about(key)

    @routes.get("/fields/{key}/frame")
    def frame(
        key: str,
        x: float,
        y: float,
        width: float,
        height: float,
        columns: int,
        rows: int,
        method: Word = "gsr",
        layer: Word = "result",
        quality: Word = "exact",
        viewer: Word = "",
        number: int = 0,
    ) -> Response:
        entry = studio.store.get(key)
        view = View(x, y, width, height, (rows, columns))
        request = payloads.FrameRequest(view, method, layer, quality)  # type: ignore[arg-type]
        data, media_type, took = studio.frame(entry, request, viewer, number)
        headers = {"Cache-Control": "no-store", "Server-Timing": f"render;dur={took:.1f}"}
        return Response(data, media_type=media_type, headers=headers)

    return routes


def _question_routes(studio: Studio) -> APIRouter:
    """What lies inside a field."""
    routes = APIRouter()

    @routes.get("/fields/{key}/ellipses")
    def ellipses(key: str, region: Region, limit: int = 4000) -> dict[str, Any]:
        return payloads.ellipses(studio.store.get(key).field, region, limit)

    @routes.get("/fields/{key}/explain")
    def explain(key: str, x: float, y: float, scale: float) -> dict[str, Any]:
        return payloads.explanation(studio.store.get(key).field, x, y, scale)

    @routes.get("/fields/{key}/choices")
    def choices(key: str) -> Response:
        data = payloads.choices(studio.store.get(key).field)
        return Response(data, media_type="application/octet-stream")

    @routes.get("/fields/{key}/footprint")
    def footprint(key: str, column: int, row: int, scale: float = 8.0) -> dict[str, Any]:
        return payloads.reach(studio.store.get(key).field, column, row, scale)

    @routes.get("/fields/{key}/usage")
    def usage(key: str, region: Region) -> dict[str, Any]:
        return {"shares": payloads.region_usage(studio.store.get(key).field, region)}

    @routes.get("/fields/{key}/bank")
    def bank(key: str) -> Response:
        figure = bank_and_usage(studio.store.get(key).field)
        return Response(figure.to_json(), media_type="application/json")

    @routes.get("/fields/{key}/scores")
    def scores(
        key: str, region: Region, methods: Words = "gsr", viewer: Word = "", number: int = 0
    ) -> dict[str, Any]:
        names = list(dict.fromkeys(methods.split(",")))[:MOST_SCORES]
        found = studio.scores(studio.store.get(key), names, region, viewer, number)
        return {"scores": found, "protocol": "luma, 8 bit, no border left out"}

    return routes


def _picture_routes(studio: Studio) -> APIRouter:
    """Opening pictures, and watching that."""
    routes = APIRouter()

    @routes.get("/start")
    def start() -> dict[str, Any]:
        return studio.first() | {
            "demos": [{"name": path.stem, "file": path.name} for path in demo_photos()],
            "max_pixels": MAX_INPUT_PIXELS,
        }

    @routes.get("/methods")
    def methods() -> dict[str, Any]:
        return {"methods": offered(studio.model.name)}

    @routes.post("/open")
    async def open_upload(
        request: Request,
        name: str = "image",
        job: Word = "",
        shrink: float = 1.0,
        fit: bool = False,
    ) -> dict[str, Any]:
        data = await _read_body(request)
        return await _opening(job, lambda step: studio.open_bytes(data, name, step, shrink, fit))

    @routes.post("/open-demo")
    async def open_demo(name: Word, job: Word = "", shrink: float = 1.0) -> dict[str, Any]:
        return await _opening(job, lambda step: studio.open_demo(name, step, shrink))

    @routes.post("/fields/{key}/truth")
    async def truth(request: Request, key: str) -> dict[str, Any]:
        data = await _read_body(request)
        return studio.about(await run_in_threadpool(studio.keep_truth, key, data))

    @routes.post("/fields/{key}/edit")
    async def edit(key: str, body: EditBody) -> dict[str, Any]:
        made = await run_in_threadpool(studio.edit, key, body.edits, body.replace)
        return studio.about(made)

    async def _opening(job: str, work: Any) -> dict[str, Any]:
        try:
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


async def _read_body(request: Request) -> bytes:
    """The body, refused as soon as it is longer than a picture may be."""
    parts = bytearray()
    async for chunk in request.stream():
        parts += chunk
        if len(parts) > MAX_UPLOAD_BYTES:
            limit = MAX_UPLOAD_BYTES // 2**20
            raise ImageError(f"The file is larger than {limit} MiB, the most that is accepted.")
    return bytes(parts)
