"""Data sets by name: what is said of a folder, and downloads against a server of our own."""

import gzip
import hashlib
import io
import json
import os
import re
import socket
import stat
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gsr.base.errors import ConfigError, OutputError
from gsr.tasks.datasets import DATASETS, Dataset, Part, RemoteFile, downloading, find, unpacking
from gsr.tasks.datasets.checking import Finding, Report, check
from gsr.tasks.datasets.downloading import DownloadError, download, partial
from gsr.tasks.datasets.fetching import check_space, choose, fetch
from gsr.tasks.datasets.unpacking import ArchiveError, unpack

# --- Pictures --------------------------------------------------------------------------------


def picture(path: Path, size: tuple[int, int] = (24, 12), mode: str = "RGB") -> Path:
    """Noise that its path decides, so that no two files are equal."""
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = int.from_bytes(hashlib.sha256(str(path).encode()).digest()[:4], "big")
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    Image.fromarray(noise).convert(mode).save(path)
    return path


def graded(report: Report, grade: str) -> list[Finding]:
    return [finding for finding in report.findings if finding.grade == grade]


def texts(report: Report) -> str:
    return "\n".join(f"{finding.grade}: {finding.text}" for finding in report.findings)


TOY = Dataset("Toy", page="http://example.org/", parts=(Part("", 4, (1, 4)),), other_names=("T4",))
SPLIT = Dataset(
    "Split",
    page="http://example.org/",
    parts=(Part("train", 3, (1, 3)), Part("valid", 2, (4, 5))),
    longest=24,
)
NAMES = ("img_1", "img_2", "img_3", "img_4")


# --- The list --------------------------------------------------------------------------------


def test_expected_numbers():
    numbers = {name: dataset.pictures for name, dataset in DATASETS.items()}
    assert numbers == {
        "DIV2K": 900, "General100": 100, "BSD100": 100, "Urban100": 100, "Manga109": 109,
        "Set5": 5, "Set14": 14,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "known"),
    [("set5", "Set5"), ("Set-14", "Set14"), ("B100", "BSD100"), ("bsds_100", "BSD100")],
)
def test_names_are_found_however_they_are_written(name, known):
    assert find(name).name == known


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ConfigError, match=r"'Set6' is not a known data set; .*Set14"):
        find("Set6")


def test_the_list_is_consistent():
    for dataset in DATASETS.values():
        assert dataset.files or dataset.asking
        assert sum(dataset.sizes.values()) in (0, dataset.pictures)
        for file in dataset.files:
            assert file.url.startswith("https://")
            assert file.sha256 is None or re.fullmatch("[0-9a-f]{64}", file.sha256)
        checksums = [file.sha256 for file in dataset.files if file.sha256]
        assert len(set(checksums)) == len(checksums)
    for name in ("Manga109", "General100"):
        assert choose(find(name), None) == ()
    for name in ("Set5", "Set14", "BSD100", "Urban100"):
        file, within = find(name).files[0], find(name).within
        assert file.folders[f"{within}/HR"] == find(name).pictures


# --- Checking --------------------------------------------------------------------------------


def layout_flat(root: Path) -> None:
    for name in NAMES:
        picture(root / f"{name}.png")


def layout_hr(root: Path) -> None:
    layout_flat(root / "HR")


def layout_edsr(root: Path) -> None:
    for name in NAMES:
        picture(root / "HR" / f"{name}.png", (25, 13))
        picture(root / "LR_bicubic" / "X2" / f"{name}x2.png", (12, 6))
        picture(root / "LR_bicubic" / "X3" / f"{name}x3.png", (9, 5))


def layout_srf(root: Path) -> None:
    for name in NAMES:
        picture(root / "image_SRF_4" / f"{name}_SRF_4_HR.png", (24, 12))
        picture(root / "image_SRF_4" / f"{name}_SRF_4_LR.png", (6, 3))
        picture(root / "image_SRF_3" / f"{name}_SRF_3_HR.png", (24, 12))
        picture(root / "image_SRF_3" / f"{name}_SRF_3_LR.png", (8, 4))


