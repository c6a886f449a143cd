"""Fields, points and evaluations as plotly figures. Pure functions; hosts only show them.

In notebooks they are `gsr.plots`.
"""

from .bank import bank_and_usage, ellipse_points, kernel_bank, kernel_order
from .directions import directions
from .evaluation import psnr_by_scale, psnr_page
from .maps import class_map, ellipses_over, entropy_map
from .points import shares
from .sweeps import scale_sweep

__all__ = [
    "bank_and_usage",
    "class_map",
    "directions",
    "ellipse_points",
    "ellipses_over",
    "entropy_map",
    "kernel_bank",
    "kernel_order",
    "psnr_by_scale",
    "psnr_page",
    "scale_sweep",
    "shares",
]
