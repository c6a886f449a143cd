"""`python -m gsr_apps.studio` is `gsr app`."""

import sys

from gsr.cli import run
from gsr.cli.stopping import leave

if __name__ == "__main__":
    leave(run(["app", *sys.argv[1:]]))
