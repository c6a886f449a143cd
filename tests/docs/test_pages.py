"""What documents say is so: links, formulas, figures, licences, examples."""

import importlib
import re
import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from helpers.checkout import ROOT

import gsr

sys.path.insert(0, str(ROOT / "docs" / "site"))
import pages

README = (ROOT / "README.md").read_text("utf-8")
HOW = " ".join((ROOT / "docs" / "how-it-works.md").read_text("utf-8").split())
MANIFEST = tomllib.loads((ROOT / "weights" / "manifest.toml").read_text("utf-8"))
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "training/*.md", "weights/**/*.md", "apps/**/*.md")
    for path in ROOT.glob(pattern)
    if "node_modules" not in path.parts
)
WRITTEN = {"reference/commands.md"}
"""Pages that the site's hooks write."""


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# --- Links -----------------------------------------------------------------------------------


def links(path: Path) -> Iterator[tuple[str, str]]:
    """(file, anchor) of the links of a document to files."""
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:", target):
            file, _, anchor = target.partition("#")
            yield file, anchor


def anchors(path: Path) -> set[str]:
    heads = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).strip().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_its_links_lead_somewhere(path: Path) -> None:
    for file, anchor in links(path):
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), f"{file} is not there"
        assert target.is_relative_to(ROOT)
        if anchor:
            assert anchor in anchors(target), f"{file} has no #{anchor}"


def leaves(entry: Any) -> Iterator[str]:
    if isinstance(entry, str):
        yield entry
    else:
        for one in entry.values() if isinstance(entry, dict) else entry:
            yield from leaves(one)


def test_the_site_lists_every_page_and_no_other() -> None:
    listed = set(leaves(yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"]))
    own = {path.relative_to(ROOT / "docs").as_posix() for path in ROOT.glob("docs/**/*.md")}
    course = {f"notebooks/{path.stem}.md" for path in ROOT.glob("notebooks/*.ipynb")}
    assert listed == own | course | set(pages.kept_elsewhere()) | WRITTEN


def test_the_reference_names_what_exists() -> None:
    text = (ROOT / "docs" / "reference" / "api.md").read_text("utf-8")
    names = re.findall(r"^::: (\S+)$", text, flags=re.MULTILINE)
    assert len(names) > 10
    for name in names:
        thing = resolved(name)
        about = text.split(f"::: {name}\n")[1].split(":::")[0]
        members = re.search(r"members: \[(.*)\]", about)
        for member in members[1].split(", ") if members else ():
            assert hasattr(thing, member), f"{name} has no {member}"


def resolved(name: str) -> Any:
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            thing: Any = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            thing = getattr(thing, part)
        return thing
    raise AssertionError(f"there is no {name}")


def test_a_link_between_pages_is_one_between_files() -> None:
    text = "[a](docs/limits.md#x) [b](weights/lite.md) [c](gsr/plots.py) ![d](docs/images/e.png)"
    made = pages.relinked(text, "index.md")
    assert made == ("[a](limits.md#x) [b](weights/lite.md) c (`gsr/plots.py`) ![d](images/e.png)")


# --- What is said ----------------------------------------------------------------------------


def test_the_formula_is_that_of_the_shipped_model() -> None:
    config = gsr.load("lite").config
    (finest,) = re.findall(r"1 / min\(s, ([0-9.]+)\)", HOW)
    assert float(finest) == config.sampler.finest
    side = 2 * config.sampler.radius + 1
    assert f"window of {side} x {side} source pixels" in HOW
    assert f"one of {config.num_kernels} learned kernels" in HOW


def test_the_size_of_the_shipped_model() -> None:
    count = sum(p.numel() for p in gsr.load("lite").parameters())
    assert f"`lite` ({count:,} parameters".replace(",", " ") in README
    assert MANIFEST["lite"]["parameters"] == count


def rows(text: str, head: str) -> list[list[str]]:
    """Cells of the table whose first line begins with `head`."""
    lines = text[text.index(head) :].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_figures_of_the_readme_are_those_measured() -> None:
    heads, _, *table = rows(README, "| set |")
    card = (ROOT / "weights" / "lite.md").read_text("utf-8")
    measured = {(r[0], r[1]): r[3] for r in rows(card, "| set | scale | bicubic |")[2:]}
    assert len(table) == 3
    for name, *cells in table:
        for scale, cell in zip(heads[1:], cells, strict=True):
            assert cell == measured[name, scale]
            psnr = MANIFEST["lite"]["psnr"][f"{name}-{scale}"]
            assert cell.startswith(f"{psnr:.2f} (")


@pytest.mark.parametrize("name", ["lite", "photo"])
def test_figures_of_a_card_are_those_of_the_manifest(name: str) -> None:
    card = (ROOT / "weights" / f"{name}.md").read_text("utf-8")
    table = rows(card, "| set | scale | bicubic |")
    for row in table[2:]:
        assert row[3].startswith(f"{MANIFEST[name]['psnr'][f'{row[0]}-{row[1]}']:.2f} (")


def test_the_python_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert 8 <= len([line for line in code.splitlines() if line.strip()]) <= 12
    shutil.copy(ROOT / "tests" / "data" / "golden.png", tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    assert {path.name for path in tmp_path.iterdir()} == {
        "photo.png", "photo.gsf", "large.png", "window.png"
    }  # fmt: skip


def test_the_readme_is_one_screen_with_pictures_that_are_light() -> None:
    assert len(README.splitlines()) < 90
    shown = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert len(shown) >= 2
    assert all((ROOT / name).stat().st_size < 2e6 for name in shown)


# --- Licences --------------------------------------------------------------------------------


CARDS = {name: "tiny" if name.endswith("-tiny") else name for name in MANIFEST}
CARDS["lite-flat"] = "lite"


@pytest.mark.parametrize("name", MANIFEST)
def test_manifest_card_and_readme_agree_on_its_licences(name: str) -> None:
    facts, card = MANIFEST[name], (ROOT / "weights" / f"{CARDS[name]}.md").read_text("utf-8")
    (said,) = re.findall(r"^Licence of .*?(?=\n\n)", card, flags=re.MULTILINE | re.DOTALL)
    said = " ".join(said.split())
    assert facts["license"] == "Apache-2.0"
    assert "Apache License 2.0" in said
    assert "[Apache License 2.0](LICENSE)" in README
    research = "research only" in facts["data_license"]
    assert ("research only" in said) == research
    if any("research only" in one["data_license"] for one in MANIFEST.values()):
        assert "research only" in " ".join(README.split())
    elsewhere = (ROOT / "LICENSE").read_text("utf-8")
    assert "Apache License" in elsewhere
