"""The batched reduction is Pillow's, sample by sample."""

import numpy as np
import pytest
import torch
from gsr_training.trainer.resize import bicubic_matrices, reduce
from PIL import Image


@pytest.mark.parametrize("sides", [[48, 97, 192], [50, 576, 300]])
def test_within_one_grey_level_of_pillow(sides: list[int]) -> None:
    g = np.random.default_rng(0)
    longest = max(sides)
    batch = torch.full((len(sides), 3, longest, longest), 0.7)
    expected = []
    for i, side in enumerate(sides):
        pixels = g.integers(0, 256, (side, side, 3), dtype=np.uint8)
        batch[i, :, :side, :side] = torch.from_numpy(pixels.transpose(2, 0, 1).copy()) / 255
        small = Image.fromarray(pixels).resize((48, 48), Image.Resampling.BICUBIC)
        expected.append(np.asarray(small).transpose(2, 0, 1).astype(int))
    found = reduce(batch, torch.tensor(sides), 48) * 255
    levels = found.round()
    torch.testing.assert_close(found, levels, rtol=0, atol=1e-4)
    assert np.abs(levels.numpy() - np.stack(expected)).max() <= 1


def test_by_hand() -> None:
    """Halving: eight taps around the middle between two pixels, cut at the border."""
    (matrix,) = bicubic_matrices(torch.tensor([16]), 8, 20)
    taps = torch.tensor([-3.0, -9.0, 29.0, 111.0, 111.0, 29.0, -9.0, -3.0]) / 256
    torch.testing.assert_close(matrix[3, 3:11], taps)
    assert matrix[3, :3].abs().max() == 0
    assert matrix[:, 16:].abs().max() == 0
    torch.testing.assert_close(matrix.sum(-1), torch.ones(8))


def test_the_same_size_is_the_identity() -> None:
    (matrix,) = bicubic_matrices(torch.tensor([5]), 5, 5)
    torch.testing.assert_close(matrix, torch.eye(5))
