"""Pictures that do their worst, opened in the Studio: a sentence each, and the next one is fine."""

import io
import json
import struct
import zlib
from urllib.parse import unquote

import pytest
from fastapi.testclient import TestClient
from gsr_apps.studio.batch import Options, run, workplace
from gsr_apps.studio.server import create_app
from gsr_apps.studio.studio import Studio
from helpers import hostile
from PIL import Image

from gsr.base.output_size import OutputSize
from gsr.decoding.pool import Pool
from gsr.images import load, to_pil


@pytest.fixture(scope="module")
def pool():
    with Pool(decode=hostile.NAME, seconds=5) as pool:
        yield pool


@pytest.fixture(scope="module")
def client(model, pixels, pool):
    with TestClient(create_app(Studio(model, load(to_pil(pixels)), pool=pool))) as client:
        client.get("/studio/start")
        yield client


def png() -> bytes:
    file = io.BytesIO()
    Image.effect_noise((20, 10), 60).convert("RGB").save(file, "PNG")
    return file.getvalue()


def no_palette() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", 8, 8, 8, 3, 0, 0, 0)
    rows = zlib.compress(8 * (b"\0" + bytes(range(8))))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [chunk(b"IHDR", header), chunk(b"IDAT", rows), chunk(b"IEND", b"")]
    )


def heavy_jpeg() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (32, 32), (200, 90, 10)).save(file, "JPEG")
    profile = bytearray(65_422)
    profile[16:20], profile[36:40] = b"RGB ", b"acsp"
    icc = b"\xff\xe2" + struct.pack(">H", 65_438) + b"ICC_PROFILE\0\x01\x01" + bytes(profile)
    comment = b"\xff\xfe" + struct.pack(">H", 64_002) + b"A" * 64_000
    return file.getvalue()[:2] + icc + comment + file.getvalue()[2:]


def opened(client, data, name="mine.png"):
    return client.post("/studio/open", params={"name": name}, content=data)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (png() + b"abort", "mine.png is damaged or hostile: it made the decoder crash."),
        (png() + b"segfault", "crash"),
        (png() + b"allocate", "memory"),
        (png() + b"raise", "mine.png cannot be decoded"),
        (no_palette(), "mine.png is damaged"),
        (png()[:60], "mine.png is damaged"),
    ],
)
def test_a_bad_picture_is_a_sentence_and_the_next_one_opens(client, data, word):
    answer = opened(client, data)
    assert answer.status_code == 400
    assert word in answer.json()["error"]
    assert opened(client, png()).status_code == 200


def test_a_heavy_jpeg_is_exported_with_a_note(client):
    key = opened(client, heavy_jpeg(), "heavy.jpg").json()["id"]
    for kind in ("jpeg", "png", "webp"):
        answer = client.get(f"/studio/fields/{key}/export", params={"format": kind, "scale": 2})
        assert answer.status_code == 200
        assert Image.open(io.BytesIO(answer.content)).size == (64, 64)
        notes = json.loads(unquote(answer.headers["X-Gsr-Notes"]))
        assert "The colour profile is damaged and was left out." in notes


def test_many_pictures_with_bad_ones_among_them(model, pool, tmp_path):
    files = []
    for name, data in {
        "a.png": png(),
        "b.png": png() + b"abort",
        "c.png": no_palette(),
        "d.jpg": heavy_jpeg(),
    }.items():
        files.append(tmp_path / name)
        files[-1].write_bytes(data)
    with workplace() as folder:
        options = Options(OutputSize("scale", 2.0))
        *_, report = run(files, options, model, folder, lambda part, title: None, pool)
    assert [row[1] for row in report.rows] == ["written", "failed", "failed", "written"]
    assert "crash" in report.rows[1][-1]
    assert "left out" in report.rows[3][-1]
