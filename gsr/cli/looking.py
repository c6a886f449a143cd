"""`gsr info` and `gsr inspect`: questions that write no picture."""

import json
import math
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from gsr.base.errors import ConfigError, WeightsError
from gsr.base.files import is_field_file
from gsr.cli.methods import method_rows, method_table
from gsr.cli.pipes import Source
from gsr.cli.progress import Reporter
from gsr.cli.single import Best, Model, Strength, White, encode, method_for, open_noted
from gsr.cli.sizes import number
from gsr.cli.streams import show

if TYPE_CHECKING:
    from collections.abc import Callable

    from gsr.field import GaussianField
    from gsr.field.inspection import Explanation
    from gsr.field.protocol import Method
    from gsr.tasks.source import Opened

SHOWN_SHARES = 8

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]


# --- gsr info --------------------------------------------------------------------------------


def info(
    model: Annotated[
        str | None,
        typer.Argument(
            help="Name of bundled weights, or a file of weights or a field.", show_default=False
        ),
    ] = None,
    methods: Annotated[
        bool, typer.Option("--methods", help="Size and cost of every network instead.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Show versions, presets and bundled weights, or what a file of weights or a field holds."""
    if methods:
        _show_methods(model, as_json)
        return
    if model is None:
        facts = _installation()
    else:
        facts = _field(Path(model)) if is_field_file(Path(model)) else _weights(model)
    if as_json:
        show(json.dumps(facts, indent=2))
        return
    for line in _tree(facts):
        show(line)


def _show_methods(model: str | None, as_json: bool) -> None:
    if model is not None:
        raise ConfigError("--methods lists every network, so it takes no name of weights.")
    rows = method_rows()
    for line in [json.dumps(rows, indent=2)] if as_json else method_table(rows):
        show(line)


def _installation() -> dict[str, Any]:
    import torch

    from gsr import PRESETS, GaussianSR, __version__
    from gsr.methods.weights import manifest
    from gsr.network.splat import BACKENDS

    presets = {
        name: {"parameters": _count(GaussianSR(config)), "classifier": config.classifier}
        for name, config in PRESETS.items()
    }
    return {
        "gsr": __version__,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "cuda": torch.cuda.is_available(),
        "back-ends": list(BACKENDS),
        "presets": presets,
        "weights": manifest(),
    }


def _field(path: Path) -> dict[str, Any]:
    from gsr.field.edits import bounded, to_values
    from gsr.field.file import open_field
    from gsr.field.provenance import ROOM, notes_of

    field = open_field(path)
    height, width = field.lr_size
    return {
        "file": str(path),
        "bytes": path.stat().st_size,
        "picture": field.info.name if field.info is not None else "image",
        "width": width,
        "height": height,
        "images": len(field.lr),
        "kernels": len(field.bank_raw),
        "model": field.model,
        "weights": field.weights or "unknown",
        "options": list(field.options),
        "edits": to_values(bounded(field.edits, ROOM[".png"])),
        "notes": list(notes_of(field.info)),
    }


def _weights(model: str) -> dict[str, Any]:
    from gsr.base.files import checksum
    from gsr.base.reading import parse_json
    from gsr.base.tensorfile import opened
    from gsr.methods.weights import load_network, manifest, weights_folder
    from gsr.network.fingerprint import fingerprint

    network = load_network(model)
    entry = manifest().get(model, {})
    path = weights_folder() / entry["file"] if entry else Path(model)
    with opened(path, WeightsError, "is damaged") as file:
        about = parse_json(file.metadata.get("about", "{}"), f"the facts in {path}", WeightsError)
    return {
        "file": str(path),
        "bytes": path.stat().st_size,
        "sha256": checksum(path),
        "parameters": _count(network),
        "fingerprint": fingerprint(network),
        "config": asdict(network.config) | _corrects(network),
        "about": about,
        "manifest": {key: value for key, value in entry.items() if key not in ("file", "sha256")},
    }


def _corrects(network: Any) -> dict[str, bool]:
    """Whether encoding corrects colours: what the configuration asks for, where it can."""
    corrects = getattr(network.config, "corrects", None)
    return {} if corrects is None else {"corrected": corrects}


def _count(network: Any) -> int:
    return sum(p.numel() for p in network.parameters())


def _tree(facts: dict[str, Any], depth: int = 0) -> list[str]:
    """Nested values as aligned, indented lines."""
    lines = []
    width = max((len(str(key)) for key in facts), default=0)
    for key, value in facts.items():
        head = "  " * depth + f"{key:<{width}}  "
        if isinstance(value, dict) and value and not _is_row(value):
            lines += [head.rstrip(), *_tree(value, depth + 1)]
        else:
            lines.append(head + _text(value))
    return lines


def _is_row(value: dict[str, Any]) -> bool:
    """Whether a group is short and flat enough for one line."""
    return len(value) <= 4 and all(isinstance(v, int | float | str) for v in value.values())


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(v)}" for key, v in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


# --- gsr inspect -----------------------------------------------------------------------------


def inspect(
    image: Source,
    at: Annotated[str, typer.Option("--at", help="Point in pixels of the picture.", metavar="X,Y")],
    scale: Annotated[
        float,
        typer.Option("--scale", "-s", help="Scale it is seen at.", parser=number, metavar="FACTOR"),
    ] = 4.0,
    model: Model = "lite",
    strength: Strength = 1.0,
    best: Best = False,
    white: White = None,
    as_json: JsonFlag = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Errors only on stderr.")] = False,
) -> None:
    """Show which Gaussians made the colour at a point, and with what share."""
    x, y = point(at)
    choose = partial(method_for, model=model, best=best, strength=strength)
    explanation, made = _explain(image, (x, y), scale, choose, white, Reporter(quiet))
    if as_json:
        show(json.dumps({"image": str(image), **explanation.to_dict(), "made": made}))
        return
    for line in _report(image, explanation):
        show(line)


def point(text: str) -> tuple[float, float]:
    """Two numbers on the command line, such as 40.3,22.8."""
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        x = y = math.nan
    if not (math.isfinite(x) and math.isfinite(y)):
        raise typer.BadParameter(
            f"{text!r} is not a point; give two numbers such as 40.3,22.8.", param_hint="'--at'"
        )
    return x, y


def _explain(
    path: Path,
    at: tuple[float, float],
    scale: float,
    choose: "Callable[[Opened], Method | None]",
    white: float | None,
    reporter: Reporter,
) -> "tuple[Explanation, dict[str, str]]":
    """The explanation, and what made the field, see `gsr.field.provenance`."""
    from gsr.base.coords import parse_scale
    from gsr.field.provenance import to_dict

    parse_scale(scale)
    source = open_noted(path, reporter, white)
    # Transparency would be a second field, and the question is about the colour.
    source = replace(source, content=replace(source.content, alpha=None))
    field = cast("GaussianField", encode(source, choose(source), reporter))
    explanation = field.explain(*at, scale)
    return explanation, to_dict(field, explanation.scale)


def _report(image: Path, explanation: "Explanation") -> list[str]:
    e = explanation
    lines = [
        f"{image} at ({e.x:g}, {e.y:g}), scale {e.scale[0]:g}",
        f"pixel ({e.column}, {e.row}), {_choice(e)} with confidence {e.confidence:.2f}, "
        f"then kernel {e.second}",
        *([f"the field is edited ({e.edits})"] if e.edits else []),
        "",
        f"{'share':>7}  {'kernel':>6}  {'pixel':>11}  {'colour':<17}  brings",
    ]
    for part in e.contributions[:SHOWN_SHARES]:
        pixel = f"{part.column}, {part.row}"
        change = _numbers(part.change, signed=True)
        lines.append(
            f"{part.share:7.1%}  {part.kernel:>6}  {pixel:>11}  {_numbers(part.color)}  {change}"
        )
    rest = e.contributions[SHOWN_SHARES:]
    if rest:
        lines.append(f"{sum(part.share for part in rest):7.1%}  {len(rest)} others")
    return [
        *lines,
        "",
        f"  splatted  {_numbers(e.splatted, signed=True)}",
        f"+ residual  {_numbers(e.residual, signed=True)}",
        f"= shown     {_numbers(e.rgb, signed=True)}",
    ]


def _choice(e: "Explanation") -> str:
    if e.kernel == e.chosen:
        return f"kernel {e.kernel}"
    return f"kernel {e.kernel} by an edit; the network chose {e.chosen}"


def _numbers(values: tuple[float, ...], *, signed: bool = False) -> str:
    return " ".join(f"{value:{'+' if signed else ''}.3f}" for value in values)
