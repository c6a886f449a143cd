"""What of a data set is in a folder, what is missing, and what is odd.

The common layouts are understood: pictures directly in the folder or in `HR`, those of the DIV2K
and EDSR archives (`DIV2K_train_LR_bicubic/X2`, `LR_bicubic/X2`), and `image_SRF_4` with its
`img_001_SRF_4_HR.png`.
"""

import hashlib
import os
import re
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from PIL import Image, UnidentifiedImageError

from gsr.base.errors import ConfigError
from gsr.base.files import READABLE_SUFFIXES
from gsr.tasks.datasets.registry import Dataset, Part, Size

Grade = Literal["missing", "odd", "note"]
Kind = Literal["HR", "LR"]

GREY_MODES = ("1", "L", "LA", "La", "F", "I", "I;16", "I;16B", "I;16L", "I;16N")
CROPS = (1, 2, 3, 4, 6, 8, 12, 16, 24)
"""HR pictures are cropped to multiples of these, so that an LR picture fits exactly."""
NAMED_FILES = 8
"""More than these are counted, not named."""

_ENDS = 1 << 12
_SRF = re.compile(r"^(?P<key>.+?)_SRF_(?P<scale>\d+)_(?P<what>.+)$", re.IGNORECASE)
_LR_NAME = re.compile(r"^(?P<key>.+?)[_-]?x(?P<scale>\d+)(?:[a-z]\d?)?$", re.IGNORECASE)
_SCALE = re.compile(r"(?:^|_|bic)x(\d+)$", re.IGNORECASE)
_HR_FOLDER = re.compile(r"(?:^|_)(?:hr|gt)(?:$|_|mod)", re.IGNORECASE)
_LR_FOLDER = re.compile(r"(?:^|_)(?:lr|lq)(?:$|_|bic|\d)", re.IGNORECASE)


@dataclass(frozen=True)
class Finding:
    """Something worth telling.

    Attributes:
        grade: A `note` leaves a set complete.
        text: A sentence without its full stop.
        files: What it is about, relative to the folder.
    """

    grade: Grade
    text: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """Pictures that belong together.

    Attributes:
        folder: Relative to the folder that was asked about.
        kind: HR, or LR of some `scale`.
        part: Which part of the set, empty where it has one.
        scale: Of LR pictures how much smaller they are; of HR pictures what their folder says
            they were cropped for, 0 for nothing.
        pictures: How many can be read.
        expected: How many belong to it.
        smallest: (width, height) of the picture with the fewest pixels.
        largest: (width, height) of the one with the most.
    """

    folder: str
    kind: Kind
    part: str
    scale: int
    pictures: int
    expected: int
    smallest: Size | None
    largest: Size | None


@dataclass(frozen=True)
class Report:
    """What is in a folder."""

    name: str
    folder: str
    groups: tuple[Group, ...]
    findings: tuple[Finding, ...]

    @property
    def is_complete(self) -> bool:
        """Nothing is missing and nothing is odd."""
        return all(finding.grade == "note" for finding in self.findings)


@dataclass(frozen=True)
class _Key:
    folder: str
    kind: Kind
    part: str
    scale: int


@dataclass(frozen=True)
class _Picture:
    """A file with the name it has in every scale, and what its header says."""

    path: Path
    key: str
    size: Size | None = None
    mode: str = ""
    damage: str = ""


