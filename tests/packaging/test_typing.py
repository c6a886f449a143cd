"""An editor sees the types of an installed gsr, widgets and figures included."""

import subprocess
import sys
from pathlib import Path

from helpers.checkout import ROOT
from helpers.installed import Environment

# Other packages' types play no part in this file, and reading torch's takes long.
CONFIG = """
[mypy]
warn_unused_ignores = true
[mypy-torch.*,numpy.*,PIL.*,numba.*,llvmlite.*,pydantic.*,rich.*,typer.*,safetensors.*,plotly.*]
follow_imports = skip
ignore_missing_imports = true
"""


def test_a_user_file_is_checked_against_the_installed_wheel(
    plain: Environment, tmp_path: Path
) -> None:
    (tmp_path / "mypy.ini").write_text(CONFIG)
    (tmp_path / "use.py").write_text((ROOT / "tests/packaging/typed_use.py").read_text("utf-8"))
    line = [sys.executable, "-m", "mypy", "--config-file=mypy.ini", "--cache-dir=/dev/null"]
    line += [f"--python-executable={plain.python}", "use.py"]
    found = subprocess.run(line, cwd=tmp_path, env={"PATH": ""}, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr
