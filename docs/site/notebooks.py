"""The course as pages, with the outputs of notebooks that were run.

Running them takes minutes, so results are kept in `build/notebooks` until a notebook or the code
changes.
"""

import base64
import hashlib
import json
import os
import re
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbconvert import MarkdownExporter

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "build" / "notebooks"
CODE = ("gsr", "apps/gsr_apps", "training/gsr_training")
PLOTLY = "application/vnd.plotly.v1+json"
WIDGET = "application/vnd.jupyter.widget-view+json"
LIVE = '<p class="gsr-live">A picture of a widget: run the notebook to use it.</p>'


def notebooks() -> list[Path]:
    """In the order of the course."""
    return sorted((ROOT / "notebooks").glob("*.ipynb"))


def pages() -> dict[str, str | bytes]:
    """Pages and pictures of the course, by address."""
    made: dict[str, str | bytes] = {}
    code = _code()
    for path in notebooks():
        made |= _page(path, nbformat.read(executed(path, code), as_version=4))
    return made


def executed(path: Path, code: str) -> Path:
    """The notebook with its outputs, run if this has not been done with this code."""
    key = hashlib.sha256(path.read_bytes() + code.encode()).hexdigest()[:16]
    kept = KEPT / f"{path.stem}.{key}.ipynb"
    if not kept.is_file():
        print(f"running {path.name}", file=sys.stderr)
        notebook = nbformat.read(path, as_version=4)
        os.environ["PLOTLY_RENDERER"] = "plotly_mimetype"
        place = {"metadata": {"path": str(path.parent)}}
        NotebookClient(notebook, timeout=600, resources=place).execute()
        KEPT.mkdir(parents=True, exist_ok=True)
        for old in KEPT.glob(f"{path.stem}.*.ipynb"):
            old.unlink()
        nbformat.write(notebook, kept)
    return kept


def _code() -> str:
    """A fingerprint of everything a notebook may call."""
    digest = hashlib.sha256()
    files = (p for part in CODE for p in (ROOT / part).rglob("*"))
    for path in sorted(p for p in files if p.suffix in (".py", ".js", ".css", ".json", ".toml")):
        digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    digest.update((ROOT / "weights" / "manifest.toml").read_bytes())
    return digest.hexdigest()


def _page(path: Path, notebook: nbformat.NotebookNode) -> dict[str, str | bytes]:
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [shown for output in cell.outputs for shown in _shown(output)]
    text, resources = MarkdownExporter().from_notebook_node(
        notebook, resources={"output_files_dir": f"{path.stem}_files"}
    )
    made: dict[str, str | bytes] = {f"notebooks/{path.stem}.md": _with_script(text)}
    for name, data in (resources["outputs"] or {}).items():
        made[f"notebooks/{name}"] = data
    return made


def _shown(output: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """An output as a page without a kernel can show it."""
    data = output.get("data", {})
    if output.output_type == "stream" and output.name == "stderr":
        return []
    if PLOTLY in data:
        figure = json.dumps(data[PLOTLY]).replace("</", "<\\/")
        html = f'<div class="gsr-figure"><script type="application/json">{figure}</script></div>'
        return [_html(html)]
    if WIDGET in data and "image/png" in data:
        picture = f'<img src="data:image/png;base64,{_flat(data["image/png"])}" alt="the widget">'
        return [_html(picture + LIVE)]
    if WIDGET in data:
        return [_html(LIVE.replace("A picture of a widget", "Here is a widget"))]
    return [output]


def _html(text: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_output("display_data", {"text/html": text})


def _flat(encoded: str) -> str:
    """Base64 on one line."""
    return base64.b64encode(base64.b64decode(encoded)).decode()


def _with_script(text: str) -> str:
    """Without the indentation that would make code of HTML, and with what draws the figures."""
    text = re.sub(r"<style scoped>.*?</style>", "", text, flags=re.DOTALL)
    if "gsr-figure" not in text:
        return text
    return text + (
        '\n<script src="../../javascripts/plotly.min.js"></script>'
        '\n<script src="../../javascripts/figures.js"></script>\n'
    )


if __name__ == "__main__":
    pages()
