"""`gsr app`: start the app, which is another package and is imported only when asked for."""

from pathlib import Path
from typing import Annotated, Any

import typer

from gsr.base.memory import parse_memory
from gsr.base.optional import needing, part
from gsr.cli.single import Model, Strength
from gsr.cli.stopping import Terminated, exit_code, stoppable

PARTS = ("gradio", "plotly", "uvicorn", "fastapi")
"""What the app needs and the rest of gsr does not."""


def studio(
    image: Annotated[
        Path | None, typer.Argument(help="Picture to start with.", exists=True, dir_okay=False)
    ] = None,
    model: Model = "lite",
    strength: Strength = 1.0,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="Port to listen on; 0 takes any.", min=0, max=65535)
    ] = 7860,
    open_browser: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the page in a browser.")
    ] = True,
    auth: Annotated[
        str | None,
        typer.Option(
            help="Ask everyone for USER:PASSWORD. The variable keeps it out of process lists.",
            envvar="GSR_AUTH",
            show_envvar=True,
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            help="A further name by which the app is reached, such as that of a proxy; repeatable."
        ),
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(
            help="For pictures, say 2G (the default). What does not fit goes to the disk.",
            metavar="SIZE",
        ),
    ] = None,
    allow_embed: Annotated[
        list[str] | None,
        typer.Option(
            help="A site like http://localhost:8888 that may show the app in a frame; repeatable."
        ),
    ] = None,
    root_path: Annotated[
        str | None,
        typer.Option(
            help="Path of a proxy below which the app is reached, such as /proxy/7860; needed "
            "where the proxy does not say it in X-Forwarded-Prefix.",
            metavar="PATH",
        ),
    ] = None,
) -> None:
    """Start the app in the browser."""
    further: dict[str, Any] = {"allow_hosts": allow_host, "allow_embed": allow_embed}
    further = {name: names for name, names in further.items() if names}
    if root_path is not None:
        further["root_path"] = root_path
    if memory is not None:
        further["memory"] = parse_memory(memory)
    if strength != 1:
        further["strength"] = strength
    with needing("app", PARTS):
        launch = part("gsr_apps.studio.launch").launch
        try:
            with stoppable():
                launch(
                    model=model,
                    image=image,
                    host=host,
                    port=port,
                    open_browser=open_browser,
                    auth=auth,
                    **further,
                )
        except Terminated as stopped:
            raise typer.Exit(exit_code(stopped)) from None
