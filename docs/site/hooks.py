"""What mkdocs asks while it builds the site: pages that tools write, and links between pages."""

import sys
from pathlib import Path

import plotly
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

sys.path.insert(0, str(Path(__file__).parent))

import commands
import live
import pages
import results

import notebooks


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what is written elsewhere or by a tool."""
    plotly_js = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    made: dict[str, str | bytes] = {
        **pages.kept_elsewhere(),
        **pages.pictures(),
        **notebooks.pages(),
        "reference/commands.md": commands.page(),
        "live/eye.html": live.page(),
        "javascripts/plotly.min.js": plotly_js.read_bytes(),
    }
    for uri, content in made.items():
        files.append(File.generated(config, uri, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put tables where a page asks for them, and links right."""
    uri = page.file.src_uri
    if uri.startswith("notebooks/"):
        return markdown
    return pages.relinked(results.filled(markdown), uri)
