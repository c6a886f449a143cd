"""Words that a native reader stumbles on stay out of messages, documents and comments."""

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.checkout import ROOT

BETTER = {
    r"\bshall\b": "should, or say it without",
    r"\banew\b": "again",
    r"\bknown are\b": "choose one of",
    r"\bmust be (a number )?from\b": "must be between",
    r"\bcannot be told\b": "cannot be determined",
    r"Error: (then|it is none|it cannot)\.": "state the condition",
    r"\btruth values?\b": "boolean",
    r"\bgone on with\b": "resumed",
    r"\b(it )?could not be had\b": "failed",
}
FOLDERS = ("gsr", "apps/gsr_apps", "training", "docs", "weights")


def texts() -> Iterator[tuple[Path, int, str]]:
    """Strings and comments of Python, all of scripts and documents, line by line."""
    files = [*ROOT.glob("*.md"), *(p for f in FOLDERS for p in (ROOT / f).rglob("*"))]
    for path in files:
        if path.suffix == ".py":
            yield from spoken(path)
        elif path.suffix in (".md", ".js", ".html", ".toml"):
            for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
                yield path, number, line


def spoken(path: Path) -> Iterator[tuple[Path, int, str]]:
    kinds = {tokenize.STRING, tokenize.COMMENT, getattr(tokenize, "FSTRING_MIDDLE", -1)}
    with path.open("rb") as file:
        for token in tokenize.tokenize(io.BytesIO(file.read()).readline):
            if token.type in kinds:
                for i, line in enumerate(token.string.splitlines()):
                    yield path, token.start[0] + i, line


@pytest.fixture(scope="module")
def lines() -> list[tuple[Path, int, str]]:
    return list(texts())


@pytest.mark.parametrize("pattern", BETTER)
def test_plain_words(pattern: str, lines: list[tuple[Path, int, str]]) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path, number, line in lines
        if re.search(pattern, line)
    ]
    assert found == [], f"better: {BETTER[pattern]}"


def test_every_kind_of_text_is_read(lines: list[tuple[Path, int, str]]) -> None:
    assert {path.suffix for path, _, _ in lines} == {".py", ".md", ".js", ".html", ".toml"}
