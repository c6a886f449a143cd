"""The Gradio page around the viewer."""

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported

import gradio as gr
import plotly.graph_objects as go
from fastapi import FastAPI

from gsr import GsrError

from ..figures import kernel_bank
from .studio import Studio

HELP = """
**What you see.** The left pane enlarges the picture in the usual way (bicubic). The right pane
renders a field of Gaussians: small soft ellipses, one for each pixel of the picture, each with a
shape taken from a learned set of 100. The field was made once, when the picture was opened;
zooming only draws it anew, at any magnification.

**Looking inside.** *Ellipses* draws each Gaussian's outline. Its colour says how it lies: the hue
is its direction, pale is round, vivid is long. *Kernel map* colours each pixel by the shape it
picked. Click on any point to see which Gaussians made its colour, and how much each contributed.

**Layers.** *Gaussians only* leaves out the small correction that a network adds at the end;
*Correction* shows that correction alone, four times as strong around grey; *Picture pixels* shows
what the field was made from.

**Keys** (after clicking the picture): arrows move, `+` and `-` zoom, `0` fits the whole picture,
`1` shows one screen pixel per picture pixel, `Esc` closes the explanation.
"""

# A body of a function: no await here. The page's own folder may lie under a proxy's path.
_START = """
const at = (path) => new URL(path, document.baseURI).href;
import(at('page/studio.js'))
  .then((page) => page.start(element, at('.'), (id) => trigger('select', {index: 0, value: id})))
  .catch((error) => console.error('The viewer could not be loaded.', error));
"""

_HEAD = """
<link rel="stylesheet" href="viewer/viewer.css">
<link rel="stylesheet" href="page/studio.css">
"""

_DARK = "() => document.body.classList.add('dark')"


def build_demo(studio: Studio) -> gr.Blocks:
    """The page; pictures and renders go through the routes of `server`."""

    def show_kernels(event: gr.SelectData) -> go.Figure:
        try:
            return kernel_bank(studio.store.get(str(event.value)).field)
        except GsrError as error:
            raise gr.Error(str(error)) from error

    with gr.Blocks(
        title="gsr studio", analytics_enabled=False, fill_width=True, delete_cache=(600, 3600)
    ) as demo:
        page = gr.HTML(
            html_template="<div class='gsr-page'></div>",
            js_on_load=_START,
            apply_default_css=False,
            elem_id="studio",
        )
        with gr.Row(elem_classes="gsr-below"):
            with gr.Column(scale=3, min_width=340):
                gr.Markdown("### The 100 kernels, and how much this picture uses each")
                plot = gr.Plot(show_label=False, container=False, elem_id="kernels")
            with gr.Column(scale=2, min_width=300):
                gr.Markdown("### How to read this\n" + HELP)
        page.select(show_kernels, None, plot, show_progress="hidden", api_visibility="private")
    return demo


def mount_demo(app: FastAPI, studio: Studio) -> FastAPI:
    """The routes with the page at `/`."""
    fonts = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "DejaVu Sans", "sans-serif"]
    mono = ["ui-monospace", "SFMono-Regular", "Menlo", "DejaVu Sans Mono", "monospace"]
    return gr.mount_gradio_app(
        app,
        build_demo(studio),
        path="/",
        theme=gr.themes.Base(font=fonts, font_mono=mono, neutral_hue="zinc"),
        head=_HEAD,
        js=_DARK,
        footer_links=[],
        run_history=False,
        max_file_size="64mb",
        ssr_mode=False,
    )
