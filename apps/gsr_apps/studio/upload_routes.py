"""Uploads of Gradio's part of the page, in place of Gradio's own route.

Gradio's keeps what a broken connection left, has no limit in total, and names files by their
contents, so that a path reveals whether somebody has uploaded the same.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.responses import StreamingResponse

from gsr.base.errors import GsrError, ImageError

from .bodies import MAX_UPLOAD_BYTES, TooLongError
from .people import person_of
from .uploads import Uploads

MAX_FILES = 500
_WAIT_SECONDS = 3.0


class _Parser(MultiPartParser):
    """Reports how far each file has come, and stops at one that is too long."""

    heard: Counter[str]

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        file = self._current_part.file
        if file is not None:
            self.heard[file.filename or ""] += end - start
            if (file.size or 0) > MAX_UPLOAD_BYTES:
                limit = MAX_UPLOAD_BYTES >> 20
                raise TooLongError(f"A file is longer than {limit} MiB, the most that is accepted.")
        super().on_part_data(data, start, end)


def upload_routes(uploads: Uploads) -> APIRouter:
    """The routes, at the addresses where Gradio's page and clients look for them."""
    routes = APIRouter(prefix="/gradio_api")
    coming: dict[str, Counter[str]] = {}  # bytes by name of file, of uploads under way

    @routes.post("/upload")
    async def upload(request: Request) -> list[str]:
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            raise ImageError("Files are uploaded as multipart/form-data.")
        key = request.query_params.get("upload_id", "")[:64]
        heard = coming[key] = Counter()
        try:
            return await _kept(uploads, request, heard)
        finally:
            if coming.get(key) is heard:
                del coming[key]

    @routes.get("/upload_progress")
    async def progress(upload_id: str = "") -> StreamingResponse:
        return StreamingResponse(_told(coming, upload_id[:64]), media_type="text/event-stream")

    return routes


async def _kept(uploads: Uploads, request: Request, heard: Counter[str]) -> list[str]:
    parser = _Parser(
        request.headers, request.stream(), max_files=MAX_FILES, max_fields=16, max_part_size=2**16
    )
    parser.heard = heard
    try:
        form = await parser.parse()
    except GsrError:
        raise
    except (MultiPartException, KeyError, ValueError) as error:
        raise ImageError("The upload is damaged.") from error
    person = person_of(request.scope)
    try:
        files = [file for file in form.getlist("files") if isinstance(file, UploadFile)]
        if not files:
            raise ImageError('The upload holds no files; they come as parts called "files".')
        return [
            await run_in_threadpool(
                uploads.keep, person, file.filename or "", file.file, file.size or 0
            )
            for file in files
        ]
    finally:
        await form.close()


async def _told(coming: dict[str, Counter[str]], key: str) -> AsyncIterator[str]:
    """Events for Gradio's page: what came of each file since the last one."""
    for _ in range(round(_WAIT_SECONDS / 0.1)):  # it may ask before the upload begins
        if key in coming:
            break
        await asyncio.sleep(0.1)
    told: Counter[str] = Counter()
    while key in coming:
        news = coming[key] - told
        told += news
        for name, size in news.items():
            yield _event({"msg": "update", "orig_name": name, "chunk_size": size})
        await asyncio.sleep(0.1)
    yield _event({"msg": "done"})


def _event(message: dict[str, Any]) -> str:
    return f"data: {json.dumps(message)}\n\n"
