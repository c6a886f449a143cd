"""Downloads. All are GET requests below `/studio/fields/{key}` that answer with a file:

- `/export?format=png|webp|jpeg` and one of `&scale=3.7`, `&width=1920`, `&height=1080` or both
  sides; `&view=x,y,width,height` (LR pixels) for a part of the picture, `&layer=` or
  `&method=` as for frames, `&quality=95` (JPEG), `&strip=true` (no metadata);
- `/export-size` with the same query: `{width, height, largest, name, notes}` as JSON, or why not;
- `/svg?view=x,y,width,height` and a size as above, `&sigma=1`,
  `&color=kernel|direction|size|opacity|confidence|own|number`, `&picture=true|false`, `&layer=`;
- `/sweep?format=webp|gif|mp4`, `&start=1&stop=16&x=&y=&seconds=4&fps=24&width=&height=`,
  `&caption=true`;
- `/field`: the field itself, which `POST /studio/open-field?name=` (the file as body) takes back
  and answers as `/studio/open` does.

Each takes `&job=`, an id that the page made up: `GET /studio/jobs/{job}` reports how far the work
is, `DELETE` stops it, and so does closing the connection. What cannot be made is
`{"error": sentence}`: 400, 404 for an expired id, 409 when cancelled, 503 when too much waits.
What was changed or left out on the way from the picture's file to this one is said in the header
`X-Gsr-Notes`: a JSON list of sentences in percent encoding.
"""

import asyncio
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, cast
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, Response
from starlette.background import BackgroundTask

from gsr import GaussianField, GsrError
from gsr.base.errors import ImageError, ScaleError
from gsr.base.files import FIELD_SUFFIX
from gsr.field.protocol import Layer, Progress
from gsr.field.provenance import made, notes_of
from gsr.field.svg import Paint, overlay_svg, save_svg
from gsr.tasks.exports import EXPORTS, Export
from gsr.tasks.source import open_source
from gsr.tasks.sweep import Sweep

from . import export
from .bodies import MAX_FIELD_BYTES
from .jobs import Job
from .studio import Studio
from .turns import Gate

MAX_FIELD_PIXELS = 4_000_000
"""Of a field file, which is held as a whole."""
MAX_WAITING = 8
"""Downloads that may wait for the one being made."""

Word = Annotated[str, Query(max_length=64)]
Words = Annotated[str | None, Query(max_length=256)]
Name = Annotated[str, Query(max_length=1024)]
Work = Callable[[Path, Progress], tuple[str, ...]]
"""Writes a file; returns notes on what was changed or left out."""


class Downloads:
    """Makes one file at a time, each in a folder of its own that goes when the file is sent."""

    def __init__(self, studio: Studio):
        self._studio = studio
        self._gate = Gate("Too many downloads are being made; try again in a moment.")

    async def answer(
        self, request: Request, job: str, name: str, media_type: str, work: Work
    ) -> Response:
        """The file that `work` writes, as a download called `name`."""
        folder = tempfile.mkdtemp(prefix="gsr-")
        path = Path(folder) / f"file{Path(name).suffix}"
        try:
            async with self._gate.passed(MAX_WAITING):
                notes = await self._watched(request, job, lambda step: work(path, step))
        except BaseException as error:
            shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, GsrError):  # by the name its owner knows
                raise error.reworded(str(error).replace(str(path), name)) from error
            raise
        clean = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
        headers = {"X-Gsr-Notes": quote(json.dumps(notes))} if notes else None
        return FileResponse(path, 200, headers, media_type, clean, name)

    async def _watched(
        self, request: Request, key: str, work: Callable[[Progress], tuple[str, ...]]
    ) -> tuple[str, ...]:
        """Run in a thread; a page that has gone, or cancels, stops it at its next step."""
        # Without an id of its own, nobody else may stop it.
        job = self._studio.jobs.get(key) if key else Job()
        running = asyncio.ensure_future(run_in_threadpool(work, job.step))
        try:
            while not running.done():
                await asyncio.wait({running}, timeout=0.5)
                job.cancelled = job.cancelled or await request.is_disconnected()
        finally:
            job.cancelled = True  # also where the server stops
            self._studio.jobs.forget(key)
        return running.result()


def export_routes(studio: Studio) -> APIRouter:
    """The routes, to be put below `/studio`."""
    routes = APIRouter()
    downloads = Downloads(studio)
    _add_pictures(routes, studio, downloads)
    _add_drawings(routes, studio, downloads)
    _add_fields(routes, studio, downloads)
    return routes


def _add_pictures(routes: APIRouter, studio: Studio, downloads: Downloads) -> None:
    @routes.get("/fields/{key}/export-size")
    def size(
        key: str,
        format: Word = "png",
        scale: float | None = None,
        width: int | None = None,
        height: int | None = None,
        view: Words = None,
        layer: Layer = "result",
        method: Word = "gsr",
        strip: bool = False,
    ) -> dict[str, Any]:
        field = studio.store.get(key).complete
        request = export.PictureRequest(
            format, scale, width, height, _region(view), layer, method, strip=strip
        )
        found = request.check(field)
        return {
            "width": found.size[1],
            "height": found.size[0],
            "largest": export.largest_scale((found.height, found.width)),
            "name": request.name(field),
            "notes": list(request.notes(field)),
        }

    @routes.get("/fields/{key}/export")
    async def picture(
        http: Request,
        key: str,
        format: Word = "png",
        scale: float | None = None,
        width: int | None = None,
        height: int | None = None,
        view: Words = None,
        layer: Layer = "result",
        method: Word = "gsr",
        quality: int = 95,
        strip: bool = False,
        job: Word = "",
    ) -> Response:
        entry = studio.store.get(key)
        request = export.PictureRequest(
            format,
            scale,
            width,
            height,
            _region(view),
            layer,
            method,
            quality,
            strip,
        )
        request.check(entry.complete)

        def work(path: Path, step: Progress) -> tuple[str, ...]:
            image = cast(export.Exported, studio.image(entry, method, step))
            return export.write_picture(image, request, path, step)

        name = request.name(entry.complete)
        return await downloads.answer(http, job, name, request.media_type, work)


