"""Tables of results, from the manifest that was written when the weights were measured."""

import re
import tomllib
from pathlib import Path
from typing import Any

from gsr.tasks.evaluation.protocols import PROTOCOLS, Rules, depends_on_type
from gsr.tasks.evaluation.reduction import MADE

MANIFEST = Path(__file__).parents[2] / "weights" / "manifest.toml"
_PLACE = re.compile(r"<!-- table: (\w+) -->")


def filled(text: str) -> str:
    """The text with tables in the places of `<!-- table: NAME -->`."""
    return _PLACE.sub(lambda found: TABLES[found[1]](), text)


def _weights() -> dict[str, dict[str, Any]]:
    return tomllib.loads(MANIFEST.read_text("utf-8"))


def psnr() -> str:
    """Luma PSNR of all weights that ship."""
    columns = [f"{name}-x{scale}" for name in ("Set5", "Set14", "BSD100") for scale in (2, 3, 4)]
    heads = ["weights", *(column.replace("-x", " x") for column in columns)]
    rows = [
        [f"`{name}`", *(f"{facts['psnr'][c]:.2f}" if c in facts["psnr"] else "" for c in columns)]
        for name, facts in _weights().items()
    ]
    return _table(heads, rows)


def licences() -> str:
    """What may be done with each file."""
    rows = [
        [f"`{facts['file']}`", facts["license"], facts["data"], facts["data_license"]]
        for facts in _weights().values()
    ]
    return _table(["file", "licence", "trained on", "licence of the data"], rows)


def protocols() -> str:
    """What `gsr eval` measures under each name."""
    rows = [
        [f"`{rules.protocol}`", kind if depends_on_type(name) else "all", *_rules(rules)]
        for name, by_type in PROTOCOLS.items()
        for kind, rules in by_type.items()
    ]
    unique = list(dict.fromkeys(map(tuple, rows)))
    return _table(["protocol", "sets", "channel", "shave", "rounding"], list(map(list, unique)))


def _rules(rules: Rules) -> list[str]:
    return [rules.channel, rules.shave, rules.rounding]


def reductions() -> str:
    """How `gsr eval` makes LR pictures."""
    return _table(["`--lr`", "reduction"], [[f"`{one.name}`", one.text] for one in MADE.values()])


TABLES = {
    "psnr": psnr,
    "licences": licences,
    "protocols": protocols,
    "reductions": reductions,
}


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
