"""A field in tiles is the whole field, whichever tiles come first."""

import io
import random
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from gsr.base.coords import View
from gsr.base.errors import ConfigError, GsrError, ScaleError
from gsr.field import GaussianField
from gsr.field.filling import Filling, following
from gsr.field.mosaic import MAPS, Mosaic
from gsr.field.protocol import ContinuousImage
from gsr.field.tile_store import TileStore
from gsr.methods.gaussiansr import GaussianSR

Make = Callable[..., GaussianSR]
HEIGHT, WIDTH, SIDE = 37, 50, 16


@pytest.fixture(scope="module")
def model(make_model: Make) -> GaussianSR:
    return make_model("lite", tiny=False)


@pytest.fixture(scope="module")
def photo(picture: Callable[..., Tensor]) -> Image.Image:
    pixels = (picture(HEIGHT, WIDTH) * 255).byte().movedim(0, -1).numpy()
    return Image.fromarray(pixels)


@pytest.fixture(scope="module")
def whole(model: GaussianSR, photo: Image.Image) -> GaussianField[Image.Image]:
    return model.encode(photo)


def mosaic_of(model: GaussianSR, photo: Image.Image, **options: object) -> Mosaic[Image.Image]:
    return model.encode(photo, lazy=True, tile=SIDE, **options)  # type: ignore[call-overload]


def views(least: float = 0.2, most: float = 6.0) -> st.SearchStrategy[View]:
    def view(x: float, y: float, width: float, height: float, scale: float) -> View:
        size = max(1, round(height * scale)), max(1, round(width * scale))
        return View(x, y, width, height, size)

    return st.builds(
        view,
        st.floats(-4, WIDTH),
        st.floats(-4, HEIGHT),
        st.floats(2, 30),
        st.floats(2, 30),
        st.floats(least, most),
    )


@pytest.mark.parametrize("scale", [1, 2, 3.7, 0.4])
def test_renders_are_those_of_the_whole_field(
    model: GaussianSR, photo: Image.Image, whole: GaussianField[Image.Image], scale: float
) -> None:
    mosaic = mosaic_of(model, photo)
    assert mosaic.render(scale).tobytes() == whole.render(scale).tobytes()
    assert isinstance(mosaic, ContinuousImage)


@pytest.mark.parametrize("layer", ["gaussians", "residual", "lr"])
def test_layers_are_those_of_the_whole_field(
    model: GaussianSR, photo: Image.Image, whole: GaussianField[Image.Image], layer: str
) -> None:
    made = mosaic_of(model, photo).render(2.5, layer=layer)  # type: ignore[arg-type]
    assert made.tobytes() == whole.render(2.5, layer=layer).tobytes()  # type: ignore[arg-type]


@settings(max_examples=6)
@given(walk=st.lists(st.tuples(views(), st.booleans()), min_size=1, max_size=6))
def test_a_walk_of_views_is_one_over_the_whole_field(
    model: GaussianSR,
    photo: Image.Image,
    whole: GaussianField[Image.Image],
    walk: list[tuple[View, bool]],
) -> None:
    """Some renderings are given up in the middle; no tile is left half-made."""

    class StopError(Exception):
        pass

    def stop(_done: int, _of: int) -> None:
        raise StopError

    mosaic = mosaic_of(model, photo)
    for view, cancelled in walk:
        if cancelled:
            with pytest.raises(StopError):
                mosaic.render(view=view, progress=stop)
        else:
            assert mosaic.render(view=view).tobytes() == whole.render(view=view).tobytes()
            assert mosaic.ready(view) or min(view.scale) < 1  # then with a margin
    assert_tiles_are_whole(mosaic, whole)
    mosaic.close()
    assert mosaic.store.nbytes == 0
    assert mosaic.tiles_ready == 0


def assert_tiles_are_whole(mosaic: Mosaic, whole: GaussianField) -> None:
    """Every tile that is there has the numbers of the whole field, to the last bit."""
    finished = mosaic.whole()
    for name in MAPS:
        assert torch.equal(getattr(finished, name), getattr(whole, name)), name


