"""What an installation brings, and that the instructions to install are right.

Dependencies are links to this environment's packages (`helpers.installed`), so nothing here shows
that an index has them; it shows what a wheel asks for, and that the lines people are told work.
"""

import re
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

import grimp
import pytest
from helpers.checkout import ROOT
from helpers.installed import Environment, needed

import gsr

INSTALL = re.compile(r'pip install (?:-c constraints\.txt )?(?:-e )?(?:"[^"]+"|[^\s`"]+)')
FOLDERS = ("gsr", "apps/gsr_apps", "training", "docs", "notebooks")


def test_the_version_stands_in_one_place(built: metadata.Distribution) -> None:
    assert built.metadata["Name"] == "gaussiansr"
    assert built.version == gsr.__version__
    said = [p for p in ROOT.glob("gsr/**/*.py") if f'"{gsr.__version__}"' in p.read_text("utf-8")]
    assert said == [ROOT / "gsr" / "__init__.py"]
    assert f'"{gsr.__version__}"' not in (ROOT / "pyproject.toml").read_text("utf-8")


def test_an_index_shows_no_dead_links(built: metadata.Distribution) -> None:
    text = built.metadata.get_payload()
    assert text.startswith("# gsr")
    assert "pip install" in text or "make app" in text
    assert re.findall(r"\]\((?!https:)[^)]*\)", text) == []


def test_a_plain_installation_helps_and_says_what_the_app_needs(plain: Environment) -> None:
    shown = plain.run("gsr train --help")
    assert shown.returncode == 0, shown.stderr
    assert "--minutes" in shown.stdout
    refused = plain.run("gsr app --no-open")
    assert refused.returncode == 2
    assert 'pip install "gaussiansr[app]"' in refused.stderr
    assert "Traceback" not in refused.stderr


# --- What imports ask for --------------------------------------------------------------------


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("gsr", "gsr_apps", "gsr_training", include_external_packages=True)


def others(graph: grimp.ImportGraph, parts: Iterable[str]) -> set[str]:
    """Distributions that the modules below `parts` import, wherever in a file they do."""
    homes = metadata.packages_distributions()
    inner = [m for m in graph.modules if any(m == p or m.startswith(f"{p}.") for p in parts)]
    assert inner
    found = {
        name.split(".")[0] for m in inner for name in graph.find_modules_directly_imported_by(m)
    }
    outer = found - {"gsr", "gsr_apps", "gsr_training"} - set(sys.stdlib_module_names)
    return {homes[name][0].lower().replace("_", "-") for name in outer if name in homes}


@pytest.mark.parametrize(
    ("parts", "extras", "beside"),
    [
        # Plugins come with [formats], av with [video], triton with torch on a GPU; each is named
        # when it is missing.
        (
            ("gsr", "gsr_apps.page", "gsr_apps.viewer"),
            (),
            {"av", "triton", "ipython", "pillow-heif", "pillow-jxl-plugin"},
        ),
        (("gsr.decoding",), ("formats",), set()),
        (("gsr_apps.studio", "gsr_apps.figures"), ("app",), set()),
        (("gsr_apps.widgets", "gsr_apps.figures"), ("notebook",), set()),
        (("gsr_training",), ("train",), set()),
        (("gsr.tasks.video",), ("video",), set()),
    ],
    ids=["plain", "formats", "app", "notebook", "train", "video"],
)
def test_an_extra_brings_what_its_modules_import(
    parts: tuple[str, ...],
    extras: tuple[str, ...],
    beside: set[str],
    built: metadata.Distribution,
    graph: grimp.ImportGraph,
) -> None:
    assert others(graph, parts) - needed(built, "", *extras) - beside == set()


def test_the_library_brings_no_web_server(built: metadata.Distribution) -> None:
    assert needed(built, "").isdisjoint(
        {"gradio", "fastapi", "uvicorn", "plotly", "accelerate", "jupyterlab", "tensorboard"}
    )


# --- Instructions ----------------------------------------------------------------------------


def instructions() -> list[str]:
    """Every line that installs, in documents, notebooks and messages."""
    files = [*ROOT.glob("*.md"), *(p for f in FOLDERS for p in (ROOT / f).rglob("*"))]
    texts = [p.read_text("utf-8") for p in files if p.suffix in (".py", ".md", ".ipynb", ".js")]
    found = {line for text in texts for line in INSTALL.findall(text.replace('\\"', '"'))}
    extras = {extra for text in texts for extra in re.findall(r'needing\("(\w+)"', text)}
    pattern = 'pip install "gaussiansr[{extra}]"'
    assert pattern in found
    return sorted(found - {pattern} | {pattern.format(extra=extra) for extra in extras})


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with torch and what builds gsr, and without gsr."""
    tools = {"hatchling", "hatch-fancy-pypi-readme", "editables"}
    names = {name for tool in tools for name in needed(metadata.distribution(tool), "")}
    return Environment(tmp_path_factory.mktemp("empty") / "it", names | tools | {"torch"})


Outcome = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def outcomes(
    empty: Environment, wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[Path, Outcome]]:
    """What each line printed and where it installed to; two at a time, since pip mostly waits.

    Without dependencies, which the tests above are about.
    """

    def run(line: str) -> tuple[Path, Outcome]:
        target = tmp_path_factory.mktemp("target")
        settings = {
            "PIP_NO_INDEX": "1",
            "PIP_NO_DEPS": "1",
            "PIP_NO_COMPILE": "1",
            "PIP_NO_BUILD_ISOLATION": "0",  # pip reads this one the wrong way round
            "PIP_FIND_LINKS": str(wheel.parent),
        }
        if "torch" not in line:
            settings["PIP_TARGET"] = str(target)
        return target, empty.run(line, **settings)

    lines = instructions()
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(lines, pool.map(run, lines), strict=True))


@pytest.mark.parametrize("line", instructions())
def test_an_instruction_runs_as_written(
    line: str, outcomes: dict[str, tuple[Path, Outcome]]
) -> None:
    target, done = outcomes[line]
    assert done.returncode == 0, done.stderr
    assert "does not provide the extra" not in done.stderr + done.stdout
    if "torch" not in line:
        assert list(target.glob("gaussiansr-*.dist-info"))


def test_the_page_on_installing_lists_every_extra(built: metadata.Distribution) -> None:
    page = (ROOT / "docs" / "installation.md").read_text("utf-8")
    listed = set(re.findall(r"^\| `(\w+)` \|", page, flags=re.MULTILINE))
    assert listed == set(built.metadata.get_all("Provides-Extra")) - {"dev"}
