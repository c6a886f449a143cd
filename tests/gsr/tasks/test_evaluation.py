"""What is measured: protocols, sets, pairs, LR of every kind, contenders, the run itself."""

import math
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from gsr.base.coords import View
from gsr.base.errors import ConfigError, GsrError, ImageError, ScaleError
from gsr.base.files import checksum
from gsr.images.imresize import imresize
from gsr.images.metrics import Protocol
from gsr.methods.gaussiansr import GaussianSR
from gsr.methods.weights import manifest, save_weights
from gsr.tasks.evaluation.contenders import MATLAB_BICUBIC, Contender, find_contender
from gsr.tasks.evaluation.pairs import check_size, parse_scales, read_hr, sizes_at
from gsr.tasks.evaluation.perceptual import load_lpips
from gsr.tasks.evaluation.protocols import PROTOCOLS, check_protocol, depends_on_type, guess_type
from gsr.tasks.evaluation.reduction import MADE, find_reduction
from gsr.tasks.evaluation.results import Results
from gsr.tasks.evaluation.running import Evaluation
from gsr.tasks.evaluation.sets import find_sets
from gsr.tasks.evaluation.tables import Summary, markdown, summarise

Make = Callable[..., GaussianSR]


def save(path: Path, rgb: Tensor) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((rgb * 255).round().byte().permute(1, 2, 0).numpy()).save(path)
    return path


@pytest.fixture
def data(tmp_path: Path, picture: Callable[..., Tensor]) -> Path:
    """Two sets: `A` of three pictures in HR/, `DIV2K_B` of one picture directly."""
    for seed, name in enumerate(("c", "a", "b")):
        save(tmp_path / "data" / "A" / "HR" / f"{name}.png", picture(40 + seed, 50, seed))
    save(tmp_path / "data" / "DIV2K_B" / "d.png", picture(61, 64, 7))
    return tmp_path / "data"


# --- protocols ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("protocol", "set_type", "scale", "expected"),
    [
        ("liif", "benchmark", 3.4, Protocol("luma", 4)),
        ("liif", "div2k", 3.4, Protocol("rgb", 10)),
        ("liif", "benchmark", 12, Protocol("luma", 12)),
        ("basicsr", "benchmark", 4, Protocol("luma", 4, rounding=True)),
        ("basicsr", "div2k", 12, Protocol("luma", 8, rounding=True)),
        ("matlab", "benchmark", 12, Protocol("luma", 12, rounding=True, luma_rounding=True)),
    ],
)
def test_protocols(protocol: str, set_type: Any, scale: float, expected: Protocol) -> None:
    assert PROTOCOLS[protocol][set_type].at(scale) == expected


def test_the_text_of_rules_says_what_they_do() -> None:
    assert str(PROTOCOLS["liif"]["div2k"]) == "rgb, shave ceil(scale) + 6, float"
    for of_types in PROTOCOLS.values():
        for rules in of_types.values():
            for scale in (2.0, 3.4, 12.0):
                names = {"ceil": math.ceil, "min": min, "scale": scale}
                assert eval(rules.shave, names) == rules.at(scale).shave
                assert rules.channel == rules.at(scale).channel
                assert ("8 bit" in rules.rounding) == rules.at(scale).rounding
                assert ("luma too" in rules.rounding) == rules.at(scale).luma_rounding


