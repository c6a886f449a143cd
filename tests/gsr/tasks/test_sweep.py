"""Sweeps: where the frames are, what they show, and the files they become."""

import itertools
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from gsr import View
from gsr.base.errors import OutputError, ScaleError
from gsr.images import PictureInfo
from gsr.tasks.sweep import BACKGROUND, MAX_PIXELS, Sweep, frames, save_sweep
from gsr.tasks.video import check_video, write_video

SHORT = Sweep(1.0, 8.0, size=(24, 32), seconds=0.5, fps=10)


@pytest.fixture(scope="module")
def field(make_model):
    ramps = Image.linear_gradient("L"), Image.radial_gradient("L"), Image.new("L", (256, 256), 90)
    smooth = Image.merge("RGB", ramps).resize((40, 30))
    return make_model("lite", amount=0.02).encode(smooth)


def plain(color, count=5, size=(16, 12)):
    return (Image.new("RGB", size, color) for _ in range(count))


# --- where -----------------------------------------------------------------------------------


@given(
    st.floats(1, 60),
    st.floats(1, 60),
    st.floats(0, 40),
    st.floats(0, 30),
    st.integers(1, 40),
)
def test_a_zoom_is_geometric_and_into_one_point(start, stop, x, y, count):
    if abs(start - stop) < 1e-3:
        return
    sweep = Sweep(start, stop, (x, y), size=(24, 32), seconds=count / 10, fps=10)
    views = sweep.views((30, 40))
    scales = [view.scale[1] for view in views]
    assert len(views) == max(2, count)
    assert scales[0] == pytest.approx(start)
    assert scales[-1] == pytest.approx(stop)
    steps = [b / a for a, b in itertools.pairwise(scales)]
    assert max(steps) / min(steps) == pytest.approx(1, rel=1e-6)
    for view in views:
        assert view.scale[0] == pytest.approx(view.scale[1])
    # The same point of the plane is at the same place of the screen in all frames.
    first, last = views[0], views[-1]
    for edge, extent in (("x", "width"), ("y", "height")):
        a, b = getattr(first, edge), getattr(last, edge)
        wide, narrow = getattr(first, extent), getattr(last, extent)
        part = (b - a) / (wide - narrow)
        for view in views:
            fixed = getattr(view, edge) + part * getattr(view, extent)
            assert fixed == pytest.approx(a + part * wide, abs=1e-6 * max(wide, narrow))


@given(st.floats(2, 60), st.floats(0, 40), st.floats(0, 30))
def test_frames_that_fit_never_leave_the_picture(stop, x, y):
    for view in Sweep(1, stop, (x, y), size=(24, 32), seconds=1, fps=8).views((30, 40)):
        assert view.x >= -1e-9
        assert view.y >= -1e-9
        assert view.x + view.width <= 40 + 1e-9
        assert view.y + view.height <= 30 + 1e-9


def test_ends_have_the_point_in_their_middle_where_there_is_room():
    first, *_, last = Sweep(1, 16, (21, 13), size=(32, 32), seconds=1, fps=8).views((48, 48))
    assert (first.x, first.y) == (5, 0)  # moved down by 3, to stay inside
    assert (last.x, last.width) == (20, 2)
    assert (last.y, last.height) == (12, 2)


def test_sizes_without_being_asked():
    assert Sweep().frame_size((192, 256)) == (360, 480)
    assert Sweep().frame_size((480, 640)) == (480, 640)
    assert Sweep().frame_size((1000, 2000)) == (480, 960)
    assert Sweep().frame_size((1, 3000)) == (2, 960)


@pytest.mark.parametrize(("seconds", "fps", "count"), [(0.5, 11, 6), (0.29, 10, 3), (0.01, 24, 2)])
def test_the_number_of_frames_is_rounded(seconds: float, fps: float, count: int) -> None:
    assert Sweep(seconds=seconds, fps=fps).num_frames == count


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ({"start": 0}, "scale must be a number between"),
        ({"stop": 65}, "scale must be a number between"),
        ({"stop": float("nan")}, "scale must be"),
        ({"start": 4, "stop": 4}, "from one scale to another, got 4 twice"),
        ({"seconds": 0}, "seconds must be above 0 and at most 60"),
        ({"seconds": float("nan")}, "seconds must be"),
        ({"fps": 0.5}, "fps must be between 1 and 60"),
        ({"size": (0, 5)}, "whole pixels"),
    ],
)
def test_numbers_out_of_range(numbers, said):
    with pytest.raises(ScaleError, match=said):
        Sweep(**numbers)


def test_points_and_sizes_that_do_not_fit_a_picture():
    with pytest.raises(ScaleError, match="outside the image: x must be between 0 and 40"):
        Sweep(at=(41, 2)).views((30, 40))
    side = int(MAX_PIXELS**0.5)
    with pytest.raises(ScaleError, match="make it smaller or shorter"):
        Sweep(size=(side, side)).views((30, 40))


# --- what ------------------------------------------------------------------------------------


def test_a_frame_inside_the_picture_is_its_view(field):
    shown = list(frames(field, SHORT))
    views = SHORT.views(field.lr_size)
    assert len(shown) == len(views) == 5
    for frame, view in zip(shown, views, strict=True):
        assert np.array_equal(np.asarray(frame), np.asarray(field.render(view=view)))


