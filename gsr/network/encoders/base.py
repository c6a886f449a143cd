"""What every encoder has in common, and its configuration."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from gsr.base.reading import Checked


class AnyEncoderConfig(Checked, ABC):
    """What the frozen dataclass of every encoder's configuration says.

    Attributes:
        kind: A key of `ENCODERS`, and the only value of that member.
        channels: Features per LR pixel.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]
    kind: str
    channels: int

    @property
    @abstractmethod
    def radius(self) -> int:
        """LR pixels that a feature sees in each direction, exactly: the halo of a tile."""

    @property
    @abstractmethod
    def label(self) -> str:
        """Kind and size, for a table."""

    @classmethod
    def kinds(cls) -> dict[str, type]:
        """What is read where an encoder's configuration stands, by kind; the usual one first."""
        # Which holds classes made of this one.
        from gsr.network.encoders import ENCODERS

        return {kind: encoder.Config for kind, encoder in ENCODERS.items()}


class Encoder(nn.Module, ABC):
    """LR images in [0, 1] to features on the same grid."""

    Config: ClassVar[type[AnyEncoderConfig]]

    def __init__(self, config: AnyEncoderConfig):
        super().__init__()
        self.config = config

    @property
    def channels(self) -> int:
        """Features per LR pixel."""
        return self.config.channels

    @property
    def radius(self) -> int:
        """LR pixels that a feature sees in each direction, exactly."""
        return self.config.radius

    @abstractmethod
    def forward(self, lr: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b c h w"]:
        """Features."""

    def grown(self, given: "Encoder") -> dict[str, Tensor]:
        """Weights of `given` with what this encoder has more of, which changes nothing at first.

        Weights that differ in another way come back as they are.
        """
        return given.state_dict()
