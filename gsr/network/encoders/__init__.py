"""Networks that turn an LR image into features on its own grid.

To add one, write a file with its configuration and its class, and name it in `ENCODERS`.
"""

from gsr.base.errors import ConfigError, shown
from gsr.network.encoders.base import AnyEncoderConfig, Encoder
from gsr.network.encoders.edsr import EDSR, EncoderConfig

ENCODERS: dict[str, type[Encoder]] = {"edsr": EDSR}
"""By the `kind` of their configuration; where a file says none, it is of the first."""


def new_encoder(config: AnyEncoderConfig) -> Encoder:
    """An encoder of random weights.

    Raises:
        ConfigError: for a kind that is not registered.
    """
    if config.kind not in ENCODERS:
        raise ConfigError(
            f"encoder.kind must be one of {', '.join(ENCODERS)}, got {shown(config.kind)}."
        )
    return ENCODERS[config.kind](config)


__all__ = ["EDSR", "ENCODERS", "AnyEncoderConfig", "Encoder", "EncoderConfig", "new_encoder"]
