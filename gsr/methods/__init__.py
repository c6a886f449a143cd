"""What turns pictures into continuous images: GaussianSR, the compared methods, their weights."""

from gsr.methods.registry import CLASSICAL, NETWORKS, ON_RESULT, get, names, new_network

__all__ = ["CLASSICAL", "NETWORKS", "ON_RESULT", "get", "names", "new_network"]
