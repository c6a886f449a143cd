"""The best of eight: turned encodings averaged into one field."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

import gsr
from gsr import methods
from gsr.base.errors import ConfigError
from gsr.cli import run
from gsr.field import GaussianField
from gsr.methods.gaussiansr import TURNED, GaussianSR
from gsr.network.turning import Turn, turns

Make = Callable[..., GaussianSR]
Picture = Callable[..., Tensor]


def said(field: GaussianField, name: str) -> Tensor:
    """A map as the network makes it. [1, h, w, c]"""
    value = getattr(field, name)
    return value.movedim(1, -1) if name == "evidence" else value.flatten(3)


def test_eight_turns_and_their_way_back() -> None:
    image = torch.arange(12.0).reshape(1, 1, 3, 4)
    seen = {turn.image(image).flatten().tolist().__repr__() for turn in turns()}
    assert len(seen) == 8
    assert next(turns()) == Turn(False, False, False)
    for turn in turns():
        again = turn.back("feat", turn.image(image).movedim(1, -1))
        assert torch.equal(again, image.movedim(1, -1))


def test_vectors_and_predicted_kernels_by_hand() -> None:
    turn = Turn(transpose=True, flip_y=False, flip_x=True)
    vector = turn.back("offsets", torch.tensor((1.0, 2.0)).reshape(1, 1, 1, 2))
    assert vector.flatten().tolist() == [2, -1]
    slopes = turn.back("slopes", torch.arange(6.0).reshape(1, 1, 1, 6))
    assert slopes.flatten().tolist() == [1, 0, 3, -2, 5, -4]
    predicted = turn.back("evidence", torch.tensor((1.0, 2.0, 3.0)).reshape(1, 1, 1, 3))
    assert predicted.flatten().tolist() == [2, 1, -3]


@pytest.mark.parametrize("turn", list(turns()))
def test_a_turned_picture_has_the_turned_field(
    turn: Turn, make_model: Make, picture: Picture
) -> None:
    model, lr = make_model("lite"), picture(9, 12)[None]
    field = model.encode(lr, ensemble=True)
    turned = model.encode(turn.image(lr), ensemble=True)
    for name in TURNED:
        found = turn.back(name, said(turned, name))
        torch.testing.assert_close(found, said(field, name), rtol=0, atol=2e-5, msg=name)


def test_shipped_weights_are_nearer_to_their_flipped_selves() -> None:
    model = gsr.load("lite-tiny")
    lr = gsr.images.load("apps/gsr_apps/demo/coffee.jpg").rgb[:, 100:140, 100:148]

    def distance(ensemble: bool) -> float:
        plain, flipped = (model.encode(x, ensemble=ensemble).render(2) for x in (lr, lr.flip(-1)))
        return float((plain - flipped.flip(-1)).square().mean())

    assert distance(True) < 0.5 * distance(False)


def test_the_same_every_time_and_another_than_one(make_model: Make, picture: Picture) -> None:
    model, lr = make_model("lite"), picture(8, 9)
    one, again = (model.encode(lr, ensemble=True) for _ in range(2))
    assert torch.equal(one.render(3), again.render(3))
    single = model.encode(lr)
    assert not torch.equal(one.colors, single.colors)
    assert torch.equal(one.feat, single.feat)
    assert one.model == "best-lite"


def test_progress_counts_every_turn(make_model: Make, picture: Picture) -> None:
    seen: list[tuple[int, int]] = []
    make_model("lite").encode(
        picture(8, 9), ensemble=True, tile=8, progress=lambda done, of: seen.append((done, of))
    )
    assert seen == sorted(seen)
    assert seen[-1] == (18, 18)  # two tiles, eight turns, and the choice of kernels
    assert len(seen) == 18

    class Stop(Exception):
        pass

    def stop(_done: int, _of: int) -> None:
        raise Stop

    with pytest.raises(Stop):
        make_model("lite").encode(picture(8, 9), ensemble=True, progress=stop)


def test_a_field_of_it_is_kept_under_its_name(
    make_model: Make, picture: Picture, tmp_path: Path
) -> None:
    field = make_model("lite").encode(picture(8, 9), ensemble=True)
    again = gsr.open_field(field.save(tmp_path / "a.gsf"))
    assert again.model == "best-lite"
    assert torch.equal(again.render(2), field.render(2))


def test_classes_that_cannot_be_turned_are_refused(make_model: Make, picture: Picture) -> None:
    with pytest.raises(ConfigError, match="paper cannot be averaged over turns"):
        make_model("paper").encode(picture(8, 9), ensemble=True)
    for name in ("best-paper-tiny", "best-liif-tiny", "best-bicubic"):
        with pytest.raises(ConfigError, match="cannot be averaged over turns"):
            methods.get(name)


def test_the_command_says_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    source, out = tmp_path / "a.png", tmp_path / "b.png"
    Image.effect_noise((12, 10), 60).convert("RGB").save(source)
    assert run(["upscale", str(source), "-s", "2", "-o", str(out), "--best", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"] == "best-lite"
    with Image.open(out) as image:
        assert any("best-lite" in str(value) for value in image.info.values())
    field = tmp_path / "a.gsf"
    assert run(["encode", str(source), "-o", str(field), "--best"]) == 0
    assert gsr.open_field(field).model == "best-lite"
    capsys.readouterr()
    assert run(["inspect", str(field), "--at", "3,3", "--best"]) == 2
    assert "a field is encoded already" in capsys.readouterr().err
    assert methods.get("best-lite").encode(source).model == "best-lite"
