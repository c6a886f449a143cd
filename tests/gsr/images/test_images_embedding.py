"""Metadata that a format cannot hold costs itself and a note, never the picture."""

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from gsr.images import PictureInfo, load, save

COMMENT = {"Software": "gsr 0.1", "gsr:model": "lite", "gsr:scale": "2"}
NAMES = ["a.png", "a.jpg", "a.webp", "a.tif", "a.bmp"]
ICC_SRGB_V4, SEGMENT = 60_960, 65_533


def profile(size: int) -> bytes:
    data = bytearray(size)
    data[:4], data[16:20], data[36:40] = size.to_bytes(4, "big"), b"RGB ", b"acsp"
    return bytes(data)


def exif(**tags: object) -> bytes:
    block = Image.Exif()
    for name, value in tags.items():
        block[ExifTags.Base[name]] = value
    return block.tobytes()


def tiff_exif(*entries: tuple[int, int, int, bytes]) -> bytes:
    """An EXIF block of raw entries (tag, type, count, four bytes), right or wrong."""
    body = b"".join(
        tag.to_bytes(2, "little") + kind.to_bytes(2, "little") + count.to_bytes(4, "little") + value
        for tag, kind, count, value in entries
    )
    header = b"Exif\0\0II*\0\x08\0\0\0" + len(entries).to_bytes(2, "little")
    return header + body + bytes(4)


def written(path: Path, info: PictureInfo) -> tuple[PictureInfo, tuple[str, ...]]:
    image = Image.new("RGB", (9, 7), (200, 90, 10))
    notes = save(image, path, info, comment=COMMENT)
    picture = load(path)
    assert picture.rgb.shape == (3, 7, 9)
    assert picture.rgb[0].mean().item() == pytest.approx(200 / 255, abs=0.02)
    return picture.info, notes


@pytest.mark.parametrize("icc", [ICC_SRGB_V4, 65_422, 300_000])
@pytest.mark.parametrize("comment", [6_000, 64_000, SEGMENT])
@pytest.mark.parametrize("block", [200, 40_000])
def test_a_jpeg_holds_all_that_fits_its_segments(
    icc: int, comment: int, block: int, tmp_path: Path
) -> None:
    info = PictureInfo(
        icc=profile(icc), text={"Comment": "A" * comment}, exif=exif(Artist="x" * block)
    )
    read, notes = written(tmp_path / "a.jpg", info)
    assert notes == ()
    assert read.icc == info.icc
    assert read.text == info.text
    assert read.exif is not None
    assert b"x" * block in read.exif
    assert b"gsr:model=lite" in read.exif


def heavy_jpeg() -> bytes:
    """A profile and a comment that are each legal for a JPEG, and more than one buffer's worth."""
    plain = io.BytesIO()
    Image.new("RGB", (32, 32), (200, 90, 10)).save(plain, "JPEG")
    profile_of_nothing = bytearray(65_422)
    profile_of_nothing[16:20], profile_of_nothing[36:40] = b"RGB ", b"acsp"
    icc = b"ICC_PROFILE\0\x01\x01" + bytes(profile_of_nothing)
    parts = [(b"\xff\xe2", icc), (b"\xff\xfe", b"A" * 64_000)]
    segments = [mark + (len(data) + 2).to_bytes(2, "big") + data for mark, data in parts]
    return plain.getvalue()[:2] + b"".join(segments) + plain.getvalue()[2:]


@pytest.mark.parametrize("name", NAMES)
def test_a_heavy_jpeg(name: str, tmp_path: Path) -> None:
    picture = load(heavy_jpeg())
    assert picture.info.notes == ("The colour profile is damaged and was left out.",)
    nowhere = "BMP has no place for metadata: the text of the picture is left out."
    assert written(tmp_path / name, picture.info)[1] == ((nowhere,) if name == "a.bmp" else ())


@pytest.mark.parametrize("name", NAMES)
def test_what_is_too_long_is_left_out_with_a_note(name: str, tmp_path: Path) -> None:
    info = PictureInfo(
        icc=profile(17_000_000), text={"Comment": "A" * 66_000}, exif=exif(Artist="x" * 70_000)
    )
    read, notes = written(tmp_path / name, info)
    left_out = {
        "a.png": ["colour profile"],
        "a.jpg": ["EXIF", "colour profile", "comment"],
        "a.bmp": ["the colour profile, EXIF data and text of the picture are left out"],
    }.get(name, [])
    assert len(notes) == len(left_out)
    assert all(word in note for word, note in zip(left_out, notes, strict=True))
    if name == "a.jpg":
        assert notes[2] == (
            "The comment of 66,000 bytes is too long for JPEG, which holds 65,533, and was left "
            "out."
        )
        assert read.exif is not None  # our own comment has a place again
        assert b"gsr:scale=2" in read.exif


