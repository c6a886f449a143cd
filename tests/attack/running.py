"""Command lines on folders of hostile files, watched while they run."""

import io
import json
import os
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from helpers import checkout
from PIL import Image

from .cases import HANGS_AFTER, Case, Outcome, Tally, chance, sentence
from .pictures import picture
from .truth import by_pillow, enlarged_differs, opens

ROOT = Path(__file__).parents[2]
MOST_PIXELS = 300_000
"""Larger ones, all of them legal, are loaded elsewhere; here they would only take long."""
STARTING = 90.0
FORMATS = ("png", "png", "webp", "tiff", "jpg")


def gsr(*arguments: object) -> list[str]:
    """A command line of this checkout."""
    return [sys.executable, "-m", "gsr", *map(str, arguments)]


def environment(**more: str) -> dict[str, str]:
    return checkout.environment(OMP_WAIT_POLICY="PASSIVE", **more)


@dataclass(frozen=True)
class Run:
    """How a command ended, with a line of stdout for everything it did."""

    lines: list[str]
    said: str
    code: int
    hung: bool


def watched(command: list[str], patience: float = HANGS_AFTER) -> Run:
    """Run a command; one that says nothing on stdout for too long is ended."""
    lines: list[str] = []
    with TemporaryDirectory() as folder, Path(folder, "stderr").open("w+b") as errors:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, env=environment(), cwd=folder
        )
        hung = False
        for line in _lines(process, max(patience, STARTING), patience):
            hung = line is None
            if line is not None:
                lines.append(line)
        process.wait()
        errors.seek(0)
        said = errors.read().decode(errors="replace")
    return Run(lines, said, process.returncode, hung)


def _lines(process: Any, first: float, patience: float) -> Iterator[str | None]:
    """Lines as they come; None at last if it had to be killed."""
    arrived: queue.Queue[bytes] = queue.Queue()

    def read() -> None:
        for line in process.stdout:
            arrived.put(line)
        process.stdout.close()
        arrived.put(b"")

    threading.Thread(target=read, daemon=True).start()
    wait = first
    while True:
        try:
            line = arrived.get(timeout=wait)
        except queue.Empty:
            process.kill()
            yield None
            return
        if not line:
            return
        wait = patience
        yield line.decode(errors="replace").rstrip("\n")


def _small(case: Case) -> bool:
    try:
        with Image.open(io.BytesIO(case.data)) as image:
            return image.width * image.height <= MOST_PIXELS
    except Exception:
        return True


def upscale_folder(seed: int, indices: range, tally: Tally) -> int:
    """`gsr upscale` on a folder with the pictures of these indices; returns how many there were."""
    cases = {f"{index:06d}": picture(seed, index) for index in indices}
    cases = {name: case for name, case in cases.items() if _small(case)}
    g = chance(seed, "folders", indices.start)
    scale, file_format = g.choice((0.5, 1, 1.5, 2, 3.7)), g.choice(FORMATS)
    with TemporaryDirectory(prefix="attack-") as top:
        folder, results = Path(top, "in"), Path(top, "out")
        folder.mkdir()
        for name, case in cases.items():
            (folder / (name + case.suffix)).write_bytes(case.data)
        command = gsr("upscale", folder, "-s", scale, "-f", file_format, "-o", results, "--json")
        left = dict(cases)
        while left:
            done = _judge_run(watched(command), left, scale, file_format, seed, tally)
            for name in done:
                (folder / (name + left.pop(name).suffix)).unlink()
        leftovers = [path.name for path in results.glob("**/.*")] if results.exists() else []
        if leftovers:
            tally.add(f"folder {indices}", "folder run", Outcome.WRONG, f"left {leftovers[:3]}")
    return len(cases)


def _judge_run(
    run: Run, left: dict[str, Case], scale: float, file_format: str, seed: int, tally: Tally
) -> list[str]:
    """Count what a run told; a run that ended early is blamed on the next picture."""
    done = []
    for line in run.lines:
        told = json.loads(line)
        name = Path(told["input"]).stem
        if name in left and name not in done:
            verdict = _judge(told, left[name], scale, file_format)
            tally.add(f"pictures:{int(name)}", left[name].kind, *verdict)
            done.append(name)
    missing = [name for name in sorted(left) if name not in done]
    where = f"pictures:{int(missing[0])}" if missing else "the run"
    if run.hung:
        tally.add(where, "folder run", Outcome.HANG, "no line in time")
    elif "Traceback" in run.said:
        tally.add(where, "folder run", Outcome.TRACEBACK, run.said[-300:])
    elif run.code not in (0, 1) or (missing and not done):
        tally.add(where, "folder run", Outcome.CRASH, f"exit {run.code}: {run.said[-300:]}")
    return done + missing[:1]


def _judge(told: dict[str, Any], case: Case, scale: float, file_format: str) -> tuple[Outcome, str]:
    error = told["error"]
    if told["status"] == "written":
        return _judge_result(told, case, scale)
    if not error or not sentence(error):
        return Outcome.TRACEBACK, str(error)
    if case.sound and opens(case.data) and "transparency" not in error:
        return Outcome.WRONG, f"refused, though sound: {error}"
    return Outcome.REFUSED, error


