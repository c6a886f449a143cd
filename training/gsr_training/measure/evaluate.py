"""The tables every figure of this project is from.

    python -m gsr_training.measure.evaluate --data BENCHMARKS

Protocol: LR by PIL's bicubic on 8-bit images cropped from the top left to a multiple of the
scale, float output clamped to [0, 1] and not rounded, luma, shave = ceil(scale), mean of
per-image PSNR. For a scale that is not whole: LR size = floor(HR / s), HR cropped to
round(LR * s), and the true per-axis scale is what the model gets.
"""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import Tensor

import gsr
from gsr.base.atomic import writing
from gsr.base.errors import GsrError, OutputError
from gsr.base.files import prepare_folder
from gsr.field.edges import edge_agreement, joint_counts, mutual_information
from gsr.field.edits import Force, Mean, Soft, shuffled
from gsr.field.inspection import usage
from gsr.field.render import render
from gsr.images import bicubic_view
from gsr.images.metrics import Protocol, psnr
from gsr.tasks.evaluation.pairs import Pair, as_pair, parse_scales, read_hr, sizes_at
from gsr.tasks.evaluation.reduction import MADE
from gsr.tasks.evaluation.sets import find_sets

Edit = Callable[[gsr.GaussianField], gsr.GaussianField]


def make_pair(path: Path, scale: float) -> Pair:
    """LR and HR of an image file by the protocol above."""
    hr = read_hr(path)
    small, (height, width) = sizes_at((hr.shape[-2], hr.shape[-1]), scale)
    hr = hr[:, :height, :width]
    return as_pair(MADE["pil"].reduce(hr, small, None), hr)


def bicubic(pair: Pair) -> Tensor:
    """PIL's bicubic at the size of the HR image."""
    height, width = pair.lr.shape[-2:]
    size = (pair.hr.shape[-2], pair.hr.shape[-1])
    return bicubic_view(pair.lr, (0.0, 0.0, float(width), float(height)), size)


def score(sr: Tensor, pair: Pair, scale: float) -> float:
    """PSNR in dB by the benchmark protocol."""
    return float(psnr(sr, pair.hr, protocol=Protocol.benchmark(scale)))


def quality(model: gsr.GaussianSR, paths: Sequence[Path], scale: float) -> dict[str, float]:
    """Mean PSNR of bicubic, the result and the Gaussians alone."""
    scores: dict[str, list[float]] = {"bicubic": [], "result": [], "gaussians": []}
    for path in paths:
        pair = make_pair(path, scale)
        size = (pair.hr.shape[-2], pair.hr.shape[-1])
        field = model.encode(pair.lr)
        scores["bicubic"].append(score(bicubic(pair), pair, scale))
        scores["result"].append(score(field.render(size=size), pair, scale))
        scores["gaussians"].append(score(field.render(size=size, layer="gaussians"), pair, scale))
    return {name: fmean(values) for name, values in scores.items()}


def content(model: gsr.GaussianSR, paths: Sequence[Path], scale: float = 2.0) -> dict[str, float]:
    """Whether the choice of kernels follows the picture; see the printed names."""
    generator = torch.Generator().manual_seed(0)
    pairs = [make_pair(path, scale) for path in paths]
    fields = [model.encode(pair.lr) for pair in pairs]
    shares = torch.stack([usage(field) for field in fields]).mean(0)
    most_used = int(shares.argmax())
    edits: dict[str, Edit] = {
        "shuffling the class map": lambda field: shuffled(field, generator),
        "forcing the most used kernel": Force(most_used),
        "the mean kernel everywhere": Mean(),
        "the soft mixture": Soft(),
    }
    plain = _mean_score(fields, pairs, scale, lambda field: field)
    return {
        "kernels chosen by more than 1 % of pixels": int((shares > 0.01).sum()),
        "share of the most used kernel, %": 100 * float(shares.max()),
        **{
            f"{name} costs, dB": plain - _mean_score(fields, pairs, scale, edit)
            for name, edit in edits.items()
        },
        "kernel direction against edge direction, mean cos 2 angle": fmean(
            edge_agreement(field).mean for field in fields
        ),
        "mutual information of kernel and local structure, bit": mutual_information(
            torch.stack([joint_counts(field) for field in fields]).sum(0)
        ),
    }


def _mean_score(
    fields: Sequence[gsr.GaussianField], pairs: list[Pair], scale: float, edit: Edit
) -> float:
    return fmean(
        score(render(edit(field), size=(pair.hr.shape[-2], pair.hr.shape[-1]))[0], pair, scale)
        for field, pair in zip(fields, pairs, strict=True)
    )


def tables(
    model: gsr.GaussianSR, folder: Path, sets: list[str], scales: list[float]
) -> dict[str, dict[str, dict[str, float]]]:
    """{set: {scale: {method: dB}}}"""
    results: dict[str, dict[str, dict[str, float]]] = {}
    for name in sets:
        paths = find_sets(folder / name)[0].paths
        rows = track(scales, description=name, console=Console(stderr=True))
        results[name] = {f"x{scale:g}": quality(model, paths, scale) for scale in rows}
    return results


def show(results: dict[str, dict[str, dict[str, float]]], figures: dict[str, float]) -> None:
    """Both tables on stdout."""
    console = Console()
    table = Table("set", "scale", "bicubic", "result", "gain", "Gaussians only", "gain")
    for name, rows in results.items():
        for scale, dB in rows.items():
            gains = (f"{dB[key] - dB['bicubic']:+.2f}" for key in ("result", "gaussians"))
            first, second = gains
            table.add_row(
                name,
                scale,
                f"{dB['bicubic']:.2f}",
                f"{dB['result']:.2f}",
                first,
                f"{dB['gaussians']:.2f}",
                second,
            )
    console.print(table)
    for name, value in figures.items():
        console.print(f"{name}: {value:.3g}")


def main(
    data: Annotated[Path, typer.Option(help="Folder with SET/HR/*.png.")],
    model: Annotated[str, typer.Option(help="Bundled name or weights file.")] = "lite",
    sets: Annotated[
        str, typer.Option(help="Comma-separated; content figures are of the last.")
    ] = "Set5,Set14,BSD100",
    scales: Annotated[str, typer.Option(help="Comma-separated.")] = "2,3,3.4,4",
    out: Annotated[Path | None, typer.Option(help="Also write the figures as JSON.")] = None,
) -> None:
    """PSNR tables and content figures of one model."""
    try:
        if out:
            check_file(out)
        network = gsr.load(model)
        names = sets.split(",")
        results = tables(network, data, names, parse_scales(scales))
        figures = content(network, find_sets(data / names[-1])[0].paths)
        show(results, figures)
        if out:
            about = {"config": asdict(network.config), "psnr": results, "content": figures}
            with writing(out) as file:
                file.write((json.dumps(about, indent=2) + "\n").encode())
    except GsrError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None


def check_file(out: Path) -> None:
    """Check that a file can be written, before the work that it is for.

    Raises:
        OutputError: if it cannot be written.
    """
    if os.path.isdir(out):
        raise OutputError(f"{out} is a folder, and the name of a file is needed.")
    prepare_folder(out.parent, create=False)


if __name__ == "__main__":
    typer.run(main)
