"""`gsr train`: the trainer, which is another package and is imported only when asked for."""

import typer

from gsr.base.optional import needing, part

PARTS = ("accelerate", "tensorboard", "scipy")
"""What training needs and the rest of gsr does not."""

PASSED_ON = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "help_option_names": [],
}
"""Options are the trainer's own, `--help` among them."""


def train(context: typer.Context) -> None:
    """Train a network: `gsr train lite --data FOLDER`; `gsr train --help` lists the options."""
    with needing("train", PARTS):
        trainer = part("gsr_training.train")
        code = trainer.app(context.args, prog_name="gsr train", standalone_mode=False)
    if code:
        raise typer.Exit(code)
