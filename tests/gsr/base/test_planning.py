"""Which files a run reads, and where each result goes."""

import os
import socket
from pathlib import Path

import pytest

from gsr.base import signatures
from gsr.base.errors import ImageError, OutputError
from gsr.base.files import STDIN
from gsr.base.naming import Names
from gsr.base.planning import Plan, plan

X2 = Names("x2", ".png")


def picture(path: Path) -> Path:
    """Nobody reads its pixels here."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def outputs(found: Plan, root: Path) -> list[str]:
    return sorted(str(job.output.relative_to(root)) for job in found.jobs)


def test_nothing_lies_beside_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path.cwd().anchor
    monkeypatch.setattr("os.walk", lambda _: iter([(root, [], ["a.png"])]))
    with pytest.raises(OutputError, match=r"results cannot be written next to .*; name an output"):
        plan([Path(root)], None, names=X2)


def test_many_pictures_do_not_go_into_a_picture(tmp_path: Path) -> None:
    sources = [picture(tmp_path / name) for name in ("a.png", "b.png")]
    with pytest.raises(OutputError, match=r"c\.png is the name of a picture, and a folder is"):
        plan(sources, tmp_path / "c.png", names=X2)
    (tmp_path / "d.png").mkdir()  # unless there is such a folder
    assert plan(sources, tmp_path / "d.png", names=X2).many


def test_links_in_a_ring_are_pictures_that_are_not_there(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    (tmp_path / "ring.png").symlink_to("ring.png")
    found = plan([tmp_path], None, names=X2)
    assert [job.source.name for job in found.jobs] == ["a.png", "ring.png"]


def test_pipes_devices_and_sockets_of_a_folder_are_no_pictures(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "null.png").symlink_to(os.devnull)
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "socket.png"))
    found = plan([tmp_path], None, names=X2)
    assert [job.source.name for job in found.jobs] == ["a.png"]


# --- several folders, equal names ----------------------------------------------------------------


def test_several_folders_stay_folders(tmp_path: Path) -> None:
    for name in ("day1/a.png", "day2/a.png", "day2/deep/b.png"):
        picture(tmp_path / name)
    days = [tmp_path / "day1", tmp_path / "day2"]
    found = plan(days, tmp_path / "out", names=X2, recursive=True)
    assert outputs(found, tmp_path / "out") == [
        "day1/a-x2.png",
        "day2/a-x2.png",
        "day2/deep/b-x2.png",
    ]
    assert outputs(plan(days[:1], tmp_path / "out", names=X2), tmp_path / "out") == ["a-x2.png"]


def test_several_folders_of_one_name_are_told_apart_by_those_above(tmp_path: Path) -> None:
    for name in ("ann/raw/a.png", "bob/raw/a.png"):
        picture(tmp_path / name)
    folders = [tmp_path / "ann" / "raw", tmp_path / "bob" / "raw"]
    found = plan(folders, tmp_path / "out", names=X2)
    assert outputs(found, tmp_path / "out") == ["ann/raw/a-x2.png", "bob/raw/a-x2.png"]


def test_a_clash_costs_those_files_alone(tmp_path: Path) -> None:
    sources = [picture(tmp_path / name) for name in ("1/same.png", "2/same.png", "2/other.png")]
    found = plan(sources, tmp_path / "out", names=X2)
    problems = [job.problem for job in found.jobs]
    assert str(sources[0]) in problems[1]
    assert str(sources[1]) in problems[0]
    assert "would both be written" in problems[0]
    assert "--name" in problems[0]
    assert problems[2] == ""
    apart = plan(sources, tmp_path / "out", names=Names("x2", ".png", "{folder}-{stem}{suffix}"))
    assert outputs(apart, tmp_path / "out") == ["1-same.png", "2-other.png", "2-same.png"]
    assert not any(job.problem for job in apart.jobs)


def test_only_pictures_that_differ_by_their_type_get_it_into_the_name(tmp_path: Path) -> None:
    sources = [picture(tmp_path / name) for name in ("a.png", "a.JPG", "b.png")]
    found = plan(sources, tmp_path / "out", names=X2)
    assert outputs(found, tmp_path / "out") == ["a-jpg-x2.png", "a-png-x2.png", "b-x2.png"]
    typed = plan(sources, tmp_path / "out", names=Names("x2", ".png", "{stem}.{type}{suffix}"))
    assert outputs(typed, tmp_path / "out") == ["a.jpg.png", "a.png.png", "b.png.png"]


# --- links ---------------------------------------------------------------------------------------


def test_two_links_to_one_picture_are_two_pictures(tmp_path: Path) -> None:
    real = picture(tmp_path / "else" / "real.png")
    (tmp_path / "in").mkdir()
    for name in ("0001.png", "0002.png"):
        (tmp_path / "in" / name).symlink_to(real)
    found = plan([tmp_path / "in"], tmp_path / "out", names=X2)
    assert outputs(found, tmp_path / "out") == ["0001-x2.png", "0002-x2.png"]


def test_one_place_by_two_ways_is_taken_once(tmp_path: Path) -> None:
    path = picture(tmp_path / "in" / "a.png")
    (tmp_path / "link").symlink_to("in")
    again = [path, tmp_path / "in" / ".." / "in" / "a.png", tmp_path / "link" / "a.png"]
    assert len(plan([tmp_path / "in", *again], tmp_path / "out", names=X2).jobs) == 1


def test_a_linked_folder_is_entered_once_and_after_the_real_ones(tmp_path: Path) -> None:
    picture(tmp_path / "in" / "deep" / "z" / "a.png")
    picture(tmp_path / "else" / "b.png")
    (tmp_path / "in" / "again").symlink_to("deep/z")
    (tmp_path / "in" / "first").symlink_to(tmp_path / "else")
    (tmp_path / "in" / "second").symlink_to(tmp_path / "else")
    found = plan([tmp_path / "in"], tmp_path / "out", names=X2, recursive=True)
    assert outputs(found, tmp_path / "out") == ["deep/z/a-x2.png", "first/b-x2.png"]
    assert sorted(path.name for path in found.linked) == ["again", "second"]
    with pytest.raises(ImageError, match="add --recursive"):
        plan([tmp_path / "in"], tmp_path / "out", names=X2)


@pytest.mark.parametrize("target", [".", "..", "deep", "../in/deep/.."])
def test_links_in_a_circle_end(tmp_path: Path, target: str) -> None:
    picture(tmp_path / "in" / "a.png")
    picture(tmp_path / "in" / "deep" / "b.png")
    (tmp_path / "in" / "circle").symlink_to(target)
    (tmp_path / "in" / "deep" / "up").symlink_to("..")
    found = plan([tmp_path / "in"], tmp_path / "out", names=X2, recursive=True)
    assert outputs(found, tmp_path / "out") == ["a-x2.png", "deep/b-x2.png"]
    assert found.linked


def test_results_of_an_earlier_run_are_not_entered_through_a_link(tmp_path: Path) -> None:
    picture(tmp_path / "in" / "a.png")
    picture(tmp_path / "in" / "out" / "old.png")
    (tmp_path / "in" / "link").symlink_to("out")
    found = plan([tmp_path / "in"], tmp_path / "in" / "out", names=X2, recursive=True)
    assert [job.source.name for job in found.jobs] == ["a.png"]


# --- what an output is ---------------------------------------------------------------------------


def test_a_name_that_says_neither_file_nor_folder_is_asked_about(tmp_path: Path) -> None:
    source = picture(tmp_path / "a.png")
    with pytest.raises(OutputError, match=r"out has no suffix .* such as .*out\.png, and .*/"):
        plan([source], tmp_path / "out", names=X2)
    assert plan([source], tmp_path / "out", names=X2, into=True).named_folder
    (tmp_path / "out").mkdir()
    found = plan([source], tmp_path / "out", names=X2)
    assert outputs(found, tmp_path) == ["out/a-x2.png"]


def test_why_a_folder_is_needed_is_said(tmp_path: Path) -> None:
    one, two = (picture(tmp_path / name) for name in ("a.png", "b.png"))
    with pytest.raises(OutputError, match="a folder is needed, as there are several pictures"):
        plan([one, two], one, names=X2)
    with pytest.raises(OutputError, match="a folder is needed, as the slash at its end says"):
        plan([one], two, names=X2, into=True)


def test_standard_input_is_no_folder_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-").mkdir()
    (tmp_path / "out").mkdir()
    assert outputs(plan([STDIN], Path("out"), names=X2), Path("out")) == ["stdin-x2.png"]


def test_pictures_are_taken_by_suffix_or_by_how_they_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts = {
        "a.JPE": b"\xff\xd8\xff\xe0",
        "b.apng": b"\x89PNG\r\n\x1a\n",
        "c.dat": b"GIF89a",
        "d": b"RIFF....WEBPVP8 ",
        "e.png": b"no picture, as who opens it says",
        "f.txt": b"BMW and P3 are words",
        "g.heic": b"\0\0\0\x18ftypheic",
        "h.gsf": b"a field",
        ".i.png": b"hidden",
    }
    for name, start in starts.items():
        (tmp_path / name).write_bytes(start)
    monkeypatch.setattr(signatures, "find_spec", lambda name: None)
    todo = plan([tmp_path], tmp_path / "out", names=Names("x2", ".png"))
    assert [job.source.name for job in todo.jobs] == ["a.JPE", "b.apng", "c.dat", "d", "e.png"]
    assert [path.name for path in todo.others] == ["f.txt", "g.heic"]
    monkeypatch.setattr(signatures, "find_spec", lambda name: object())
    todo = plan([tmp_path], tmp_path / "out", names=Names("x2", ".png"))
    assert "g.heic" in [job.source.name for job in todo.jobs]