@pytest.mark.parametrize("name", NAMES[:4])
@pytest.mark.parametrize(
    "block", [b"x", b"junk", b"Exif\0\0", b"Exif\0\0junk", b"Exif\0\0II*\0\xff\xff\xff\xff", b""]
)
def test_damaged_exif_is_no_reason_to_refuse(name: str, block: bytes, tmp_path: Path) -> None:
    _, notes = written(tmp_path / name, PictureInfo(exif=block))
    assert notes in ((), ("The EXIF data is damaged and was left out.",))
    assert b"gsr:model" in (tmp_path / name).read_bytes()


@pytest.mark.parametrize("name", NAMES[:4])
@pytest.mark.parametrize("kind", range(1, 14))
@pytest.mark.parametrize("tag", [ExifTags.Base.Make, ExifTags.Base.Rating, ExifTags.IFD.Exif])
def test_exif_of_wrong_types_is_survived(name: str, kind: int, tag: int, tmp_path: Path) -> None:
    block = tiff_exif((tag, kind, 1, b"\x07\0\0\0"), (0x9C9C, kind, 4, b"\xff\xff\xff\xff"))
    written(tmp_path / name, PictureInfo(exif=block))


def test_tags_that_speak_of_pixels_do_not_come_from_a_stranger(tmp_path: Path) -> None:
    white_is_zero, compressed = (262, 3, 1, b"\0\0\0\0"), (259, 3, 1, b"\x05\0\0\0")
    written(tmp_path / "a.tif", PictureInfo(exif=tiff_exif(compressed, white_is_zero)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dpi", [(1e9, 1e9), (70_000.0, 72.0), (1e308, 2.0), (0.001, 72.0)])
def test_a_resolution_that_is_none(name: str, dpi: tuple[float, float], tmp_path: Path) -> None:
    read, notes = written(tmp_path / name, PictureInfo(dpi=dpi))
    assert len(notes) == 1
    # Pillow says 72 of a JPEG that says nothing, and BMP knows no better.
    assert read.dpi in (None, (72.0, 72.0)) or name == "a.bmp"


def test_odd_texts_of_a_png(tmp_path: Path) -> None:
    text = {
        "": "no key",
        "k" * 80: "long key",
        "nul\0key": "x",
        "nul": "a\0b",
        "Ω": "Greek key",
        "line\nkey": "x",
        "half": "\udcff",
        "Title": "Ω ship",
    }
    read, notes = written(tmp_path / "a.png", PictureInfo(text=text))
    assert read.text == {"half": "?", "Title": "Ω ship", **COMMENT}
    assert len(notes) == 6
    assert notes[2] == "The text 'nul\\x00key' cannot stand in a PNG and was left out."


def test_a_great_deal_of_text(tmp_path: Path) -> None:
    text = {str(number): "x" * 4_000_000 for number in range(6)}
    read, notes = written(tmp_path / "a.png", PictureInfo(text=text))
    assert len(notes) == 2
    assert COMMENT.items() <= read.text.items()


@pytest.mark.parametrize("damage", [b"", b"junk", profile(200)[:150], bytes(200)])
def test_a_damaged_profile_goes(damage: bytes, tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.new("RGB", (4, 4)).save(file, "PNG", icc_profile=damage)
    said = ("The colour profile is damaged and was left out.",) if damage else ()
    assert load(file.getvalue()).info.notes == said
    for name in NAMES[:4]:
        assert written(tmp_path / name, PictureInfo(icc=damage))[1] == said


def test_whatever_an_encoder_raises_costs_the_metadata(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = Image.Image.save

    def choosy(self: Image.Image, stream: io.BytesIO, **options: object) -> None:
        if "icc_profile" in options:
            stream.write(b"half")
            raise KeyError("of a kind nobody expects")
        saved(self, stream, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Image.Image, "save", choosy)
    _, notes = written(tmp_path / "a.png", PictureInfo(icc=profile(200)))
    assert notes == ("The metadata could not be written as PNG and was left out.",)


@settings(max_examples=40, deadline=None)
@given(
    block=st.binary(max_size=60).map(lambda tail: b"Exif\0\0II*\0\x08\0\0\0" + tail),
    icc=st.binary(max_size=40),
    text=st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3),
    name=st.sampled_from(NAMES),
)
def test_any_metadata_gives_the_same_picture(
    block: bytes,
    icc: bytes,
    text: dict[str, str],
    name: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("any")
    written(folder / name, PictureInfo(exif=block, icc=icc, text=text))
