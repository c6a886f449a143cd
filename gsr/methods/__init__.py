"""What turns pictures into continuous images: GaussianSR, the compared methods, their weights."""

from gsr.methods.registry import (
    CLASSICAL,
    METHODS,
    NETWORKS,
    ON_RESULT,
    described,
    get,
    is_described,
    names,
    new_network,
)

__all__ = [
    "CLASSICAL",
    "METHODS",
    "NETWORKS",
    "ON_RESULT",
    "described",
    "get",
    "is_described",
    "names",
    "new_network",
]