def test_types_of_sets() -> None:
    assert guess_type("DIV2K_valid_HR") == guess_type("my-div2k") == "div2k"
    assert guess_type("Set5") == "benchmark"
    assert [name for name in PROTOCOLS if depends_on_type(name)] == ["liif"]
    assert check_protocol("liif", None) is None
    assert check_protocol("liif", "div2k") == "div2k"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("psnr", None), "unknown protocol 'psnr'; choose one of liif, basicsr, matlab."),
        (("liif", "set5"), "a set's type must be benchmark or div2k, got 'set5'."),
        (("basicsr", "div2k"), "protocol basicsr measures all sets alike; leave out their type."),
    ],
)
def test_protocols_that_are_refused(asked: tuple, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        check_protocol(*asked)
    assert str(error.value) == message


# --- sets --------------------------------------------------------------------------------------


def test_a_folder_of_sets(data: Path) -> None:
    (data / ".hidden").mkdir()
    save(data / ".hidden" / "x.png", torch.zeros(3, 4, 4))
    (data / "A" / "HR" / "notes.txt").write_text("no picture")
    (data / "A" / "LR_bicubic" / "X2").mkdir(parents=True)
    first, second = find_sets(data)
    assert (first.name, [p.name for p in first.paths]) == ("A", ["a.png", "b.png", "c.png"])
    assert (second.name, second.total) == ("DIV2K_B", 1)


@pytest.mark.parametrize("inside", ["A", "A/HR"])
def test_one_set(data: Path, inside: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(data / inside)
    for folder in (data / inside, Path()):
        (one,) = find_sets(folder, limit=2)
        assert (one.name, len(one.paths), one.total) == ("A", 2, 3)


def test_sets_that_are_links_keep_their_names(data: Path, tmp_path: Path) -> None:
    links = tmp_path / "links"
    links.mkdir()
    (links / "Set5").symlink_to(data / "A" / "HR")
    (links / "Set14").symlink_to(data / "DIV2K_B")
    assert [(one.name, one.total) for one in find_sets(links)] == [("Set14", 1), ("Set5", 3)]


def test_folders_without_pictures(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImageError, match=r"empty holds no pictures: name a folder of pictures, "):
        find_sets(tmp_path / "empty")
    with pytest.raises(ImageError, match=r"none cannot be read: No such file or directory\.$"):
        find_sets(tmp_path / "none")


# --- pairs -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "scale", "lr", "hr"),
    [
        ((45, 67), 2, (22, 33), (44, 66)),
        ((45, 67), 3.4, (13, 19), (44, 65)),  # 13 * 3.4 = 44.2, 19 * 3.4 = 64.6
        ((51, 34), 3.4, (15, 10), (51, 34)),  # 51 / 3.4 is 14.999... in binary
        ((228, 344), 12, (19, 28), (228, 336)),
    ],
)
def test_sizes(size: tuple, scale: float, lr: tuple, hr: tuple) -> None:
    assert sizes_at(size, scale) == (lr, hr)


def test_scales() -> None:
    assert parse_scales("2, 3.4,64,2") == [2.0, 3.4, 64.0]


@pytest.mark.parametrize("text", ["", "1", "2,", "65", "nan", "inf", "two"])
def test_scales_that_are_refused(text: str) -> None:
    with pytest.raises(ScaleError, match=r"^scales must be numbers above 1 and up to 64, such as "):
        parse_scales(text)


def test_pictures_that_are_too_small() -> None:
    check_size("photo.png", (19, 19), 1.9, Protocol("luma", 4))
    with pytest.raises(ScaleError) as error:
        check_size("photo.png", (19, 30), 4, Protocol("luma", 4))
    assert str(error.value) == (
        "photo.png is too small for scale 4: 30 x 19 pixels are cropped to 28 x 16, and at least "
        "19 x 19 are needed for a shave of 4."
    )


# --- LR ----------------------------------------------------------------------------------------


@pytest.fixture
def hr(data: Path) -> Tensor:
    return read_hr(data / "A" / "HR" / "a.png")[:, :40, :48]


def test_pil(hr: Tensor) -> None:
    expected = Image.fromarray(hr.permute(1, 2, 0).numpy()).resize(
        (12, 10), Image.Resampling.BICUBIC
    )
    found = MADE["pil"].reduce(hr, (10, 12), None)
    assert found.dtype == torch.uint8
    assert np.array_equal(found.permute(1, 2, 0), np.asarray(expected))


def test_matlab_rounds_once_at_the_end(hr: Tensor) -> None:
    exact = imresize(hr.double(), size=(10, 12)).numpy()
    found = MADE["matlab"].reduce(hr, (10, 12), None).numpy().astype(float)
    assert np.abs(found - exact.clip(0, 255)).max() <= 0.5 + 1e-9


def test_the_ways_agree_within_a_grey_level_inside(hr: Tensor) -> None:
    first, *others = (way.reduce(hr, (20, 24), None).int() for way in MADE.values())
    for other in others:
        assert int((other - first)[:, 3:-3, 3:-3].abs().max()) <= 1
    torch_way = MADE["torch"].reduce(hr, (20, 24), None).int()
    assert int((torch_way - first).abs().max()) <= 1  # Pillow's border is its own too


@pytest.mark.parametrize(
    "place", ["lr/A/LR_bicubic/X2", "lr/A/X2", "lr/LR_bicubic/X2", "lr/X2", "lr"]
)
@pytest.mark.parametrize("name", ["ax2.png", "a.png"])
def test_given_files(data: Path, tmp_path: Path, place: str, name: str) -> None:
    path = save(tmp_path / place / name, torch.full((3, 20, 25), 0.2))
    given = find_reduction(str(tmp_path / "lr"))
    found = given.file("A", data / "A" / "HR" / "a.png", 2.0, (20, 25))
    assert found == path
    assert given.name == "given"
    assert torch.equal(
        given.reduce(torch.zeros(3, 40, 50), (20, 25), found), torch.full((3, 20, 25), 51)
    )


def test_given_files_that_do_not_fit(data: Path, tmp_path: Path) -> None:
    folder, hr_file = tmp_path / "lr", data / "A" / "HR" / "a.png"
    save(folder / "X2" / "ax2.png", torch.zeros(3, 21, 25))
    (folder / "X4").mkdir()
    (folder / "X4" / "ax4.png").write_bytes(b"no picture")
    given = find_reduction(str(folder))
    for scale, size, message in (
        (
            2.0,
            (20, 25),
            "X2/ax2.png is 25 x 21 pixels, and for a.png at scale 2 LR must be 25 x 20.",
        ),
        (3.4, (11, 14), "lr holds no LR file of a.png for scale 3.4, such as X3.4/ax3.4.png."),
        (4.0, (10, 12), "X4/ax4.png is not an image that gsr can read."),
    ):
        with pytest.raises(ImageError) as error:
            given.file("A", hr_file, scale, size)
        assert str(error.value).endswith(message)
        assert str(error.value).startswith(str(folder))


def test_lr_that_is_none() -> None:
    with pytest.raises(
        ConfigError, match=r"^LR pictures are made by pil, torch, matlab, or lie in"
    ):
        find_reduction("opencv")


# --- contenders --------------------------------------------------------------------------------


def test_matlab_bicubic_is_imresize(picture: Callable[..., Tensor]) -> None:
    lr = picture(9, 11)
    image = find_contender(MATLAB_BICUBIC).method.encode(lr)
    expected = imresize(lr, size=(31, 40)).clamp(0, 1).float()
    torch.testing.assert_close(image.render(size=(31, 40)), expected, rtol=0, atol=1e-6)
    view = View(x=2, y=1, width=4, height=3, size=(12, 16))
    whole = imresize(lr, 4.0).clamp(0, 1).float()[:, 4:16, 8:24]
    torch.testing.assert_close(image.render(view=view), whole, rtol=0, atol=1e-6)


def test_contenders_and_their_weights(make_model: Make, tmp_path: Path) -> None:
    path = save_weights(make_model("lite"), tmp_path / "tiny.safetensors")
    assert find_contender("bicubic").weights == find_contender("sinc:bicubic").weights == ""
    assert find_contender("lite").weights == manifest()["lite"]["sha256"]
    for name in (str(path), f"sinc:{path}"):
        contender = find_contender(name)
        assert (contender.name, contender.weights) == (name, checksum(path))


def test_unknown_contenders() -> None:
    with pytest.raises(ConfigError) as error:
        find_contender("cubic")
    message = str(error.value)
    assert message.startswith("unknown method 'cubic'; choose one of bicubic, ")
    assert message.endswith("; an evaluation also knows matlab-bicubic.")


# --- the run -----------------------------------------------------------------------------------


class Counting:
    """Pillow's bicubic, which counts what is asked of it."""

    def __init__(self) -> None:
        self.inner = find_contender("bicubic").method
        self.encoded: list[tuple[int, ...]] = []
        self.rendered: list[tuple[int, int]] = []

    name = "counting"

    def encode(self, source: Tensor, *, progress: Any = None) -> Any:
        self.encoded.append(tuple(source.shape))
        image = self.inner.encode(source)

        def render(*, size: tuple[int, int]) -> Tensor:
            self.rendered.append(size)
            return image.render(size=size)

        return SimpleNamespace(lr_size=image.lr_size, render=render)


def plan(data: Path, *names: str, **changes: Any) -> Evaluation:
    return replace(
        Evaluation(
            sets=find_sets(data),
            scales=[2.0, 3.4],
            contenders=[find_contender(name) for name in names or ("bicubic", "nearest")],
            protocol="liif",
            reduction=MADE["pil"],
        ),
        **changes,
    )


def test_every_picture_is_encoded_once_for_method_and_scale(data: Path) -> None:
    method = Counting()
    rows = plan(data, contenders=[Contender("counting", "", method)]).run(Results())
    assert len(rows) == 8
    assert sorted(method.encoded) == sorted((3, *row) for row in _sizes(rows, "lr_"))
    assert sorted(method.rendered) == sorted(_sizes(rows, ""))


def _sizes(rows: list, prefix: str) -> list[tuple[int, int]]:
    names = f"{prefix}height", f"{prefix}width"
    return [tuple(getattr(row.scores, name) for name in names) for row in rows]


def test_a_number_by_hand(tmp_path: Path) -> None:
    """LR of a checkerboard is grey everywhere; luma of black and white is 219 / 255 apart."""
    squares = (torch.arange(40)[:, None] + torch.arange(40)) % 2
    save(tmp_path / "Set" / "x.png", squares.float().expand(3, 40, 40))
    (row,) = plan(tmp_path / "Set", "nearest", scales=[2.0]).run(Results())
    # Inside the shave every LR pixel is 127 or 128 of 255.
    expected = -20 * math.log10(219 / 255 / 2)
    assert row.scores.psnr == pytest.approx(expected, abs=0.05)
    assert row.case.shave == 2
    assert row.case.set_type == "benchmark"


def test_rows_say_everything(data: Path) -> None:
    rows = plan(data).run(Results())
    case, scores = rows[-1].case, rows[-1].scores
    assert (case.set, case.image, case.scale, case.method) == ("DIV2K_B", "d.png", 3.4, "nearest")
    assert (case.set_type, case.channel, case.shave, case.rounding) == ("div2k", "rgb", 10, "float")
    assert (case.lr, case.protocol, case.weights) == ("pil", "liif", "")
    assert case.image_sha256 == checksum(data / "DIV2K_B" / "d.png")
    assert (scores.lr_height, scores.lr_width, scores.height, scores.width) == (17, 18, 58, 61)
    assert 0 < scores.psnr < 60
    assert 0 < scores.ssim < 1


def test_the_type_of_sets_can_be_said(data: Path) -> None:
    (row, *_) = plan(data / "DIV2K_B", set_type="benchmark").run(Results())
    assert (row.case.channel, row.case.shave) == ("luma", 2)


def test_it_repeats_itself_and_is_told(data: Path) -> None:
    told: list[tuple[int, int]] = []
    first = plan(data, "lite").run(Results(), lambda row, done, total: told.append((done, total)))
    assert told == [(n, 8) for n in range(1, 9)]
    assert plan(data, "lite").run(Results()) == first


def test_lr_files_are_part_of_the_case(data: Path, tmp_path: Path) -> None:
    file = save(tmp_path / "lr" / "X2" / "dx2.png", torch.full((3, 30, 32), 0.5))
    given = find_reduction(str(tmp_path / "lr"))
    setting = plan(data / "DIV2K_B", "bicubic", scales=[2.0], reduction=given)
    results = Results()
    (row,) = setting.run(results)
    assert (row.case.lr, row.case.lr_sha256) == ("given", checksum(file))
    save(file, torch.full((3, 30, 32), 0.25))
    (other,) = setting.run(results)
    assert other.scores.psnr != row.scores.psnr
    assert len(results.scores) == 2


def test_what_headers_tell_is_checked_before(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ScaleError, match=r"a\.png is too small for scale 20: 50 x 41 pixels are"):
        plan(data, scales=[2.0, 20.0]).check()
    with pytest.raises(ImageError, match=r"holds no LR file of a\.png for scale 2,"):
        plan(data, reduction=find_reduction(str(tmp_path))).check()
    (data / "A" / "HR" / "z.png").write_bytes(b"no picture")
    with pytest.raises(ImageError, match=r"z\.png is not an image gsr can read"):
        plan(data).check()


def test_values_that_are_not_numbers(data: Path) -> None:
    method = Counting()
    method.encode = lambda source: SimpleNamespace(  # type: ignore[assignment]
        render=lambda size: torch.full((3, *size), math.nan)
    )
    results = Results()
    with pytest.raises(GsrError, match=r"^odd gave values that are not numbers for .*a\.png at sc"):
        plan(data, contenders=[Contender("odd", "", method)]).run(results)
    assert not results.scores


# --- LPIPS -------------------------------------------------------------------------------------


@pytest.fixture
def fake_lpips(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Tensor, Tensor]]:
    """A package of that name, whose metric is the mean difference."""
    seen: list[tuple[Tensor, Tensor]] = []

    class LPIPS(torch.nn.Module):
        def __init__(self, net: str, verbose: bool):
            super().__init__()
            assert (net, verbose) == ("alex", False)

        def forward(self, first: Tensor, second: Tensor) -> Tensor:
            seen.append((first, second))
            return (first - second).abs().mean().reshape(1, 1, 1, 1)

    monkeypatch.setitem(sys.modules, "lpips", SimpleNamespace(LPIPS=LPIPS))
    return seen


