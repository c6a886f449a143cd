"""`python -m gsr`, and the `gsr` command."""

import signal


def main() -> None:
    """Run the command line of this process."""
    # What Ctrl-C raises in the middle of an import would be printed; nothing is lost yet, so let
    # it end the process until the command line can say so itself.
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from gsr.cli import run
    from gsr.cli.stopping import leave

    signal.signal(signal.SIGINT, handler)
    leave(run())


if __name__ == "__main__":
    main()
