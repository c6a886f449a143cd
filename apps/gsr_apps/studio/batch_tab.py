"""The tab for many pictures at once; `batch_tab(demo, studio, uploads)` builds it inside `demo`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from gsr import GsrError

from . import batch
from .jobs import Job
from .studio import Studio
from .uploads import Uploads

KINDS = [
    ("Scale", "scale"),
    ("Width", "width"),
    ("Height", "height"),
    ("Longer side", "longest"),
    ("Exact size", "size"),
]
FORMATS = [("PNG", "png"), ("WebP, lossless", "webp"), ("JPEG", "jpg"), ("TIFF", "tiff")]
COLUMN_WIDTHS: list[str | int] = ["170px", "90px", "190px", "120px", "90px", "420px"]
_WAIT = "A line for each picture will stand here, also for those that cannot be read."


def batch_tab(demo: gr.Blocks, studio: Studio, uploads: Uploads | None = None) -> None:
    """Choose files and a size, watch, stop, take the archive.

    Args:
        demo: The page.
        studio: What encodes.
        uploads: The only files that are read; None where Gradio sees to that.
    """
    jobs: dict[str, Job] = {}  # one per open page that is working

    def start(
        paths: list[str] | None,
        kind: str,
        value: str,
        file_format: str,
        strip: bool,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - how Gradio hands it in
    ) -> Iterator[list[Any]]:
        job = jobs[str(request.session_hash)] = Job()
        try:
            files = [uploads.find(path) if uploads else Path(path) for path in paths or ()]
            yield from _run(studio, job, files, (kind, value, file_format, strip), progress)
        except GsrError as error:
            raise gr.Error(str(error), print_exception=False) from error
        finally:
            jobs.pop(str(request.session_hash), None)

    def stop(request: gr.Request) -> None:
        if job := jobs.get(str(request.session_hash)):
            job.cancelled = True

    gr.Button("‹ Back to the Studio", elem_id="batch-back", size="sm")  # `page/tabs.js` hears it
    inputs, start_button, stop_button, outputs = _layout()
    start_button.click(
        start,
        inputs,
        outputs,
        concurrency_id="batch",
        show_progress_on=outputs[1],
        api_visibility="private",
    )
    stop_button.click(stop, queue=False, show_progress="hidden", api_visibility="private")
    demo.unload(stop)


def _layout() -> tuple[list[Any], gr.Button, gr.Button, list[Any]]:
    """Inputs, buttons and outputs."""
    with gr.Row():
        with gr.Column(min_width=300):
            files = gr.File(
                label="Pictures, or field files",
                file_count="multiple",
                height=220,
                elem_id="batch-files",
            )
            with gr.Row():
                start = gr.Button("Start", variant="primary", elem_id="batch-start")
                stop = gr.Button("Stop", elem_id="batch-stop")
        with gr.Column(min_width=300):
            kind = gr.Radio(KINDS, value="scale", label="How large")
            value = gr.Textbox(
                "4", label="Value", info="A factor such as 3.7, pixels, or 1920x1080", max_lines=1
            )
            file_format = gr.Dropdown(FORMATS, value="png", label="Format")
            strip = gr.Checkbox(False, label="Leave out metadata (EXIF, colour profile)")
    status = gr.Markdown(_WAIT, elem_id="batch-status")
    archive = gr.File(
        label="All results", interactive=False, visible=False, elem_id="batch-archive"
    )
    table = gr.Dataframe(
        headers=list(batch.HEADERS),
        column_widths=COLUMN_WIDTHS,
        interactive=False,
        wrap=True,
        elem_id="batch-report",
    )
    return [files, kind, value, file_format, strip], start, stop, [table, status, archive]


def _run(
    studio: Studio,
    job: Job,
    files: list[Path],
    typed: tuple[str, str, str, bool],
    progress: gr.Progress,
) -> Iterator[list[Any]]:
    """Table, status and archive after every picture."""
    options = batch.Options.typed(*typed)

    def watch(part: float, title: str) -> None:
        job.step(round(1000 * part), 1000)
        progress(part, desc=title)

    with batch.workplace() as folder:
        for report in batch.run(files, options, studio.model, folder, watch, studio.pool):
            over = report.archive is not None
            shown = gr.update(value=str(report.archive) if over else None, visible=over)
            yield [report.rows, report.summary or "Working …", shown]
