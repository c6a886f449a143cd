"""The Gradio page around the viewer."""

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported

import gradio as gr
from fastapi import FastAPI

from .. import viewer
from .api import add_api
from .batch_tab import batch_tab
from .server import PAGE
from .studio import Studio

# A body of a function: no await here. The page's own folder may lie under a proxy's path.
_START = """
const at = (path) => new URL(path, document.baseURI).href;
import(at('page/studio.js'))
  .then((page) => page.start(element, at('.')))
  .catch((error) => console.error('The viewer could not be loaded.', error));
"""


def _head() -> str:
    """Styles, and every module of ours: they arrive while Gradio's own page is still being made."""
    folders = {"viewer": viewer.STATIC, "page": PAGE}
    found = [f"{name}/{f.name}" for name, folder in folders.items() for f in folder.iterdir()]
    styles = ["viewer/viewer.css", "page/studio.css"]  # the page's rules after the viewer's
    modules = sorted(path for path in found if path.endswith(".js"))
    lines = [
        *(f'<link rel="stylesheet" href="{path}">' for path in styles),
        *(f'<link rel="modulepreload" href="{path}">' for path in modules),
    ]
    return "\n".join(lines)


def build_demo(studio: Studio) -> gr.Blocks:
    """The page; pictures and renders go through the routes of `server`."""
    with (
        gr.Blocks(
            title="gsr studio", analytics_enabled=False, fill_width=True, delete_cache=(600, 3600)
        ) as demo,
        gr.Tabs(elem_id="tabs"),
    ):
        with gr.Tab("Studio", id="studio"):
            gr.HTML(
                html_template="<div class='gsr-page'></div>",
                js_on_load=_START,
                apply_default_css=False,
                elem_id="studio",
            )
            add_api(studio)
        with gr.Tab("Many pictures", id="batch", elem_id="batch"):
            batch_tab(demo, studio)
    return demo


def mount_demo(app: FastAPI, studio: Studio) -> FastAPI:
    """The routes with the page at `/`."""
    fonts = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "DejaVu Sans", "sans-serif"]
    mono = ["ui-monospace", "SFMono-Regular", "Menlo", "DejaVu Sans Mono", "monospace"]
    return gr.mount_gradio_app(
        app,
        build_demo(studio),
        path="/",
        theme=gr.themes.Base(font=fonts, font_mono=mono, primary_hue="amber", neutral_hue="zinc"),
        head=_head(),
        footer_links=[],
        run_history=False,
        max_file_size="64mb",
        ssr_mode=False,
    )
