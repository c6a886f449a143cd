"""This checkout, for processes that tests start elsewhere."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]
PYTHONPATH = os.pathsep.join(str(ROOT / part) for part in ("", "apps", "training"))


def environment(**more: str) -> dict[str, str]:
    """This process's variables, with the packages of this checkout first."""
    return os.environ | {"PYTHONPATH": PYTHONPATH} | more