def layout_under_its_name(root: Path) -> None:
    layout_hr(root / "T4")
    layout_hr(root / "Other")


def layout_linked(root: Path) -> None:
    layout_flat(root.parent / "elsewhere")
    root.mkdir()
    (root / "HR").symlink_to(root.parent / "elsewhere")
    (root / "round").symlink_to(root)


@pytest.mark.parametrize(
    ("layout", "groups"),
    [
        (layout_flat, [("HR", 0)]),
        (layout_hr, [("HR", 0)]),
        (layout_edsr, [("HR", 0), ("LR", 2), ("LR", 3)]),
        (layout_srf, [("HR", 3), ("HR", 4), ("LR", 3), ("LR", 4)]),
        (layout_under_its_name, [("HR", 0)]),
        (layout_linked, [("HR", 0)]),
    ],
)
def test_common_layouts_are_understood(layout, groups, tmp_path):
    layout(tmp_path / "data")
    report = check(TOY, tmp_path / "data")
    assert report.is_complete, texts(report)
    assert [(group.kind, group.scale) for group in report.groups] == groups
    assert {(group.pictures, group.expected) for group in report.groups} == {(4, 4)}


def div2k_like(root: Path) -> None:
    for part, numbers in (("train", (1, 2, 3)), ("valid", (4, 5))):
        for number in numbers:
            picture(root / f"Split_{part}_HR" / f"{number:04d}.png")
            lr = root / f"Split_{part}_LR_bicubic" / "X2" / f"{number:04d}x2.png"
            picture(lr, (12, 6))
            picture(root / f"Split_{part}_LR_x8" / f"{number:04d}x8.png", (3, 2))


def test_parts_in_folders_of_their_own(tmp_path):
    div2k_like(tmp_path)
    report = check(SPLIT, tmp_path)
    assert report.is_complete, texts(report)
    found = [(g.part, g.kind, g.scale, g.pictures) for g in report.groups]
    assert found == [
        ("train", "HR", 0, 3), ("train", "LR", 2, 3), ("train", "LR", 8, 3),
        ("valid", "HR", 0, 2), ("valid", "LR", 2, 2), ("valid", "LR", 8, 2),
    ]  # fmt: skip


def test_parts_in_one_folder_are_told_by_their_numbers(tmp_path):
    for number in range(1, 7):
        picture(tmp_path / f"{number:04d}.png")
    report = check(SPLIT, tmp_path)
    assert [(g.part, g.pictures) for g in report.groups] == [("train", 3), ("valid", 2)]
    (odd,) = graded(report, "odd")
    assert odd.files == ("0006.png",)


def test_one_part_alone(tmp_path):
    div2k_like(tmp_path)
    inner = tmp_path / "Split_valid_HR"
    assert "missing" in texts(check(SPLIT, inner))
    report = check(SPLIT, inner, only="valid")
    assert report.is_complete, texts(report)
    with pytest.raises(ConfigError, match=r"no part 'test'; there are train, valid"):
        check(SPLIT, tmp_path, only="test")


def test_an_empty_folder_misses_everything(tmp_path):
    report = check(TOY, tmp_path)
    assert not report.is_complete
    assert graded(report, "missing")[0].text == "no HR pictures of Toy, which has 4"
    with pytest.raises(ConfigError, match="is not a folder"):
        check(TOY, tmp_path / "nowhere")


def test_missing_numbers_are_named(tmp_path):
    dataset = replace(TOY, parts=(Part("", 20, (1, 20)),))
    for number in (1, 2, 4, 5, 9, 20):
        picture(tmp_path / f"im_{number}.png")
    (missing,) = graded(check(dataset, tmp_path), "missing")
    assert missing.text == "HR: 6 pictures of 20, without 3, 6-8, 10-19"


def test_too_many_and_names_that_meet(tmp_path):
    layout_flat(tmp_path)
    picture(tmp_path / "img_4.bmp")
    picture(tmp_path / "img_5.png")
    odd = "\n".join(finding.text for finding in graded(check(TOY, tmp_path), "odd"))
    assert "2 files share their names" in odd
    assert "5 pictures of 4" in odd


