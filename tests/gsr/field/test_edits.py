"""Edits make other fields, change what they say they change, and can be written down."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import gsr
from gsr.base.errors import ConfigError, GsrError, ShapeError
from gsr.field import GaussianField
from gsr.field.edits import (
    EDITS,
    Applied,
    Force,
    Mean,
    Other,
    Paint,
    Reshape,
    Shuffle,
    Soft,
    Top,
    Without,
    apply,
    dumps,
    from_values,
    loads,
    shuffled,
    to_values,
    with_bank,
    with_index,
    with_kernel,
)
from gsr.field.inspection import gaussians_in, usage
from gsr.methods.gaussiansr import GaussianSR, ModelConfig
from gsr.network.encoders import EncoderConfig
from gsr.network.kernels import physical, raw

SHAPE = Reshape(kernel=7, sigma_x=0.5, sigma_y=0.8, rho=0.4, opacity=0.7)
EXAMPLES = {
    "kernel": SHAPE,
    "force": Force(3),
    "shuffle": Shuffle(5),
    "soft": Soft(),
    "top": Top(3),
    "mean": Mean(),
    "without": Without((1, 2)),
    "paint": Paint(4, ((0, 2, 3), (5, 0, 1))),
}


@pytest.fixture(scope="module", params=["prototype", "logits"])
def field(request):
    torch.manual_seed(3)
    config = gsr.ModelConfig("tiny", EncoderConfig(channels=16, blocks=1), classifier=request.param)
    model = gsr.GaussianSR(config)
    for parameter in model.parameters():
        if parameter.ndim > 1:
            parameter.data += 0.05 * torch.randn_like(parameter)
    return model.eval().requires_grad_(False).encode(torch.rand(3, 9, 12))


def test_every_kind_has_an_example():
    assert EXAMPLES.keys() == EDITS.keys()
    assert all(type(EXAMPLES[name]) is kind for name, kind in EDITS.items())


@given(st.lists(st.sampled_from(list(EXAMPLES.values())), max_size=6))
def test_a_file_gives_back_what_was_written(edits):
    assert loads(dumps(edits)) == tuple(edits)
    assert from_values(to_values(edits)) == tuple(edits)


@pytest.mark.parametrize("edit", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_the_field_itself_stays(field, edit):
    before = field.render(2)
    apply(field, [edit])
    assert torch.equal(field.render(2), before)


@pytest.mark.parametrize("edit", [Force(3), Shuffle(5), Soft(), Mean()])
def test_an_edit_is_seen(field, edit):
    assert not torch.equal(apply(field, [edit]).render(2), field.render(2))


def test_soft_is_the_expectation_of_the_bank(field):
    mixed = apply(field, [Soft()]).mixed
    assert mixed is not None
    bank = field.bank_raw
    assert bool((mixed >= bank.amin(0) - 1e-5).all())
    assert bool((mixed <= bank.amax(0) + 1e-5).all())


def test_the_single_best_is_the_hard_choice(field):
    assert torch.allclose(apply(field, [Top(1)]).mixed, field.bank_raw[field.index])
    assert torch.allclose(apply(field, [Top(1)]).render(3), field.render(3), atol=1e-6)


def test_all_kernels_are_the_soft_mixture(field):
    assert torch.allclose(apply(field, [Top(100)]).mixed, apply(field, [Soft()]).mixed)


def test_the_mean_is_one_kernel_for_all(field):
    mixed = apply(field, [Mean()]).mixed
    expected = (usage(field)[:, None] * field.bank_raw).sum(0)
    assert torch.allclose(mixed, expected.expand_as(mixed), atol=1e-5)


def test_kernels_that_are_off_are_used_nowhere(field):
    busiest = int(usage(field).argmax())
    index = apply(field, [Without((busiest,))]).index
    assert not bool((index == busiest).any())
    kept = field.index != busiest
    assert torch.equal(index[kept], field.index[kept])
    second = field.choice_at().second
    assert torch.equal(index[~kept], second[~kept])


def test_a_shuffle_uses_the_same_kernels(field):
    changed = apply(field, [Shuffle(1)])
    assert torch.equal(usage(changed), usage(field))
    assert torch.equal(apply(field, [Shuffle(1)]).index, changed.index)


def test_a_reshaped_kernel_has_that_shape(field):
    bank = apply(field, [SHAPE]).bank
    assert bank.sigmas[7].tolist() == pytest.approx([0.5, 0.8])
    assert float(bank.rho[7]) == pytest.approx(0.4)
    assert float(bank.opacities[7]) == pytest.approx(0.7)
    others = torch.arange(100) != 7
    assert torch.equal(bank.sigmas[others], field.bank.sigmas[others])


def test_painting_marks_runs(field):
    changed = apply(field, [Paint(4, ((0, 2, 3), (5, 0, 1)))])
    painted = torch.zeros(9, 12, dtype=torch.bool)
    painted[0, 2:5] = painted[5, 0] = True
    assert bool((changed.index[0][painted] == 4).all())
    assert torch.equal(changed.index[0][~painted], field.index[0][~painted])


def test_painting_over_a_mixture_leaves_the_rest_mixed(field):
    soft = apply(field, [Soft()])
    painted = apply(soft, [Paint(4, ((0, 2, 3),))])
    assert torch.equal(painted.mixed[0, 0, 2:5], field.bank_raw[4].expand(3, 4))
    assert torch.equal(painted.mixed[0, 1:], soft.mixed[0, 1:])


def test_mixed_kernels_are_what_inspection_shows(field):
    soft = apply(field, [Soft()])
    shown = gaussians_in(soft, gsr.View(0, 0, 12, 9, (9, 12)))
    own = physical(soft.mixed[0, shown.row, shown.column])
    assert torch.equal(shown.opacities, own.opacities)
    told = soft.explain(5.3, 4.1)
    rebuilt = sum(c.share * torch.tensor(c.color) for c in told.contributions)
    assert torch.allclose(rebuilt + torch.tensor(told.residual), torch.tensor(told.rgb), atol=1e-4)


def test_mixed_kernels_survive_a_file(field, tmp_path):
    soft = apply(field, [Soft()])
    again = gsr.open_field(soft.save(tmp_path / "soft.gsf"))
    assert torch.equal(again.mixed, soft.mixed)
    assert torch.equal(again.render(2), soft.render(2))


def test_raw_is_the_inverse_of_physical(field):
    assert torch.allclose(raw(physical(field.bank_raw)), field.bank_raw, atol=1e-4)


@pytest.mark.parametrize(
    ("edit", "word"),
    [
        (Force(100), "0 and 99"),
        (Without((100,)), "0 and 99"),
        (Without(tuple(range(100))), "at least one"),
        (Top(0), "1 to 100"),
        (Top(101), "1 to 100"),
        (Reshape(100, 0.5, 0.5, 0.0, 0.5), "0 and 99"),
        (Reshape(1, 0.01, 0.5, 0.0, 0.5), "sigmas"),
        (Reshape(1, 0.5, 0.5, 0.99, 0.5), "rho"),
        (Reshape(1, 0.5, 0.5, 0.0, 1.0), "opacity"),
        (Paint(1, ((9, 0, 1),)), "leaves the picture"),
        (Paint(1, ((0, 10, 3),)), "leaves the picture"),
    ],
)
def test_what_does_not_fit_the_field_is_refused(field, edit, word):
    with pytest.raises(GsrError, match=word):
        apply(field, [edit])


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ("soft", "list"),
        ([{"kind": "soft"}] * 1001, "at most 1000"),
        (["soft"], "kind"),
        ([{"kind": "melt"}], "kernel, force"),
        ([{"kind": ["soft"]}], "kind"),
        ([{"kind": "soft", "more": 1}], "more"),
        ([{"kind": "top", "k": "many"}], "kind top: k must be a whole number, got 'many'"),
        ([{"kind": "top", "k": "3"}], "k must be a whole number"),
        ([{"kind": "top", "k": 3.0}], "k must be a whole number"),
        ([{"kind": "top", "k": True}], "k must be a whole number"),
        ([{"kind": "top", "k": 10**400}], "k must be"),
        ([{"kind": "top", "k": 10**5000}], "k must be"),
        ([{"kind": "force", "kernel": -1}], "kernel must be at least 0, got -1"),
        ([{"kind": "without", "kernels": "12"}], "kernels must be a list"),
        ([{"kind": "paint", "kernel": 1, "runs": [[1, 2]]}], "runs.0.2 is missing"),
        ([{"kind": "paint", "kernel": 1, "runs": [[0, 0, 1]] * 100_001}], "at most 100000 items"),
        ([{"kind": "kernel", "kernel": 1, "sigma_x": 1e999}], "sigma_x must be a finite number"),
        ([{"kind": "soft", "more": nested(10_000)}], "nested too deeply"),
        ([{"kind": nested(10_000)}], "kind must be one of"),
        ([{"kind": "kernel", **{"kernel": 1, "sigma_x": float("nan")}}], "sigma_x"),
    ],
)
def test_values_that_are_no_edits_are_refused(values, word):
    with pytest.raises(ConfigError, match=word):
        from_values(values)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("{", "JSON"),
        ("[]", "gsr-edits"),
        ('{"format": "gsr-edits", "version": 2}', "version 1"),
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ("[" * 40 + "]" * 40, "nested too deeply"),
        ('{"format": "gsr-edits", "version": ' + "1" * 5000 + "}", "more than 300 digits"),
        ('{"format": "gsr-edits", "version": NaN}', "not finite"),
        ('{"format": "gsr-edits", "version": 1e999}', "not finite"),
        ('{"format": "gsr-edits", "format": "gsr-edits"}', "'format' is there twice"),
        (b"\xff\xfe{}", "must be JSON"),
        (" " * 5_000_000, "too long"),
    ],
)
def test_files_that_hold_no_edits_are_refused(text, word):
    with pytest.raises(ConfigError, match=word):
        loads(text)


def test_kernels_that_are_off_stay_off(field):
    first, second = usage(field).argsort(descending=True)[:2].tolist()
    together = apply(field, [Without((first, second))])
    for edits in ([Without((first,)), Without((second,))], [Without((second,)), Without((first,))]):
        assert torch.equal(apply(field, edits).index, together.index)
    bank = field.bank_raw
    for mixture in (Soft(), Top(1)):
        mixed = apply(field, [Without((first,)), mixture]).mixed
        assert not torch.allclose(mixed, apply(field, [mixture]).mixed)
        if mixture == Top(1):  # the likeliest of the others
            assert torch.allclose(mixed, bank[apply(field, [Without((first,))]).index])


def test_a_kernel_that_is_off_can_be_painted(field):
    painted = apply(field, [Without((4,)), Paint(4, ((0, 2, 3),)), Without((5,))])
    assert not bool((painted.index == 5).any())
    assert bool((painted.index[:, 0, 2:5] == 4).all())


# --- one meaning by every door --------------------------------------------------------------

CHANGES = st.lists(
    st.sampled_from([*EXAMPLES.values(), Without((7,)), Paint(9, ((8, 0, 12), (0, 0, 1)))]),
    max_size=6,
)


def same(one, other):
    mixtures = [field.mixed for field in (one, other)]
    alike = all(m is None for m in mixtures) or torch.equal(*mixtures)
    parts = [(field.index, field.bank_raw) for field in (one, other)]
    return alike and all(map(torch.equal, *parts)) and one.edits == other.edits


@given(CHANGES)
def test_called_or_applied_or_kept_edits_mean_the_same(field, edits):
    one_by_one = field
    for edit in edits:
        one_by_one = edit(one_by_one)
    assert same(apply(field, edits), one_by_one)
    assert same(Applied(field)(edits), one_by_one)
    assert same(apply(field, loads(dumps(edits))), one_by_one)


@given(st.lists(CHANGES, max_size=5))
def test_what_was_applied_before_does_not_show(field, lists):
    applied = Applied(field)
    for edits in lists:
        assert same(applied(edits), apply(field, edits))


def test_one_edit_more_or_less_is_that_edit_alone(field, monkeypatch):
    made = []
    monkeypatch.setattr(Shuffle, "changed", lambda self, field: made.append(self) or field)
    many, applied = [Shuffle(i) for i in range(300)], Applied(field)
    applied(many)
    made.clear()
    applied([*many, Shuffle(-1)])
    assert made == [Shuffle(-1)]
    applied(many)  # undone
    assert made == [Shuffle(-1)]


def test_an_edit_that_does_not_fit_leaves_what_was_applied(field):
    applied = Applied(field)
    before = applied([Force(3)])
    with pytest.raises(GsrError, match="0 and 99"):
        applied([Force(3), Force(100)])
    assert same(applied([Force(3)]), before)


@given(
    st.lists(st.tuples(st.integers(-1, 9), st.integers(-1, 12), st.integers(-1, 13)), max_size=5)
)
def test_paint_is_every_pixel_of_every_run(field, runs):
    expected = field.index.clone()
    for row, column, length in runs:
        if not (0 <= row < 9 and column >= 0 and 0 < length <= 12 - column):
            with pytest.raises(GsrError, match=rf"run \({row}, {column}, {length}\) leaves"):
                Paint(4, tuple(runs))(field)
            return
        expected[:, row, column : column + length] = 4
    assert torch.equal(Paint(4, tuple(runs))(field).index, expected)


def test_every_edit_says_what_it_is():
    assert [edit.label for edit in EXAMPLES.values()] == [
        "Kernel 7 reshaped",
        "Kernel 3 everywhere",
        "Choices shuffled",
        "Soft mixture of all kernels",
        "Mixture of the best 3",
        "One mean kernel for all",
        "Without 2 kernels",
        "Kernel 4 painted on 4 pixels",
    ]
    assert Without((5,)).label == "Without kernel 5"
    assert Other("painted").label == "A change: painted"
    assert Other("painted", 3).label == "3 changes: painted"


# --- changes that are no values -------------------------------------------------------------


def test_one_kernel_for_all(tiny_field: GaussianField) -> None:
    before = tiny_field.index.clone()
    edited = with_kernel(tiny_field, 42)
    assert (edited.index == 42).all()
    assert torch.equal(tiny_field.index, before)
    assert edited.colors is tiny_field.colors


def test_one_kernel_for_marked_pixels(tiny_field: GaussianField) -> None:
    marked = torch.zeros(tiny_field.index.shape, dtype=torch.bool)
    marked[0, 2:4, 5] = True
    edited = tiny_field.with_kernel(99, marked)
    assert (edited.index[marked] == 99).all()
    assert torch.equal(edited.index[~marked], tiny_field.index[~marked])


@pytest.mark.parametrize("kernel", [-1, 100])
def test_kernels_the_bank_does_not_have(tiny_field: GaussianField, kernel: int) -> None:
    with pytest.raises(GsrError, match=r"^kernel must be between 0 and 99, got -?\d+\.$"):
        with_kernel(tiny_field, kernel)


def test_one_bad_class_among_good_ones(tiny_field: GaussianField) -> None:
    index = tiny_field.index.clone()
    index[0, 3, 3] = 100
    with pytest.raises(GsrError, match="between 0 and 99"):
        with_index(tiny_field, index)


def test_class_maps_of_another_shape(tiny_field: GaussianField) -> None:
    with pytest.raises(
        ShapeError, match=r"^index must have shape \[1, 9, 11\], got \(1, 11, 9\)\.$"
    ):
        with_index(tiny_field, tiny_field.index.mT)


def test_class_maps_may_be_of_any_integer_type(tiny_field: GaussianField) -> None:
    edited = with_index(tiny_field, tiny_field.index.to(torch.uint8))
    assert torch.equal(edited.index, tiny_field.index)
    assert edited.index.dtype == tiny_field.index.dtype


def test_another_bank(tiny_field: GaussianField) -> None:
    bank = tiny_field.bank_raw + 0.5
    edited = tiny_field.with_bank(bank)
    assert torch.equal(edited.bank_raw, bank)
    assert torch.equal(edited.index, tiny_field.index)
    assert not torch.equal(
        edited.render(2, layer="gaussians"), tiny_field.render(2, layer="gaussians")
    )


def test_banks_of_another_shape(tiny_field: GaussianField) -> None:
    with pytest.raises(ShapeError, match=r"^bank_raw must have shape \[100, 4\], got \(99, 4\)\.$"):
        with_bank(tiny_field, tiny_field.bank_raw[1:])


def test_shuffling_keeps_counts_and_changes_places(tiny_field: GaussianField) -> None:
    edited = shuffled(tiny_field, torch.Generator().manual_seed(0))
    assert torch.equal(edited.index.flatten().bincount(), tiny_field.index.flatten().bincount())
    assert not torch.equal(edited.index, tiny_field.index)


def test_shuffling_follows_its_generator(tiny_field: GaussianField) -> None:
    maps = [shuffled(tiny_field, torch.Generator().manual_seed(s)).index for s in (1, 1, 2)]
    assert torch.equal(maps[0], maps[1])
    assert not torch.equal(maps[0], maps[2])


def test_an_edit_shows_only_where_it_reaches(
    tiny_field: GaussianField, read: Callable[..., torch.Tensor]
) -> None:
    marked = torch.zeros(tiny_field.index.shape, dtype=torch.bool)
    marked[0, 4, 5] = True
    other = (int(tiny_field.index[0, 4, 5]) + 50) % 100
    edited = tiny_field.with_kernel(other, marked)
    points = torch.rand(800, 2, generator=torch.Generator().manual_seed(0)).double()
    points = points * torch.tensor((11.0, 9.0))
    apart = (read(edited, points) - read(tiny_field, points))[0].abs().amax(-1)
    far = (points - torch.tensor((5.5, 4.5))).abs().amax(-1) >= 2.5
    assert (apart[far] == 0).all()
    assert apart[~far].max() > 0


def test_masks_and_numbers_are_checked(tiny_field: GaussianField) -> None:
    shape = tiny_field.index.shape
    with pytest.raises(ShapeError, match=r"^pixels must have shape"):
        with_kernel(tiny_field, 3, torch.ones(shape[-1], shape[-2], dtype=torch.bool))
    with pytest.raises(GsrError, match=r"^pixels must be a boolean mask, got torch.int64"):
        with_kernel(tiny_field, 3, torch.ones(shape, dtype=torch.int64))
    with pytest.raises(GsrError, match=r"^kernel must be an integer, got 3\.7\.$"):
        with_kernel(tiny_field, 3.7)
    assert (with_kernel(tiny_field, np.int64(3)).index == 3).all()
    of_numpy = with_kernel(tiny_field, 3, np.ones(shape, dtype=bool))
    assert (of_numpy.index == 3).all()


def test_a_bank_without_opacity_still_renders(tiny_field: GaussianField) -> None:
    raw = tiny_field.bank_raw.clone()
    raw[:, 3] = -200
    assert tiny_field.with_bank(raw).render(2).isfinite().all()


def test_pictures_of_a_batch_do_not_meet() -> None:
    torch.manual_seed(0)
    pictures = torch.rand(2, 3, 9, 11)
    model = GaussianSR(ModelConfig("tiny", EncoderConfig(channels=8, blocks=1))).eval()
    both, alone = model.encode(pictures), model.encode(pictures[:1])
    apart = torch.Generator().manual_seed(1), torch.Generator().manual_seed(1)
    together, one = shuffled(both, apart[0]), shuffled(alone, apart[1])
    assert torch.equal(together.index[:1], one.index)
    assert torch.equal(together.index[1].flatten().bincount(), both.index[1].flatten().bincount())
    torch.testing.assert_close(Mean()(both).mixed[:1], Mean()(alone).mixed)


def test_a_large_picture_is_edited_band_by_band(
    tiny_field: GaussianField, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Without((3, 50))(tiny_field).index, Top(4)(tiny_field).mixed, tiny_field.choice_at()
    monkeypatch.setattr("gsr.network.classifier.BAND", 2 * tiny_field.index.shape[2])  # two rows
    assert torch.equal(Without((3, 50))(tiny_field).index, whole[0])
    torch.testing.assert_close(Top(4)(tiny_field).mixed, whole[1])
    for name, value in vars(tiny_field.choice_at()).items():
        torch.testing.assert_close(value, getattr(whole[2], name))


@given(st.lists(CHANGES, max_size=4))
def test_values_are_read_as_if_nothing_had_been_read_before(field, lists):
    applied = Applied(field)
    for edits in lists:
        assert same(applied.of_values(to_values(edits)), apply(field, edits))
    with pytest.raises(ConfigError, match="at most 1000"):
        applied.of_values([{"kind": "soft"}] * 1001)
