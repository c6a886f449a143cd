"""The Gradio page around the viewer."""

import os
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported

import gradio as gr
from fastapi import FastAPI
from gradio.utils import get_upload_folder

from .. import viewer
from .api import add_api
from .batch_tab import batch_tab
from .bodies import MAX_FIELD_BYTES, MEMORY, Bodies
from .budget import Budget
from .guard import Guard
from .rooted import Inside
from .server import PAGE
from .studio import Studio
from .upload_routes import upload_routes
from .uploads import Uploads


def _head() -> str:
    """Styles, and every module of ours: they arrive while Gradio's own page is still being made."""
    folders = {"viewer": viewer.STATIC, "page": PAGE}
    found = [f"{name}/{f.name}" for name, folder in folders.items() for f in folder.iterdir()]
    styles = ["viewer/viewer.css", "page/studio.css"]  # the page's rules after the viewer's
    modules = sorted(path for path in found if path.endswith(".js"))
    lines = [
        *(f'<link rel="stylesheet" href="{path}">' for path in styles),
        *(f'<link rel="modulepreload" href="{path}">' for path in modules),
        '<script type="module" src="page/start.js"></script>',
    ]
    return "\n".join(lines)


def build_demo(studio: Studio, uploads: Uploads) -> gr.Blocks:
    """The page; pictures and renders go through the routes of `server`."""
    with (
        gr.Blocks(
            title="gsr studio", analytics_enabled=False, fill_width=True, delete_cache=(600, 3600)
        ) as demo,
        gr.Tabs(elem_id="tabs"),
    ):
        with gr.Tab("Studio", id="studio"):
            # `page/start.js` fills it. Gradio's HTML would need a policy that admits `eval`.
            gr.Column(elem_id="studio")
            add_api(studio, uploads)
        with gr.Tab("Many pictures", id="batch", elem_id="batch"):
            batch_tab(demo, studio, uploads)
    return demo


def mount_demo(app: FastAPI, studio: Studio) -> FastAPI:
    """The routes with the page at `/`."""
    fonts = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "DejaVu Sans", "sans-serif"]
    mono = ["ui-monospace", "SFMono-Regular", "Menlo", "DejaVu Sans Mono", "monospace"]
    disk = Budget(3 * MAX_FIELD_BYTES, 8 * MAX_FIELD_BYTES)
    uploads = Uploads(Path(get_upload_folder()), disk)
    demo = build_demo(studio, uploads)
    demo.queue(max_size=64)
    app.include_router(upload_routes(uploads))  # before Gradio's, which it replaces
    app.add_middleware(Inside)  # the last to see a request, where paths are answered
    app.add_middleware(Guard, demo=demo, uploads=uploads)
    app.add_middleware(Bodies, disk=disk, memory=MEMORY)
    mounted = gr.mount_gradio_app(
        app,
        demo,
        path="/",
        theme=gr.themes.Base(font=fonts, font_mono=mono, primary_hue="amber", neutral_hue="zinc"),
        head=_head(),
        footer_links=[],
        run_history=False,
        max_file_size="64mb",
        ssr_mode=False,
        show_error=False,  # only what our functions refuse is shown
    )
    # Only `Blocks.launch` says so, and without it Gradio takes any path for an allowed one.
    demo.has_launched = True
    return mounted
