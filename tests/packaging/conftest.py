"""The wheel of this checkout, and an environment it is installed in."""

from importlib import metadata
from pathlib import Path

import pytest
from helpers.installed import Environment, build_wheel, needed


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def built(wheel: Path) -> metadata.Distribution:
    """What the wheel says of itself."""
    (found,) = metadata.distributions(path=[str(wheel)])
    return found


@pytest.fixture(scope="session")
def plain(
    wheel: Path, built: metadata.Distribution, tmp_path_factory: pytest.TempPathFactory
) -> Environment:
    """The wheel in an environment that has its dependencies, without any extra."""
    made = Environment(tmp_path_factory.mktemp("plain") / "it", needed(built))
    done = made.run(f"pip install --no-index --no-deps '{wheel}'")
    assert done.returncode == 0, done.stderr
    return made
