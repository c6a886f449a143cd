"""Fresh environments that hold what an installation brings, and nothing else.

Dependencies are links to the packages that run the tests: what is proved is which packages an
installation asks for, not that an index has them.
"""

import os
import subprocess
import sys
import sysconfig
import venv
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from helpers.checkout import ROOT

HERE = Path(sysconfig.get_path("purelib"))
"""Where this environment's packages are."""


def build_wheel(folder: Path) -> Path:
    """The wheel of this checkout."""
    line = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(line, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def needed(distribution: metadata.Distribution, *extras: str) -> set[str]:
    """Names of all distributions that an installation with these extras brings."""
    found: set[str] = set()
    waiting = [(distribution, extras)]
    while waiting:
        one, asked = waiting.pop()
        for line in one.requires or ():
            requirement = Requirement(line)
            marker = requirement.marker
            if marker and not any(marker.evaluate({"extra": extra}) for extra in asked or ("",)):
                continue
            name = canonicalize_name(requirement.name)
            try:
                further = metadata.distribution(name)
            except metadata.PackageNotFoundError:
                continue  # its marker holds on machines of another kind
            if name not in found or requirement.extras:
                found.add(name)
                waiting.append((further, (*requirement.extras, "")))
    return found


class Environment:
    """An environment of its own in a folder, with links to some of the packages of this one."""

    def __init__(self, folder: Path, names: set[str]):
        venv.create(folder)
        self.folder = folder
        self.python = folder / "bin" / "python"
        links = folder / "links"
        links.mkdir()
        for name in names:
            for top in _tops(metadata.distribution(name)):
                if not (links / top).exists():
                    (links / top).symlink_to(HERE / top)
        (site,) = folder.glob("lib/*/site-packages")
        (site / "links.pth").write_text(f"{links}\n")

    def run(self, line: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """A line as a shell takes it, in the checkout; `pip` installs into this environment."""
        path = os.pathsep.join(
            (str(self.folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"])
        )
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run(
            line,
            shell=True,
            cwd=ROOT,
            env=kept | {"PATH": path, "PIP_PYTHON": str(self.python)} | variables,
            capture_output=True,
            text=True,
            timeout=240,
        )


def _tops(distribution: metadata.Distribution) -> set[str]:
    """What lies directly in site-packages of a distribution."""
    tops = {file.parts[0] for file in distribution.files or ()}
    return {top for top in tops if top not in ("..", "__pycache__") and (HERE / top).exists()}