def test_damage_shows_in_headers(tmp_path):
    layout_flat(tmp_path)
    whole = (tmp_path / "img_1.png").read_bytes()
    (tmp_path / "img_1.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "img_2.png").write_bytes(b"")
    (tmp_path / "img_3.png").write_text("<html>not found</html>")
    os.remove(tmp_path / "img_4.png")
    os.mkfifo(tmp_path / "img_4.png")
    report = check(TOY, tmp_path)
    assert sorted(finding.files for finding in graded(report, "odd")) == [
        (f"{name}.png",) for name in NAMES
    ]
    assert "cut short" in texts(report)
    assert "not a file" in texts(report)


def test_damage_inside_shows_when_decoded(tmp_path):
    layout_flat(tmp_path)
    path = tmp_path / "img_1.png"
    content = bytearray(path.read_bytes())
    middle = content.index(b"IDAT") + 40
    content[middle : middle + 20] = bytes(20)
    path.write_bytes(content)
    assert check(TOY, tmp_path).is_complete
    (odd,) = graded(check(TOY, tmp_path, deep=True), "odd")
    assert odd.files == ("img_1.png",)


def test_grey_and_transparent_pictures(tmp_path):
    layout_flat(tmp_path)
    picture(tmp_path / "img_1.png", mode="L")
    picture(tmp_path / "img_2.png", mode="RGBA")
    odd = {finding.text: finding.files for finding in graded(check(TOY, tmp_path), "odd")}
    assert odd == {
        "HR: 1 picture stored as grey, not as RGB": ("img_1.png",),
        "HR: 1 picture stored as RGBA, not as RGB": ("img_2.png",),
    }


def test_lr_that_does_not_fit(tmp_path):
    layout_edsr(tmp_path)
    x2 = tmp_path / "LR_bicubic" / "X2"
    picture(x2 / "img_1x2.png", (12, 8))
    (x2 / "img_2x2.png").rename(x2 / "img_9x2.png")
    os.remove(x2 / "img_3x2.png")
    report = check(TOY, tmp_path)
    assert "LR x2 in LR_bicubic/X2: 3 pictures of 4, without 2-3" in texts(report)
    odd = {finding.text.split(": ")[1]: finding.files for finding in graded(report, "odd")}
    assert odd == {
        "1 picture whose size is not HR / 2": ("LR_bicubic/X2/img_1x2.png",),
        "1 picture without an HR picture": ("LR_bicubic/X2/img_9x2.png",),
    }


def test_equal_files(tmp_path):
    div2k_like(tmp_path)
    train, valid = tmp_path / "Split_train_HR", tmp_path / "Split_valid_HR"
    (train / "0002.png").write_bytes((train / "0001.png").read_bytes())
    (train / "0003.png").write_bytes((valid / "0005.png").read_bytes())
    found = {finding.files for finding in graded(check(SPLIT, tmp_path), "odd")}
    assert found == {
        ("Split_train_HR/0001.png", "Split_train_HR/0002.png"),
        ("Split_train_HR/0003.png", "Split_valid_HR/0005.png"),
    }


def test_equal_crops_for_two_scales_are_as_they_should_be(tmp_path):
    layout_srf(tmp_path)
    for name in NAMES:
        source = tmp_path / "image_SRF_3" / f"{name}_SRF_3_HR.png"
        (tmp_path / "image_SRF_4" / f"{name}_SRF_4_HR.png").write_bytes(source.read_bytes())
    assert check(TOY, tmp_path).is_complete


@pytest.mark.parametrize("crop", [1, 4, 12])
def test_known_sizes_may_be_cropped_alike(crop, tmp_path):
    sizes = list(find("Set5").sizes)
    for name, (width, height) in zip("abcde", sizes, strict=True):
        picture(tmp_path / f"{name}.png", (width - width % crop, height - height % crop))
    assert check(find("Set5"), tmp_path).is_complete
    picture(tmp_path / "c.png", (100, 100))
    (odd,) = graded(check(find("Set5"), tmp_path), "odd")
    assert odd.files == ("c.png",)


def test_the_longest_side_of_a_set(tmp_path):
    div2k_like(tmp_path)
    picture(tmp_path / "Split_valid_HR" / "0004.png", (22, 12))
    odd = {finding.text: finding.files for finding in graded(check(SPLIT, tmp_path), "odd")}
    assert odd == {
        "valid HR in Split_valid_HR: 1 picture of another size than in the set": (
            "Split_valid_HR/0004.png",
        ),
        "valid LR x2 in Split_valid_LR_bicubic/X2: 1 picture whose size is not HR / 2": (
            "Split_valid_LR_bicubic/X2/0004x2.png",
        ),
    }


def test_other_files_are_only_noted(tmp_path):
    layout_srf(tmp_path)
    picture(tmp_path / "image_SRF_4" / "img_1_SRF_4_bicubic.png")
    (tmp_path / "readme.txt").write_text("hello")
    (tmp_path / ".DS_Store").write_text("hidden")
    picture(tmp_path / "__MACOSX" / "img_1.png")
    report = check(TOY, tmp_path)
    assert report.is_complete
    assert texts(report) == "note: 2 other files next to the pictures"


# --- A server --------------------------------------------------------------------------------


@dataclass
class Site:
    """What the server of a test holds, how it misbehaves, and what it was asked for."""

    address: str = ""
    content: dict[str, bytes] = field(default_factory=dict)
    tag: str | None = '"one"'
    ranges: bool = True
    lengths: bool = True
    cuts: list[int] = field(default_factory=list)
    errors: list[int] = field(default_factory=list)
    redirects: dict[str, str] = field(default_factory=dict)
    kind: str = "application/zip"
    claimed: int | None = None
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def put(self, name: str, content: bytes) -> str:
        self.content[name] = content
        return f"{self.address}/{name}"


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *arguments) -> None:
        pass

    def do_GET(self) -> None:
        site: Site = self.server.site
        name = self.path.lstrip("/")
        asked = self.headers.get("Range")
        site.asked.append((name, asked))
        if site.errors:
            return self.send_error(site.errors.pop(0))
        if name in site.redirects:
            self.send_response(302)
            self.send_header("Location", site.redirects[name])
            self.send_header("Content-Length", "0")
            return self.end_headers()
        if name not in site.content:
            return self.send_error(404)
        return self.send(site, site.content[name], asked)

    def send(self, site: Site, content: bytes, asked: str | None) -> None:
        start, mark = 0, self.headers.get("If-Range")
        if asked and site.ranges and mark in (None, site.tag):
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                return self.send_error(416)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if site.tag:
            self.send_header("ETag", site.tag)
        if site.lengths:
            self.send_header("Content-Length", str(site.claimed or len(content) - start))
        self.send_header("Content-Type", site.kind)
        self.end_headers()
        end = start + site.cuts.pop(0) if site.cuts else len(content)
        self.wfile.write(content[start:end])


