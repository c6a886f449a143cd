"""`gsr data` as a command: what it prints, its exit codes, and that it needs no PyTorch."""

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image

import gsr.cli
from gsr.tasks.datasets import Dataset, Part, RemoteFile, downloading, registry

ROOT = Path(gsr.cli.__file__).parents[2]


@dataclass
class Result:
    code: int
    out: str
    err: str


@pytest.fixture
def cli(capsys) -> Callable[..., Result]:
    def run(*arguments: object) -> Result:
        code = gsr.cli.run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return run


def pictures(folder: Path, count: int = 3) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, count + 1):
        Image.new("RGB", (8, 6), (number, 0, 0)).save(folder / f"{number}.png")


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for number in range(1, 4):
            content = io.BytesIO()
            Image.new("RGB", (8, 6), (number, 0, 0)).save(content, "png")
            packed.writestr(f"Toy/HR/{number}.png", content.getvalue())
        packed.writestr("Toy/padding.bin", os.urandom(200_000))
    return file.getvalue()


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *arguments) -> None:
        pass

    def do_GET(self) -> None:
        content: bytes | None = self.server.content.get(self.path)
        self.server.asked.append((self.path, self.headers.get("Range")))
        if content is None:
            return self.send_error(404)
        start = int(self.headers.get("Range", "bytes=0-")[6:-1])
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("ETag", '"one"')
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        if self.server.hold is not None and not start:
            self.wfile.write(content[:100_000])
            self.wfile.flush()
            self.server.hold.wait(20)
            return None
        self.wfile.write(content[start:])
        return None


@pytest.fixture
def server(monkeypatch) -> Iterator[ThreadingHTTPServer]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(downloading, "PAUSES", (0.0,))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.content, server.asked, server.hold = {"/Toy.zip": archive()}, [], None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def toy(server, monkeypatch) -> Dataset:
    """Three pictures on a server of our own, among the known sets."""
    url = f"http://127.0.0.1:{server.server_port}/Toy.zip"
    content = server.content["/Toy.zip"]
    file = RemoteFile(url, {"Toy/HR": 3}, size=len(content))
    dataset = Dataset("Toy", "http://example.org/", (Part("", 3, (1, 3)),), files=(file,))
    monkeypatch.setattr(registry, "DATASETS", {**registry.DATASETS, "Toy": dataset})
    return dataset


# --- Checking --------------------------------------------------------------------------------


def test_help(cli):
    for arguments in ((), ("--help",), ("-h",)):
        result = cli("data", *arguments)
        assert (result.code, result.err) == (0, "")
        assert "check" in result.out
        assert "fetch" in result.out
    for command in ("check", "fetch"):
        assert cli("data", command, "--help").code == 0


def test_a_complete_set(cli, toy, tmp_path):
    pictures(tmp_path / "Toy" / "HR")
    for extra in ((), ("--deep",)):
        result = cli("data", "check", "toy", tmp_path, *extra)
        assert (result.code, result.err) == (0, "")
        lines = result.out.splitlines()
        assert lines[0] == f"Toy in {tmp_path / 'Toy'}: complete"
        assert lines[1].split() == ["HR", "3", "of", "3", "HR,", "8", "x", "6"]


def test_an_incomplete_set(cli, toy, tmp_path):
    pictures(tmp_path, count=2)
    (tmp_path / "notes.txt").write_text("hello")
    Image.new("L", (8, 6)).save(tmp_path / "1.png")
    result = cli("data", "check", "Toy", tmp_path)
    assert (result.code, result.err) == (1, "")
    assert result.out.splitlines()[2:] == [
        "  note: 1 other file next to the pictures: notes.txt",
        "  missing: HR: 2 pictures of 3, without 3",
        "  odd: HR: 1 picture stored as grey, not as RGB: 1.png",
    ]


def test_many_files_are_counted(cli, tmp_path):
    for number in range(8):
        (tmp_path / f"{number}.txt").write_text("hello")
    line = cli("data", "check", "Set5", tmp_path).out.splitlines()[1]
    assert line.endswith("next to the pictures: 0.txt, 1.txt, 2.txt, 3.txt, 4.txt, and 3 more")


