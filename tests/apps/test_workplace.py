"""The folder of a running app, and what is left of those that were killed."""

import tempfile
from pathlib import Path

import pytest
from gsr_apps.studio import workplace as module
from gsr_apps.studio.workplace import PREFIX, workplace


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("locks", [True, False])
def test_it_is_there_while_the_app_runs(
    temporary: Path, monkeypatch: pytest.MonkeyPatch, locks: bool
) -> None:
    if not locks:  # as on Windows
        monkeypatch.setattr(module, "fcntl", None)
    with workplace() as folder:
        assert folder.is_dir()
        assert folder.parent == temporary
        assert tempfile.gettempdir() == str(folder)
    assert not folder.exists()
    assert tempfile.gettempdir() == str(temporary)


def test_folders_of_the_living_stay(temporary: Path) -> None:
    left = temporary / f"{PREFIX}dead"
    left.mkdir()
    (left / "in-use").touch()
    with workplace() as first:
        assert not left.exists()
        tempfile.tempdir = str(temporary)
        with workplace():
            assert first.is_dir()
