"""Networks that turn an LR image into features on its own grid."""

from gsr.network.encoders.edsr import EDSR, EncoderConfig

__all__ = ["EDSR", "EncoderConfig"]
