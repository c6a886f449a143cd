"""`gsr app`: start the app, which is another package and is imported only when asked for."""

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Annotated

import typer

from gsr.errors import GsrError

PARTS = ("gradio", "plotly", "uvicorn", "fastapi")
"""What the app needs and the rest of gsr does not."""


def studio(
    image: Annotated[
        Path | None, typer.Argument(help="Picture to start with.", exists=True, dir_okay=False)
    ] = None,
    model: Annotated[
        str, typer.Option("--model", "-m", help="Name of bundled weights, or a file.")
    ] = "lite",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="Port to listen on; 0 takes any.", min=0, max=65535)
    ] = 7860,
    open_browser: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the page in a browser.")
    ] = True,
) -> None:
    """Start the app in the browser."""
    try:
        launch = importlib.import_module(_launch_module()).launch
        launch(model=model, image=image, host=host, port=port, open_browser=open_browser)
    except ModuleNotFoundError as error:
        missing = (error.name or "").split(".")[0]
        if missing not in PARTS:
            raise
        raise GsrError(f'the app needs {missing}: pip install "gsr[app]".') from error


def _launch_module() -> str:
    """Where `launch` is: `gsr_apps` in an installation, `apps` beside gsr in a checkout."""
    if importlib.util.find_spec("gsr_apps") is not None:
        return "gsr_apps.studio.launch"
    checkout = Path(__file__).resolve().parents[2]
    if not (checkout / "apps").is_dir():
        raise GsrError('this installation has no app: pip install "gsr[app]".')
    # First, because another folder called apps may lie where the command is run.
    sys.path.insert(0, str(checkout))
    return "apps.studio.launch"
