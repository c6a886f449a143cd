"""docs/reliability.md from what an attack found: figures as they came out."""

import os
import platform
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version

import psutil

from .cases import GOOD, Outcome, Tally
from .crowding import Load
from .killing import WORKS

_SHOWN = 20
"""Faults in full."""
_PACKAGES = ("pillow", "torch", "numpy", "gradio", "starlette", "safetensors", "pydantic")


@dataclass
class Findings:
    """Everything that an attack found.

    Attributes:
        ran: Parts that were run: with which options, on which day, for how many seconds.
        fed: Outcomes of inputs, by a name of the way they took.
        kills: Outcomes of signals and of what came after.
        load: What a crowd met, None where there was none.
        crowd: How many clients for how many seconds.
        memory: Bytes over time, by what it is the memory of.
    """

    ran: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    fed: dict[str, Tally] = field(default_factory=dict)
    kills: Tally = field(default_factory=Tally)
    load: Load | None = None
    crowd: tuple[int, float] = (0, 0)
    memory: dict[str, list[int]] = field(default_factory=dict)


def report(found: Findings) -> str:
    """The whole page."""
    parts = [_head(found), _inputs(found), _kinds(found)]
    if found.kills.counts:
        parts.append(_kills(found.kills))
    if found.load is not None:
        parts.append(_load(found.load, *found.crowd))
    parts += [_memory(found.memory), _lost(found)]
    return "\n\n".join(parts) + "\n"


def _table(head: tuple[str, ...], rows: Iterator[tuple[object, ...]]) -> str:
    lines = [head, ("---", *["---:"] * (len(head) - 1)), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _outcomes(name: str, counts: Counter[Outcome]) -> tuple[object, ...]:
    return name, counts.total(), *(counts[outcome] for outcome in Outcome)


def _head(found: Findings) -> str:
    gigabytes = psutil.virtual_memory().total / 2**30
    ran = _table(("part", "options", "day", "seconds"), ((n, *r) for n, r in found.ran.items()))
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return f"""# Reliability

What hostile inputs, requests, kills and a crowd did to gsr. `make attack`
(`python -m tests.attack`) writes this page. These parts were run

{ran}

on {platform.system()}, {os.cpu_count()} cores ({platform.machine()}), {gigabytes:.0f} GiB of \
memory, Python {platform.python_version()}, {packages}.
Every input is made from a seed (1 unless given) and its number:
`python -m tests.attack --show pictures:123 --out FILE` writes one. The generators are in
`tests/attack/`, and a short part of them runs in `make test`.

*Result*: a picture (compared with what Pillow makes of the file where Pillow opens it: size,
colours, transparency), a field, an answer. *Refused*: one sentence of plain words. A *hang* is 20 s
without an answer. *Wrong* is a picture that differs, a sound picture refused, a file read that was
not uploaded, a request of another site answered, a damaged field that opens and shows something
else."""


def _inputs(found: Findings) -> str:
    head = ("way", "inputs", *Outcome)
    rows = (_outcomes(name, tally.total) for name, tally in found.fed.items())
    return "## Inputs\n\n" + _table(head, rows)


def _kinds(found: Findings) -> str:
    """What was tried, formats of one kind of damage together."""
    grouped: dict[str, Counter[Outcome]] = {}
    for tally in found.fed.values():
        for kind, counts in tally.counts.items():
            grouped.setdefault(_group(kind), Counter()).update(counts)
    rows = (_outcomes(name, grouped[name]) for name in sorted(grouped))
    return "### By kind\n\n" + _table(("what was done", "inputs", *Outcome), rows)


_FORMATS = ("png", "jpg", "tif", "webp", "gif", "bmp", "avif", "jp2", "ppm", "pfm")


def _group(kind: str) -> str:
    words = [word for word in kind.split() if word not in _FORMATS]
    return " ".join(words).removesuffix(" of")


def _kills(kills: Tally) -> str:
    """One line for each command: signals that hit it, and what was found after going on."""

    def rows() -> Iterator[tuple[object, ...]]:
        for work in WORKS:
            hits = [kills.counts.get(f"{work.name}, {name}", Counter()) for name in _SIGNALS]
            gone_on = kills.counts.get(f"{work.name}, compared", Counter())
            bad = sum(n for c in hits for outcome, n in c.items() if outcome not in GOOD)
            yield (
                f"gsr {work.name}",
                *(counts.total() for counts in hits),
                bad,
                gone_on.total(),
                gone_on[Outcome.RESULT],
            )

    total = sum(c.total() for kind, c in kills.counts.items() if kind.endswith(_SIGNALS))
    head = ("command", *_SIGNALS, "ended badly", "gone on to the end", "same as never stopped")
    return f"""## Kills

{total} signals that hit a running process, at random moments, up to five before the work was let
finish. Compared with a run that was left alone: every byte of the pictures, every tensor of fields
and weights, every row of tables, every loss.

{_table(head, rows())}"""


_SIGNALS = ("SIGKILL", "SIGTERM", "SIGINT")


def _load(load: Load, clients: int, seconds: float) -> str:
    def rows() -> Iterator[tuple[object, ...]]:
        for kind, times in sorted(load.seconds.items()):
            ordered = sorted(times)
            at = (ordered[len(ordered) // 2], ordered[int(0.95 * len(ordered))], ordered[-1])
            yield kind, len(ordered), *(f"{value:.2f}" for value in at)

    answers = ", ".join(f"{n} x {status}" for status, n in sorted(load.statuses.items()))
    begin, end = load.memory[0][1] / 2**20, load.memory[-1][1] / 2**20
    settled = [bytes_ / 2**20 for at, bytes_ in load.memory if at > seconds / 2][:1] or [end]
    return f"""## Load

{clients} clients for {seconds:.0f} s, each with a picture of its own; {load.died} connections left
in the middle. Answers by status: {answers} (503: more people than frames can be made for at a
time; 0: none).

{_table(("question", "answers", "median, s", "p95, s", "longest, s"), rows())}

Memory of the server: {begin:.0f} MiB at the start, {settled[0]:.0f} half-way, {end:.0f} at the end;
it keeps fields up to 1.5 GB, then drops the oldest.
File descriptors: {load.descriptors[0]} and {load.descriptors[1]}. Answers that
were another's, none or failures: {len(load.wrong)}. Tracebacks: {load.tracebacks}. At the end it
{"still answered" if load.alive else "answered no longer"}."""


def _memory(memory: dict[str, list[int]]) -> str:
    rows = (
        (name, len(values), *(f"{n / 2**20:.0f}" for n in (values[0], max(values), values[-1])))
        for name, values in memory.items()
        if values
    )
    return "## Memory, MiB\n\n" + _table(("of", "looks", "first", "most", "last"), rows)


def _lost(found: Findings) -> str:
    faults = [fault for tally in (*found.fed.values(), found.kills) for fault in tally.faults]
    lost = [f"{said}" for said in (found.load.wrong if found.load else [])]
    if not faults and not lost:
        return "## What was lost\n\nNothing."
    lines = [
        f"- `{f.where}` ({f.kind}), {f.outcome}: {' '.join(f.said.split())[:200]}" for f in faults
    ]
    lines += [f"- load: {said}" for said in lost]
    more = f"\n- and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return f"## What was lost\n\n{len(lines)}:\n\n" + "\n".join(lines[:_SHOWN]) + more
