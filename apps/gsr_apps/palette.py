"""The colours of kernels, which the library needs too."""

from gsr.network.colors import LONGEST, bank_colors, bank_ellipses, kernel_color, ramp_color

__all__ = ["LONGEST", "bank_colors", "bank_ellipses", "kernel_color", "ramp_color"]
