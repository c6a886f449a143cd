"""What is publicly known of the data sets: their pictures, their pages, the files on them.

A checksum stands here only where someone has published it: those of DIV2K are the ones TensorFlow
Datasets downloads with, the one of the EDSR benchmark archive is recorded by projects that use it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from gsr.base.errors import ConfigError

Size = tuple[int, int]
"""(width, height) in pixels, as picture viewers write it."""


@dataclass(frozen=True)
class Part:
    """One of the parts that a data set is counted in.

    Attributes:
        name: `train`, `valid`, or empty where a set has one part.
        pictures: How many HR pictures belong to it.
        numbers: First and last number in the names, where names are numbered.
    """

    name: str
    pictures: int
    numbers: tuple[int, int] | None = None

    def __str__(self) -> str:
        return self.name or "the set"


@dataclass(frozen=True)
class RemoteFile:
    """A file on a data set's own page.

    Attributes:
        url: Where it is.
        folders: Each folder it unpacks to, with the number of pictures in it.
        root: Folder inside the archive that `folders` are in; empty for none.
        size: In bytes, None where unknown.
        sha256: None where unknown.
    """

    url: str
    folders: Mapping[str, int]
    root: str = ""
    size: int | None = None
    sha256: str | None = None

    @property
    def name(self) -> str:
        """The last part of the URL."""
        return self.url.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Dataset:
    """One data set.

    Attributes:
        name: As papers write it.
        page: Where its authors present it.
        parts: What it is counted in.
        other_names: Names it also goes by.
        files: What can be downloaded; empty where the page offers nothing directly.
        within: Folder that it is unpacked to, where `files` hold other sets too.
        asking: How to get it where there are no `files`.
        sizes: The size of every HR picture, with how many have it, where all are known.
        longest: The longer side of every HR picture in pixels, where it is the same for all.
    """

    name: str
    page: str
    parts: tuple[Part, ...]
    other_names: tuple[str, ...] = ()
    files: tuple[RemoteFile, ...] = ()
    within: str = ""
    asking: str = ""
    sizes: Mapping[Size, int] = field(default_factory=dict)
    longest: int | None = None

    @property
    def pictures(self) -> int:
        """How many HR pictures belong to the whole set."""
        return sum(part.pictures for part in self.parts)

    def goes_by(self, name: str) -> bool:
        """Whether a name means this set; case, spaces and hyphens do not count."""
        return _plain(name) in {_plain(known) for known in (self.name, *self.other_names)}


def find(name: str) -> Dataset:
    """The data set of a name.

    Raises:
        ConfigError: no set goes by it.
    """
    for dataset in DATASETS.values():
        if dataset.goes_by(name):
            return dataset
    raise ConfigError(f"{name!r} is not a known data set; there are {', '.join(DATASETS)}.")


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).lower()


# --- DIV2K -----------------------------------------------------------------------------------

_DIV2K_PAGE = "https://data.vision.ee.ethz.ch/cvl/DIV2K/"


def _div2k(folder: str, size: int, sha256: str) -> RemoteFile:
    archive = folder.replace("/", "_")
    pictures = 800 if "train" in folder else 100
    return RemoteFile(f"{_DIV2K_PAGE}{archive}.zip", {folder: pictures}, size=size, sha256=sha256)


_DIV2K_FILES = (
    _div2k(
        "DIV2K_train_HR",
        3_530_603_713,
        "9d0b9c463f6e35b6c62cc6a930ee2224f670b34c1df841a57670f9acf0f6c335",
    ),
    _div2k(
        "DIV2K_valid_HR",
        448_993_893,
        "20dd31fd84d777bc1cf5d6b7654a3f569c0aec74458ae094122ad1d0489900fc",
    ),
    _div2k(
        "DIV2K_train_LR_bicubic/X2",
        925_390_592,
        "a53a424317575838dadce4bcd97cf7b744d6855f43740ed5f0245af3cf4bd850",
    ),
    _div2k(
        "DIV2K_train_LR_bicubic/X3",
        427_847_282,
        "ad5c8e5507e2765823d3c2c5bd0934842efcd487c5370604c224090898b3163a",
    ),
    _div2k(
        "DIV2K_train_LR_bicubic/X4",
        246_914_039,
        "f006b837f4eb52b82909aa01478e6d6d199eefce932179491d0c9dbb706dde3a",
    ),
    _div2k(
        "DIV2K_valid_LR_bicubic/X2",
        117_763_600,
        "60eed9875c697df51204aa579e2a699e1d5215095788a097ff54dd17e2664d57",
    ),
    _div2k(
        "DIV2K_valid_LR_bicubic/X3",
        54_513_392,
        "04b9a2ed3b4a0715d3924d3ae8514830c3328fac8d30512ce716d6f419e052a3",
    ),
    _div2k(
        "DIV2K_valid_LR_bicubic/X4",
        31_505_881,
        "a50a5d1c4b88de4e8d300d8fb2b904c52fe93b2b298a4899697760d7cbb6d553",
    ),
)

# --- The archive that four of the benchmarks are in ------------------------------------------

_BENCHMARK_COUNTS = {"Set5": 5, "Set14": 14, "B100": 100, "Urban100": 100}

_BENCHMARKS = RemoteFile(
    "https://cv.snu.ac.kr/research/EDSR/benchmark.tar",
    {
        f"{name}/{folder}": count
        for name, count in _BENCHMARK_COUNTS.items()
        for folder in ("HR", "LR_bicubic/X2", "LR_bicubic/X3", "LR_bicubic/X4")
    },
    root="benchmark",
    size=250_112_000,
    sha256="80c21c333bbf6ceb5308b7243761f8284478274413a97b96f1d63e9045fd93e8",
)

# --- All of them -----------------------------------------------------------------------------

_SET5_SIZES: dict[Size, int] = {
    (512, 512): 1, (288, 288): 1, (256, 256): 1, (280, 280): 1, (228, 344): 1,
}  # fmt: skip

_SET14_SIZES: dict[Size, int] = {
    (500, 480): 1, (720, 576): 1, (512, 512): 4, (352, 288): 2, (250, 361): 1, (276, 276): 1,
    (500, 362): 1, (768, 512): 1, (529, 656): 1, (586, 391): 1,
}  # fmt: skip

_ALL = (
    Dataset(
        "DIV2K",
        page=_DIV2K_PAGE,
        parts=(Part("train", 800, (1, 800)), Part("valid", 100, (801, 900))),
        files=_DIV2K_FILES,
        longest=2040,
    ),
    Dataset(
        "General100",
        page="http://mmlab.ie.cuhk.edu.hk/projects/FSRCNN.html",
        parts=(Part("", 100, (1, 100)),),
        other_names=("General-100",),
        asking="its authors' page has no stable direct link; follow the one to the training sets",
    ),
    Dataset(
        "BSD100",
        page="https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/bsds/",
        parts=(Part("", 100),),
        other_names=("B100", "BSDS100", "CBSD100"),
        files=(_BENCHMARKS,),
        within="B100",
        sizes={(481, 321): 77, (321, 481): 23},
    ),
    Dataset(
        "Urban100",
        page="https://github.com/jbhuang0604/SelfExSR",
        parts=(Part("", 100, (1, 100)),),
        files=(_BENCHMARKS,),
        within="Urban100",
    ),
    Dataset(
        "Manga109",
        page="http://www.manga109.org/",
        parts=(Part("", 109),),
        asking="it is given to those who agree to its terms; fill in the form on its page",
    ),
    Dataset(
        "Set5",
        page="http://people.rennes.inria.fr/Aline.Roumy/results/SR_BMVC12.html",  # codespell:ignore
        parts=(Part("", 5),),
        files=(_BENCHMARKS,),
        within="Set5",
        sizes=_SET5_SIZES,
    ),
    Dataset(
        "Set14",
        page="https://sites.google.com/site/romanzeyde/research-interests",
        parts=(Part("", 14),),
        files=(_BENCHMARKS,),
        within="Set14",
        sizes=_SET14_SIZES,
    ),
)

DATASETS: Mapping[str, Dataset] = MappingProxyType({dataset.name: dataset for dataset in _ALL})
"""By name, in the order they are listed in."""
