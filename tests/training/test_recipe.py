"""Recipes: files in, frozen values out, and nothing taken that is not known."""

from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from gsr.errors import ConfigError
from gsr.model import PRESETS
from training.recipe import Recipe, load_recipe

SHIPPED = sorted((Path(__file__).parents[2] / "training" / "configs").glob("*.toml"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "recipe.toml"


def test_recipes_are_shipped() -> None:
    assert {"debug", "lite"} <= {path.stem for path in SHIPPED}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_shipped_recipes_load(path: Path) -> None:
    recipe = load_recipe(path)
    assert recipe.preset in PRESETS
    assert 1 <= recipe.scale_min < recipe.scale_max
    assert recipe.steps > 0
    assert 0 <= recipe.soft < 1
    assert recipe.lr_end < recipe.lr


def test_values_by_hand(file: Path) -> None:
    file.write_text('preset = "base"\nsteps = 12\nlr = 1\nbetas = [0.8, 0.9]\nsoft = 0.5\n')
    recipe = load_recipe(file)
    assert recipe == Recipe(preset="base", steps=12, lr=1.0, betas=(0.8, 0.9), soft=0.5)
    assert isinstance(recipe.lr, float)


def test_an_empty_file_is_the_defaults(file: Path) -> None:
    file.write_text("")
    assert load_recipe(file) == Recipe()


def test_the_command_line_wins(file: Path) -> None:
    file.write_text("steps = 12\nbatch = 3\n")
    recipe = load_recipe(file, steps=5)
    assert (recipe.steps, recipe.batch) == (5, 3)


def test_unknown_keys(file: Path) -> None:
    file.write_text("stpes = 12\n")
    with pytest.raises(
        ConfigError, match=r"recipe\.toml: unknown key 'stpes'; known are preset, steps"
    ):
        load_recipe(file)
    file.write_text("")
    with pytest.raises(ConfigError, match="unknown key 'epochs'"):
        load_recipe(file, epochs=3)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('steps = "many"', "steps must be int, got 'many'"),
        ("steps = 1.5", "steps must be int, got 1.5"),
        ("steps = true", "steps must be int, got True"),
        ('lr = "fast"', "lr must be float, got 'fast'"),
        ("lr = true", "lr must be float, got True"),
        ("preset = 3", "preset must be str, got 3"),
        ("betas = 0.9", "betas must be two numbers, got 0.9"),
        ('betas = ["a", "b"]', "betas must be"),
        ("betas = [0.9]", "betas must be"),
        ("[train]\nsteps = 3", "unknown key 'train'"),
    ],
)
def test_values_of_the_wrong_type(file: Path, line: str, expected: str) -> None:
    file.write_text(line)
    with pytest.raises(ConfigError, match=r"recipe\.toml: ") as caught:
        load_recipe(file)
    assert expected in str(caught.value)


@pytest.mark.parametrize("content", [b"steps = ", b"steps 3", b"\xff\xfe\x00"])
def test_files_that_are_no_toml(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"recipe\.toml is not a readable TOML recipe: "):
        load_recipe(file)


def test_files_that_are_not_there(file: Path) -> None:
    with pytest.raises(ConfigError, match=r"recipe\.toml is not a readable TOML recipe: "):
        load_recipe(file)


def test_presets_that_are_not_there(file: Path) -> None:
    file.write_text('preset = "huge"')
    with pytest.raises(ConfigError, match="huge"):
        load_recipe(file)


def test_recipes_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Recipe().steps = 3


def test_every_setting_is_explained() -> None:
    assert [f.name for f in fields(Recipe) if f.name not in Recipe.__doc__] == []
