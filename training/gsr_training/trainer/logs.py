"""What a run writes down: a CSV, TensorBoard's events if it is installed, sample pictures."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gsr.base.errors import ConfigError, GsrError, reason
from gsr.base.reading import read_text
from gsr_training.trainer.checkpoint import TrainState


class TrainingError(GsrError):
    """Training cannot continue."""


class Means:
    """Means of logged values between two rows, kept on the device until they are asked for.

    Asking waits for the device; between rows the loop runs ahead of it.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[int, dict[str, Tensor]]] = []

    def add(self, step: int, values: dict[str, Tensor]) -> None:
        """Values of one step, as they are on the device."""
        self._waiting.append((step, values))

    def collect(
        self, state: TrainState, mean: Callable[[Tensor, str], Tensor], checkpoint: Path
    ) -> None:
        """Move what is waiting into the sums of `state`.

        Args:
            state: Its step and what it logs.
            mean: Over processes: `Accelerator.reduce`.
            checkpoint: Where one is, or will be.

        Raises:
            TrainingError: for the first step with a number that is not finite.
        """
        if not self._waiting:
            return
        names = list(self._waiting[0][1])
        rows = torch.stack([torch.stack([v[n] for n in names]) for _, v in self._waiting])
        rows = mean(rows, "mean")
        steps = [step for step, _ in self._waiting]
        self._waiting.clear()
        for step, row in zip(steps, rows.double().tolist(), strict=True):
            values = dict(zip(names, row, strict=True))
            _check_finite(step, values, checkpoint)
            for name, value in values.items():
                total, count = state.sums.get(name, (0.0, 0))
                state.sums[name] = [total + value, count + 1]


def _check_finite(step: int, values: dict[str, float], checkpoint: Path) -> None:
    if not all(abs(v) < float("inf") for v in values.values()):
        raise TrainingError(
            f"the loss is {values['loss']:g} and the gradient {values['grad_norm']:g} at step "
            f"{step}; {advice(checkpoint)}"
        )


def advice(checkpoint: Path) -> str:
    """How to continue after numbers that are not finite."""
    gentler = "a lower --train.lr, or a lower --train.clip (0 does not clip)"
    if checkpoint.exists():
        return f"{checkpoint} is from before that: the same command resumes from it with {gentler}."
    return f"no checkpoint was written yet: begin again with {gentler}."


def take_means(state: TrainState) -> dict[str, float]:
    """Means since the last row; resets the sums."""
    means = {name: total / count for name, (total, count) in state.sums.items()}
    state.sums = {}
    return means


LOSSES = ("loss", "l1", "color", "commitment", "direction")
MOST_LOG = 2**28
"""Bytes of a log that is continued."""
COLUMNS = ("step", "seconds", *LOSSES, "grad_norm", "lr")
VALIDATION = ("val_x2", "val_x4", "val_degraded_x2", "val_degraded_x4")


class RunLog:
    """`log.csv`, which a resumed run continues (rows past its checkpoint are dropped), and
    TensorBoard events next to it.
    """

    def __init__(self, folder: Path, step: int):
        self.path = folder / "log.csv"
        folder.mkdir(parents=True, exist_ok=True)
        rows = _earlier(self.path, step) if self.path.exists() else []
        before = list(rows[0]) if rows else []  # perhaps of a time that knew fewer
        self.columns = list(dict.fromkeys((*before, *COLUMNS, *VALIDATION)))
        with self.path.open("w", newline="") as file:
            writer = csv.DictWriter(file, self.columns)
            writer.writeheader()
            writer.writerows(rows)
        self.board = _board(folder / "tensorboard", step)

    def __enter__(self) -> "RunLog":
        return self

    def __exit__(self, *_: object) -> None:
        if self.board:
            self.board.close()

    def write(self, step: int, seconds: float, values: dict[str, float]) -> None:
        """One row."""
        row = {"step": step, "seconds": f"{seconds:.1f}"}
        row |= {k: f"{v:.6g}" for k, v in values.items() if k in self.columns}
        with self.path.open("a", newline="") as file:
            csv.DictWriter(file, self.columns).writerow(row)
        if self.board:
            for name, value in values.items():
                self.board.add_scalar(name, value, step)

    def picture(self, step: int, name: str, rgb: Tensor) -> None:
        """A picture [3, h, w] in [0, 1]: a file and, with TensorBoard, an image there."""
        from gsr.images import to_pil

        file = self.path.parent / "samples" / f"{name}-{step:07d}.png"
        file.parent.mkdir(exist_ok=True)
        to_pil(rgb).save(file)
        if self.board:
            self.board.add_image(name, rgb, step)


def _earlier(path: Path, step: int) -> list[dict[str, str]]:
    """Rows of a log up to a step, without a line that a kill has cut.

    Raises:
        ConfigError: if it is not a log of a run.
    """
    text = read_text(path, "a log of training", ConfigError, most=MOST_LOG)
    rows = []
    try:
        whole = text[: text.rfind("\n") + 1]
        for row in csv.DictReader(io.StringIO(whole, newline=""), strict=True):
            if None in row or None in row.values():
                raise ValueError("a row has more or fewer cells than there are columns")
            if int(row["step"]) <= step:
                rows.append(row)
    except (csv.Error, KeyError, ValueError) as error:
        raise ConfigError(
            f"{path} is not a log of training, or damaged: {reason(error)}; move it away."
        ) from error
    return rows


def _board(folder: Path, step: int) -> Any:
    """TensorBoard's writer; None without the package. Events past `step` are void."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=step + 1)
