"""The whole attack: `python -m tests.attack --out docs/reliability.md`."""

import argparse
import pickle
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

from .asking import ask_all
from .cases import Tally
from .crowding import crowd
from .documents import document
from .feeding import feed
from .killing import WORKS, kill_until
from .pictures import picture
from .report import Findings, report
from .running import single_commands, upscale_folder, upscale_odd

FOLDER = 200
"""Pictures in one folder of a run."""
AT_A_TIME = 2


def main() -> int:
    options = _options()
    if options.show:
        return _show(options.show, options.seed, Path(options.out))
    # A shell's & has it ignored, and what is started here would ignore it as well.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    warnings.simplefilter("ignore")  # Pillow's, of what is damaged on purpose
    kept = Path(options.kept)
    found = pickle.loads(kept.read_bytes()) if options.only and kept.exists() else Findings()
    for name, (part, settings) in PARTS.items():
        if not options.only or name in options.only.split(","):
            start = time.monotonic()
            part(options, found)
            given = " ".join(f"{name} {getattr(options, name)}" for name in (*settings, "seed"))
            found.ran[name] = (given, str(date.today()), round(time.monotonic() - start))
            print(f"{name}: {found.ran[name]}", file=sys.stderr)
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(pickle.dumps(found))
    text = report(found)
    Path(options.out).parent.mkdir(parents=True, exist_ok=True)
    Path(options.out).write_text(text)
    print(text)
    return int("## What was lost\n\nNothing." not in text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    add = parser.add_argument
    add("--inputs", type=int, default=8000, help="pictures")
    add("--in-folders", type=int, default=8000, help="the first of these pictures, in folders")
    add("--documents", type=int, default=3000, help="fields, weights, edits, recipes")
    add("--singles", type=int, default=60, help="commands on one picture")
    add("--requests", type=int, default=4000)
    add("--kills", type=int, default=100)
    add("--clients", type=int, default=30)
    add("--seconds", type=float, default=180.0, help="of load")
    add("--seed", type=int, default=1)
    add("--only", default="", help=f"some of {','.join(PARTS)}; the others as they were last time")
    add("--kept", default="runs/attack/findings.pickle", help="what was found, part by part")
    add("--show", default="", metavar="DOMAIN:INDEX", help="write one input into OUT and end")
    add("--out", default="docs/reliability.md")
    return parser.parse_args()


def _show(where: str, seed: int, out: Path) -> int:
    domain, _, index = where.partition(":")
    case = {"pictures": picture, "documents": document}[domain](seed, int(index))
    out.with_suffix(case.suffix).write_bytes(case.data)
    print(f"{out.with_suffix(case.suffix)}: {case.kind}")
    return 0


def _pictures(options: argparse.Namespace, found: Findings) -> None:
    tally = found.fed["library"] = Tally()
    memory = feed("pictures", options.seed, range(options.inputs), tally, AT_A_TIME)
    found.memory |= {f"process {n} that reads pictures": each for n, each in enumerate(memory, 1)}


def _documents(options: argparse.Namespace, found: Findings) -> None:
    tally = found.fed["library: fields, weights, edits, recipes"] = Tally()
    memory = feed("documents", options.seed, range(options.documents), tally, AT_A_TIME)
    found.memory |= {f"process {n} that reads fields": each for n, each in enumerate(memory, 1)}


def _folders(options: argparse.Namespace, found: Findings) -> None:
    tally = found.fed["`gsr upscale FOLDER`"] = Tally()
    folders = _ranges(options.in_folders, FOLDER)
    _side_by_side(lambda indices: upscale_folder(options.seed, indices, tally), folders)
    odd = found.fed["`gsr upscale` on odd names, pipes, devices"] = Tally()
    upscale_odd(odd)


def _singles(options: argparse.Namespace, found: Findings) -> None:
    tally = found.fed["`gsr inspect`, `encode`, `upscale`, `eval`"] = Tally()
    each = [range(index, index + 1) for index in range(options.singles)]
    _side_by_side(lambda indices: single_commands(options.seed, indices, tally), each)


def _requests(options: argparse.Namespace, found: Findings) -> None:
    tally = found.fed["requests to `gsr app`"] = Tally()

    def part(indices: range) -> None:
        memory = ask_all(options.seed, indices, tally)
        found.memory[f"server under requests {indices.start} to {indices.stop - 1}"] = memory

    _side_by_side(part, _ranges(options.requests, -(-options.requests // AT_A_TIME)))


def _kills(options: argparse.Namespace, found: Findings) -> None:
    each = -(-options.kills // len(WORKS))
    _side_by_side(lambda work: kill_until(options.seed, work, each, found.kills), WORKS)


def _crowd(options: argparse.Namespace, found: Findings) -> None:
    found.crowd = options.clients, options.seconds
    found.load = crowd(options.seed, options.clients, options.seconds)


def _ranges(count: int, length: int) -> list[range]:
    return [range(start, min(start + length, count)) for start in range(0, count, length)]


def _side_by_side(part: Callable, over: Iterable) -> None:
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        for _ in pool.map(part, over):
            pass


PARTS: dict[str, tuple[Callable[[argparse.Namespace, Findings], None], tuple[str, ...]]] = {
    "pictures": (_pictures, ("inputs",)),
    "documents": (_documents, ("documents",)),
    "folders": (_folders, ("in_folders",)),
    "singles": (_singles, ("singles",)),
    "requests": (_requests, ("requests",)),
    "kills": (_kills, ("kills",)),
    "crowd": (_crowd, ("clients", "seconds")),
}
"""What is run, in this order, and which options say how much of it."""

if __name__ == "__main__":
    sys.exit(main())