def test_json(cli, toy, tmp_path):
    pictures(tmp_path, count=2)
    result = cli("data", "check", "Toy", tmp_path, "--json")
    assert result.code == 1
    told = json.loads(result.out)
    assert (told["name"], told["folder"], told["complete"]) == ("Toy", str(tmp_path), False)
    assert told["groups"] == [
        {
            "folder": ".", "kind": "HR", "part": "", "scale": 0, "pictures": 2, "expected": 3,
            "smallest": [8, 6], "largest": [8, 6],
        }
    ]  # fmt: skip
    assert told["findings"] == [
        {"grade": "missing", "text": "HR: 2 pictures of 3, without 3", "files": []}
    ]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("check", "Set6", "."), "Set6"),
        (("check", "Set5", "nowhere"), "nowhere is not a folder"),
        (("check", "Set5", ".", "--only", "train"), "no part 'train'"),
        (("check", "Set5"), "Missing argument"),
        (("fetch", "Set6", "."), "Set6"),
        (("fetch", "DIV2K", ".", "--only", "X5"), "X5"),
        (("frob",), "frob"),
    ],
)
def test_bad_usage(cli, arguments, word, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = cli("data", *arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: ")
    assert word in result.err
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_no_folder(cli, toy, tmp_path):
    (tmp_path / "file").write_text("hello")
    for command in ("check", "fetch"):
        assert cli("data", command, "Toy", tmp_path / "file").code == 2


# --- Fetching --------------------------------------------------------------------------------


def test_fetch_then_check_then_nothing(cli, toy, server, tmp_path):
    folder = tmp_path / "new"
    result = cli("data", "fetch", "Toy", folder)
    checksum = hashlib.sha256(server.content["/Toy.zip"]).hexdigest()
    assert result.code == 0
    assert result.out == f"{checksum}  Toy.zip\n"
    assert "no checksum of Toy.zip is known" in result.err
    assert f"{folder / 'Toy' / 'HR'}: 3 pictures" in result.err
    assert [path.name for path in folder.iterdir()] == ["Toy"]
    assert cli("data", "check", "Toy", folder).code == 0
    server.asked.clear()
    again = cli("data", "fetch", "Toy", folder)
    assert (again.code, again.out) == (0, "")
    assert again.err == "Toy.zip: all of it is there already.\n"
    assert server.asked == []


def test_a_known_checksum_is_compared(cli, toy, server, tmp_path, monkeypatch):
    good = hashlib.sha256(server.content["/Toy.zip"]).hexdigest()
    for known, code in (("0" * 64, 1), (good, 0)):
        dataset = replace(toy, files=(replace(toy.files[0], sha256=known),))
        monkeypatch.setattr(registry, "DATASETS", {"Toy": dataset})
        result = cli("data", "fetch", "Toy", tmp_path, "--quiet")
        assert result.code == code
        assert (tmp_path / "Toy").exists() == (code == 0)
        assert ("is expected; it was not kept" in result.err) == (code == 1)


def test_one_file_that_fails_does_not_stop_the_others(cli, toy, server, tmp_path, monkeypatch):
    gone = replace(toy.files[0], url=toy.files[0].url.replace("Toy", "Gone"), folders={"Gone": 1})
    dataset = replace(toy, files=(gone, toy.files[0]))
    monkeypatch.setattr(registry, "DATASETS", {"Toy": dataset})
    result = cli("data", "fetch", "Toy", tmp_path)
    assert result.code == 1
    assert "answers 404" in result.err
    assert result.out.endswith("  Toy.zip\n")
    assert [path.name for path in tmp_path.iterdir()] == ["Toy"]


@pytest.mark.parametrize(
    ("name", "page"), [("Manga109", "manga109.org"), ("General100", "FSRCNN.html")]
)
def test_sets_that_are_asked_for_are_not_downloaded(cli, name, page, tmp_path, monkeypatch):
    monkeypatch.setattr(downloading, "_opener", lambda: pytest.fail("the net was asked"))
    result = cli("data", "fetch", name, tmp_path / "data")
    assert (result.code, result.out) == (1, "")
    assert page in result.err
    assert not (tmp_path / "data").exists()


def command(toy: Dataset, *arguments: object) -> list[str]:
    """A fresh interpreter that knows the toy set, and tells whether PyTorch was loaded."""
    file = toy.files[0]
    code = (
        # Started in the background of a shell, a process would ignore the signal.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "import sys; from gsr.tasks.datasets import Dataset, Part, RemoteFile, registry; "
        f"file = RemoteFile({file.url!r}, {file.folders!r}, size={file.size!r}); "
        "toy = Dataset('Toy', '', (Part('', 3, (1, 3)),), files=(file,)); "
        "registry.DATASETS = {'Toy': toy}; "
        "from gsr.cli import run; code = run(sys.argv[1:]); "
        "assert 'torch' not in sys.modules; sys.exit(code)"
    )
    return [sys.executable, "-c", code, *map(str, arguments)]


def test_interrupted_and_run_again(toy, server, tmp_path):
    server.hold = threading.Event()
    arguments = command(toy, "data", "fetch", "Toy", tmp_path)
    options = {"cwd": ROOT, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    running = subprocess.Popen(arguments, **options)
    part = tmp_path / "Toy.zip.partial"
    deadline = time.monotonic() + 30
    while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=30)
    server.hold.set()
    assert (running.returncode, out) == (130, "")
    assert err.startswith("error: interrupted; what has arrived is kept")
    have = part.stat().st_size
    assert 0 < have <= 100_000
    server.asked.clear()
    again = subprocess.run(arguments, **options, timeout=30)
    assert again.returncode == 0, again.stderr
    assert server.asked == [("/Toy.zip", f"bytes={have}-")]
    assert sorted(path.name for path in (tmp_path / "Toy" / "HR").iterdir()) == [
        "1.png", "2.png", "3.png",
    ]  # fmt: skip
    checked = subprocess.run(
        command(toy, "data", "check", "Toy", tmp_path, "--deep"), **options, timeout=30
    )
    assert checked.returncode == 0, checked.stderr + checked.stdout
