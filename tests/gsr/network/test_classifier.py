"""The choice of a kernel per pixel, at inference and in training."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gsr.network.classifier import (
    CLASSIFIERS,
    PROTOTYPE_WIDTH,
    Classifier,
    Kind,
    choose,
    class_scores,
    nearest,
)
from gsr.network.kernels import KernelBank, oriented_bank

KINDS: tuple[Kind, ...] = tuple(CLASSIFIERS)


def evidence_of(kind: Kind, seed: int = 0, num_kernels: int = 100) -> Tensor:
    g = torch.Generator().manual_seed(seed)
    if kind == "logits":
        return torch.randn(2, num_kernels, 4, 5, generator=g) * 3
    predicted = torch.randn(2, 3, 4, 5, generator=g) * 0.5
    return predicted + torch.tensor((-0.65, -0.65, 0.0))[:, None, None]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**20))
def test_the_nearest_prototype_by_brute_force(seed: int) -> None:
    bank, predicted = oriented_bank(), evidence_of("prototype", seed)
    apart = predicted.movedim(1, -1)[..., None, :].double() - bank[:, :3].double()
    distance = apart.square().sum(-1)  # [b, h, w, n]
    choice = choose(predicted, bank, "prototype")
    nearest, second = distance.topk(2, largest=False).values.unbind(-1)
    # Values, not numbers: float32 may turn a tie around.
    taken = distance.gather(-1, choice.index[..., None])[..., 0]
    other = distance.gather(-1, choice.second[..., None])[..., 0]
    torch.testing.assert_close(taken, nearest, rtol=0, atol=1e-5)
    torch.testing.assert_close(other, second, rtol=0, atol=1e-5)


def test_prototype_scores_by_hand() -> None:
    bank = torch.tensor([[0.0, 0.0, 0.0, 9.0], [0.3, 0.0, 0.4, -9.0]])
    scores = class_scores(torch.zeros(1, 3, 1, 1), bank, "prototype").flatten()
    expected = [0.0, -0.25 / (2 * PROTOTYPE_WIDTH**2)]
    assert scores.tolist() == pytest.approx(expected)


def test_opacity_does_not_matter_to_the_choice() -> None:
    bank, predicted = oriented_bank(), evidence_of("prototype")
    other = bank.clone()
    other[:, 3] = torch.linspace(-4, 4, 100)
    assert torch.equal(
        class_scores(predicted, bank, "prototype"), class_scores(predicted, other, "prototype")
    )


@pytest.mark.parametrize("kind", KINDS)
def test_choice_is_what_the_scores_say(kind: Kind) -> None:
    evidence, bank = evidence_of(kind), oriented_bank()
    scores = class_scores(evidence, bank, kind)
    choice = choose(evidence, bank, kind)
    assert scores.shape == (2, 100, 4, 5)
    assert choice.index.shape == (2, 4, 5)
    assert torch.equal(choice.index, scores.argmax(1))
    assert (choice.second != choice.index).all()
    probability = scores.softmax(1)
    torch.testing.assert_close(choice.confidence, probability.amax(1))
    entropy = -(probability * probability.clamp_min(1e-30).log2()).sum(1)
    torch.testing.assert_close(choice.entropy, entropy, rtol=1e-4, atol=1e-4)


def test_entropy_of_an_even_choice_is_the_number_of_bits() -> None:
    choice = choose(torch.zeros(1, 64, 2, 2), torch.zeros(64, 4), "logits")
    torch.testing.assert_close(choice.entropy, torch.full((1, 2, 2), 6.0))
    torch.testing.assert_close(choice.confidence, torch.full((1, 2, 2), 1 / 64))


def test_one_kernel_is_chosen_for_sure() -> None:
    choice = choose(torch.zeros(1, 1, 2, 2), torch.zeros(1, 4), "logits")
    assert (choice.confidence == 1).all()
    assert torch.equal(choice.index, choice.second)


def test_half_precision_evidence_is_scored_in_float32() -> None:
    evidence = evidence_of("prototype").bfloat16()
    bank = oriented_bank()
    same = choose(evidence.float(), bank, "prototype")
    assert torch.equal(choose(evidence, bank, "prototype").confidence, same.confidence)


@pytest.mark.parametrize(("kind", "channels"), [("logits", 100), ("prototype", 3)])
def test_head_makes_evidence(kind: Kind, channels: int) -> None:
    head = CLASSIFIERS[kind](6, 100)
    assert head(torch.zeros(2, 6, 5, 4)).shape == (2, channels, 5, 4)


def prepared(kind: Kind) -> tuple[Classifier, KernelBank, Tensor]:
    evidence = evidence_of(kind).requires_grad_()
    return CLASSIFIERS[kind](4, 100), KernelBank(), evidence


@pytest.mark.parametrize("kind", KINDS)
def test_hard_choices_have_the_value_of_a_kernel(kind: Kind) -> None:
    classifier, bank, evidence = prepared(kind)
    raw, _ = classifier.training_kernels(
        evidence, bank, soft=False, generator=torch.Generator().manual_seed(0)
    )
    assert raw.shape == (2, 4, 5, 4)
    nearest = torch.cdist(raw.reshape(-1, 4), bank.raw).amin(1)
    assert nearest.max() < 1e-3
    if kind == "prototype":
        index = choose(evidence, bank.raw, kind).index
        torch.testing.assert_close(raw, bank.raw[index], rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("soft", [False, True])
def test_gradients_reach_bank_and_evidence(kind: Kind, soft: bool) -> None:
    classifier, bank, evidence = prepared(kind)
    raw, commitment = classifier.training_kernels(
        evidence, bank, soft=soft, generator=torch.Generator().manual_seed(0)
    )
    pull = torch.randn(raw.shape, generator=torch.Generator().manual_seed(1))
    ((raw * pull).sum() + commitment).backward()
    assert evidence.grad.abs().amax((0, 2, 3)).min() > 0
    assert bank.raw.grad.abs().amax(0).min() > 0


def test_a_prediction_feels_the_gradient_of_its_kernel_directly() -> None:
    classifier, bank, evidence = prepared("prototype")
    raw, _ = classifier.training_kernels(evidence, bank, soft=False)
    pull = torch.randn(raw.shape, generator=torch.Generator().manual_seed(1))
    (raw * pull).sum().backward()
    torch.testing.assert_close(evidence.grad.movedim(1, -1), pull[..., :3])
    index = choose(evidence, bank.raw, "prototype").index.flatten()
    expected = torch.zeros(100, 4).index_add(0, index, pull.reshape(-1, 4))
    torch.testing.assert_close(bank.raw.grad, expected)


def test_soft_prototypes_are_the_predictions() -> None:
    classifier, bank, evidence = prepared("prototype")
    raw, _ = classifier.training_kernels(evidence, bank, soft=True)
    assert torch.equal(raw[..., :3], evidence.movedim(1, -1))


def test_commitment_is_the_distance_to_the_kernel_from_both_sides() -> None:
    classifier, bank, evidence = prepared("prototype")
    _, commitment = classifier.training_kernels(evidence, bank, soft=False)
    index = choose(evidence, bank.raw, "prototype").index
    gap = evidence.movedim(1, -1) - bank.raw[index][..., :3]
    assert float(commitment.detach()) == pytest.approx(
        2 * float(gap.square().mean().detach()), rel=1e-5
    )
    commitment.backward()
    torch.testing.assert_close(evidence.grad.movedim(1, -1), (2 * gap / gap.numel()).detach())


def test_commitment_of_logits_is_nothing() -> None:
    classifier, bank, evidence = prepared("logits")
    assert float(classifier.training_kernels(evidence, bank, soft=True)[1]) == 0


def draw(seed: int, soft: bool) -> Tensor:
    classifier, bank, evidence = prepared("logits")
    g = torch.Generator().manual_seed(seed)
    return classifier.training_kernels(evidence, bank, soft=soft, generator=g)[0].detach()


@pytest.mark.parametrize("soft", [False, True])
def test_gumbel_draws_come_from_the_generator(soft: bool) -> None:
    torch.manual_seed(1)
    first = draw(5, soft)
    torch.manual_seed(2)
    assert torch.equal(first, draw(5, soft))
    assert not torch.equal(first, draw(6, soft))


def test_soft_mixtures_stay_inside_the_bank() -> None:
    raw, bank = draw(5, soft=True), KernelBank().raw
    assert (raw >= bank.amin(0) - 1e-5).all()
    assert (raw <= bank.amax(0) + 1e-5).all()
    assert torch.cdist(raw.reshape(-1, 4), bank).amin(1).max() > 1e-2  # mixed, not chosen


def test_gumbel_frequencies_follow_the_probabilities() -> None:
    logits = torch.tensor((1.0, 0.0, -1.0)).log_softmax(0)
    classifier, bank = CLASSIFIERS["logits"](2, 3), KernelBank(25)
    bank.raw = torch.nn.Parameter(torch.eye(4)[:3])
    evidence = logits[None, :, None, None].expand(1, 3, 60, 60)
    raw, _ = classifier.training_kernels(
        evidence, bank, soft=False, generator=torch.Generator().manual_seed(0)
    )
    torch.testing.assert_close(raw.mean((0, 1, 2))[:3], logits.exp(), rtol=0, atol=0.03)


def test_a_choice_is_frozen() -> None:
    choice = choose(evidence_of("logits"), oriented_bank(), "logits")
    assert replace(choice, index=choice.second).index is choice.second
    with pytest.raises(AttributeError):
        choice.index = choice.second


@pytest.mark.parametrize("kind", KINDS)
def test_the_choice_alone_is_the_same(kind: Kind) -> None:
    generator = torch.Generator().manual_seed(3)
    channels = 3 if kind == "prototype" else 100
    evidence = torch.randn((2, channels, 30, 40), generator=generator)
    bank = oriented_bank(100)
    assert torch.equal(nearest(evidence, bank, kind), choose(evidence, bank, kind).index)