@dataclass
class _Survey:
    dataset: Dataset
    root: Path
    groups: dict[_Key, list[_Picture]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def tell(self, grade: Grade, text: str, paths: Iterable[Path] = ()) -> None:
        names = tuple(path.relative_to(self.root).as_posix() for path in paths)
        self.findings.append(Finding(grade, text, names))

    def parts(self, only: str | None) -> tuple[Part, ...]:
        return tuple(p for p in self.dataset.parts if not only or only.lower() in p.name.lower())


def check(
    dataset: Dataset,
    folder: Path,
    *,
    only: str | None = None,
    deep: bool = False,
    told: Callable[[float], None] | None = None,
) -> Report:
    """Check a folder for the files of a data set.

    Args:
        dataset: Which set.
        folder: Where it is; a folder that holds it under its name will do too.
        only: Parts with this in their name, for a set with parts.
        deep: Decode every picture instead of reading its header.
        told: Takes the finished part of the work.

    Raises:
        ConfigError: the folder does not exist, or there is no such part.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder} is not a folder.")
    root = _root(dataset, folder)
    survey = _Survey(dataset, root)
    parts = survey.parts(only)
    if not parts:
        names = ", ".join(part.name for part in dataset.parts if part.name) or "no parts"
        raise ConfigError(f"{dataset.name} has no part {only!r}; there are {names}.")
    _collect(survey, parts, deep, told or (lambda part: None))
    for part in parts:
        _check_part(survey, part)
    for key, pictures in survey.groups.items():
        _check_pictures(survey, key, pictures)
    _check_duplicates(survey)
    groups = tuple(
        _summary(key, pictures, parts)
        for key, pictures in sorted(survey.groups.items(), key=_order)
    )
    return Report(dataset.name, str(root), groups, tuple(survey.findings))


def _root(dataset: Dataset, folder: Path) -> Path:
    """The folder itself, or the one in it that has the name of the set."""
    for base in (folder, folder / "benchmark"):
        if base.is_dir():
            for path in sorted(base.iterdir()):
                if path.is_dir() and dataset.goes_by(path.name):
                    return path
    return folder


def _order(item: tuple[_Key, list[_Picture]]) -> tuple[str, str, int, str]:
    key, _ = item
    return key.part, key.kind, key.scale, key.folder


def _summary(key: _Key, pictures: list[_Picture], parts: tuple[Part, ...]) -> Group:
    sizes = sorted((p.size for p in pictures if p.size), key=lambda size: size[0] * size[1])
    expected = next(part.pictures for part in parts if part.name == key.part)
    smallest, largest = (sizes[0], sizes[-1]) if sizes else (None, None)
    return Group(key.folder, key.kind, key.part, key.scale, len(sizes), expected, smallest, largest)


# --- What is there ---------------------------------------------------------------------------


def _collect(
    survey: _Survey, parts: tuple[Part, ...], deep: bool, told: Callable[[float], None]
) -> None:
    """Sort all files into groups and read them."""
    found: list[tuple[_Key, _Picture]] = []
    strange: list[Path] = []
    others: list[Path] = []
    for path in _files(survey.root):
        if path.suffix.lower() not in READABLE_SUFFIXES or _is_result(path):
            others.append(path)
            continue
        place = _place(survey, path)
        if place is None:
            strange.append(path)
        elif any(part.name == place[0].part for part in parts):
            found.append((place[0], _Picture(path, place[1])))
    if others:
        survey.tell("note", f"{_count(len(others), 'other file')} next to the pictures", others)
    if strange:
        text = f"{_count(len(strange), 'picture')} that fit no part of {survey.dataset.name}"
        survey.tell("odd", text, strange)
    for done, (key, picture) in enumerate(found, start=1):
        survey.groups.setdefault(key, []).append(_read(picture, deep))
        told(done / len(found))


def _files(root: Path) -> Iterator[Path]:
    seen: set[str] = set()
    # Links are followed, because large sets lie on other disks; those that lead back are not.
    for where, folders, names in os.walk(root, followlinks=True):
        if (real := os.path.realpath(where)) in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(where, name)


def _place(survey: _Survey, path: Path) -> tuple[_Key, str] | None:
    """Where a picture belongs, and its name there; None if unknown."""
    inside = path.parent.relative_to(survey.root)
    # The folder may itself be an inner one: `gsr data check DIV2K data/DIV2K_valid_HR`.
    folders = (survey.root.resolve().name, *inside.parts)
    folder = inside.as_posix()
    stem = path.stem
    if match := _SRF.match(stem):
        part = _part_of(survey.dataset, folders, match["key"])
        if part is None:
            return None
        kind: Kind = "HR" if match["what"].upper() == "HR" else "LR"
        return _Key(folder, kind, part, int(match["scale"])), match["key"]
    scale = _scale_of(folders)
    if _kind_of(folders) == "HR":
        part = _part_of(survey.dataset, folders, stem)
        return None if part is None else (_Key(folder, "HR", part, scale), stem)
    match = _LR_NAME.match(stem)
    key = match["key"] if match else stem
    scale = int(match["scale"]) if match else scale
    part = _part_of(survey.dataset, folders, key)
    return None if part is None or not scale else (_Key(folder, "LR", part, scale), key)


def _is_result(path: Path) -> bool:
    """Whether it is what some method made of a picture: `img_001_SRF_4_bicubic.png`."""
    match = _SRF.match(path.stem)
    return match is not None and match["what"].upper() not in ("HR", "LR")


def _kind_of(folders: tuple[str, ...]) -> Kind:
    """From the innermost folder that names it; HR if none does."""
    for name in reversed(folders):
        if _HR_FOLDER.search(name):
            return "HR"
        if _LR_FOLDER.search(name):
            return "LR"
    return "LR" if _SCALE.fullmatch(folders[-1]) else "HR"


def _scale_of(folders: tuple[str, ...]) -> int:
    """2 for `X2`, `LRbicx2`, `DIV2K_train_LR_bicubic_X2`; 0 for none."""
    scales = [int(match[1]) for name in folders if (match := _SCALE.search(name))]
    return scales[-1] if scales else 0


def _part_of(dataset: Dataset, folders: tuple[str, ...], name: str) -> str | None:
    """From the folders, else from the number in the name."""
    if len(dataset.parts) == 1:
        return dataset.parts[0].name
    told = " ".join(folders).lower()
    named = [part.name for part in dataset.parts if part.name in told]
    if len(named) == 1:
        return named[0]
    number = _number(name)
    for part in dataset.parts:
        if number is not None and part.numbers and part.numbers[0] <= number <= part.numbers[1]:
            return part.name
    return None


def _number(name: str) -> int | None:
    """The number at the end of a name."""
    match = re.search(r"(\d+)$", name)
    return int(match[1]) if match else None


def _read(picture: _Picture, deep: bool) -> _Picture:
    path = picture.path
    if path.exists() and not path.is_file():
        # A pipe of that name would be waited on forever.
        return _Picture(path, picture.key, damage="it is not a file")
    try:
        with warnings.catch_warnings():
            # Of large pictures, which are none here, and of odd EXIF data.
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                if deep:
                    image.load()
                size, mode, kind = image.size, image.mode, image.format
        damage = "" if deep or _has_end(path, kind) else "it is cut short"
    except UnidentifiedImageError:
        return _Picture(path, picture.key, damage="its content is none that can be read")
    except Exception as error:
        # Damaged files raise almost anything.
        return _Picture(path, picture.key, damage=str(error) or type(error).__name__)
    return _Picture(path, picture.key, size, mode, damage)


def _has_end(path: Path, kind: str | None) -> bool:
    """Whether a file ends as its format asks for, which a file that was cut does not."""
    marks = {"PNG": b"IEND", "JPEG": b"\xff\xd9"}
    return kind not in marks or marks[kind] in _ends(path)[1]


def _ends(path: Path) -> tuple[bytes, bytes]:
    with path.open("rb") as file:
        head = file.read(_ENDS)
        file.seek(max(0, path.stat().st_size - _ENDS))
        return head, file.read()


# --- What is missing -------------------------------------------------------------------------


def _check_part(survey: _Survey, part: Part) -> None:
    groups = {key: found for key, found in survey.groups.items() if key.part == part.name}
    hr = {key: found for key, found in groups.items() if key.kind == "HR"}
    title = f"{survey.dataset.name} {part.name}".strip()
    if not hr:
        survey.tell("missing", f"no HR pictures of {title}, which has {part.pictures}")
    for key, pictures in groups.items():
        _check_names(survey, key, part, pictures)
        if key.kind == "LR" and hr:
            _check_pairs(survey, key, pictures, hr)


def _check_names(survey: _Survey, key: _Key, part: Part, pictures: list[_Picture]) -> None:
    """As many as belong to the set, each name once, and no number left out."""
    names = Counter(picture.key.lower() for picture in pictures)
    twice = [picture.path for picture in pictures if names[picture.key.lower()] > 1]
    if twice:
        survey.tell("odd", f"{_title(key)}: {_count(len(twice), 'file')} share their names", twice)
    if len(names) != part.pictures:
        lacks = len(names) < part.pictures
        gap = _gap(names, part) if lacks else ""
        survey.tell(
            "missing" if lacks else "odd",
            f"{_title(key)}: {_count(len(names), 'picture')} of {part.pictures}{gap}",
        )
    elif part.numbers and (gap := _gap(names, part)):
        survey.tell("odd", f"{_title(key)}: the names are not those of the set{gap}")


def _gap(names: Iterable[str], part: Part) -> str:
    """`, without 3, 17-20`; empty where the names are not numbered as the set is."""
    if part.numbers is None:
        return ""
    first, last = part.numbers
    numbers = {_number(name) for name in names}
    here = numbers & set(range(first, last + 1))
    if not here:
        return ""
    runs = _runs(number for number in range(first, last + 1) if number not in here)
    if not runs:
        return ""
    more = f" and {len(runs) - NAMED_FILES} more gaps" if len(runs) > NAMED_FILES else ""
    return f", without {', '.join(runs[:NAMED_FILES])}{more}"


def _runs(numbers: Iterable[int]) -> list[str]:
    """3, 17, 18, 19 as `3`, `17-19`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return [f"{first}" if first == last else f"{first}-{last}" for first, last in runs]


def _check_pairs(
    survey: _Survey, key: _Key, lr: list[_Picture], hr: dict[_Key, list[_Picture]]
) -> None:
    """Every LR picture has its HR picture, and its size is that one's over the scale."""
    same = [pictures for other, pictures in hr.items() if other.scale == key.scale]
    # Of several HR folders it cannot be known which one they were made of; the best is taken.
    pairs = (_mismatches(key.scale, lr, pictures) for pictures in same or hr.values())
    lonely, unfit = min(pairs, key=lambda pair: len(pair[0]) + len(pair[1]))
    if lonely:
        text = f"{_title(key)}: {_count(len(lonely), 'picture')} without an HR picture"
        survey.tell("odd", text, lonely)
    if unfit:
        text = f"{_title(key)}: {_count(len(unfit), 'picture')} whose size is not HR / {key.scale}"
        survey.tell("odd", text, unfit)


def _mismatches(
    scale: int, lr: list[_Picture], hr: list[_Picture]
) -> tuple[list[Path], list[Path]]:
    """LR pictures without a partner, and those of another size than it asks for."""
    whole = {picture.key.lower(): picture for picture in hr}
    lonely, unfit = [], []
    for picture in lr:
        other = whole.get(picture.key.lower())
        if other is None:
            lonely.append(picture.path)
        elif picture.size and other.size and not _fits(picture.size, other.size, scale):
            unfit.append(picture.path)
    return lonely, unfit


def _fits(lr: Size, hr: Size, scale: int) -> bool:
    """Rounded down after a crop of the HR picture, rounded up by MATLAB without one."""
    return all(
        small in (large // scale, -(-large // scale)) for small, large in zip(lr, hr, strict=True)
    )


# --- What is odd -----------------------------------------------------------------------------


def _check_pictures(survey: _Survey, key: _Key, pictures: list[_Picture]) -> None:
    for picture in (one for one in pictures if one.damage):
        text = f"{picture.path.name} is damaged or no picture ({picture.damage})"
        survey.tell("odd", text, [picture.path])
    whole = [picture for picture in pictures if not picture.damage]
    grey = [picture.path for picture in whole if picture.mode in GREY_MODES]
    if grey:
        text = f"{_title(key)}: {_count(len(grey), 'picture')} stored as grey, not as RGB"
        survey.tell("odd", text, grey)
    others = [p for p in whole if p.mode not in (*GREY_MODES, "RGB")]
    if others:
        modes = ", ".join(sorted({picture.mode for picture in others}))
        text = f"{_title(key)}: {_count(len(others), 'picture')} stored as {modes}, not as RGB"
        survey.tell("odd", text, [picture.path for picture in others])
    if key.kind == "HR":
        _check_sizes(survey, key, whole)


def _check_sizes(survey: _Survey, key: _Key, pictures: list[_Picture]) -> None:
    """Those of the set, where they are known; cropped alike is as good."""
    dataset = survey.dataset
    unlike: list[Path] = []
    if dataset.longest is not None:
        unlike = [p.path for p in pictures if p.size and max(p.size) != dataset.longest]
    elif dataset.sizes:
        crops = (key.scale,) if key.scale else CROPS
        unlike = min((_unlike(pictures, dataset.sizes, crop) for crop in crops), key=len)
    if unlike:
        text = f"{_title(key)}: {_count(len(unlike), 'picture')} of another size than in the set"
        survey.tell("odd", text, unlike)


def _unlike(pictures: list[_Picture], sizes: Mapping[Size, int], crop: int) -> list[Path]:
    left: Counter[Size] = Counter()
    for (width, height), count in sizes.items():
        left[width - width % crop, height - height % crop] += count
    unlike = []
    for picture in pictures:
        if picture.size is None:
            continue
        if left[picture.size] > 0:
            left[picture.size] -= 1
        else:
            unlike.append(picture.path)
    return unlike


def _check_duplicates(survey: _Survey) -> None:
    """Equal files in one folder, or in two parts of the set."""
    homes = {p.path: key for key, pictures in survey.groups.items() for p in pictures if p.size}
    for equal in _equal_files(list(homes)):
        keys = [homes[path] for path in equal]
        parts = {key.part for key in keys}
        if len(set(keys)) < len(keys) or len(parts) > 1:
            survey.tell("odd", f"{len(equal)} files are equal, byte for byte", equal)


def _equal_files(paths: list[Path]) -> list[list[Path]]:
    """Read in full only where the sizes and both ends are equal already."""
    steps: tuple[Callable[[Path], object], ...] = (lambda path: path.stat().st_size, _ends, _digest)
    clusters = [paths]
    for step in steps:
        clusters = [finer for cluster in clusters for finer in _split(cluster, step)]
    return clusters


def _split(paths: list[Path], step: Callable[[Path], object]) -> list[list[Path]]:
    found: dict[object, list[Path]] = defaultdict(list)
    for path in paths:
        found[step(path)].append(path)
    return [cluster for cluster in found.values() if len(cluster) > 1]


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _title(key: _Key) -> str:
    scale = f" x{key.scale}" if key.scale else ""
    where = "" if key.folder == "." else f" in {key.folder}"
    return f"{key.part} {key.kind}{scale}{where}".strip()


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
