"""`gsr export`: a page from a picture or a field, and what is refused."""

from pathlib import Path

import pytest
from PIL import Image

import gsr
from gsr.base.errors import OutputError
from gsr.cli import run


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.effect_noise((20, 16), 40).convert("RGB").save(path)
    return path


def test_a_page_of_a_picture(photo: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["export", str(photo)]) == 0
    page = photo.with_suffix(".html")
    said = capfd.readouterr()
    assert said.out.strip() == str(page)
    assert "20 x 16 Gaussians" in said.err
    text = page.read_text(encoding="utf-8")
    assert "<title>photo.png · gsr</title>" in text
    assert "import " not in text.split('<script type="module">')[1].split("\n")[0]


def test_a_page_of_a_field(photo: Path, tmp_path: Path) -> None:
    field = gsr.load("lite").encode(photo)
    field.save(tmp_path / "a.gsf")
    out = tmp_path / "b.html"
    assert run(["export", str(tmp_path / "a.gsf"), "-o", str(out), "-q"]) == 0
    assert field.to_html(tmp_path / "c.html").read_bytes() == out.read_bytes()


def test_what_exists_is_not_replaced_unasked(
    photo: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    page = photo.with_suffix(".html")
    page.write_text("mine")
    assert run(["export", str(photo)]) == 2
    assert "exists already; add --overwrite" in capfd.readouterr().err
    assert page.read_text() == "mine"
    assert run(["export", str(photo), "--overwrite", "-q"]) == 0
    assert page.read_text(encoding="utf-8") != "mine"


def test_another_suffix(photo: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["export", str(photo), "-o", str(tmp_path / "a.png")]) == 2
    assert "must end in .html, as pages do" in capfd.readouterr().err
    with pytest.raises(OutputError, match=r"must end in \.html"):
        gsr.load("lite").encode(photo).to_html(tmp_path / "a.txt")


def test_a_picture_with_transparency(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "soft.png"
    Image.new("RGBA", (8, 8), (200, 10, 10, 90)).save(path)
    assert run(["export", str(path)]) == 2
    assert "a page shows opaque pictures" in capfd.readouterr().err
    assert not path.with_suffix(".html").exists()
