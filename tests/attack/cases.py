"""What an input is, and what may come of it."""

import random
import re
import sys
import threading
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """In the order of the report; the first two are as it should be."""

    RESULT = "result"
    REFUSED = "refused in a sentence"
    TRACEBACK = "traceback"
    HANG = "hang"
    CRASH = "crash"
    WRONG = "wrong"


GOOD = (Outcome.RESULT, Outcome.REFUSED)
HANGS_AFTER = 20.0
"""Seconds without an answer."""


@dataclass(frozen=True)
class Case:
    """One input.

    Attributes:
        kind: What was done to it, for the report.
        suffix: Of its file, with the dot.
        data: The file.
        sound: Nothing is wrong with its pixels: where Pillow opens it, refusing it is wrong.
    """

    kind: str
    suffix: str
    data: bytes
    sound: bool = False


@dataclass(frozen=True)
class Fault:
    """Something that should not have happened, and how to make the input again."""

    where: str
    outcome: Outcome
    kind: str
    said: str


_COUNTING = threading.Lock()


@dataclass
class Tally:
    """Outcomes by kind of input."""

    counts: dict[str, Counter[Outcome]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def add(self, where: str, kind: str, outcome: Outcome, said: str = "") -> None:
        """Count one; several threads may do so."""
        with _COUNTING:
            self.counts.setdefault(kind, Counter())[outcome] += 1
        if outcome not in GOOD:
            self.faults.append(Fault(where, outcome, kind, said))
            print(f"{where} ({kind}), {outcome}: {' '.join(said.split())[-200:]}", file=sys.stderr)

    @property
    def total(self) -> Counter[Outcome]:
        return sum(self.counts.values(), Counter())


def chance(seed: int, domain: str, index: int) -> random.Random:
    """The draws of one input, the same on every machine."""
    return random.Random(f"{seed} {domain} {index}")


_LEFTOVERS = re.compile(
    r"Traceback|Errno|object at 0x|<class |NoneType|\b[A-Z]\w+(Error|Exception)\b"
)


def sentence(text: str) -> bool:
    """Whether this is what a person can read: one line, no leftovers of an exception."""
    return bool(text.strip()) and "\n" not in text.strip() and not _LEFTOVERS.search(text)
