"""What the README says of the shipped model is what the model is."""

import re
from pathlib import Path

import gsr

TEXT = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_formula_is_that_of_the_shipped_model() -> None:
    config = gsr.load("lite").config
    (finest,) = re.findall(r"1 / min\(s, ([0-9.]+)\)", TEXT)
    assert float(finest) == config.sampler.finest
    side = 2 * config.sampler.radius + 1
    assert f"window of {side} x {side} source pixels" in TEXT
    assert f"one of {config.num_kernels} learned kernels" in " ".join(TEXT.split())


def test_the_size_of_the_shipped_model() -> None:
    count = sum(p.numel() for p in gsr.load("lite").parameters())
    assert f"`lite` ({count:,} parameters".replace(",", " ") in TEXT
