"""Every notebook runs from top to bottom, and its pictures are there."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
PICTURES = {
    "image/png",
    "text/html",
    "application/vnd.plotly.v1+json",
    "application/vnd.jupyter.widget-view+json",
}
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=240, resources={"metadata": {"path": str(path.parent)}}
    )
    client.execute()  # an error in a cell is an error here
    shown = [
        {kind for output in cell.outputs for kind in output.get("data", {})} & PICTURES
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]
    assert any(shown[:2]), "it opens with a picture"
    assert sum(map(bool, shown)) >= 2


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_ends_with_exercises_and_hidden_solutions(path: Path) -> None:
    last = nbformat.read(path, as_version=4).cells[-1]
    assert last.cell_type == "markdown"
    assert "## Exercises" in last.source
    assert "<details><summary>Solution" in last.source


def test_the_course_is_numbered() -> None:
    assert [path.name[:3] for path in NOTEBOOKS] == [f"{i:02d}_" for i in range(9)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stripped(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    assert not any(c.get("outputs") for c in notebook.cells)


def test_there_is_a_first_notebook_under_ten_cells() -> None:
    first = nbformat.read(ROOT / "notebooks" / "00_hello_field.ipynb", as_version=4)
    assert sum(c.cell_type == "code" for c in first.cells) < 10
