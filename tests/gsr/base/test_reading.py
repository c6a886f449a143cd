"""The strict reader: what it takes, and that nothing but its own sentences ever comes out of it."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from typing import Annotated, Any, Literal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from gsr.base.errors import ConfigError, GsrError, ImageError, shown
from gsr.base.reading import MOST_DEPTH, Checked, parse_json, read_json, read_text, read_values
from gsr.field.edits import EDITS, dumps, from_values, loads
from gsr.methods import NETWORKS
from gsr.methods.baselines import BaselineConfig
from gsr.methods.gaussiansr import ModelConfig


@dataclass(frozen=True)
class Inner(Checked):
    width: Annotated[int, Field(ge=1, le=9)] = 1


@dataclass(frozen=True)
class Outer(Checked):
    name: Annotated[str, Field(max_length=5)]
    inner: Inner = Inner()
    perhaps: Inner | None = None
    sides: Annotated[tuple[float, ...], Field(max_length=3)] = ()
    kind: Literal["a", "b"] = "a"
    data: bytes | None = None
    flag: bool = False
    many: Annotated[tuple[Inner, ...], Field(max_length=2)] | None = None
    named: Annotated[dict[str, tuple[int, Inner]], Field(max_length=2)] = field(
        default_factory=dict
    )


def test_what_fits_is_made() -> None:
    text = '{"name": "a", "inner": {"width": 3}, "sides": [1, 2.5], "data": "_-8=", "flag": true}'
    made = read_json(Outer, text, "it")
    assert made == Outer("a", Inner(3), None, (1.0, 2.5), "a", b"\xff\xef", True)
    assert isinstance(made.sides[0], float)
    assert read_values(Outer, {"name": "a", "perhaps": {}}, "it") == Outer("a", perhaps=Inner())
    assert read_values(Outer, {"name": "a", "perhaps": None}, "it") == Outer("a")
    made = read_values(Outer, {"name": "a", "many": [{"width": 2}, {}]}, "it")
    assert made.many == (Inner(2), Inner())
    made = read_values(Outer, {"name": "a", "named": {"b": [1, {"width": 2}]}}, "it")
    assert made.named == {"b": (1, Inner(2))}


WRONG: list[tuple[Any, str]] = [
    ([], "it must be an object, got []"),
    (None, "it must be an object, got None"),
    ({}, "name is missing"),
    ({"name": 3}, "name must be text, got 3"),
    ({"name": "abcdef"}, "name must have at most 5 characters"),
    ({"name": "a", "colour": 1}, "unknown key 'colour'; choose one of name, inner, perhaps"),
    ({"name": "a", "inner": 3}, "inner must be an object, got 3"),
    ({"name": "a", "inner": {"depth": 3}}, "unknown key 'inner.depth'; choose one of width"),
    ({"name": "a", "inner": {"width": 10}}, "inner.width must be at most 9, got 10"),
    ({"name": "a", "inner": {"width": True}}, "inner.width must be a whole number, got True"),
    ({"name": "a", "inner": {"width": 1.0}}, "inner.width must be a whole number, got 1.0"),
    ({"name": "a", "inner": {"width": "1"}}, "inner.width must be a whole number, got '1'"),
    ({"name": "a", "inner": {"width": 10**400}}, "inner.width must be"),
    ({"name": "a", "sides": ["x"]}, "sides.0 must be a number, got 'x'"),
    ({"name": "a", "sides": [float("nan")]}, "sides.0 must be a finite number, got nan"),
    ({"name": "a", "sides": [10**400]}, "sides.0 must be a"),
    ({"name": "a", "sides": [1, 2, 3, 4]}, "sides must have at most 3 items, not 4"),
    ({"name": "a", "sides": "12"}, "sides must be a list, got '12'"),
    ({"name": "a", "kind": "c"}, "kind must be 'a' or 'b', got 'c'"),
    ({"name": "a", "data": "%%"}, "data must be base64, got '%%'"),
    ({"name": "a", "data": 3}, "data must be"),
    ({"name": "a", "many": [{}, {"width": 0}]}, "many.1.width must be at least 1, got 0"),
    ({"name": "a", "many": {"width": 0}}, "many must be a list"),
    ({"name": "a", "many": [{}] * 3}, "many must have at most 2 items, not 3"),
    ({"name": "a", "named": {"b": [1]}}, "named.b.1 is missing"),
    ({"name": "a", "named": {"b": [1, {}, 3]}}, "named.b must have at most 2 items, not 3"),
    ({"name": "a", "named": {"b": 3}}, "named.b must be a list, got 3"),
    ({"name": "a", "flag": 1}, "flag must be true or false, got 1"),
]


@pytest.mark.parametrize(("values", "said"), WRONG)
def test_what_does_not_fit_is_a_sentence(values: Any, said: str) -> None:
    with pytest.raises(ImageError) as caught:
        read_values(Outer, values, "it", ImageError)
    assert said in str(caught.value)
    assert str(caught.value).startswith("it: ")
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Inner(0), "width must be at least 1, got 0"),
        (lambda: Inner(2.0), "width must be a whole number"),
        (lambda: Outer("a", Inner(), sides=[1.0]), "sides must be a list"),
        (lambda: Outer("a", inner={"width": 1}), "inner must be an instance of Inner"),
    ],
)
def test_checked_classes_refuse_the_same_where_they_are_made(make: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must be JSON"),
        ("{'a': 1}", "must be JSON"),
        (b"\xff\xfe", "must be JSON in UTF-8"),
        ("[" * 10**6, "nested too deeply"),
        ("[" * (MOST_DEPTH + 1) + "]" * (MOST_DEPTH + 1), "nested too deeply"),
        ('{"a":' * 40 + "1" + "}" * 40, "nested too deeply"),
        ("1" * 301, "more than 300 digits"),
        ("[-" + "9" * 10**6 + "]", "more than 300 digits"),
        ("1e400", "not finite"),
        ("0." + "1" * 500, "not finite"),
        ("[NaN]", "not finite"),
        ("-Infinity", "not finite"),
        ('{"a": 1, "b": {"c": 1, "c": 2}}', "the key 'c' is there twice"),
        (" " * 17 * 2**20, "too long"),
    ],
)
def test_json_has_bounds(text: str | bytes, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        parse_json(text, "it")
    assert len(str(caught.value)) < 300


def test_depth_up_to_the_bound_is_read() -> None:
    text = "[" * MOST_DEPTH + "]" * MOST_DEPTH
    assert json.dumps(parse_json(text, "it")) == text


def test_files_are_read_up_to_a_size(tmp_path: Any) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 11)
    assert read_text(path, "a thing", ConfigError, most=11) == "x" * 11
    for place, most in ((path, 10), (tmp_path, 10), (tmp_path / "none", 10)):
        with pytest.raises(ConfigError, match="is not a thing"):
            read_text(place, "a thing", ConfigError, most=most)
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="is not a thing"):
        read_text(path, "a thing", ConfigError)


def test_refused_values_are_shown_briefly() -> None:
    deep = {"a": {"b": {"c": {"d": {}}}}}
    for value in ("x" * 10**6, list(range(10**6)), 10**10**4, deep, "a\nb", torch.zeros(10**4)):
        assert len(shown(value)) < 200
        assert "\n" not in shown(value)


# --- laws ----------------------------------------------------------------------------------------

numbers = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**9, -1, 0, 10**400, 2**63])
    | st.floats()
)
leaves = numbers | st.text(max_size=8) | st.sampled_from(["lite", "prototype", "edsr", "grid"])
anything = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=12,
)  # fmt: skip


def outcome(read: Callable[[], Any]) -> Any:
    """What was read, or None where it was refused in a sentence."""
    try:
        return read()
    except GsrError as error:
        said = str(error)
    assert said.endswith(".")
    assert "\n" not in said
    assert len(said) < 600
    return None


def near(kind: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Dictionaries with the right keys, most often, and any values."""
    keys = st.sampled_from(["kernel", *(f.name for f in fields(kind))]) | st.text(max_size=6)
    inner = st.dictionaries(st.sampled_from(["radius", "hidden", "blocks", "kind"]), anything)
    return st.dictionaries(keys, anything | inner, max_size=6)