@settings(max_examples=6)
@given(view=views(1.0), others=st.lists(st.integers(0, 11), max_size=8))
def test_what_is_there_is_exact_and_the_rest_interpolated(
    model: GaussianSR,
    photo: Image.Image,
    whole: GaussianField[Image.Image],
    view: View,
    others: list[int],
) -> None:
    mosaic = mosaic_of(model, photo)
    for number in others:
        mosaic.ensure(number)
    shown, exact, smooth = (
        np.array(image.render(view=view)) for image in (mosaic.now, whole, mosaic.now.picture)
    )
    xs, ys = view.axes(mosaic.lr_size)
    for number, (rows, columns) in mosaic.grid.parts(xs, ys):
        expected = exact if mosaic.is_ready(number) else smooth
        assert np.abs(shown[rows, columns].astype(int) - expected[rows, columns]).max() <= 1
    made = {number for number in range(len(mosaic.grid)) if mosaic.is_ready(number)}
    assert made == set(others)


def test_a_reduced_view_needs_no_tiles_where_the_field_gives_back_the_picture(
    model: GaussianSR, photo: Image.Image, whole: GaussianField[Image.Image]
) -> None:
    mosaic = mosaic_of(model, photo)
    assert mosaic.now.render(0.5).tobytes() == whole.render(0.5).tobytes()
    assert mosaic.tiles_ready == 0


def test_any_other_reduced_view_is_the_reduced_picture_until_it_is_ready(
    model: GaussianSR, photo: Image.Image
) -> None:
    mosaic = mosaic_of(model, photo, corrected=False)
    before = mosaic.now.render(0.5)
    assert before.tobytes() == mosaic.now.picture.render(0.5).tobytes()
    assert mosaic.tiles_ready == 0
    mosaic.finish()
    exact = model.encode(photo, corrected=False).render(0.5)
    assert mosaic.now.render(0.5).tobytes() == exact.tobytes()
    assert exact.tobytes() != before.tobytes()


def test_large_pictures_are_reduced_by_way_of_smaller_copies(
    model: GaussianSR, picture: Callable[..., Tensor]
) -> None:
    mosaic = model.encode(picture(600, 700), lazy=True, tile=64)
    view = View(3.0, 5.0, 640.0, 512.0, (64, 80))
    shown = mosaic.now.render(view=view)
    half = mosaic.now.picture.half
    assert half is not None
    assert half.lr_size == (300, 350)
    plain = torch.nn.functional.avg_pool2d(picture(600, 700)[:, 5:517, 3:643], 8)
    assert (shown - plain).abs().mean() < 0.02
    assert mosaic.tiles_ready == 0


def test_transparency_is_a_mosaic_of_its_own(model: GaussianSR, photo: Image.Image) -> None:
    clear = photo.copy()
    clear.putalpha(Image.linear_gradient("L").resize(photo.size))
    mosaic, whole = mosaic_of(model, clear), model.encode(clear)
    view = View(5, 6, 20, 20, (50, 50))
    assert mosaic.now.render(view=view).mode == "RGBA"
    assert mosaic.render(view=view).tobytes() == whole.render(view=view).tobytes()
    assert mosaic.render(3).tobytes() == whole.render(3).tobytes()
    assert mosaic.nbytes > 0


def test_a_grey_corner_of_a_colour_picture_is_not_made_grey(
    model: GaussianSR, picture: Callable[..., Tensor]
) -> None:
    lr = picture(30, 40)
    lr[:, :20] = lr[:1, :20]
    grey = lr[:1].expand(3, -1, -1)
    for image in (lr, grey):
        whole, mosaic = model.encode(image), model.encode(image, lazy=True, tile=8)
        assert torch.equal(mosaic.render(2), whole.render(2))
        assert mosaic.explain(3.3, 2.2) == whole.explain(3.3, 2.2)


@given(x=st.floats(0, WIDTH), y=st.floats(0, HEIGHT), scale=st.floats(0.5, 20))
@settings(max_examples=8)
def test_explanations_are_those_of_the_whole_field(
    model: GaussianSR,
    photo: Image.Image,
    whole: GaussianField[Image.Image],
    x: float,
    y: float,
    scale: float,
) -> None:
    mosaic = mosaic_of(model, photo)
    found, expected = mosaic.explain(x, y, scale), whole.explain(x, y, scale)
    assert (found.column, found.row, found.kernel) == (
        expected.column,
        expected.row,
        expected.kernel,
    )
    assert found.rgb == pytest.approx(expected.rgb, abs=1e-5)
    shares = {(one.column, one.row): one.share for one in found.contributions}
    for one in expected.contributions:
        assert shares[one.column, one.row] == pytest.approx(one.share, abs=1e-5)


