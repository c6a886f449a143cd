"""What is said of memory before a run, against what runs took."""

import pytest

from gsr.tasks.batch import memory_needed


@pytest.mark.parametrize(
    ("lr_size", "scale", "peak"),
    [
        # Peak resident bytes of `gsr upscale` with `lite`, into a PNG of 8 bits, on Linux.
        ((30, 40), 2, 412e6),
        ((300, 400), 12, 586e6),
        ((1000, 1200), 2, 839e6),
        ((3000, 4000), 4, 3538e6),
    ],
)
def test_the_estimate_is_near_the_peak(lr_size: tuple[int, int], scale: int, peak: float) -> None:
    size = lr_size[0] * scale, lr_size[1] * scale
    assert memory_needed(lr_size, size) == pytest.approx(peak, rel=0.3)


def test_deeper_results_take_more() -> None:
    depths = [memory_needed((10, 10), (1000, 1000), depth) for depth in (8, 16, 32)]
    assert depths[2] - depths[1] == 2 * (depths[1] - depths[0]) > 0
