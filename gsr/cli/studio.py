"""`gsr app`: start the app, which is another package and is imported only when asked for."""

import importlib
import importlib.util
import socket
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from gsr.errors import ConfigError, GsrError


def studio(
    image: Annotated[
        Path | None, typer.Argument(help="Picture to start with.", exists=True, dir_okay=False)
    ] = None,
    model: Annotated[
        str, typer.Option("--model", "-m", help="Name of bundled weights, or a file.")
    ] = "lite",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 7860,
    open_browser: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the page in a browser.")
    ] = True,
) -> None:
    """Start the app in the browser."""
    launch = _find_launch()
    _check_address(host, port)
    launch(model=model, image=image, host=host, port=port, open_browser=open_browser)


def _find_launch() -> Any:
    """`launch` of the app: `gsr_apps` in an installation, `apps` beside gsr in a checkout."""
    try:
        return importlib.import_module(_app_module()).launch
    except ModuleNotFoundError as error:
        missing = (error.name or "").split(".")[0]
        if missing in ("gradio", "plotly"):
            raise GsrError(f'the app needs {missing}: pip install "gsr[app]".') from error
        raise


def _app_module() -> str:
    if importlib.util.find_spec("gsr_apps") is not None:
        return "gsr_apps.studio"
    checkout = Path(__file__).resolve().parents[2]
    if not (checkout / "apps").is_dir():
        raise GsrError('this installation has no app: pip install "gsr[app]".')
    # First, because another folder called apps may lie where the command is run.
    sys.path.insert(0, str(checkout))
    return "apps.studio"


def _check_address(host: str, port: int) -> None:
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(f"the app cannot listen on {host}, port {port}: {reason}.") from error