def test_lpips_sees_what_the_protocol_compares(fake_lpips: list) -> None:
    sr, hr = torch.full((3, 12, 14), 100.4 / 255), torch.full((3, 12, 14), 151 / 255)
    assert load_lpips()(sr, hr, Protocol("luma", 2)) == pytest.approx(2 * 50.6 / 255, abs=1e-6)
    eight_bit = Protocol("luma", 2, rounding=True)
    assert load_lpips()(sr, hr, eight_bit) == pytest.approx(2 * 51 / 255, abs=1e-6)
    first, second = fake_lpips[0]
    assert first.shape == second.shape == (1, 3, 8, 10)
    assert float(second.max()) == pytest.approx(2 * 151 / 255 - 1)


def test_lpips_is_added_to_rows_without_it(data: Path, fake_lpips: list) -> None:
    results = Results()
    plain = plan(data).run(results)
    assert all(row.scores.lpips is None for row in plain)
    rows = plan(data, lpips=load_lpips()).run(results)
    assert all(row.scores.lpips is not None for row in rows)
    assert [replace(row.scores, lpips=None) for row in rows] == [row.scores for row in plain]
    count = len(fake_lpips)
    plan(data, lpips=load_lpips()).run(results)
    assert len(fake_lpips) == count


def test_lpips_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lpips", None)
    with pytest.raises(ConfigError, match=r"^LPIPS is left out: it needs the package lpips, which"):
        load_lpips()

    def broken(**how: Any) -> None:
        raise OSError("no such address")

    monkeypatch.setitem(sys.modules, "lpips", SimpleNamespace(LPIPS=broken))
    with pytest.raises(ConfigError, match=r"^LPIPS is left out, its network failed: no such addre"):
        load_lpips()


