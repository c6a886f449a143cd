"""A convolution and what follows it in one pass, for inference on a CPU.

oneDNN fuses them as torch's own compiler has it do. The same sums in the same order: results equal
those of the plain layers to the last bit, but no map is written, read and written again.
"""

import torch
from torch import Tensor, nn

_ONCE = [1, 1], [1, 1], [1, 1], 1
"""Padding, stride, dilation and groups of a 3 x 3 convolution that keeps the size."""


def can_fuse(x: Tensor) -> bool:
    """Whether the fused convolutions can take these features."""
    return (
        x.device.type == "cpu"
        and x.dtype == torch.float32
        and not torch.is_grad_enabled()
        and not torch.compiler.is_compiling()
        and not torch.is_autocast_enabled("cpu")
        and torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_convolution_pointwise_")
    )


def conv_relu(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """max(0, conv(x)), for a 3 x 3 convolution."""
    run = torch.ops.mkldnn._convolution_pointwise
    return run(x, conv.weight, conv.bias, *_ONCE, "relu", [], None)  # type: ignore[no-any-return]


def conv_add_(conv: nn.Conv2d, x: Tensor, to: Tensor) -> None:
    """Adds conv(x) to a tensor, for a 3 x 3 convolution."""
    run = torch.ops.mkldnn._convolution_pointwise_.binary
    run(to, x, conv.weight, conv.bias, *_ONCE, "add", 1.0, None, [], None)
