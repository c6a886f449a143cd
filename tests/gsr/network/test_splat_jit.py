"""Compiled code on disk: it saves time, and nothing more may depend on it."""

import errno
import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.checkout import environment
from numba.core.caching import IndexDataCacheFile

from gsr.network.splat.jit import jit

DAMAGE = {
    "empty": lambda data: b"",
    "cut at the start": lambda data: data[:7],
    "cut in the middle": lambda data: data[: len(data) // 2],
    "cut at the end": lambda data: data[:-1],
    "of something else": lambda data: b"<html>" + bytes(200),
}


@pytest.fixture
def function(tmp_path: Path) -> Callable[[int], int]:
    """One of a file of its own, so that its cache is beside it."""
    source = tmp_path / "loops.py"
    source.write_text("def double(x):\n    return 2 * x\n")
    spec = importlib.util.spec_from_file_location("loops", source)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.double


def files(tmp_path: Path, suffix: str) -> list[Path]:
    return list((tmp_path / "__pycache__").glob(f"*{suffix}"))


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_compiled_over(function, tmp_path, suffix, damage):
    assert jit(function)(21) == 42
    (kept,) = files(tmp_path, suffix)
    kept.write_bytes(damage(kept.read_bytes()))
    assert jit(function)(21) == 42
    mended = jit(function)
    assert mended(21) == 42
    assert sum(mended.stats.cache_hits.values()) == 1


def test_a_folder_in_the_place_of_a_file_costs_nothing_but_time(function, tmp_path):
    jit(function)(1)
    for path in files(tmp_path, ".nbi"):
        path.unlink()
        path.mkdir()
    assert jit(function)(21) == 42


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT])
@pytest.mark.parametrize("name", ["_save_index", "_save_data", "_load_index"])
def test_a_disk_that_takes_nothing_costs_nothing_but_time(function, monkeypatch, name, code):
    def refuse(*_arguments: object) -> None:
        raise OSError(code, "refused")

    monkeypatch.setattr(IndexDataCacheFile, name, refuse)
    assert jit(function)(21) == 42


def test_where_no_folder_takes_a_cache_there_is_none(function, monkeypatch):
    def refuse(*_arguments: object, **_options: object) -> None:
        raise PermissionError

    monkeypatch.setattr("os.makedirs", refuse)
    assert jit(function)(21) == 42


def test_without_a_compiler_the_plain_formula_renders():
    script = """
import torch
from gsr.network.splat import compiled, splat_grid
geometry, channels = torch.ones(1, 3, 4, 6), torch.ones(1, 3, 4, 2)
xs, ys = torch.arange(4.0) + 0.5, torch.arange(3.0) + 0.5
assert not compiled(geometry, channels)
assert splat_grid(geometry, channels, xs, ys, 2).isfinite().all()
"""
    env = environment(NUMBA_DISABLE_JIT="1")
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
