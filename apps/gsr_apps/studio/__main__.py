"""`python -m gsr_apps.studio` is `gsr app`."""

import sys

from gsr.cli import run

if __name__ == "__main__":
    sys.exit(run(["app", *sys.argv[1:]]))
