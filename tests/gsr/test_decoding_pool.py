"""A picture that crashes its decoder, hangs or fills the memory costs itself and nothing else."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from helpers import hostile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from gsr.base.errors import ConfigError, ImageError
from gsr.decoding.decode import decode
from gsr.decoding.messages import BrokenMessageError, pack, receive, send, unpack
from gsr.decoding.pool import Pool
from gsr.images import load


def png(seed: int = 0, **save) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", **save)
    return file.getvalue()


@pytest.fixture(scope="module")
def pool():
    with Pool(decode=hostile.NAME, seconds=5) as pool:
        yield pool


def said(pool: Pool, data: bytes) -> str:
    with pytest.raises(ImageError) as caught:
        load(data, pool=pool)
    assert load(png(), pool=pool).rgb.shape == (3, 6, 8)  # the next one is fine
    return str(caught.value)


@pytest.mark.parametrize("word", [b"abort", b"segfault", b"exit"])
def test_a_crash(pool, word):
    assert said(pool, png() + word) == "image is damaged or hostile: it made the decoder crash."


def test_a_hang():
    with Pool(decode=hostile.NAME, seconds=1.5) as pool:
        load(png(), pool=pool)
        began = time.monotonic()
        assert said(pool, png() + b"hang") == (
            "image was given up: it took longer than 2 s to decode."
        )
        assert time.monotonic() - began < 20


@pytest.mark.skipif(sys.platform != "linux", reason="no other system limits the address space")
def test_a_memory_bomb(pool):
    assert said(pool, png() + b"allocate") == "image takes more memory to decode than it may."


def test_an_exception_of_any_kind(pool):
    assert said(pool, png() + b"raise") == ("image cannot be decoded: of a kind nobody expects.")


def test_a_decoder_that_prints(pool):
    assert load(png() + b"babble", pool=pool).info.notes == ()
    assert load(png() + b"complain", pool=pool).info.notes == (
        "The decoder met damage (Fax4Decode: Bad code word); parts may be wrong.",
    )
    assert load(png(), pool=pool).info.notes == ()


def test_the_crash_of_another_is_no_fault_of_a_picture(pool):
    load(png(), pool=pool)
    (worker,) = pool._alive
    os.kill(worker._process.pid, signal.SIGKILL)
    worker._process.wait()
    assert load(png(), pool=pool).rgb.shape == (3, 6, 8)


@pytest.mark.parametrize(
    ("file_format", "mode"),
    [
        ("PNG", "RGB"),
        ("PNG", "RGBA"),
        ("PNG", "LA"),
        ("PNG", "I;16"),
        ("PNG", "1"),
        ("TIFF", "F"),
        ("JPEG", "CMYK"),
        ("WEBP", "RGBA"),
        ("GIF", "P"),
    ],
)
def test_the_same_as_in_this_process(pool, file_format, mode, tmp_path):
    image = Image.effect_noise((31, 20), 60)
    image = image.point(lambda v: v / 256, "F") if mode == "F" else image.convert(mode)
    exif = Image.Exif()
    exif[0x013B] = "Ada"
    path = tmp_path / "a"
    image.save(path, file_format, exif=exif.tobytes(), dpi=(300, 150))
    for source in (path, path.read_bytes(), io.BytesIO(path.read_bytes())):
        here, there = load(source), load(source, pool=pool)
        assert here.info == there.info
        assert here.rgb.equal(there.rgb)
        assert (here.alpha is None) == (there.alpha is None)
        assert here.alpha is None or here.alpha.equal(there.alpha)


def test_refusals_are_the_same(pool, tmp_path):
    large, junk, empty = (tmp_path / name for name in ("large.png", "junk.png", "empty.png"))
    large.write_bytes(png())
    junk.write_bytes(b"junk")
    empty.touch()
    for path in (large, junk, empty, tmp_path / "none.png", tmp_path):
        texts = []
        for way in (None, pool):
            with pytest.raises(ImageError) as caught:
                load(path, max_pixels=20, pool=way)
            texts.append(str(caught.value))
        assert texts[0] == texts[1]


def test_a_pipe_is_read_here(pool):
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as stream:
        stream.write(png())
    with os.fdopen(reading, "rb") as stream:
        assert load(stream, pool=pool).rgb.shape == (3, 6, 8)


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="there is no such device")
def test_a_device_that_never_ends(pool):
    with pytest.raises(ImageError, match="is not an image gsr can read"):
        load("/dev/zero", pool=pool)


def test_many_threads_share_few_workers():
    with Pool(2, decode=hostile.NAME, seconds=10) as pool:
        data = [png(seed) + (b"abort" if seed % 5 == 0 else b"") for seed in range(20)]

        def work(one: bytes) -> object:
            try:
                return load(one, pool=pool).rgb
            except ImageError as error:
                return str(error)

        with ThreadPoolExecutor(6) as threads:
            found = list(threads.map(work, data))
        for one, result in zip(data, found, strict=True):
            if one.endswith(b"abort"):
                assert "decoder crash" in str(result)
            else:
                assert load(one).rgb.equal(result)
        assert len(pool._alive) <= 2


def test_closing_ends_the_workers_and_what_they_are_at():
    pool = Pool(decode=hostile.NAME)
    caught: list[Exception] = []

    def wait() -> None:
        try:
            load(png() + b"hang", pool=pool)
        except ConfigError as error:
            caught.append(error)

    load(png(), pool=pool)
    (worker,) = pool._alive
    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.2)
    pool.close()
    waiting.join(10)
    assert len(caught) == 1
    assert worker._process.returncode is not None  # waited for: no zombie
    with pytest.raises(ConfigError, match="closed"):
        load(png(), pool=pool)


def test_a_worker_that_cannot_start_is_not_the_fault_of_a_picture():
    with (
        Pool(decode="helpers.hostile:nothing") as pool,
        pytest.raises(ConfigError, match="cannot be started"),
    ):
        load(png(), pool=pool)


def test_workers_end_with_their_parent():
    script = """
