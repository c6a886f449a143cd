"""What results are called."""

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsr.base.errors import ConfigError, GsrError, OutputError
from gsr.base.naming import FIELDS, Names, apart, check_length


def test_every_field_says_what_it_should() -> None:
    template = " ".join(f"{field}={{{field}}}" for field in FIELDS)
    names = Names("x3.7", ".webp", template)
    assert names.of("osprey", Path("birds/osprey.JPG")) == (
        "stem=osprey type=jpg folder=birds label=x3.7 scale=3.7 suffix=.webp"
    )
    assert Names("w1920", ".png").of("osprey", Path("osprey.jpg")) == "osprey-w1920.png"
    assert Names("x2", ".png", "{{{stem}}}").of("a", Path("a.png")) == "{a}"


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{name}", "takes {stem}, {type}"),
        ("{}", "got {}"),
        ("{stem!r}", "got {stem}"),
        ("{stem:>9}", "got {stem}"),
        ("{stem.upper}", "got {stem.upper}"),
        ("{stem", "cannot be read"),
        ("}", "cannot be read"),
        ("{scale}", "needs --scale"),
        ("", "is no name of a file"),
        ("..", "is no name of a file"),
        ("a/{stem}", "folders are given with --output"),
        ("../{stem}", "folders are given with --output"),
        ("a\0b", "is no name of a file"),
    ],
)
def test_templates_that_make_no_name_are_refused(template: str, words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Names("w20", ".png", template)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


@given(st.text(max_size=20))
def test_any_template_is_a_name_or_one_sentence(template: str) -> None:
    with suppress(GsrError):
        name = Names("x2", ".png", template).of("photo", Path("photo.png"))
        assert os.path.basename(name) == name != ""


def test_folders_are_told_apart_by_as_little_as_it_takes() -> None:
    assert apart([Path("/a/x"), Path("/b/y")]) == [Path("x"), Path("y")]
    assert apart([Path("/a/x"), Path("/b/x")]) == [Path("a/x"), Path("b/x")]
    assert apart([Path("/a/x"), Path("/b/X")]) == [Path("a/x"), Path("b/X")]
    assert apart([Path("/p"), Path("/p/q")]) == [Path("p"), Path("q")]
    assert apart([Path("/q"), Path("/p/q")]) == [Path("q"), Path("p/q")]


@pytest.mark.parametrize("letter", ["n", "é", "日"])
def test_names_as_long_as_the_file_system_takes(tmp_path: Path, letter: str) -> None:
    most = os.pathconf(tmp_path, "PC_NAME_MAX")
    size = len(os.fsencode(letter))
    fits = letter * ((most - 4) // size) + ".png"
    check_length(tmp_path / fits)
    (tmp_path / fits).touch()
    with pytest.raises(OutputError, match=f"its name has .* bytes, and {most} are allowed"):
        check_length(tmp_path / "not" / "there" / (letter + fits))
    with pytest.raises(OutputError, match="its path has"):
        check_length(tmp_path.joinpath(*["d" * 200] * 25, "a.png"))