# --- tables ------------------------------------------------------------------------------------


def test_tables(data: Path) -> None:
    setting = plan(data, sets=find_sets(data, limit=2))
    rows = setting.run(Results())
    first, second = summarise(setting, rows)
    text = markdown(first)
    lines = text.splitlines()
    assert lines[0] == "## A (the first 2 of 3 images), protocol liif"
    assert lines[2] == (
        "PSNR in dB / SSIM, means of the images. Compared: luma, shave ceil(scale), float. LR: "
        "Pillow's bicubic, 8 bit. HR crop: top left to round(floor(size / scale) * scale)."
    )
    assert lines[4:6] == ["| method | x2 | x3.4 |", "| --- | ---: | ---: |"]
    of_nearest = [
        row.scores
        for row in rows
        if (row.case.set, row.case.scale, row.case.method) == ("A", 2.0, "nearest")
    ]
    assert len(of_nearest) == 2
    psnr, ssim = (sum(getattr(s, n) for s in of_nearest) / 2 for n in ("psnr", "ssim"))
    assert lines[7].startswith(f"| nearest | {psnr:.2f} / {ssim:.4f} |")
    assert second.title == "DIV2K_B (1 image), protocol liif"
    assert "rgb, shave ceil(scale) + 6, float" in second.protocol


def test_tables_with_lpips(data: Path, fake_lpips: list) -> None:
    setting = plan(data / "DIV2K_B", "bicubic", lpips=load_lpips())
    (summary,) = summarise(setting, setting.run(Results()))
    assert "PSNR in dB / SSIM / LPIPS (LPIPS of AlexNet, version 0.1" in summary.protocol
    assert all(str(mean).count("/") == 2 for mean in summary.means["bicubic"])


def test_tables_without_the_lpips_of_another_time(data: Path, fake_lpips: list) -> None:
    results = Results()
    plan(data, lpips=load_lpips()).run(results)
    plain = plan(data)
    summary = summarise(plain, plain.run(results))[0]
    assert "LPIPS" not in summary.protocol
    assert all(str(mean).count("/") == 1 for mean in summary.means["bicubic"])


def test_names_do_not_break_a_table() -> None:
    text = markdown(Summary("t", "p", (), {"a|b": []}))
    assert r"| a\|b |" in text