import os, sys
from gsr.decoding.pool import Pool
pool = Pool()
pool.decode(sys.stdin.buffer.read(), "image")
print(next(iter(pool._alive))._process.pid, flush=True)
os.kill(os.getpid(), 9)
"""
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=png(),
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": path},
        check=False,
    )
    assert done.returncode == -9
    child = Path("/proc", done.stdout.decode().strip())
    deadline = time.monotonic() + 10
    while _runs(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _runs(child)


def _runs(process: Path) -> bool:
    try:
        return process.joinpath("stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_worker_imports_nothing_heavy():
    script = "import sys, gsr.decoding.worker; sys.exit('torch' in sys.modules)"
    path = os.pathsep.join(filter(None, sys.path))
    command = [sys.executable, "-c", script]
    assert (
        subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, check=False).returncode == 0
    )


# --- messages --------------------------------------------------------------------------------


def sent(message: dict, *blobs: bytes) -> bytes:
    file = io.BytesIO()
    send(file, message, blobs)
    return file.getvalue()


def test_a_picture_comes_back_as_it_was_sent():
    decoded = decode(io.BytesIO(png(dpi=(72, 72))), "caf\udce9.png", 100)
    message, blobs = pack(decoded)
    answer = receive(io.BytesIO(sent(message, *map(bytes, blobs))), 10_000)
    assert answer is not None
    there = unpack(*answer, max_pixels=100)
    assert there.info == decoded.info
    assert (there.pixels == decoded.pixels).all()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_an_answer_of_a_broken_worker_is_a_picture_or_refused(data):
    good = sent(
        *(lambda packed: (packed[0], *map(bytes, packed[1])))(
            pack(decode(io.BytesIO(png()), "a", 100))
        )
    )
    bad = bytearray(good[: data.draw(st.integers(0, len(good)))])
    for _ in range(data.draw(st.integers(0, 4))):
        if bad:
            bad[data.draw(st.integers(0, len(bad) - 1))] = data.draw(st.integers(0, 255))
    try:
        answer = receive(io.BytesIO(bytes(bad)), 10_000)
        if answer is not None:
            assert unpack(*answer, max_pixels=100).pixels.size <= 400
    except (BrokenMessageError, ImageError):
        pass
