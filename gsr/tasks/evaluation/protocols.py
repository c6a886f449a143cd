"""What is compared, under the names that papers go by."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from gsr.base.errors import ConfigError
from gsr.images.metrics import Protocol

SetType = Literal["benchmark", "div2k"]
SET_TYPES: tuple[SetType, ...] = ("benchmark", "div2k")


@dataclass(frozen=True)
class Rules:
    """How sets of one type are measured.

    Attributes:
        protocol: The name of the protocol.
        channel: `luma` or `rgb`.
        shave: Pixels left out along each border, as a formula.
        rounding: What is rounded before pictures are compared.
        at: The same at a scale, for `gsr.images.metrics`.
    """

    protocol: str
    channel: str
    shave: str
    rounding: str
    at: Callable[[float], Protocol]

    def __str__(self) -> str:
        return f"{self.channel}, shave {self.shave}, {self.rounding}"


def _basicsr(scale: float) -> Protocol:
    return Protocol("luma", min(Protocol.benchmark(scale).shave, 8), rounding=True)


def _matlab(scale: float) -> Protocol:
    shave = Protocol.benchmark(scale).shave
    return Protocol("luma", shave, rounding=True, luma_rounding=True)


def _for_all(rules: Rules) -> dict[SetType, Rules]:
    return dict.fromkeys(SET_TYPES, rules)


PROTOCOLS: dict[str, dict[SetType, Rules]] = {
    # Chen et al., "LIIF" (2021), and those who compare with it: never rounded.
    "liif": {
        "benchmark": Rules("liif", "luma", "ceil(scale)", "float", Protocol.benchmark),
        "div2k": Rules("liif", "rgb", "ceil(scale) + 6", "float", Protocol.div2k),
    },
    # The BasicSR toolbox, and GSASR's comparison.
    "basicsr": _for_all(Rules("basicsr", "luma", "min(ceil(scale), 8)", "8 bit", _basicsr)),
    # The MATLAB scripts behind most published tables, in which rgb2ycbcr of 8-bit pictures is
    # 8-bit itself. At 34 dB it costs 0.03 dB against `basicsr`, at 38 dB more.
    "matlab": _for_all(Rules("matlab", "luma", "ceil(scale)", "8 bit, luma too", _matlab)),
}


def check_protocol(protocol: str, set_type: str | None) -> SetType | None:
    """The two as they were asked for; no type leaves it to each set's name.

    Raises:
        ConfigError: one of them is not known, or a type is given where it changes nothing.
    """
    if protocol not in PROTOCOLS:
        raise ConfigError(f"unknown protocol {protocol!r}; choose one of {', '.join(PROTOCOLS)}.")
    if set_type is None:
        return None
    kind = next((known for known in SET_TYPES if known == set_type), None)
    if kind is None:
        raise ConfigError(f"a set's type must be {' or '.join(SET_TYPES)}, got {set_type!r}.")
    if not depends_on_type(protocol):
        raise ConfigError(f"protocol {protocol} measures all sets alike; leave out their type.")
    return kind


def depends_on_type(protocol: str) -> bool:
    """Whether a protocol measures sets of different types in different ways."""
    return len(set(PROTOCOLS[protocol].values())) > 1


def guess_type(set_name: str) -> SetType:
    """DIV2K by its name, everything else a benchmark."""
    return "div2k" if "div2k" in set_name.lower() else "benchmark"
