"""Pictures to train on and recipes in one line."""

from dataclasses import replace

import numpy as np
import torch
from gsr_training.trainer.data import Crops, ImageStore
from gsr_training.trainer.recipe import Recipe
from PIL import Image
from torch import Tensor


def photo(height: int = 64, width: int = 72, seed: int = 0) -> Tensor:
    """A picture with smooth parts and fine ones, without black and white. uint8 [3, h, w]"""
    g = np.random.default_rng(seed)
    small = Image.fromarray(g.integers(60, 196, (height // 6, width // 6, 3), dtype=np.uint8))
    large = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC)).astype(int)
    noisy = (large + g.integers(-20, 21, large.shape)).clip(0, 255).astype(np.uint8)
    return torch.from_numpy(noisy.transpose(2, 0, 1).copy())


def make_recipe(**values: object) -> Recipe:
    """A small recipe, with values by their key alone: `make_recipe(steps=5, crop=9)`."""
    small = {"preset": "tiny", "steps": 6, "batch": 2, "crop": 8, "queries": 64, "warmup": 2}
    small |= {"log_every": 1, "save_every": 1000}
    parts = {}
    for section in vars(Recipe()):
        part = getattr(Recipe(), section)
        own = {k: v for k, v in (small | values).items() if hasattr(part, k)}
        parts[section] = replace(part, **own)
    return Recipe(**parts)


def make_crops(recipe: Recipe, images: list[Tensor] | None = None) -> Crops:
    """Batches from a few pictures."""
    store = ImageStore.of(images or [photo()])
    return Crops(store, recipe.data, recipe.train.batch, recipe.train.seed)
