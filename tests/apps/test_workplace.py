"""What an app leaves behind when it is killed, and who clears it up."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from apps.studio.workplace import PREFIX, workplace

LIVING = """
import sys, time
from apps.studio.workplace import workplace
with workplace() as folder:
    (folder / "upload.png").write_bytes(b"x")
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("GRADIO_TEMP_DIR", raising=False)
    return tmp_path


def living(temporary):
    env = os.environ | {"TMPDIR": str(temporary)}
    process = subprocess.Popen(
        [sys.executable, "-c", LIVING], stdout=subprocess.PIPE, text=True, env=env
    )
    return process, Path(process.stdout.readline().strip())


def test_everything_temporary_lies_in_one_private_folder_that_goes(temporary):
    with workplace() as folder:
        assert folder.stat().st_mode & 0o77 == 0
        assert Path(tempfile.mkdtemp()).parent == folder
        assert Path(os.environ["GRADIO_TEMP_DIR"]).parent == folder
    assert list(temporary.iterdir()) == []
    assert tempfile.gettempdir() == str(temporary)
    assert "GRADIO_TEMP_DIR" not in os.environ


def test_the_next_app_clears_up_after_one_that_was_killed_but_not_after_one_alive(temporary):
    (killed, left), (alive, used) = living(temporary), living(temporary)
    try:
        killed.send_signal(signal.SIGKILL)
        killed.wait(20)
        assert (left / "upload.png").exists()
        foreign = temporary / f"{PREFIX}foreign"  # no lock: nobody knows whose it is
        foreign.mkdir()
        (temporary / f"{PREFIX}link").symlink_to(used)
        with workplace():
            assert not left.exists()
            assert (used / "upload.png").exists()
            assert foreign.exists()
    finally:
        for process in (killed, alive):
            process.kill()
            process.wait(20)
            process.stdout.close()
