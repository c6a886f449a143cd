"""The CSV file: written and read again, mended at a torn end, refused where it is foreign."""

import csv
import errno
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import gsr
from gsr.base.errors import OutputError
from gsr.tasks.evaluation import results as module
from gsr.tasks.evaluation.code import code_version, digest
from gsr.tasks.evaluation.results import COLUMNS, FILE, Case, Results, Row, Scores

CASE = Case(
    set="Set5", image="baby.png", scale=3.4, method="lite", weights="0a", protocol="liif",
    set_type="benchmark", channel="luma", shave=4, rounding="8 bit, luma too", lr="pil",
    crop="top left", image_sha256="1b", lr_sha256="", gsr="0.1.0",
)  # fmt: skip
SCORES = Scores(lr_height=10, lr_width=12, height=34, width=41, psnr=31.234567, ssim=0.9)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    odd = 'a "b", c\udce9.png'  # quotes, a comma, and a byte that is not UTF-8
    rows = [
        Row(CASE, SCORES),
        Row(replace(CASE, image=odd, scale=2.0), replace(SCORES, lpips=0.25)),
        Row(replace(CASE, method="sinc"), replace(SCORES, psnr=float("inf"))),
    ]
    first = Results(tmp_path / "new" / "folder")
    for row in rows:
        first.add(row)
    again = Results(tmp_path / "new" / "folder")
    assert again.scores == first.scores == {row.case: row.scores for row in rows}


def test_the_file_is_csv_for_everyone(tmp_path: Path) -> None:
    Results(tmp_path).add(Row(CASE, SCORES))
    with (tmp_path / FILE).open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert list(row) == COLUMNS
    assert (row["scale"], row["psnr"], row["lpips"]) == ("3.4", "31.234567", "")
    assert row["rounding"] == "8 bit, luma too"
    Results(tmp_path).add(Row(replace(CASE, scale=2.0), SCORES))
    assert (tmp_path / FILE).read_text().splitlines()[2].startswith("Set5,baby.png,2,")


def test_the_last_row_of_a_case_counts(tmp_path: Path) -> None:
    results = Results(tmp_path)
    results.add(Row(CASE, SCORES))
    results.add(Row(CASE, replace(SCORES, lpips=0.5)))
    assert Results(tmp_path).scores == {CASE: replace(SCORES, lpips=0.5)}


def test_every_torn_end_is_mended(tmp_path: Path) -> None:
    """A run killed at any byte leaves the rows before, and the next run writes on."""
    results = Results(tmp_path)
    rows = [Row(replace(CASE, shave=n), SCORES) for n in range(3)]
    for row in rows:
        results.add(row)
    content = (tmp_path / FILE).read_bytes()
    ends = [i + 1 for i, byte in enumerate(content) if byte == 10]
    for cut in range(len(content) + 1):
        (tmp_path / FILE).write_bytes(content[:cut])
        again = Results(tmp_path)
        whole = max(0, sum(end <= cut for end in ends) - 1)
        assert list(again.scores) == [row.case for row in rows[:whole]]
        for row in rows[whole:]:
            again.add(row)
        assert (tmp_path / FILE).read_bytes() == content


def test_in_memory_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    results = Results()
    results.add(Row(CASE, SCORES))
    assert results.scores == {CASE: SCORES}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"name,value\na,1\n", b"\x00\x01", b"\xff\xfe\n"])
def test_foreign_files_are_refused_and_left(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(
        OutputError, match=r"results\.csv is not a file of this version of gsr eval"
    ):
        Results(tmp_path)
    assert (tmp_path / FILE).read_bytes() == content


@pytest.mark.parametrize(
    "change",
    [
        lambda row: "Set5,baby.png",
        lambda row: row.replace("31.234567", "31.2.3"),
        lambda row: row.replace("31.234567", "nan"),
        lambda row: row.replace("31.234567", "1_000.5"),
        lambda row: row.replace("31.234567", "1" * 5000),
        lambda row: row.replace("31.234567", " 31.2"),
        lambda row: row.replace("31.234567", ""),
        lambda row: row.replace("31.234567", "\0"),
        lambda row: f'"{row}',
        lambda row: "x" * 200_000 + row,
        lambda row: row + ",1",
    ],
)
def test_damaged_rows_are_named(tmp_path: Path, change: Callable[[str], str]) -> None:
    Results(tmp_path).add(Row(CASE, SCORES))
    good = (tmp_path / FILE).read_text().splitlines()[1]
    with (tmp_path / FILE).open("a") as file:
        file.write(change(good) + "\n")
    with pytest.raises(
        OutputError, match=r"results\.csv, row 3 is damaged; name another folder or"
    ):
        Results(tmp_path)


def test_folders_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"the folder .*file cannot be written to: "):
        Results(tmp_path / "file")
    (tmp_path / "folder" / FILE).mkdir(parents=True)
    with pytest.raises(OutputError, match=r"results\.csv cannot be read: Is a directory\.$"):
        Results(tmp_path / "folder")


class FullDisk:
    """A file that takes the first bytes of a write."""

    def __init__(self, file, error: bool):
        self.file, self.error = file, error

    def __enter__(self):
        return self

    def __exit__(self, *reasons) -> None:
        self.file.close()

    def write(self, data: bytes) -> int:
        self.file.write(data[:5])
        if self.error:
            raise OSError(errno.ENOSPC, "No space left on device")
        return 5

    def __getattr__(self, name: str):
        return getattr(self.file, name)


@pytest.mark.parametrize("error", [True, False])
def test_a_full_disk_leaves_whole_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: bool
) -> None:
    results = Results(tmp_path)
    results.add(Row(CASE, SCORES))
    before = (tmp_path / FILE).read_bytes()
    real = Path.open
    with monkeypatch.context() as patch:
        patch.setattr(
            module.Path, "open", lambda self, *a, **k: FullDisk(real(self, *a, **k), error)
        )
        with pytest.raises(OutputError, match=r"cannot be written: (No space left|the disk is fu)"):
            results.add(Row(replace(CASE, shave=9), SCORES))
    assert (tmp_path / FILE).read_bytes() == before
    assert list(results.scores) == [CASE]


def test_numbers_of_other_code_are_others(tmp_path):
    (tmp_path / "cli").mkdir()
    for name in ("render.py", "cli/progress.py"):
        (tmp_path / name).write_text("a = 1\n")
    before = digest(tmp_path)
    (tmp_path / "cli" / "progress.py").write_text("a = 2\n")
    assert digest(tmp_path) == before  # no pixel goes through it
    (tmp_path / "render.py").write_text("a = 2\n")
    assert digest(tmp_path) != before
    assert code_version().startswith(gsr.__version__ + "+")
