"""Recipes: files in, frozen values out, and nothing taken that is not known."""

from dataclasses import FrozenInstanceError, asdict
from pathlib import Path
from typing import Literal

import pytest
from gsr_training.train import recipe_file, run_folder
from gsr_training.trainer.optimise import build
from gsr_training.trainer.recipe import DataRecipe, ModelRecipe, Recipe, TrainRecipe
from gsr_training.trainer.recipe_files import load_recipe, parse_overrides

from gsr.base.errors import ConfigError
from gsr.methods import NETWORKS
from gsr.methods.gaussiansr import GaussianSR

SHIPPED = sorted(
    (Path(__file__).parents[3] / "training" / "gsr_training" / "configs").rglob("*.toml")
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "recipe.toml"


def test_recipes_are_shipped() -> None:
    assert {"debug", "lite", "base", "paper"} <= {path.stem for path in SHIPPED}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_shipped_recipes_load(path: Path) -> None:
    recipe = load_recipe(path)
    assert recipe.model.preset in NETWORKS
    assert recipe.data.scale_min < recipe.data.scale_max


def test_recipes_and_runs_by_name(tmp_path: Path) -> None:
    assert run_folder(recipe_file("lite")) == Path("runs/lite")
    assert run_folder(recipe_file("compare/liif")) == Path("runs/compare/liif")
    assert load_recipe(recipe_file("compare/liif")).model.preset == "liif"
    own = tmp_path / "own.toml"
    own.touch()
    assert recipe_file(str(own)) == own
    assert run_folder(own) == Path("runs/own")
    with pytest.raises(ConfigError, match=r"unknown recipe 'huge'.*one of base, compare/aliif,"):
        recipe_file("huge")


def test_the_papers_recipe() -> None:
    recipe = load_recipe(recipe_file("paper"))
    assert recipe.train.steps == 2000 * 1000
    assert (recipe.data.crop, recipe.data.queries, recipe.train.batch) == (48, 2304, 16)
    assert recipe.train.milestones == tuple(200 * i / 2000 for i in range(1, 10))
    assert (recipe.train.lr, recipe.train.gamma) == (1e-4, 0.5)
    assert recipe.train.ema == recipe.train.clip == recipe.loss.color == 0


def test_values_by_hand(file: Path) -> None:
    file.write_text(
        '[model]\npreset = "base"\n[train]\nsteps = 12\nlr = 1\nbetas = [0, 0.9]\nsoft = 0.5\n'
        '[data]\nrare = ["a/", "b/"]\n'
    )
    recipe = load_recipe(file)
    assert recipe == Recipe(
        model=ModelRecipe(preset="base"),
        data=DataRecipe(rare=("a/", "b/")),
        train=TrainRecipe(steps=12, lr=1.0, betas=(0.0, 0.9), soft=0.5),
    )
    assert isinstance(recipe.train.lr, float)


def test_an_empty_file_is_the_defaults(file: Path) -> None:
    file.write_text("")
    assert load_recipe(file) == Recipe()


def test_a_file_extends_another(file: Path) -> None:
    (file.parent / "sub").mkdir()
    (file.parent / "sub" / "last.toml").write_text(
        'extends = "../recipe.toml"\n[train]\nbatch = 4\n'
    )
    (file.parent / "first.toml").write_text("[train]\nsteps = 5\nbatch = 2\nwarmup = 7\n")
    file.write_text('extends = "first.toml"\n[train]\nbatch = 3\nwarmup = 8\n')
    train = load_recipe(file.parent / "sub" / "last.toml").train
    assert (train.steps, train.warmup, train.batch) == (5, 8, 4)


def test_a_circle_of_files(file: Path) -> None:
    file.write_text('extends = "recipe.toml"\n')
    with pytest.raises(ConfigError, match=r"recipe\.toml extends itself"):
        load_recipe(file)


def test_the_command_line_wins(file: Path) -> None:
    file.write_text("[train]\nsteps = 12\nbatch = 3\n")
    given = parse_overrides(
        ["--train.steps=5", "--train.lr=1e-4", "--model.preset=base", '--data.rare=["x/"]']
    )
    recipe = load_recipe(file, given)
    assert (recipe.train.steps, recipe.train.batch, recipe.train.lr) == (5, 3, 1e-4)
    assert (recipe.model.preset, recipe.data.rare) == ("base", ("x/",))


@pytest.mark.parametrize("argument", ["train.lr=1", "--lr=1", "--train.lr", "stray"])
def test_arguments_of_another_form(argument: str) -> None:
    with pytest.raises(ConfigError, match="is not understood; a value of the recipe is changed"):
        parse_overrides([argument])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[train]\nstpes = 12\n", "unknown key 'train.stpes'; choose one of steps, batch"),
        (
            "[trane]\nsteps = 12\n",
            "unknown key 'trane'; choose one of model, data, loss, train, run",
        ),
        ("steps = 12\n", "unknown key 'steps'; choose one of model, data"),
        ("train = 12\n", "train must be an object, got 12"),
        ("[train]\nsteps = 1.5\n", "train.steps must be a whole number, got 1.5"),
        ("[train]\nsteps = true\n", "train.steps must be a whole number, got True"),
        ("[train]\nsteps = '12'\n", "train.steps must be a whole number, got '12'"),
        ("[train]\nsteps = 99_999_999_999\n", "train.steps must be at most 1000000000"),
        ("[train]\nsteps = " + "9" * 400, "train.steps must be"),
        ("[train]\nsteps = " + "9" * 5000, "is not a readable TOML recipe: Exceeds the limit"),
        ("[train]\nsteps = 2020-01-01\n", "train.steps must be a whole number, got datetime.date"),
        ("[model]\ninit = '" + "x" * 5000 + "'\n", "model.init must have at most 4096 characters"),
        ("[train]\nsteps = 1\nsteps = 2\n", "is not a readable TOML recipe"),
        ("[train]\ncompile = 1\n", "train.compile must be true or false, got 1"),
        ("[train]\nbetas = 0.9\n", "train.betas must be a list, got 0.9"),
        ("[data]\nrare = [1]\n", "data.rare.0 must be text, got 1"),
        ("[data]\nrare = [" + "'a'," * 1001 + "]", "data.rare must have at most 1000 items"),
        ("[train]\nbatch = 0\n", "train.batch must be at least 1, got 0"),
        ("[train]\nlr = nan\n", "train.lr must be a finite number, got nan"),
        ("[train]\nlr = -1e-3\n", "train.lr must be at least 0, got -0.001"),
        ("[train]\nsoft = 1.5\n", "train.soft must be at most 1, got 1.5"),
        ("[train]\nbetas = [0.9]\n", "train.betas.1 is missing"),
        ("[train]\nbetas = [0.9, 1]\n", "train.betas.1 must be below 1, got 1"),
        (
            '[train]\nschedule = "sine"\n',
            "train.schedule must be 'cosine' or 'multistep'",
        ),
        ('[train]\nprecision = "half"\n', "train.precision must be 'float32' or 'bfloat16'"),
        ("[model]\nchannels = 1000000000\n", "model.channels must be at most 1024"),
        ("[train]\nbatch = 65536\n[data]\ncrop = 4096\n", "at most 268,435,456 are accepted"),
        ("[" + ".".join("a" * 40) + "]\n", "nested too deeply"),
        ("x = " + "[" * 20_000 + "]" * 20_000, "nested too deeply"),
        ("x = " + "{a=" * 9_000 + "1" + "}" * 9_000, "nested too deeply"),
        ("# " + "x" * 70_000, "it has more than 65,536 bytes"),
        ("extends = 3\n", "extends must name a file, got 3"),
        ("extends = ''\n", "extends must name a file"),
        ("extends = '" + "x" * 2000 + "'\n", "extends must name a file"),
        ("extends = '/dev/zero'\n", "it is not a file"),
        ("[train]\nmilestones = [0.5]\n", "train.milestones and train.schedule"),
        ('[train]\nschedule = "multistep"\n', "train.milestones and train.schedule"),
        (
            '[train]\nschedule = "multistep"\nmilestones = [0.5, 0.2]\n',
            "train.milestones must be ascending",
        ),
        ("[train]\nbatch = 5\naccumulate = 2\n", r"train.batch \(5\) cannot be taken in 2 equal"),
        ("[data]\nscale_min = 5\n", r"data.scale_max \(4\) is below data.scale_min \(5\)"),
        ("[data]\nfar = 0.5\nfar_max = 3\n", r"data.far_max \(3\) is below data.scale_max"),
        ("[data]\nscale_min = 0.5\n", "data.scale_min must be at least 1, got 0.5"),
        ("[data]\nscale_max = inf\n", "data.scale_max must be a finite number, got inf"),
        ("[data]\nfar_max = nan\n", "data.far_max must be a finite number, got nan"),
        ("[run]\nlog_every = 0\n", "run.log_every must be at least 1"),
        ("[train\n", "is not a readable TOML recipe"),
    ],
)
def test_what_is_refused(file: Path, text: str, message: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError, match=rf"^(\S*recipe\.toml|/dev/zero).*{message}") as caught:
        load_recipe(file)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_a_file_that_is_not_there(file: Path) -> None:
    with pytest.raises(ConfigError, match="is not a readable TOML recipe"):
        load_recipe(file)


def test_recipes_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Recipe().train.lr = 1.0  # type: ignore[misc]


@pytest.mark.parametrize("section", vars(Recipe()))
def test_every_key_is_described(section: str) -> None:
    part = getattr(Recipe(), section)
    missing = [key for key in asdict(part) if key not in (type(part).__doc__ or "")]
    assert missing == []


@pytest.mark.parametrize(("said", "corrected"), [("preset", True), ("yes", True), ("no", False)])
def test_whether_weights_correct_colours(
    said: Literal["preset", "yes", "no"], corrected: bool
) -> None:
    network = build(ModelRecipe(corrected=said, channels=8, blocks=1), seed=0)
    assert isinstance(network, GaussianSR)
    assert network.config.corrected == corrected
    with pytest.raises(ConfigError, match=r"^model\.corrected is a setting of Gaussians"):
        build(ModelRecipe(preset="liif", corrected="no"), seed=0)
