import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import gsr
from gsr.base.errors import ConfigError, GsrError
from gsr.field.edits import (
    KINDS,
    Force,
    Mean,
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
    to_values,
)
from gsr.field.inspection import gaussians_in, usage
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
    assert EXAMPLES.keys() == KINDS.keys()
    assert all(type(EXAMPLES[name]) is kind for name, kind in KINDS.items())


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
        (Force(100), "0 to 99"),
        (Without((100,)), "0 to 99"),
        (Without(tuple(range(100))), "at least one"),
        (Top(0), "1 to 100"),
        (Top(101), "1 to 100"),
        (Reshape(100, 0.5, 0.5, 0.0, 0.5), "0 to 99"),
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
