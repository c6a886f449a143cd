"""Presets that train in milliseconds."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.training import photo
from PIL import Image

from gsr.methods import NETWORKS


@pytest.fixture
def tiny_preset(make_model: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    """`tiny` and `tiny-paper`: the two kinds of architecture with hardly any weights."""
    for kind, name in (("lite", "tiny"), ("paper", "tiny-paper")):
        monkeypatch.setitem(NETWORKS, name, replace(make_model(kind).config, name=name))


@pytest.fixture
def photo_folder(tmp_path: Path) -> Path:
    """Two pictures, large enough for the debug recipe and for validation."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for i, name in enumerate("ab"):
        pixels = photo(200, 210, seed=i).permute(1, 2, 0).numpy()
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return folder
