"""What files say of a picture goes on into every format that has a place for it."""

import io
from pathlib import Path

import pytest
from PIL import ExifTags, Image, PngImagePlugin

from gsr.base.errors import ConfigError
from gsr.decoding.metadata import exif_tags
from gsr.images import PictureInfo, load, save

XMP = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6" tiff:ImageWidth="60" '
    b'xmlns:dc="http://purl.org/dc/elements/1.1/"><tiff:ImageLength>40</tiff:ImageLength>'
    b"<dc:title>Ship</dc:title></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"
)
NAMES = ["a.png", "a.jpg", "a.webp", "a.tif"]


def record(kind: int, text: str) -> bytes:
    data = text.encode()
    return b"\x1c\x02" + bytes([kind]) + len(data).to_bytes(2, "big") + data


IPTC = record(120, "a red ship") + record(80, "Ann") + record(116, "(c) Ann")


def kept(path: Path, info: PictureInfo, **options: object) -> tuple[PictureInfo, tuple[str, ...]]:
    notes = save(Image.new("RGB", (8, 6)), path, info, **options)  # type: ignore[arg-type]
    return load(path).info, notes


def turned(file_format: str, orientation: int = 6) -> bytes:
    exif, file = Image.Exif(), io.BytesIO()
    exif[ExifTags.Base.Orientation] = orientation
    Image.new("RGB", (60, 40)).save(file, file_format, exif=exif, dpi=(300, 72), xmp=XMP)
    return file.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_resolution_is_turned_with_the_picture(orientation: int) -> None:
    dpi = load(turned("JPEG", orientation)).info.dpi
    assert dpi == ((72, 300) if orientation > 4 else (300, 72))


@pytest.mark.parametrize("name", NAMES)
def test_xmp_is_kept_and_upright(name: str, tmp_path: Path) -> None:
    info = load(turned("JPEG")).info
    assert info.xmp is not None
    assert b'tiff:Orientation="1"' in info.xmp
    assert b"ImageWidth" not in info.xmp
    assert b"ImageLength" not in info.xmp
    read, notes = kept(tmp_path / name, info)
    assert (read.xmp, notes) == (info.xmp, ())


@pytest.mark.parametrize("packet", [b"junk", b"<!DOCTYPE a><rdf:RDF/>", b"<rdf:RDF>\0<"])
def test_odd_xmp_is_left_out(packet: bytes) -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG", xmp=packet)
    info = load(file.getvalue()).info
    assert info.xmp is None
    assert info.notes == ("The XMP data could not be read and was left out.",)


@pytest.mark.parametrize("name", NAMES)
def test_iptc_is_kept_or_its_captions_are(name: str, tmp_path: Path) -> None:
    read, notes = kept(tmp_path / name, PictureInfo(iptc=IPTC))
    if name in ("a.jpg", "a.tif"):
        assert (read.iptc, notes) == (IPTC, ())
    else:
        assert len(notes) == 1
        assert "IPTC" in notes[0]
    tags = exif_tags(read.exif)
    wanted = {"ImageDescription": "a red ship", "Artist": "Ann", "Copyright": "(c) Ann"}
    assert wanted.items() <= {ExifTags.TAGS[tag]: value for tag, value in tags.items()}.items()


@pytest.mark.parametrize("name", NAMES[1:])
def test_texts_of_a_png_go_into_exif(name: str, tmp_path: Path) -> None:
    note = PngImagePlugin.PngInfo()
    for key, value in {"parameters": "Steps: 40, a tree", "Copyright": "Bo"}.items():
        note.add_text(key, value)
    Image.new("RGB", (8, 6)).save(tmp_path / "in.png", pnginfo=note)
    read, notes = kept(tmp_path / name, load(tmp_path / "in.png").info)
    assert notes == ()
    assert read.exif is not None
    assert "Steps: 40, a tree".encode("utf-16-be") in read.exif
    assert exif_tags(read.exif)[ExifTags.Base.Copyright] == "Bo"
    back, _ = kept(tmp_path / "back.png", read)
    assert back.exif is not None
    assert "Steps: 40, a tree".encode("utf-16-be") in back.exif


def test_several_texts_are_named(tmp_path: Path) -> None:
    read, _ = kept(tmp_path / "a.webp", PictureInfo(text={"seed": "7", "sampler": "Euler"}))
    assert read.exif is not None
    assert "seed: 7\nsampler: Euler".encode("utf-16-be") in read.exif


def full() -> PictureInfo:
    from gsr.decoding.coding import profile_of

    exif = Image.Exif()
    exif[ExifTags.Base.Copyright], exif[ExifTags.Base.Make] = "(c) Ann", "Camera"
    return PictureInfo(
        icc=profile_of((12, 13), "rgb"),
        exif=exif.tobytes(),
        xmp=XMP.replace(b'"6"', b'"1"'),
        iptc=IPTC,
        text={"Comment": "hello"},
        dpi=(300, 300),
    )


@pytest.mark.parametrize("kind", ["icc", "exif", "xmp", "iptc", "dpi"])
@pytest.mark.parametrize("name", ["a.jpg", "a.tif"])
def test_one_kind_is_kept_and_no_other(kind: str, name: str, tmp_path: Path) -> None:
    read, notes = kept(tmp_path / name, full(), keep=[kind])
    assert notes == ()
    found = {k: getattr(read, k) for k in ("icc", "xmp", "iptc")}
    assert {k for k, value in found.items() if value} == {kind} & found.keys()
    assert (exif_tags(read.exif).get(ExifTags.Base.Make) == "Camera") == (kind == "exif")
    assert (read.dpi is not None and round(read.dpi[0]) == 300) == (kind == "dpi")


@pytest.mark.parametrize("name", NAMES)
def test_the_copyright_alone(name: str, tmp_path: Path) -> None:
    read, _ = kept(tmp_path / name, full(), keep={"copyright"})
    tags = exif_tags(read.exif)
    assert tags[ExifTags.Base.Copyright] == "(c) Ann"
    assert tags[ExifTags.Base.Artist] == "Ann"
    assert ExifTags.Base.Make not in tags
    assert (read.icc, read.xmp, read.iptc) == (None, None, None)


def test_an_unknown_kind(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="metadata to keep must be among icc, exif, xmp, iptc"):
        kept(tmp_path / "a.png", PictureInfo(), keep=["gps"])