def test_a_point_outside_is_refused(model: GaussianSR, photo: Image.Image) -> None:
    with pytest.raises(ScaleError, match="outside the image"):
        mosaic_of(model, photo).explain(-1, 3)


def test_of_eight_turns(model: GaussianSR, photo: Image.Image) -> None:
    small = photo.crop((0, 0, 20, 12))
    mosaic = mosaic_of(model, small, ensemble=True)
    assert mosaic.model == "best-lite"
    assert mosaic.render(2).tobytes() == model.encode(small, ensemble=True).render(2).tobytes()


def test_progress_counts_and_cancels_and_what_was_made_stays(
    model: GaussianSR, photo: Image.Image
) -> None:
    mosaic = mosaic_of(model, photo)

    def stop(done: int, of: int) -> None:
        assert of == len(mosaic.grid) == 12
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mosaic.finish(stop)
    assert mosaic.tiles_ready == int(mosaic.ready_map().sum()) == 3
    assert mosaic.finish() is mosaic
    assert mosaic.ready()
    assert repr(mosaic) == "Mosaic(50 x 37 Gaussians, 12 of 12 tiles, model='lite')"


def test_two_threads_make_a_tile_once(
    model: GaussianSR, photo: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    mosaic, made = mosaic_of(model, photo), []
    plain = mosaic.make
    object.__setattr__(mosaic, "make", lambda part: made.append(part) or plain(part))
    threads = [threading.Thread(target=mosaic.finish) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == len(mosaic.grid)


# --- memory --------------------------------------------------------------------------------------


def tile_bytes(mosaic: Mosaic) -> int:
    return mosaic.bytes_per_pixel * (SIDE + 2 * mosaic.margin) ** 2


def test_memory_stays_below_its_bound_and_renders_stay_the_same(
    model: GaussianSR, photo: Image.Image, whole: GaussianField[Image.Image]
) -> None:
    bound = 2 * tile_bytes(mosaic_of(model, photo))
    store = TileStore(bound)
    mosaic = mosaic_of(model, photo, store=store)
    assert mosaic.render(2).tobytes() == whole.render(2).tobytes()
    assert 0 < store.nbytes <= bound
    with pytest.raises(ConfigError, match=r"50 x 37 pixels takes .* GB"):
        mosaic.finish()


def test_no_room_for_a_tile_is_said_before_any_work(model: GaussianSR, photo: Image.Image) -> None:
    with pytest.raises(ConfigError, match=r"a memory of 0.001 MB is too small: one tile"):
        mosaic_of(model, photo, store=TileStore(1000))


def test_tiles_on_disk_are_nearly_the_same_and_go_with_the_mosaic(
    model: GaussianSR, photo: Image.Image, whole: GaussianField[Image.Image], tmp_path: Path
) -> None:
    store = TileStore(2 * tile_bytes(mosaic_of(model, photo)), tmp_path)
    mosaic = mosaic_of(model, photo, store=store).finish()
    assert mosaic.ready()
    assert len(list(tmp_path.iterdir())) >= 5
    made, exact = (np.array(image.render(3)).astype(int) for image in (mosaic, whole))
    assert np.abs(made - exact).max() <= 1
    mosaic.close()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("how", ["gone", "cut", "full"])
def test_tiles_that_cannot_be_had_from_disk_are_made_again(
    model: GaussianSR,
    photo: Image.Image,
    whole: GaussianField[Image.Image],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    if how == "full":
        monkeypatch.setattr("gsr.field.tile_store.save_file", full)
    store = TileStore(2 * tile_bytes(mosaic_of(model, photo)), tmp_path)
    mosaic = mosaic_of(model, photo, store=store).finish()
    for file in tmp_path.iterdir():
        file.unlink() if how == "gone" else file.write_bytes(file.read_bytes()[:50])
    made, exact = (np.array(image.render(2)).astype(int) for image in (mosaic, whole))
    assert np.abs(made - exact).max() <= 1


def test_disk_is_bounded_too(model: GaussianSR, photo: Image.Image, tmp_path: Path) -> None:
    one = tile_bytes(mosaic_of(model, photo))
    store = TileStore(2 * one, tmp_path, max_disk_bytes=3 * one)
    mosaic = mosaic_of(model, photo, store=store)
    mosaic.render(1)
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 3.5 * one


@pytest.mark.parametrize("source", [torch.rand(2, 3, 8, 8)])
def test_a_mosaic_is_of_one_image(model: GaussianSR, source: Tensor) -> None:
    with pytest.raises(ConfigError, match="of one image, and 2 were given"):
        model.encode(source, lazy=True)


def test_a_mosaic_takes_what_encode_takes(
    model: GaussianSR, photo: Image.Image, whole: GaussianField[Image.Image], tmp_path: Path
) -> None:
    path, data = tmp_path / "photo.png", io.BytesIO()
    photo.save(path)
    photo.save(data, "PNG")
    path_mosaic, bytes_mosaic = (mosaic_of(model, one) for one in (path, data.getvalue()))  # type: ignore[arg-type]
    path.unlink()  # what happens to the file afterwards does not matter
    for mosaic in (path_mosaic, bytes_mosaic):
        assert mosaic.render(2).tobytes() == whole.render(2).tobytes()
    with pytest.raises(GsrError, match="no such file"):
        mosaic_of(model, path)  # type: ignore[arg-type]


# --- in the background ---------------------------------------------------------------------------


def test_what_is_looked_at_comes_first_and_nearest_to_the_pointer(
    model: GaussianSR, photo: Image.Image
) -> None:
    mosaic, order = mosaic_of(model, photo), []
    view = View(0, 0, 30, 30, (30, 30))
    wanted = frozenset(mosaic.below(view))
    assert wanted == {0, 1, 4, 5}
    while (number := following(mosaic, wanted, (20.0, 20.0))) is not None:
        order.append(number)
        mosaic.ensure(number)
    assert order[:4] == [5, 4, 1, 0] or order[:4] == [5, 1, 4, 0]
    assert sorted(order) == list(range(12))


def test_only_what_is_looked_at_is_made_where_not_all_fits(
    model: GaussianSR, photo: Image.Image
) -> None:
    store = TileStore(6 * tile_bytes(mosaic_of(model, photo)))
    filling = Filling(mosaic_of(model, photo, store=store))
    filling.look(View(0, 0, 30, 30, (30, 30)))
    filling.join()
    ready = filling.mosaic.ready_map()
    assert ready[:2, :2].all()
    assert ready.sum() == 4


@settings(max_examples=5)
@given(walk=st.lists(views(), min_size=1, max_size=8), stopped=st.booleans())
def test_filling_ends_and_leaves_no_thread(
    model: GaussianSR,
    photo: Image.Image,
    whole: GaussianField[Image.Image],
    walk: list[View],
    stopped: bool,
) -> None:
    before = threading.active_count()
    filling = Filling(mosaic_of(model, photo), threading.Lock())
    for view in walk:
        filling.look(view, (random.Random(0).uniform(0, WIDTH), 3.0))
    if stopped:
        filling.stop()
    filling.join()
    assert threading.active_count() == before
    assert filling.failure is None
    assert filling.mosaic.ready() or stopped
    assert_tiles_are_whole(filling.mosaic, whole)


def test_a_failure_is_kept_and_ends_the_work(model: GaussianSR, photo: Image.Image) -> None:
    mosaic = mosaic_of(model, photo)

    def fail(_part: object) -> GaussianField:
        raise MemoryError

    object.__setattr__(mosaic, "make", fail)
    filling = Filling(mosaic)
    filling.look(View(0, 0, 9, 9, (9, 9)))
    filling.join()
    assert str(filling.failure) == (
        "there is not enough memory to make more of the picture's Gaussians."
    )
    filling.look(View(0, 0, 9, 9, (9, 9)))
    assert mosaic.tiles_ready == 0