def _judge_result(told: dict[str, Any], case: Case, scale: float) -> tuple[Outcome, str]:
    size = told["height"], told["width"]
    truth = by_pillow(case.data)
    if truth is None:
        return Outcome.RESULT, ""
    wanted = [max(1.0, scale * side) for side in truth.size]
    if max(abs(a - b) for a, b in zip(size, wanted, strict=True)) > 1:
        return Outcome.WRONG, f"{size} of {truth.size} at {scale}"
    wrong = enlarged_differs(truth, Path(told["output"]).read_bytes(), size)
    return (Outcome.WRONG, wrong) if wrong else (Outcome.RESULT, "")


# --- folders of odd names, and of things that are no files ------------------------------------

_NAMES: tuple[bytes, ...] = (
    b"-rf.png", b"--help.png", b" .png", b"a\nb.png", b"\xff\xfe\x80.png",
    "é漢\U0001f600.png".encode(), b"%s%n{}.png", b"a..png", b"a.png.png", b"A.PNG",
    b"*.png", b"'\".png", b"$(x)`y`.png", b"\x1b[31m.png", "\u202egnp.png".encode(),
    b"x" * 240 + b".png", b"CON.png", b"a\tb\r.png", b"~.png",
)  # fmt: skip


def odd_folder(folder: Path) -> int:
    """Fill a folder with odd names, links, pipes and devices; returns how many sound pictures.

    A folder of its own, since some of it cannot be deleted by every tool.
    """
    sound = picture(1, 0)
    stream = io.BytesIO()
    Image.new("RGB", (9, 7), (90, 120, 150)).save(stream, "PNG")
    for name in _NAMES:
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(stream.getvalue())
    (folder / f"foreign{sound.suffix}").write_bytes(sound.data)
    os.mkfifo(folder / "pipe.png")
    bound = socket.socket(socket.AF_UNIX)
    bound.bind(str(folder / "socket.png"))
    bound.close()
    for name, target in (
        ("zero", "/dev/zero"),
        ("loop", "loop.png"),
        ("gone", "nowhere"),
        ("up", ".."),
    ):
        (folder / f"{name}.png").symlink_to(target)
    (folder / "folder.png").mkdir()
    (folder / "empty.png").touch()
    with (folder / "sparse.png").open("wb") as file:
        file.write(stream.getvalue()[:40])
        file.truncate(2**40)
    return len(_NAMES) + 1


def upscale_odd(tally: Tally) -> None:
    """All of them in one run: the sound ones are done, the rest is refused, nothing waits."""
    with TemporaryDirectory(prefix="attack-") as top:
        folder = Path(top, "in")
        folder.mkdir()
        sound = odd_folder(folder)
        run = watched(gsr("upscale", folder, "-s", 2, "-o", Path(top, "out"), "--json"))
        told = [json.loads(line) for line in run.lines]
        written = sum(one["status"] == "written" for one in told)
        for one in told:
            good = one["status"] == "written" or sentence(one["error"] or "")
            outcome = Outcome.RESULT if one["status"] == "written" else Outcome.REFUSED
            tally.add(
                "odd folder", "odd names", outcome if good else Outcome.TRACEBACK, str(one["error"])
            )
        if run.hung:
            tally.add("odd folder", "odd names", Outcome.HANG, str(told[-1:]))
        elif run.code != 1 or "Traceback" in run.said:
            tally.add(
                "odd folder", "odd names", Outcome.CRASH, f"exit {run.code}: {run.said[-300:]}"
            )
        elif written < sound:
            tally.add("odd folder", "odd names", Outcome.WRONG, f"{written} of {sound} written")


def single_commands(seed: int, indices: range, tally: Tally) -> None:
    """`gsr inspect`, `encode`, `upscale` and `eval`, each with one picture of its own."""
    for index in indices:
        case = picture(seed, index)
        if not _small(case):
            continue
        with TemporaryDirectory(prefix="attack-") as top:
            path = Path(top, f"case{case.suffix}")
            path.write_bytes(case.data)
            command = (
                gsr("inspect", path, "--at", "1,1", "--json"),
                gsr("encode", path, "-o", Path(top, "a.gsf")),
                gsr("upscale", path, "-s", 2, "-o", Path(top, "result.png")),
                gsr(
                    "eval",
                    "--data",
                    top,
                    "--scales",
                    2,
                    "--methods",
                    "bicubic",
                    "-o",
                    Path(top, "e"),
                ),
            )[index % 4]
            run = watched(command, STARTING)
            tally.add(f"pictures:{index}", f"gsr {command[3]}", *_judge_single(run))


def _judge_single(run: Run) -> tuple[Outcome, str]:
    last = run.said.strip().splitlines()[-1:] or [""]
    if run.hung:
        return Outcome.HANG, ""
    if run.code == 0:
        return Outcome.RESULT, ""
    if "Traceback" in run.said or (run.code in (1, 2) and not sentence(last[0])):
        return Outcome.TRACEBACK, run.said[-300:]
    return (Outcome.REFUSED, last[0]) if run.code in (1, 2) else (Outcome.CRASH, f"exit {run.code}")
