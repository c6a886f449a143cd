"""The methods that GaussianSR is compared with, each a continuous image behind one protocol."""

from gsr.methods.aliif import ALIIF
from gsr.methods.diinn import DIINN
from gsr.methods.itsrn import ITSRN
from gsr.methods.liif import LIIF
from gsr.methods.lte import LTE
from gsr.methods.metasr import MetaSR
from gsr.methods.point_network import BaselineConfig, PointNetwork

BASELINES: dict[str, type[PointNetwork]] = {
    "metasr": MetaSR,
    "liif": LIIF,
    "itsrn": ITSRN,
    "aliif": ALIIF,
    "diinn": DIINN,
    "lte": LTE,
}

__all__ = ["BASELINES", "BaselineConfig", "PointNetwork"]
