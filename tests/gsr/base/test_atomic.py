"""Files that are whole or not there, and what killed runs leave."""

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gsr.base.atomic import remove_leftovers, replacing, writing
from gsr.base.errors import OutputError
from gsr.base.files import prepare_folder

WRITER = """
import sys, time
from pathlib import Path
from gsr.base.atomic import writing
with writing(Path(sys.argv[1])) as stream:
    stream.write(b"half")
    print("half", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def writer(tmp_path):
    """A process that has written half of a file, and ends it well once its input is closed."""
    path = os.pathsep.join(filter(None, sys.path))
    run = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "slow.bin")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": path},
    )
    with run:
        assert run.stdout.readline() == b"half\n"
        yield run
        run.kill()


def parts(folder: Path) -> list[Path]:
    return sorted(folder.glob(".*.part"))


def write(path: Path) -> None:
    with writing(path) as stream:
        stream.write(b"whole")


def test_what_a_killed_process_left_goes_with_the_next_file(writer, tmp_path):
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert len(parts(tmp_path)) == 1
    write(tmp_path / "other.bin")
    assert sorted(os.listdir(tmp_path)) == ["other.bin"]


def test_what_a_killed_process_left_goes_when_a_folder_is_looked_at(writer, tmp_path):
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    prepare_folder(tmp_path, create=False)
    assert os.listdir(tmp_path) == []


def test_what_a_living_process_writes_stays(writer, tmp_path):
    (mine,) = parts(tmp_path)
    for _ in range(3):
        write(tmp_path / "other.bin")
        remove_leftovers(tmp_path)
    assert parts(tmp_path) == [mine]
    writer.communicate()
    assert writer.returncode == 0
    assert (tmp_path / "slow.bin").read_bytes() == b"half"
    assert parts(tmp_path) == []


def test_what_this_process_writes_elsewhere_stays(tmp_path):
    with replacing(tmp_path / "a") as stream:
        write(tmp_path / "b")
        stream.write(b"late")
    assert (tmp_path / "a").read_bytes() == b"late"


def test_only_our_own_names_are_leftovers(tmp_path):
    others = [".part", "a.part", ".0123456789abcdef.part.bak", ".xyz.part", "0123456789abcdef.part"]
    for name in others:
        (tmp_path / name).touch()
    (tmp_path / ".0123456789abcdef.part").touch()
    write(tmp_path / "b")
    assert sorted(os.listdir(tmp_path)) == sorted([*others, "b"])


def test_many_threads_write_into_one_folder(tmp_path):
    def work(number: int) -> None:
        for turn in range(20):
            with writing(tmp_path / f"{number}") as stream:
                stream.write(f"{number} {turn}".encode())

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {p.name: p.read_bytes().decode() for p in tmp_path.iterdir()} == {
        str(number): f"{number} 19" for number in range(6)
    }


def test_a_new_file_that_was_taken_for_a_leftover_is_made_again(tmp_path, monkeypatch):
    import gsr.base.atomic as atomic

    flock, taken = atomic.fcntl.flock, []

    def late(stream: object, how: int) -> None:
        if not taken:
            (path,) = parts(tmp_path)
            taken.append(path)
            path.unlink()
        flock(stream, how)

    monkeypatch.setattr(atomic.fcntl, "flock", late)
    write(tmp_path / "a")
    assert taken
    assert (tmp_path / "a").read_bytes() == b"whole"


def test_a_file_system_without_locks_works_and_nothing_is_removed(tmp_path, monkeypatch):
    import gsr.base.atomic as atomic

    def refuse(stream: object, how: int) -> None:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    monkeypatch.setattr(atomic.fcntl, "flock", refuse)
    left = tmp_path / ".0123456789abcdef.part"
    left.touch()
    write(tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"whole"
    assert left.exists()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "x"), "the disk is full."),
        (OSError(errno.EFBIG, "x"), "files may not be as large here."),
        (OSError("encoder error -2 when writing image file"), "not all of it could be stored; is"),
    ],
)
def test_a_full_disk_is_called_so(error, said, tmp_path):
    with pytest.raises(OutputError, match=said), writing(tmp_path / "a"):
        raise error
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_what_takes_the_place_of_a_file_takes_its_permissions(tmp_path, mode):
    target = tmp_path / "a.png"
    target.write_bytes(b"old")
    target.chmod(mode)
    with writing(target) as stream:
        assert os.fstat(stream.fileno()).st_mode & 0o777 == mode  # before anything is in it
        stream.write(b"new")
    assert (target.read_bytes(), target.stat().st_mode & 0o777) == (b"new", mode)


def test_a_read_only_file_stays(tmp_path):
    target = tmp_path / "a.png"
    target.write_bytes(b"old")
    target.chmod(0o444)
    with pytest.raises(OutputError, match="is read-only, and is not replaced"), writing(target):
        raise AssertionError("nothing was begun")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]
