"""The viewer's table of colours: `gsr.network.colors.TABLE` as a module.

`python -m gsr_apps.viewer.palette` rewrites it after a change of the table.
"""

import json
import textwrap
from pathlib import Path

from gsr.network.colors import TABLE

FILE = Path(__file__).with_suffix(".js")


def module() -> str:
    """The text of `palette.js`."""
    table = textwrap.indent("\n".join(f"{k}: {json.dumps(v)}," for k, v in TABLE.items()), "  ")
    return (
        "// Made by `python -m gsr_apps.viewer.palette` from gsr/network/colors.py.\n\n"
        f"export const TABLE = {{\n{table}\n}};\n"
    )


if __name__ == "__main__":
    FILE.write_text(module(), encoding="utf-8")
