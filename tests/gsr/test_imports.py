"""The core stays light: `import gsr` brings no interface, no plotting, no training."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FORBIDDEN = (
    "gradio", "plotly", "ipywidgets", "anywidget", "matplotlib", "tensorboard", "IPython",
    "pandas", "gsr_apps", "gsr_training",
)  # fmt: skip


def loaded_after(line: str) -> set[str]:
    """Top-level modules that a fresh interpreter holds after a line."""
    code = f"import sys; {line}; print(*{{name.split('.')[0] for name in sys.modules}})"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert found.returncode == 0, found.stderr
    return set(found.stdout.split())


@pytest.fixture(scope="module")
def with_gsr() -> set[str]:
    return loaded_after(
        "import gsr, gsr.field.inspection, gsr.field.edits, gsr.images.metrics; gsr.load"
    )


@pytest.mark.parametrize("module", FORBIDDEN)
def test_the_core_does_not_import(module: str, with_gsr: set[str]) -> None:
    assert "torch" in with_gsr
    assert module not in with_gsr


def test_errors_come_without_torch() -> None:
    """A command line catches them before PyTorch is loaded."""
    source = ROOT / "gsr" / "base" / "errors.py"
    line = (
        "import importlib.util as u; "
        f"s = u.spec_from_file_location('errors', {str(source)!r}); "
        "m = u.module_from_spec(s); s.loader.exec_module(m)"
    )
    assert "torch" not in loaded_after(line)


def test_no_device_is_hard_coded() -> None:
    guilty = [p for p in (ROOT / "gsr").rglob("*.py") if ".cuda()" in p.read_text("utf-8")]
    assert guilty == []


def test_weights_are_read_without_the_compiler_of_torch() -> None:
    """It takes a second to import, and what it calculates with another half."""
    line = "import gsr; gsr.load('lite'); assert 'torch._dynamo' not in sys.modules"
    assert "sympy" not in loaded_after(line)
