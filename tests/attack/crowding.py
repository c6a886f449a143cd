"""Many clients at once for some minutes, with connections that die at any moment."""

import json
import random
import socket
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from .cases import chance
from .serving import Answer, Call, Server, raw, served
from .sound import drawn, saved


@dataclass
class Load:
    """What a crowd met.

    Attributes:
        seconds: How long each kind of question took, answered ones alone.
        statuses: Of all answers; 0 is none.
        died: Connections that a client left in the middle.
        wrong: Answers that belong to another client, and answers of 500.
        memory: (seconds since the start, bytes).
        descriptors: At the start and at the end.
        alive: At the end it still answered.
    """

    seconds: dict[str, list[float]] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    died: int = 0
    wrong: list[str] = field(default_factory=list)
    memory: list[tuple[float, int]] = field(default_factory=list)
    descriptors: tuple[int, int] = (0, 0)
    tracebacks: int = 0
    alive: bool = False


def crowd(seed: int, clients: int, seconds: float, model: str | Path = "lite") -> Load:
    """Clients with a picture of their own each, who look around in it and often leave."""
    load, lock = Load(), threading.Lock()
    with served(model) as server:
        first = server.descriptors()
        start = time.monotonic()
        end = start + seconds
        threads = [
            threading.Thread(target=_client, args=(server, seed, number, end, load, lock))
            for number in range(clients)
        ]
        for thread in threads:
            thread.start()
        while time.monotonic() < end:
            load.memory.append((time.monotonic() - start, server.memory()))
            time.sleep(2)
        for thread in threads:
            thread.join()
        time.sleep(2)  # connections that died are noticed
        load.memory.append((time.monotonic() - start, server.memory()))
        load.descriptors = first, server.descriptors()
        load.alive = server.send(Call("", "GET", "/studio/methods")).status == 200
        load.tracebacks = server.tracebacks()
    return load


def _client(
    server: Server, seed: int, number: int, end: float, load: Load, lock: threading.Lock
) -> None:
    g = chance(seed, "crowd", number)
    size = 60 + number, 40 + number  # tells its picture from those of others
    data = saved(drawn(g, *size), "PNG")
    key = None
    while time.monotonic() < end:
        if key is None or g.random() < 0.004:
            answer = server.send(Call("", "POST", f"/studio/open?name={number}.png", body=data), 60)
            about = json.loads(answer.body) if answer.status == 200 else {}
            key = about.get("id", key)
            _note(
                load, lock, "open", answer, "" if not about or about["width"] == size[0] else "open"
            )
            continue
        kind, target = _question(g, key, number, size)
        call = Call(kind, "GET", target)
        if g.random() < 0.15:
            _leave(server, call, g)
            with lock:
                load.died += 1
            continue
        answer = server.send(call, 60)
        told = (
            answer.status == 200 and kind == "about" and json.loads(answer.body)["width"] != size[0]
        )
        _note(load, lock, kind, answer, f"{number} got another's picture" if told else "")
        if answer.status == 404:
            key = None  # dropped for newer ones
        time.sleep(g.uniform(0, 0.3))


def _question(g: random.Random, key: str, number: int, size: tuple[int, int]) -> tuple[str, str]:
    at = f"/studio/fields/{key}"
    x, y = g.uniform(0, size[0] - 20), g.uniform(0, size[1] - 20)
    view = f"x={x:.2f}&y={y:.2f}&width=20&height=16"
    kinds = ("frame",) * 8 + ("explain", "explain", "usage", "about", "export", "ellipses")
    kind, latest = g.choice(kinds), time.monotonic_ns() // 10**6 % 2**31
    return kind, {
        "frame": f"{at}/frame?{view}&columns=320&rows=256&viewer=v{number}-a&number={latest}",
        "explain": f"{at}/explain?x={x:.2f}&y={y:.2f}&scale=4",
        "usage": f"{at}/usage?{view}",
        "about": at,
        "export": f"{at}/export?scale=2",
        "ellipses": f"{at}/ellipses?{view}&limit=500",
    }[kind]


def _leave(server: Server, call: Call, g: random.Random) -> None:
    """Ask and go: before the question is out, before the answer, or in the middle of it."""
    message = raw(server.address, call)
    try:
        with socket.create_connection(server.address, timeout=20) as connection:
            way = g.randrange(3)
            connection.sendall(message if way else message[: g.randrange(1, len(message))])
            if way == 2:
                connection.recv(g.choice((1, 200)))
    except OSError:
        pass


def _note(load: Load, lock: threading.Lock, kind: str, answer: Answer, wrong: str) -> None:
    with lock:
        load.statuses[answer.status] += 1
        if answer.status == 200:
            load.seconds.setdefault(kind, []).append(answer.seconds)
        if answer.status not in (200, 404, 409, 503):
            wrong = f"{kind}: {answer.status} {answer.said}"
        if wrong:
            load.wrong.append(wrong)
