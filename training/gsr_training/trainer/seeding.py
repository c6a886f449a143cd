"""Randomness that needs no memory: step k of a seed always draws the same.

A resumed run, or one process among several, draws what it would have drawn anyway.
"""

import numpy as np
import torch


def generator_for(
    seed: int, step: int, purpose: int, device: torch.device | str = "cpu"
) -> torch.Generator:
    """A generator of its own for each (seed, step, purpose)."""
    state = np.random.SeedSequence((seed, step, purpose)).generate_state(1)
    return torch.Generator(device).manual_seed(int(state[0]))


def numbers_for(seed: int, step: int, purpose: int, sample: int) -> np.random.Generator:
    """As `generator_for`, for what is made of one sample of a joint batch outside of torch."""
    return np.random.default_rng((seed, step, purpose, sample))


CROPS, NOISE = 0, 1
"""Purposes. Of the noise there is one per process: 1 + its rank."""
PATTERNS, DEGRADED = 0, 1
"""Purposes of `numbers_for`."""
