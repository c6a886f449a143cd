"""Requests to a real server, one by one, and what came of each."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from .calls import call
from .cases import Outcome, Tally, sentence
from .pictures import picture
from .serving import Answer, Call, Server, served

SECRET_SIZE = (113, 97)


def ask_all(
    seed: int, indices: Iterable[int], tally: Tally, model: str | Path = "lite"
) -> list[int]:
    """Send all requests; returns the server's memory in bytes, now and then."""
    memory: list[int] = []
    with TemporaryDirectory(prefix="attack-secret-") as top:
        secret = _secret(Path(top))
        left = iter(indices)
        index = next(left, None)
        while index is not None:  # another server where one was lost
            with served(model) as server:
                parts = server.folder / "tmp"
                while index is not None and server.alive():
                    if not server.keys or index % 100 == 0:
                        _reopen(server)
                        memory.append(server.memory())
                    wanted = call(seed, index, secret)
                    tally.add(f"calls:{index}", wanted.kind, *_ask(server, wanted, secret))
                    index = next(left, None)
                if not server.alive():
                    continue
                server.stop()
                left_over = [path.name for path in parts.rglob("*") if path.is_file()]
                if left_over:
                    tally.add("the server", "what is left", Outcome.WRONG, str(left_over[:5]))
    return memory


def _secret(folder: Path) -> Path:
    path = folder / "secret.png"
    Image.effect_noise(SECRET_SIZE, 60).save(path)
    (folder / "link.png").symlink_to(path)
    return path


def _reopen(server: Server) -> None:
    """A sound picture, whose id requests may use."""
    answer = server.send(Call("", "POST", "/studio/open?name=own.png", body=_own()))
    if answer.status == 200:
        server.keys.append(json.loads(answer.body)["id"])


def _own() -> bytes:
    return next(c.data for c in (picture(1, i) for i in range(0, 1000, 10)) if c.suffix == ".png")


def _ask(server: Server, wanted: Call, secret: Path) -> tuple[Outcome, str]:
    key = server.keys[-1] if server.keys else "nokey"
    filled = Call(
        **vars(wanted)
        | {
            "target": wanted.target.replace("{key}", key),
            "body": wanted.body.replace(b"{key}", key.encode()),
        }
    )
    before = server.tracebacks()
    answer = server.send(filled)
    verdict = _judge(wanted, answer)
    if not server.alive():
        return Outcome.CRASH, f"the server ended with {server.process.returncode}"
    if server.tracebacks() > before:
        return Outcome.TRACEBACK, (server.folder / "stderr").read_text(errors="replace")[-400:]
    if _copied(server, secret):
        return Outcome.WRONG, "a file that was not uploaded was copied"
    return verdict


def _judge(wanted: Call, answer: Answer) -> tuple[Outcome, str]:
    said = answer.body.decode("utf-8", "replace")
    if answer.status == 0:
        waits = (
            wanted.kind == "broken HTTP" or wanted.endless
        )  # the server waits for the rest, rightly
        if "timed out" in answer.said and not waits:
            return Outcome.HANG, answer.said
        return Outcome.REFUSED, answer.said
    if answer.status >= 500 and answer.status != 503:
        return Outcome.TRACEBACK, f"{answer.status} {said[:200]}"
    if answer.status < 400 or wanted.method == "HEAD":
        if wanted.foreign and (_tells(said) or wanted.kind.startswith("foreign")):
            return Outcome.WRONG, f"{answer.status} {said[:200]}"
        return Outcome.RESULT, ""
    if wanted.foreign and "there is no such file" in said.lower():
        return Outcome.WRONG, f"tells what exists: {said[:200]}"
    return (Outcome.REFUSED if sentence(said) else Outcome.TRACEBACK), said[:200]


def _tells(said: str) -> bool:
    """Whether an answer knows the secret picture."""
    return f'"width":{SECRET_SIZE[0]}' in said.replace(" ", "")


def _copied(server: Server, secret: Path) -> bool:
    data = secret.read_bytes()
    for where, _, names in os.walk(server.folder / "tmp"):
        for name in names:
            path = Path(where, name)
            if path.stat().st_size == len(data) and path.read_bytes() == data:
                path.unlink()
                return True
    return False
