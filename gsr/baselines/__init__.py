"""The methods that GaussianSR is compared with, each a continuous image behind one protocol."""

from gsr.baselines.aliif import ALIIF
from gsr.baselines.diinn import DIINN
from gsr.baselines.itsrn import ITSRN
from gsr.baselines.liif import LIIF
from gsr.baselines.lte import LTE
from gsr.baselines.metasr import MetaSR
from gsr.baselines.network import BaselineConfig, PointNetwork

BASELINES: dict[str, type[PointNetwork]] = {
    "metasr": MetaSR,
    "liif": LIIF,
    "itsrn": ITSRN,
    "aliif": ALIIF,
    "diinn": DIINN,
    "lte": LTE,
}

__all__ = ["BASELINES", "BaselineConfig", "PointNetwork"]
