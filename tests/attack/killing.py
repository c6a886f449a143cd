"""Runs ended by a signal at any moment, gone on with, and compared with one that was left alone."""

import csv
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from safetensors import safe_open

from .cases import Outcome, Tally, chance, sentence
from .running import environment, gsr
from .sound import drawn, saved

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
ENDS = {signal.SIGKILL: (-9,), signal.SIGTERM: (-15, 143), signal.SIGINT: (-2, 130)}
PATIENCE = 30.0
"""Seconds within which a signal must have ended a process."""
DONE_AFTER = 300.0
Facts = dict[str, object]


@dataclass(frozen=True)
class Work:
    """Something that takes a while.

    Attributes:
        name: For the report.
        pictures: How many there are to work on, and how large.
        command: Of a folder, which holds `pictures`; results go into `out`.
        facts: Of a folder, what must be the same however often the work was cut off.
    """

    name: str
    pictures: tuple[int, int]
    command: Callable[[Path], list[str]]
    facts: Callable[[Path], Facts]


def _files(folder: Path) -> Facts:
    return {path.name: path.read_bytes() for path in sorted((folder / "out").glob("*"))}


def _tensors(path: Path) -> Facts:
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name).numpy().tobytes() for name in sorted(file.keys())}


def _trained(folder: Path) -> Facts:
    with (folder / "out" / "log.csv").open() as file:
        losses = {row["step"]: row["loss"] for row in csv.DictReader(file)}
    return _tensors(folder / "out" / "lite.safetensors") | losses


def _evaluated(folder: Path) -> Facts:
    out = folder / "out"
    return {"rows": sorted((out / "results.csv").read_text().splitlines())} | {
        path.name: path.read_text() for path in out.glob("*.md")
    }


def _small_training(folder: Path) -> list[str]:
    small = ("--data.crop=8", "--data.queries=64", "--train.steps=40", "--run.save_every=4")
    return gsr(
        "train",
        "debug",
        "--data",
        folder / "pictures",
        "--out",
        folder / "out",
        "--threads",
        1,
        *small,
    )


WORKS = (
    Work(
        "upscale",
        (12, 96),
        lambda folder: gsr("upscale", folder / "pictures", "-s", 3, "-o", folder / "out"),
        _files,
    ),
    Work(
        "encode",
        (1, 400),
        lambda folder: gsr(
            "encode", folder / "pictures" / "0.png", "-o", folder / "out" / "a.gsf", "--overwrite"
        ),
        lambda folder: _tensors(folder / "out" / "a.gsf"),
    ),
    Work(
        "eval",
        (6, 120),
        lambda folder: gsr(
            "eval", "--data", folder / "pictures", "--methods", "bicubic,lite", "-o", folder / "out"
        ),
        _evaluated,
    ),
    Work("train", (2, 64), _small_training, _trained),
)


def kill_until(seed: int, work: Work, wanted: int, tally: Tally) -> int:
    """Kill one kind of work so many times while it runs; returns how often it was compared."""
    g = chance(seed, work.name, 0)
    with TemporaryDirectory(prefix="attack-") as top:
        alone, folder = Path(top, "alone"), Path(top, "killed")
        for each in (alone, folder):
            _prepare(each, work)
        start = time.monotonic()
        _run(work, alone, tally)
        takes, expected = time.monotonic() - start, work.facts(alone)
        hits = compared = 0
        while hits < wanted:
            shutil.rmtree(folder / "out")
            (folder / "out").mkdir()
            for _ in range(min(5, wanted - hits)):
                hit = _kill(work, folder, takes, g, tally)
                hits += hit
                if not hit:
                    break
            _run(work, folder, tally)
            compared += 1
            _compare(work, folder, expected, tally)
    return compared


def _prepare(folder: Path, work: Work) -> None:
    (folder / "pictures").mkdir(parents=True)
    (folder / "out").mkdir()
    count, side = work.pictures
    for number in range(count):
        image = drawn(random.Random(number), side, side)
        (folder / "pictures" / f"{number}.png").write_bytes(saved(image, "PNG"))


def _start(work: Work, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        work.command(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=environment(),
    )


def _run(work: Work, folder: Path, tally: Tally) -> None:
    """To the end."""
    process = _start(work, folder)
    try:
        _, said = process.communicate(timeout=DONE_AFTER)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        tally.add(work.name, f"{work.name}, gone on", Outcome.HANG)
        return
    good = process.returncode == 0 and "Traceback" not in said
    tally.add(
        work.name, f"{work.name}, gone on", Outcome.RESULT if good else Outcome.CRASH, said[-300:]
    )


def _kill(work: Work, folder: Path, takes: float, g: random.Random, tally: Tally) -> bool:
    """Start, wait a random while, send a signal; whether it hit a process that was running."""
    number = g.choice(SIGNALS)
    process = _start(work, folder)
    try:
        process.communicate(timeout=takes * g.uniform(0.05, 1))
        return False
    except subprocess.TimeoutExpired:
        process.send_signal(number)
    kind = f"{work.name}, {number.name}"
    try:
        _, said = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        tally.add(work.name, kind, Outcome.HANG, "the signal did not end it")
        return True
    if process.returncode == 0:  # it was about to end
        return False
    tally.add(work.name, kind, *_judge(work, folder, process.returncode, number, said))
    return True


def _judge(
    work: Work, folder: Path, code: int, number: signal.Signals, said: str
) -> tuple[Outcome, str]:
    if "Traceback" in said:
        return Outcome.TRACEBACK, said[-300:]
    if code not in ENDS[number]:
        return Outcome.WRONG, f"exit {code} after {number.name}: {said[-200:]}"
    last = said.strip().splitlines()[-1:] or ["ended"]
    if not sentence(last[0]):
        return Outcome.TRACEBACK, last[0]
    for path in (folder / "out").rglob("*"):
        # Whole or not there: safetensors and pictures tell themselves.
        if path.suffix == ".gsf" or path.name.endswith(".safetensors"):
            try:
                _tensors(path)
            except Exception as error:
                return Outcome.WRONG, f"{path.name} is half-written: {error}"
    return Outcome.REFUSED if number != signal.SIGKILL else Outcome.RESULT, ""


def _compare(work: Work, folder: Path, expected: Facts, tally: Tally) -> None:
    kind = f"{work.name}, compared"
    left = [path.name for path in (folder / "out").rglob(".*")]
    try:
        found = work.facts(folder)
    except OSError as error:
        tally.add(work.name, kind, Outcome.WRONG, str(error))
        return
    other = sorted(
        name for name in expected.keys() | found.keys() if found.get(name) != expected.get(name)
    )
    if other or left:
        tally.add(work.name, kind, Outcome.WRONG, f"differ: {other[:5]}, left over: {left[:5]}")
    else:
        tally.add(work.name, kind, Outcome.RESULT)