def _add_drawings(routes: APIRouter, studio: Studio, downloads: Downloads) -> None:
    @routes.get("/fields/{key}/svg")
    async def svg(
        http: Request,
        key: str,
        scale: float | None = None,
        width: int | None = None,
        height: int | None = None,
        view: Words = None,
        sigma: float = 1.0,
        color: Paint = "kernel",
        picture: bool = True,
        layer: Layer = "result",
        job: Word = "",
    ) -> Response:
        field = studio.store.get(key).field
        where = export.PictureRequest("png", scale, width, height, _region(view)).view(field)

        def work(path: Path, step: Progress) -> tuple[str, ...]:
            drawing = overlay_svg(
                field,
                where,
                sigma=sigma,
                color=color,
                picture=picture,
                layer=layer,
                thin=True,
            )
            save_svg(drawing, path)
            return made(field, where.scale, layer).for_file(path)[1]

        name = f"{export.stem(field)}-gaussians.svg"
        return await downloads.answer(http, job, name, "image/svg+xml", work)

    @routes.get("/fields/{key}/sweep")
    async def sweep(
        http: Request,
        key: str,
        format: Word = "webp",
        start: float = 1.0,
        stop: float = 16.0,
        x: float | None = None,
        y: float | None = None,
        seconds: float = 4.0,
        fps: float = 24.0,
        width: int | None = None,
        height: int | None = None,
        caption: bool = False,
        job: Word = "",
    ) -> Response:
        field = studio.store.get(key).complete
        at, size = _both("x", x, "y", y), _both("height", height, "width", width)
        wanted = Sweep(start, stop, at, size, seconds, fps)
        name = export.check_video(field, format, wanted)

        def work(path: Path, step: Progress) -> tuple[str, ...]:
            return export.write_video(field, wanted, path, caption, step)

        return await downloads.answer(http, job, name, export.VIDEOS[format], work)


def _add_fields(routes: APIRouter, studio: Studio, downloads: Downloads) -> None:
    for suffix, one in EXPORTS.items():
        routes.add_api_route(f"/fields/{{key}}/{one.name}", _taking(studio, downloads, suffix, one))

    gate = Gate("Too many fields are being opened; try again in a moment.")

    @routes.post("/open-field")
    async def open_field(http: Request, name: Name = "field.gsf") -> dict[str, Any]:
        name = Path(name.replace("\\", "/")).name[:120] or "field.gsf"
        with tempfile.TemporaryDirectory(prefix="gsr-") as folder:
            path = Path(folder) / f"field{FIELD_SUFFIX}"
            await _receive(http, path)
            async with gate.passed(MAX_WAITING):
                key = await run_in_threadpool(keep_field, studio, path, name)
        return studio.about(key)


def _taking(studio: Studio, downloads: Downloads, suffix: str, one: Export) -> Any:
    """The route of a format of whole fields."""

    async def take(http: Request, key: str, job: Word = "") -> Response:
        field = studio.store.get(key).field

        def work(path: Path, step: Progress) -> tuple[str, ...]:
            step(0, 1)
            one.write(field, path)
            return notes_of(field.info)

        name = f"{export.stem(field)}{suffix}"
        return await downloads.answer(http, job, name, one.media_type, work)

    return take


def keep_field(studio: Studio, path: Path, name: str) -> str:
    """The id of the field in a file, which its owner calls `name`.

    Raises:
        ImageError: if it is not a picture, or too large to look at live.
    """
    try:
        source = open_source(path)
    except ImageError as error:
        raise error.reworded(str(error).replace(str(path), name)) from error
    height, width = source.lr_size
    if height * width > MAX_FIELD_PIXELS:
        raise ImageError(
            f"{name} is a field of {width} x {height} pixels, and at most "
            f"{MAX_FIELD_PIXELS / 1e6:.3g} megapixels are accepted here."
        )
    return studio.store.put(cast(GaussianField, source.content))


async def _receive(request: Request, path: Path) -> None:
    """The body as a file, refused as soon as it is longer than a field may be."""
    size = 0
    with path.open("wb") as file:
        async for chunk in request.stream():
            size += len(chunk)
            if size > MAX_FIELD_BYTES:
                limit = MAX_FIELD_BYTES // 2**20
                raise ImageError(f"The file is larger than {limit} MiB, the most that is accepted.")
            file.write(chunk)


def _region(text: str | None) -> export.Region | None:
    """x, y, width and height from `10,20,30.5,40`."""
    if text is None:
        return None
    try:
        x, y, width, height = (float(part) for part in text.split(","))
    except ValueError:
        raise ScaleError(f"view must be four numbers x,y,width,height, got {text!r}.") from None
    return x, y, width, height


def _both(one: str, a: Any, other: str, b: Any) -> Any:
    """Two numbers that only make sense together."""
    if (a is None) != (b is None):
        raise ScaleError(f"{one} and {other} belong together; give both or none.")
    return None if a is None else (a, b)
