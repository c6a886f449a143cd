"""What a teacher says of a batch, and who is heeded."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from gsr_training.trainer.checkpoint import new_state
from gsr_training.trainer.data import Batch
from gsr_training.trainer.loop import train_step
from gsr_training.trainer.losses import goals, losses
from gsr_training.trainer.teacher import Teacher, load_teacher, taught_colors
from helpers.training import make_crops, make_recipe
from torch import Tensor

from gsr.base.errors import ConfigError


class Enlarge:
    """Bilinear, by four."""

    scale = 4

    def __call__(self, lr: Tensor) -> Tensor:
        return F.interpolate(lr, scale_factor=4, mode="bilinear")


class Black(Enlarge):
    """Knows nothing."""

    def __call__(self, lr: Tensor) -> Tensor:
        return super().__call__(torch.zeros_like(lr))


def make(device: torch.device | str) -> Enlarge:
    return Enlarge()


def make_nothing(device: torch.device | str) -> float:
    return 4.0


def ramp_batch(scale: float, crop: int = 12) -> Batch:
    """A picture that rises along x by 0.05 per LR pixel, and all pixels of its enlargement."""
    side = round(scale * crop)
    at = (torch.arange(side) + 0.5) * crop / side
    y, x = torch.meshgrid(at, at, indexing="ij")
    points = torch.stack((x, y), -1).reshape(1, -1, 2)
    lr = (0.05 * (torch.arange(crop) + 0.5)).expand(1, 3, crop, crop)
    rgb = (0.05 * points[..., :1]).expand(-1, -1, 3)
    return Batch(lr, points, torch.full((1, 2), side / crop), rgb)


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0, 3.4, 4.0])
def test_a_teacher_is_read_where_the_points_are(scale: float) -> None:
    batch = ramp_batch(scale)
    found = taught_colors(Enlarge(), batch)
    inside = (batch.points[..., 0] > 2) & (batch.points[..., 0] < 10)
    torch.testing.assert_close(found[inside], batch.rgb[inside], rtol=0, atol=2e-3)


def test_beyond_its_magnification_it_says_nothing() -> None:
    assert taught_colors(Enlarge(), ramp_batch(5.0)).isinf().all()


def test_only_the_better_one_is_heeded() -> None:
    true = torch.zeros(3, 8, 3)
    found = torch.full((3, 8, 3), 0.2)
    taught = torch.stack([torch.full((8, 3), v) for v in (0.1, 0.3, torch.inf)])
    goal = goals(0.75, found, taught, true)
    torch.testing.assert_close(goal[0], torch.full((8, 3), 0.075))
    assert (goal[1:] == 0).all()


def test_a_teacher_is_found_by_its_name() -> None:
    assert isinstance(load_teacher(f"{__name__}:make"), Enlarge)
    assert load_teacher("") is None


@pytest.mark.parametrize("name", ["no_such_module:make", f"{__name__}:missing", "make", ":make"])
def test_a_name_that_leads_nowhere(name: str) -> None:
    with pytest.raises(ConfigError, match=r"teacher: .* cannot be loaded"):
        load_teacher(name)


def test_something_else_than_a_teacher() -> None:
    with pytest.raises(ConfigError, match="a whole number as `scale`"):
        load_teacher(f"{__name__}:make_nothing")


@pytest.mark.usefixtures("tiny_preset")
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_step_goes_where_teacher_and_truth_pull(share: float) -> None:
    recipe = make_recipe(taught=share)
    batch = make_crops(recipe).batch(0)
    prediction = new_state(recipe).network(batch.lr, batch.points, batch.scale)
    taught = batch.rgb.lerp(prediction.rgb.detach(), 0.5)
    met = replace(batch, rgb=batch.rgb.lerp(taught, share))
    expected = losses(recipe.loss, prediction, met)["loss"]
    found = losses(recipe.loss, prediction, batch, taught)
    torch.testing.assert_close(found["loss"], expected)
    torch.testing.assert_close(found["l1"], losses(recipe.loss, prediction, batch)["l1"])


@pytest.mark.usefixtures("tiny_preset")
def test_a_step_asks_its_teacher() -> None:
    """One that is always right, and one that knows less than the network."""
    recipe = make_recipe(taught=1.0)
    parts = [make_crops(recipe).batch(0)]

    def loss(teacher: Teacher | None) -> float:
        return float(train_step(recipe, new_state(recipe), parts, 0.0, teacher=teacher)["loss"])

    assert loss(Black()) == loss(None) != loss(Enlarge())
