"""The reference of the command line, from the commands themselves."""

import typer
from gsr_training.train import app as trainer
from typer.cli import get_docs_for_click

from gsr.cli import app


def page() -> str:
    """One section for each command; the trainer's options are its own."""
    return "# Commands\n\n" + _of(app, "gsr") + _of(trainer, "gsr train")


def _of(application: typer.Typer, name: str) -> str:
    command = typer.main.get_command(application)
    context = typer.Context(command, info_name=name)
    return str(get_docs_for_click(obj=command, ctx=context, name=name, indent=1))