@pytest.mark.parametrize("kind", [ModelConfig, BaselineConfig, Outer, *EDITS.values()])
@settings(max_examples=40, derandomize=True, deadline=None)
@given(data=st.data())
def test_any_values_are_read_or_refused(kind: Any, data: st.DataObject) -> None:
    values = data.draw(near(kind) | anything)
    made = outcome(lambda: read_values(kind, values, "it"))
    assert made is None or isinstance(made, kind)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(values=st.lists(st.fixed_dictionaries({"kind": st.sampled_from([*EDITS])} , optional={
    name: anything for name in ("kernel", "runs", "k", "kernels", "seed", "sigma_x")
}) | anything, max_size=3))  # fmt: skip
def test_any_edits_are_read_or_refused(values: list[Any]) -> None:
    edits = outcome(lambda: from_values(values))
    assert edits is None or loads(dumps(edits)) == edits


@settings(max_examples=100, derandomize=True, deadline=None)
@given(text=st.binary(max_size=60) | st.text(max_size=60) | anything.map(json.dumps))
def test_any_text_is_json_or_refused(text: str | bytes) -> None:
    outcome(lambda: parse_json(text, "it"))
    outcome(lambda: loads(text))


@pytest.mark.parametrize("name", NETWORKS)
@settings(max_examples=25, derandomize=True, deadline=None)
@given(data=st.data())
def test_one_wrong_member_of_a_configuration_never_passes_as_another(
    name: str, data: st.DataObject
) -> None:
    config = NETWORKS[name]
    values = json.loads(json.dumps(asdict(config)))
    key = data.draw(st.sampled_from([*values]))
    values[key] = data.draw(anything)
    made = outcome(lambda: read_values(type(config), values, "it"))
    told = made and json.loads(json.dumps(asdict(made)))
    assert told is None or told == asdict_with_defaults(config, key, values[key])


def asdict_with_defaults(config: Any, key: str, value: Any) -> dict[str, Any]:
    whole = json.loads(json.dumps(asdict(config)))
    if isinstance(value, dict):  # what is not named has its default
        usual = next(f.default for f in fields(config) if f.name == key)
        value = json.loads(json.dumps(asdict(usual))) | value
    return whole | {key: value}