@pytest.fixture
def site(monkeypatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(downloading, "PAUSES", (0.0,))
    monkeypatch.setattr(downloading, "TIMEOUT", 5.0)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.site = Site(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.site
    server.shutdown()
    thread.join()
    server.server_close()


BYTES = np.random.default_rng(0).bytes(300_000)
SHA256 = hashlib.sha256(BYTES).hexdigest()


# --- Downloading -----------------------------------------------------------------------------


def test_a_whole_file(site, tmp_path):
    told: list[tuple[int, int | None]] = []
    url = site.put("a.zip", BYTES)
    arrived = download(
        url, tmp_path / "a.zip", size=len(BYTES), sha256=SHA256, told=lambda *it: told.append(it)
    )
    assert (arrived.size, arrived.sha256) == (len(BYTES), SHA256)
    assert (tmp_path / "a.zip").read_bytes() == BYTES
    assert told[-1] == (len(BYTES), len(BYTES))
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


@pytest.mark.parametrize("tag", ['"one"', None])
def test_a_cut_connection_is_continued(site, tag, tmp_path):
    site.tag, site.cuts = tag, [100_000, 50_000]
    said: list[str] = []
    url = site.put("a.zip", BYTES)
    download(url, tmp_path / "a.zip", sha256=SHA256, retrying=said.append)
    assert site.asked == [("a.zip", None), ("a.zip", "bytes=100000-"), ("a.zip", "bytes=150000-")]
    assert "was cut after 100,000 of 300,000 bytes; trying again in 0 s." in said[0]


def test_a_second_run_goes_on_after_the_first(site, tmp_path):
    site.cuts = [60_000] + [0] * 5
    url = site.put("a.zip", BYTES)
    with pytest.raises(DownloadError, match=r"6 times in a row; run .* after the 60,000 bytes"):
        download(url, tmp_path / "a.zip")
    assert partial(tmp_path / "a.zip").read_bytes() == BYTES[:60_000]
    assert not (tmp_path / "a.zip").exists()
    site.asked.clear()
    download(url, tmp_path / "a.zip")
    assert site.asked == [("a.zip", "bytes=60000-")]
    assert (tmp_path / "a.zip").read_bytes() == BYTES


def test_a_server_that_ignores_ranges(site, tmp_path):
    site.ranges, site.cuts = False, [100_000]
    download(site.put("a.zip", BYTES), tmp_path / "a.zip", sha256=SHA256)
    assert site.asked[1] == ("a.zip", "bytes=100000-")
    assert (tmp_path / "a.zip").read_bytes() == BYTES


def test_a_file_that_has_changed_starts_anew(site, tmp_path):
    site.cuts = [60_000] + [0] * 5
    url = site.put("a.zip", bytes(300_000))
    with pytest.raises(DownloadError):
        download(url, tmp_path / "a.zip")
    site.put("a.zip", BYTES)
    site.tag = '"two"'
    assert download(url, tmp_path / "a.zip").sha256 == SHA256


def test_a_file_that_has_become_shorter_starts_anew(site, tmp_path):
    site.tag, site.cuts = None, [60_000] + [0] * 5
    url = site.put("a.zip", BYTES)
    with pytest.raises(DownloadError):
        download(url, tmp_path / "a.zip")
    site.put("a.zip", BYTES[:50_000])
    download(url, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == BYTES[:50_000]


def test_a_part_of_unknown_origin_is_not_continued(site, tmp_path):
    partial(tmp_path / "a.zip").write_bytes(b"something else")
    download(site.put("a.zip", BYTES), tmp_path / "a.zip", sha256=SHA256)
    assert site.asked == [("a.zip", None)]


def test_a_length_that_is_never_reached(site, tmp_path):
    site.claimed = len(BYTES) + 10
    site.ranges = False
    with pytest.raises(DownloadError, match=r"cut after 300,000 of 300,010 bytes, 6 times"):
        download(site.put("a.zip", BYTES), tmp_path / "a.zip")
    assert len(site.asked) == downloading.ATTEMPTS
    assert not (tmp_path / "a.zip").exists()


def test_another_length_than_the_known_one(site, tmp_path):
    with pytest.raises(DownloadError, match="has 300,000 bytes and 7 are expected"):
        download(site.put("a.zip", BYTES), tmp_path / "a.zip", size=7)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("known", "word"), [(400_000, "brought"), (200_000, "sends more than")])
def test_without_a_length_the_known_one_decides(site, known, word, tmp_path):
    site.lengths = False
    url = site.put("a.zip", BYTES)
    with pytest.raises(DownloadError, match=word):
        download(url, tmp_path / "a.zip", size=known)
    assert not (tmp_path / "a.zip").exists()
    assert download(url, tmp_path / "b.zip", size=300_000).sha256 == SHA256


def test_a_wrong_checksum_is_refused_and_not_kept(site, tmp_path):
    with pytest.raises(DownloadError, match=f"has the sha256 {SHA256} and {'0' * 64} is expected"):
        download(site.put("a.zip", BYTES), tmp_path / "a.zip", sha256="0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_not_asked_for_again(site, tmp_path):
    with pytest.raises(DownloadError, match="answers 404"):
        download(f"{site.address}/a.zip", tmp_path / "a.zip")
    assert len(site.asked) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_busy_server_is_asked_again(site, tmp_path):
    site.errors = [503, 429, 500]
    download(site.put("a.zip", BYTES), tmp_path / "a.zip", sha256=SHA256)
    assert len(site.asked) == 4


def test_nobody_listens(site, tmp_path):
    with socket.socket() as bound:
        # Taken, and nobody answers there.
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/a.zip"
        with pytest.raises(DownloadError, match=r"cannot be reached .* 6 times in a row"):
            download(url, tmp_path / "a.zip")


def test_a_web_page_is_no_archive(site, tmp_path):
    site.kind = "text/html; charset=utf-8"
    with pytest.raises(DownloadError, match="is a web page"):
        download(site.put("a.zip", b"<html>"), tmp_path / "a.zip")


def test_redirects(site, tmp_path):
    url = site.put("a.zip", BYTES)
    site.redirects = {"there": url, "near": "/a.zip"}
    for name in site.redirects:
        assert download(f"{site.address}/{name}", tmp_path / name).sha256 == SHA256


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/a", "data:,hello"])
def test_only_http_is_followed(site, target, tmp_path):
    site.redirects = {"a.zip": target}
    with pytest.raises(DownloadError, match="which is not followed"):
        download(f"{site.address}/a.zip", tmp_path / "a.zip")
    with pytest.raises(ConfigError, match="not an address of http"):
        download(target, tmp_path / "a.zip")
    assert list(tmp_path.iterdir()) == []


def test_no_room_is_told_before_the_first_byte(site, tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 500_000})
    monkeypatch.setattr(downloading.shutil, "disk_usage", lambda path: usage)
    url = site.put("a.zip", BYTES)
    with pytest.raises(OutputError, match=r"needs 0\.00 GB of free space"):
        download(url, tmp_path / "a.zip", room=2.1)
    assert not partial(tmp_path / "a.zip").exists()
    download(url, tmp_path / "a.zip", room=1.0)


# --- Unpacking -------------------------------------------------------------------------------


def png(name: str = "") -> bytes:
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
    file = io.BytesIO()
    noise = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    Image.fromarray(noise).save(file, "png")
    return file.getvalue()


def zipped(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def tarred(*entries: tuple[str | tarfile.TarInfo, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in entries:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            if info.isreg():
                info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def special_zip(name: str, kind: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (kind | 0o777) << 16
    return info


def special_tar(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def tree(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.mark.parametrize("make", [zipped, tarred, lambda *it: gzip.compress(tarred(*it))])
def test_honest_archives(make, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "a").write_bytes(make(("x/a.png", png("a")), ("./b.png", png("b"))))
    done: list[int] = []
    unpack(tmp_path / "a", tmp_path / "out", told=done.append)
    assert tree(tmp_path / "out") == {"x/a.png": png("a"), "b.png": png("b")}
    assert done == sorted(done)
    assert len(done) == 2


LINKS = (tarfile.SYMTYPE, tarfile.LNKTYPE)
ZEROS = bytes(4_000_000)
HOSTILE: dict[str, tuple[bytes, str]] = {
    "zip up": (zipped(("../evil", b"x")), "leads out"),
    "zip up inside": (zipped(("a/../../evil", b"x")), "leads out"),
    "zip backslash": (zipped(("..\\evil", b"x")), "leads out"),
    "zip absolute": (zipped(("/tmp/evil", b"x")), "absolute"),
    "zip drive": (zipped(("C:/evil", b"x")), "absolute"),
    "zip link": (zipped((special_zip("l", stat.S_IFLNK), b"/etc")), "a link or a device"),
    "zip device": (zipped((special_zip("d", stat.S_IFCHR), b"")), "a link or a device"),
    "zip bomb": (zipped(("a.png", ZEROS)), "more than its size allows"),
    "zip bomb in parts": (zipped(*((f"{n}", ZEROS[:500_000]) for n in range(8))), "more than"),
    "zip damaged": (zipped(("a.png", BYTES))[:-30], "damaged"),
    "tar up": (tarred(("../evil", b"x")), "leads out"),
    "tar absolute": (tarred(("/tmp/evil", b"x")), "absolute"),
    "tar link out": (tarred((special_tar("l", LINKS[0], "/etc"), b"")), "a link or a device"),
    "tar link and through it": (
        tarred((special_tar("l", LINKS[0], ".."), b""), ("l/evil", b"x")),
        "a link or a device",
    ),
    "tar hard link": (tarred((special_tar("l", LINKS[1], "../evil"), b"")), "a link or a device"),
    "tar device": (tarred((special_tar("d", tarfile.CHRTYPE), b"")), "a link or a device"),
    "tar pipe": (tarred((special_tar("p", tarfile.FIFOTYPE), b"")), "a link or a device"),
    "tar twice": (tarred(("a", b"1"), ("a", b"2")), "twice"),
    "tar cut": (tarred(("a.png", BYTES))[:100_000], "damaged|cut short"),
    "tar.gz bomb": (gzip.compress(tarred(("a.png", ZEROS))), "more than its size allows"),
    "tar.gz cut": (gzip.compress(tarred(("a.png", BYTES)))[:-5000], "damaged"),
    "no archive": (b"hello" * 1000, "damaged or no archive"),
    "empty": (b"", "damaged or no archive"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_archives(name, tmp_path):
    content, words = HOSTILE[name]
    folder = tmp_path / "deep" / "out"
    folder.mkdir(parents=True)
    (tmp_path / "archive").write_bytes(content)
    with pytest.raises(ArchiveError, match=words):
        unpack(tmp_path / "archive", folder)
    assert list(tmp_path.rglob("evil")) == []
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))
    written = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert written <= unpacking.SLACK + unpacking.MAX_RATIO * len(content)


def test_a_zip_that_lies_about_its_sizes(tmp_path):
    content = zipped(("a.png", ZEROS))
    (tmp_path / "out").mkdir()
    # The size that is told in both headers: 1 byte.
    lying = content.replace(len(ZEROS).to_bytes(4, "little"), (1).to_bytes(4, "little"))
    (tmp_path / "a.zip").write_bytes(lying)
    with pytest.raises(ArchiveError):
        unpack(tmp_path / "a.zip", tmp_path / "out")
    assert sum(map(len, tree(tmp_path / "out").values())) <= unpacking.SLACK


def test_no_more_than_was_allowed(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "a.zip").write_bytes(zipped(("a.png", BYTES)))
    with pytest.raises(ArchiveError, match="more than 1,000 bytes"):
        unpack(tmp_path / "a.zip", tmp_path / "out", max_bytes=1000)


# --- Fetching --------------------------------------------------------------------------------


@pytest.fixture
def two_sets(site) -> RemoteFile:
    """An archive with two sets in it, as the one of the benchmarks."""
    entries = [
        (f"benchmark/{name}/{folder}/{n}.png", png(f"{name}{folder}{n}"))
        for name, count in (("A", 2), ("B", 3))
        for folder in ("HR", "LR_bicubic/X2")
        for n in range(count)
    ]
    content = tarred(*entries, ("benchmark/readme.txt", b"hello"))
    return RemoteFile(
        site.put("benchmark.tar", content),
        {"A/HR": 2, "A/LR_bicubic/X2": 2, "B/HR": 3, "B/LR_bicubic/X2": 3},
        root="benchmark",
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )


def counts(folder: Path) -> dict[str, int]:
    return {
        where.relative_to(folder).as_posix(): len(names)
        for where, _, names in ((Path(a), b, c) for a, b, c in os.walk(folder))
        if names
    }


def test_fetch_puts_the_folders_into_place(site, two_sets, tmp_path):
    folder = tmp_path / "new" / "data"
    fetched = fetch(two_sets, folder, within="A")
    assert fetched.status == "fetched"
    assert fetched.arrived.sha256 == two_sets.sha256
    assert counts(folder) == two_sets.folders
    assert sorted(path.name for path in folder.iterdir()) == ["A", "B"]


@pytest.mark.parametrize("within", ["A", "B", ""])
def test_a_second_run_does_nothing(site, two_sets, within, tmp_path):
    fetch(two_sets, tmp_path, within="A")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    site.asked.clear()
    assert fetch(two_sets, tmp_path, within=within).status == "complete"
    assert site.asked == []
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_what_others_have_put_there_stays(site, two_sets, tmp_path):
    own = picture(tmp_path / "B" / "HR" / "own.png")
    content = own.read_bytes()
    (tmp_path / "A" / "HR").mkdir(parents=True)
    fetch(two_sets, tmp_path, within="A")
    assert counts(tmp_path) == two_sets.folders | {"B/HR": 1}
    assert own.read_bytes() == content
    with pytest.raises(OutputError, match="there with 1 pictures, and 3 belong into it"):
        fetch(two_sets, tmp_path, within="B")
    with pytest.raises(OutputError, match="3 belong into it"):
        check_space((two_sets,), tmp_path, within="B")
    assert own.read_bytes() == content


def test_an_archive_that_is_there_is_used(site, two_sets, tmp_path):
    fetch(two_sets, tmp_path / "first", keep=True)
    archive = tmp_path / "first" / "benchmark.tar"
    assert archive.stat().st_size == two_sets.size
    site.asked.clear()
    (tmp_path / "second").mkdir()
    archive.rename(tmp_path / "second" / "benchmark.tar")
    fetch(two_sets, tmp_path / "second")
    assert site.asked == []
    assert counts(tmp_path / "second") == two_sets.folders
    (tmp_path / "third").mkdir()
    (tmp_path / "third" / "benchmark.tar").write_bytes(b"another")
    with pytest.raises(OutputError, match="not the file that is known; move it away"):
        fetch(two_sets, tmp_path / "third")


def test_an_archive_with_something_else_leaves_no_folder(site, two_sets, tmp_path):
    more = replace(two_sets, folders=two_sets.folders | {"A/HR": 5})
    with pytest.raises(ArchiveError, match="holds 2 pictures in A/HR and 5 are expected"):
        fetch(more, tmp_path)
    # The archive stays: it is what was asked for, and a next run need not download it again.
    assert [path.name for path in tmp_path.iterdir()] == ["benchmark.tar"]


def test_a_hostile_archive_leaves_no_folder(site, tmp_path):
    entries = (("A/1.png", png()), ("../evil.png", png()))
    file = RemoteFile(site.put("a.zip", zipped(*entries)), {"A": 1})
    with pytest.raises(ArchiveError, match="leads out"):
        fetch(file, tmp_path / "data")
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["a.zip"]
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_the_disk_is_asked_before_the_net(site, two_sets, tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": two_sets.size})
    monkeypatch.setattr(downloading.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(OutputError, match="of free space"):
        check_space((two_sets,), tmp_path / "not" / "yet" / "there")
    assert site.asked == []


def test_files_are_chosen_by_their_names():
    div2k = find("DIV2K")
    assert [file.name for file in choose(div2k, "valid_hr")] == ["DIV2K_valid_HR.zip"]
    assert len(choose(div2k, None)) == 8
    with pytest.raises(ConfigError, match=r"no file of DIV2K has 'X5' .*DIV2K_train_HR\.zip"):
        choose(div2k, "X5")


def test_interruption_keeps_what_has_arrived(site, tmp_path):
    def interrupt(done: int, total: int | None) -> None:
        if done > 100_000:
            raise KeyboardInterrupt

    url = site.put("a.zip", BYTES)
    with pytest.raises(KeyboardInterrupt):
        download(url, tmp_path / "a.zip", told=interrupt)
    have = partial(tmp_path / "a.zip").read_bytes()
    assert len(have) > 100_000
    assert have == BYTES[: len(have)]
    assert json.loads((tmp_path / "a.zip.partial.json").read_text())["total"] == len(BYTES)
    site.asked.clear()
    assert download(url, tmp_path / "a.zip", sha256=SHA256).sha256 == SHA256
    assert site.asked == [("a.zip", f"bytes={len(have)}-")]
