"""Images read once per machine, however many processes train there."""

import hashlib
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from gsr.base.errors import GsrError
from gsr_training.trainer.data import ImageStore

if TYPE_CHECKING:
    from accelerate import Accelerator


def read_once(
    read: Callable[[], ImageStore], engine: "Accelerator", folder: Path | None
) -> ImageStore:
    """What `read` returns, from one process to all others of its machine.

    The pixels go through a file in `folder` that all of them map into memory: it is there once,
    in the system's file cache, and has no name any more when this returns, so that nothing is
    left behind whenever the processes end.

    Raises:
        GsrError: in the process that reads, what `read` raises; in the others, that it did.
    """
    if engine.num_processes == 1 or folder is None:
        return read()
    path = folder / _name(socket.gethostname())
    failure: Exception | None = None
    if engine.is_local_main_process:
        try:
            _write(read(), path)
        except Exception as error:  # the others wait; they must hear of any end
            failure = error
    try:
        if _any(engine, failure is not None):
            raise failure or GsrError("the process that reads the images could not.")
        store = _mapped(path)
        _any(engine, False)  # all of them have it
        return store
    finally:
        if engine.is_local_main_process:
            with suppress(OSError):
                path.unlink()


def _name(machine: str) -> str:
    """The same in all processes of a machine; `gsr.base.atomic` takes it for half-written.

    Should it ever stay, the next run removes it.
    """
    return f".{hashlib.sha256(machine.encode()).hexdigest()[:16]}.part"


def _any(engine: "Accelerator", own: bool) -> bool:
    """Whether it holds in any process; waits for all of them."""
    return bool(engine.reduce(torch.tensor(float(own), device=engine.device), "sum"))


def _write(store: ImageStore, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for value in vars(store).values():
            np.save(file, value.numpy())


def _mapped(path: Path) -> ImageStore:
    """The arrays of a file, the first of them where they lie."""
    with path.open("rb") as file:
        np.lib.format.read_magic(file)
        shape, _, kind = np.lib.format.read_array_header_1_0(file)
        # Copy on write: torch wants memory it may write to, and nobody does.
        pixels = np.memmap(path, kind, "c", file.tell(), shape)
        file.seek(pixels.nbytes, 1)
        rest = [np.load(file) for _ in range(3)]
    return ImageStore(*map(_tensor, (pixels, *rest)))


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(array)
