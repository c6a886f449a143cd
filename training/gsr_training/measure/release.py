"""Put trained weights into weights/.

    python -m gsr_training.measure.release WEIGHTS --figures FIGURES.json

Writes the safetensors file with its facts inside and rewrites the manifest. The model card
next to it is written by hand.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from gsr.base.errors import GsrError
from gsr.base.files import checksum
from gsr.methods.weights import manifest, read_weights, save_weights

FOLDER = Path("weights")
DATA = "photographs and graphics listed in the model card; no benchmark image"
DATA_LICENSES = {
    "research": "part of the training images is for research only, see the model card",
    "free": "all training images are freely licensed, see the model card",
}
"""What the training images allow: another matter than the licence of the file itself."""


def entry_for(
    path: Path, about: dict[str, Any], parameters: int, free: bool, base: str = ""
) -> dict[str, Any]:
    """What the manifest says of one file."""
    return {
        "file": path.name,
        **({"base": base} if base else {}),
        "sha256": checksum(path),
        "bytes": path.stat().st_size,
        "parameters": parameters,
        "license": "Apache-2.0",
        "data": DATA,
        "data_license": DATA_LICENSES["free" if free else "research"],
        "steps": about["steps"],
        "psnr": {
            f"{name}-{scale}": round(values["result"], 2)
            for name, rows in about["psnr"].items()
            for scale, values in rows.items()
        },
    }


def to_toml(entries: dict[str, dict[str, Any]]) -> str:
    """Tables one level deep, plus inline tables of numbers. JSON strings are TOML strings."""
    lines = ["# Written by measure.release; figures are luma PSNR in dB, see the model cards."]
    for name, entry in sorted(entries.items()):
        lines += ["", f"[{name}]"]
        for key, value in entry.items():
            if isinstance(value, dict):
                inner = ", ".join(f"{json.dumps(k)} = {v}" for k, v in value.items())
                lines.append(f"{key} = {{ {inner} }}")
            else:
                lines.append(f"{key} = {json.dumps(value)}")
    return "\n".join(lines) + "\n"


def main(
    weights: Annotated[Path, typer.Argument(help="Weights that training wrote.")],
    steps: Annotated[int, typer.Option(help="Optimiser steps behind the weights.")],
    figures: Annotated[
        Path | None,
        typer.Option(help="JSON that gsr_training.measure.evaluate wrote, for GaussianSR."),
    ] = None,
    name: Annotated[str, typer.Option(help="Name to ship under; the preset's if empty.")] = "",
    free_data: Annotated[
        bool, typer.Option("--free-data", help="No training image is for research only.")
    ] = False,
    base: Annotated[
        str, typer.Option(help="Shipped weights that these were trained on from, to be mixed with.")
    ] = "",
    half: Annotated[bool, typer.Option("--half", help="Keep them in float16.")] = False,
    folder: Annotated[Path, typer.Option(help="Where bundled weights lie.")] = FOLDER,
) -> None:
    """Ship weights, of any method."""
    try:
        model = read_weights(weights)
    except GsrError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    about: dict[str, Any] = {"steps": steps, "psnr": {}}
    if figures:
        measured = json.loads(figures.read_text(encoding="utf-8"))
        about |= {"psnr": measured["psnr"], "content": measured["content"]}
    folder.mkdir(exist_ok=True)
    shipped = name or model.config.name
    model.config = replace(model.config, name=shipped)  # what it makes says so
    parameters = sum(p.numel() for p in model.parameters())
    path = save_weights(model.half() if half else model, folder / f"{shipped}.safetensors", about)
    entries = manifest(folder) | {shipped: entry_for(path, about, parameters, free_data, base)}
    (folder / "manifest.toml").write_text(to_toml(entries), encoding="utf-8")
    typer.echo(path)


if __name__ == "__main__":
    typer.run(main)
