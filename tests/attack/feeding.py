"""Inputs one after the other through processes that live long and are watched from outside."""

import multiprocessing
import os
import time
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection, wait
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from .cases import HANGS_AFTER, Outcome, Tally

STARTING = 120.0
"""Seconds that a new process may take over its first input: it imports PyTorch."""


def _live(pipe: Connection, domain: str, seed: int) -> None:
    """A child's life: an index comes, what became of it goes back."""
    import torch

    from .tasting import taste, warm_up

    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # libraries in C say on stderr what they think
    torch.set_num_threads(1)  # there is a process for every core
    with TemporaryDirectory(prefix="attack-") as folder:
        warm_up()
        while (index := pipe.recv()) is not None:
            outcome, said = taste(domain, seed, index, Path(folder))
            pipe.send((outcome.value, said, psutil.Process().memory_info().rss))


class _Taster:
    """One child, seen from outside."""

    def __init__(self, domain: str, seed: int):
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=_live, args=(theirs, domain, seed))
        self._process.start()
        theirs.close()
        self._patience = STARTING
        self.index: int | None = None
        self._since = 0.0
        self.memory: list[int] = []

    def ask(self, index: int) -> None:
        self.index, self._since = index, time.monotonic()
        self.pipe.send(index)

    def answer(self) -> tuple[Outcome, str] | None:
        """What became of its input; None while it still works."""
        if self.pipe.poll():
            try:
                outcome, said, memory = self.pipe.recv()
            except (EOFError, OSError):
                self._process.join()
                return Outcome.CRASH, f"the process ended with {self._process.exitcode}"
            self._patience = HANGS_AFTER
            self.memory.append(memory)
            return Outcome(outcome), said
        if time.monotonic() - self._since > self._patience:
            self.kill()
            return Outcome.HANG, f"no answer after {self._patience:.0f} s"
        return None

    def kill(self) -> None:
        self._process.kill()
        self._process.join()

    def end(self) -> None:
        if self._process.is_alive():
            self.pipe.send(None)
        self._process.join()
        self.pipe.close()


def feed(
    domain: str, seed: int, indices: Iterable[int], tally: Tally, processes: int = 2
) -> list[list[int]]:
    """Let processes taste all inputs; one that is lost is replaced by another.

    Returns:
        For each process that lived to the end its memory in bytes after every input.
    """
    tasters = [_Taster(domain, seed) for _ in range(processes)]
    try:
        return _feed(domain, seed, iter(indices), tally, tasters)
    finally:
        for taster in tasters:
            taster.kill()


def _feed(
    domain: str, seed: int, left: Iterator[int], tally: Tally, tasters: list[_Taster]
) -> list[list[int]]:
    for taster in tasters:
        taster.ask(next(left, 0))
    memory = []
    while tasters:
        wait([taster.pipe for taster in tasters], timeout=1)
        for place, taster in enumerate(tasters):
            found = taster.answer()
            if found is None:
                continue
            tally.add(f"{domain}:{taster.index}", _kind(domain, seed, taster.index), *found)
            if found[0] in (Outcome.CRASH, Outcome.HANG):
                taster.end()
                taster = tasters[place] = _Taster(domain, seed)
            index = next(left, None)
            if index is None:
                taster.end()
                memory.append(taster.memory)
                tasters.remove(taster)
                break
            taster.ask(index)
    return memory


def _kind(domain: str, seed: int, index: int | None) -> str:
    from .documents import document
    from .pictures import picture

    assert index is not None
    return (picture if domain == "pictures" else document)(seed, index).kind
