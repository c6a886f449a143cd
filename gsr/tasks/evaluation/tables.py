"""Means over a set, as a Markdown table that says how they were measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from gsr.tasks.evaluation.pairs import CROP
from gsr.tasks.evaluation.perceptual import NAME as LPIPS
from gsr.tasks.evaluation.results import Row
from gsr.tasks.evaluation.running import Evaluation
from gsr.tasks.evaluation.sets import ImageSet


@dataclass(frozen=True)
class Mean:
    """Over the pictures of a set."""

    psnr: float
    ssim: float
    lpips: float | None

    def __str__(self) -> str:
        numbers = [f"{self.psnr:.2f}", f"{self.ssim:.4f}"]
        return " / ".join(numbers if self.lpips is None else [*numbers, f"{self.lpips:.4f}"])


@dataclass(frozen=True)
class Summary:
    """One table.

    Attributes:
        title: Which pictures, and the name of the protocol.
        protocol: What every number rests on, in words.
        scales: Of the columns.
        means: By method, one for each scale.
    """

    title: str
    protocol: str
    scales: tuple[float, ...]
    means: dict[str, list[Mean]]


def summarise(plan: Evaluation, rows: Sequence[Row]) -> list[Summary]:
    """A table for each set, from the rows of a run that has come to its end."""
    return [_summary(plan, one, rows) for one in plan.sets]


def _summary(plan: Evaluation, one: ImageSet, rows: Sequence[Row]) -> Summary:
    groups: dict[tuple[str, float], list[Row]] = {}
    for row in rows:
        if row.case.set == one.name:
            groups.setdefault((row.case.method, row.case.scale), []).append(row)
    shown = "" if len(one.paths) == one.total else f"the first {len(one.paths)} of "
    images = "image" if one.total == 1 else "images"
    return Summary(
        title=f"{one.name} ({shown}{one.total} {images}), protocol {plan.protocol}",
        protocol=_told(plan, one),
        scales=tuple(plan.scales),
        means={
            contender.name: [
                _mean(groups[contender.name, scale], plan.lpips is not None)
                for scale in plan.scales
            ]
            for contender in plan.contenders
        },
    )


def _told(plan: Evaluation, one: ImageSet) -> str:
    numbers = "PSNR in dB / SSIM" + (f" / LPIPS ({LPIPS})" if plan.lpips else "")
    return (
        f"{numbers}, means of the images. Compared: {plan.rules(one)}. "
        f"LR: {plan.reduction.text}, 8 bit. HR crop: {CROP}."
    )


def _mean(rows: Sequence[Row], with_lpips: bool) -> Mean:
    """Rows may hold an LPIPS from another time, which was not asked for now."""
    known = (row.scores.lpips for row in rows) if with_lpips else ()
    lpips = [value for value in known if value is not None]
    return Mean(
        psnr=fmean(row.scores.psnr for row in rows),
        ssim=fmean(row.scores.ssim for row in rows),
        lpips=fmean(lpips) if lpips and len(lpips) == len(rows) else None,
    )


def markdown(summary: Summary) -> str:
    """Title, protocol, table; methods are rows, scales are columns."""
    head = ["method", *(f"x{scale:g}" for scale in summary.scales)]
    lines = [
        f"## {summary.title}",
        "",
        summary.protocol,
        "",
        _cells(head),
        _cells(["---", *("---:" for _ in summary.scales)]),
        *(_cells([name, *map(str, means)]) for name, means in summary.means.items()),
    ]
    return "\n".join(lines) + "\n"


def _cells(texts: Sequence[str]) -> str:
    return f"| {' | '.join(text.replace('|', chr(92) + '|') for text in texts)} |"