def test_around_a_small_picture_there_is_nothing(field):
    sweep = Sweep(0.5, 4, size=(40, 60), seconds=0.3, fps=10)
    first = np.asarray(next(frames(field, sweep)))
    inner = np.asarray(field.render(view=View(0, 0, 40, 30, (15, 20))))
    # 20 x 15 pixels of the picture in the middle of 60 x 40: half a pixel does not exist.
    assert np.array_equal(first[:12], np.broadcast_to(BACKGROUND, (12, 60, 3)))
    assert np.abs(first[13:27, 20:40].astype(int).mean() - inner.mean()) < 12
    assert np.array_equal(first[13, :20], np.broadcast_to(BACKGROUND, (20, 3)))
    assert not np.array_equal(first[20, 20], BACKGROUND)


def test_transparency_shows_the_background(make_model):
    image = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    shown = next(frames(make_model("lite", amount=0.0).encode(image), SHORT))
    assert np.abs(np.asarray(shown).astype(int) - BACKGROUND).max() <= 2


def test_a_caption_says_the_scale(field):
    sweep = Sweep(2, 8, size=(60, 80), seconds=0.3, fps=10)
    bare, written = (
        np.asarray(next(frames(field, sweep, caption=caption))) for caption in (False, True)
    )
    assert not np.array_equal(bare, written)
    assert np.array_equal(bare[:40], written[:40])


# --- files -----------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".webp", ".gif"])
def test_animations(field, tmp_path, suffix):
    path, seen = tmp_path / f"zoom{suffix}", []
    save_sweep(field, path, SHORT, model="tiny", progress=lambda *step: seen.append(step))
    assert seen == [(i, 5) for i in range(1, 6)]
    with Image.open(path) as image:
        assert (image.size, image.n_frames, image.info["loop"]) == ((32, 24), 5, 0)
        durations = []
        for i, expected in enumerate(frames(field, SHORT)):
            image.seek(i)
            image.load()
            durations.append(image.info["duration"])
            difference = np.asarray(image.convert("RGB")).astype(int) - np.asarray(expected)
            assert np.abs(difference).mean() < 12
        assert sum(durations) == 500
        about = image.info["comment"].decode() if suffix == ".gif" else image.getexif()[0x0131]
        assert "gsr:model=tiny" in about
        assert "gsr:scale=1 to 8" in about
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_mp4(tmp_path):
    av = pytest.importorskip("av")
    path = tmp_path / "zoom.mp4"
    write_video(path, plain((200, 90, 40), 7), 25, {"Software": "gsr", "gsr:model": "tiny"})
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        assert (video.width, video.height, video.average_rate) == (16, 12, 25)
        assert container.metadata["comment"] == "gsr; gsr:model=tiny"
        shown = [np.asarray(frame.to_image()) for frame in container.decode(video=0)]
    assert len(shown) == 7
    assert np.abs(shown[0].astype(int) - (200, 90, 40)).max() <= 4


def test_durations_do_not_drift(tmp_path):
    path = tmp_path / "a.gif"
    shown = (Image.new("RGB", (4, 4), (3 * i, 0, 255 - 3 * i)) for i in range(48))
    write_video(path, shown, 24, {})
    with Image.open(path) as image:
        total = 0
        for i in range(image.n_frames):
            image.seek(i)
            total += image.info["duration"]
    assert total == 2000


def test_a_colour_profile_is_applied(field, tmp_path):
    # A profile whose red and green are exchanged would be plain to see; here: the sRGB profile
    # changes next to nothing, and a broken one nothing at all.
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    shown = []
    for icc in (None, srgb, b"no profile"):
        path = tmp_path / "a.webp"
        save_sweep(field, path, SHORT, info=PictureInfo(icc=icc))
        with Image.open(path) as image:
            shown.append(np.asarray(image.convert("RGB")).astype(int))
    assert np.abs(shown[1] - shown[0]).mean() < 1
    assert np.array_equal(shown[2], shown[0])


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
@pytest.mark.parametrize("suffix", [".webp", ".gif", ".mp4"])
def test_an_interrupted_video_leaves_the_old_file(field, tmp_path, suffix, error):
    if suffix == ".mp4":
        pytest.importorskip("av")
    path = tmp_path / f"zoom{suffix}"
    path.write_bytes(b"old")

    def stop(done, total):
        if done == 3:
            raise error

    with pytest.raises(error):
        save_sweep(field, path, SHORT, progress=stop)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("name", "size", "fps", "said"),
    [
        ("a.avi", (10, 10), 24, r"must end in one of .webp, .gif, .mp4, got '.avi'"),
        ("a", (10, 10), 24, "got 'no suffix'"),
        ("a.gif", (10, 10), 60, "at most 50 frames per second"),
        ("a.mp4", (10, 11), 24, "even sides, got 11 x 10"),
        ("a.webp", (10, 20000), 24, "at most 16383 pixels a side"),
    ],
)
def test_what_a_format_cannot_hold(name, size, fps, said):
    with pytest.raises(OutputError, match=said) as caught:
        check_video(name, size, fps)
    assert str(caught.value).endswith(".")


def test_without_the_extra_the_sentence_names_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(OutputError, match=r'MP4 needs PyAV: pip install "gaussiansr\[video\]"\.'):
        check_video("a.mp4", (10, 10), 24)


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(OutputError, match="does not exist"):
        write_video(tmp_path / "no" / "a.webp", plain("red"), 24, {})
