"""Pages that are kept elsewhere in the repository, and links between them as the site has them."""

import posixpath
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]

ELSEWHERE = {
    "index.md": "README.md",
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
    "training.md": "training/README.md",
    "experiments.md": "training/experiments.md",
    "demo-photos.md": "apps/gsr_apps/demo/README.md",
    **{f"weights/{name}.md": f"weights/{name}.md" for name in ("lite", "photo", "tiny")},
    "weights/comparison/compare.md": "weights/comparison/compare.md",
}
"""Address in the site -> file in the repository."""
PICTURES = ("weights/*.jpg", "weights/comparison/*.png")

_LINK = re.compile(r"(!?)\[((?:[^\]\[]|\[[^\]]*\])*)\]\(([^)#\s]+)(#[^)\s]*)?\)")


def kept_elsewhere() -> dict[str, str]:
    """Texts by address, of the files that are there."""
    found = {uri: ROOT / name for uri, name in ELSEWHERE.items()}
    return {uri: path.read_text("utf-8") for uri, path in found.items() if path.is_file()}


def pictures() -> dict[str, bytes]:
    """Pictures beside those pages, by address."""
    found = (path for pattern in PICTURES for path in ROOT.glob(pattern))
    return {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in found}


def in_repository(uri: str) -> str:
    """The file that a page was made from, relative to the root."""
    return ELSEWHERE.get(uri, f"docs/{uri}")


def in_site(name: str) -> str | None:
    """The address of a file of the repository; None for one the site leaves out."""
    for uri, source in ELSEWHERE.items():
        if source == name:
            return uri
    if name.startswith("docs/"):
        return name.removeprefix("docs/")
    if name.startswith("notebooks/") and name.endswith(".ipynb"):
        return name.removesuffix(".ipynb") + ".md"
    if any(Path(name).match(pattern) for pattern in PICTURES):
        return name
    return None


def relinked(text: str, uri: str) -> str:
    """A page's text with links as the site has them; what is only in the repository is named."""
    here = posixpath.dirname(in_repository(uri))

    def link(found: "re.Match[str]") -> str:
        mark, label, target, anchor = found.groups(default="")
        if re.match(r"[a-z]+:", target):
            return found[0]
        name = posixpath.normpath(posixpath.join(here, target))
        address = in_site(name)
        if address is None:
            return label if label.strip("`") == name else f"{label} (`{name}`)"
        relative = posixpath.relpath(address, posixpath.dirname(uri) or ".")
        return f"{mark}[{label}]({relative}{anchor})"

    return _LINK.sub(link, text)
