"""Which kernel of the bank each LR pixel takes.

Two kinds behind one interface. Both turn features into `evidence`, a map small enough to keep:

- `logits`, the paper's: one number per kernel; training draws a straight-through Gumbel-softmax,
  inference takes the largest. Source: arXiv:2407.18046, Eq. (6).
- `prototype`, ours: three numbers, the (log sigma_x, log sigma_y, atanh rho) this pixel would
  like; it gets the nearest kernel of the bank. A step that lowers the loss for the prediction also
  moves the choice the right way, so kernels keep a meaning that can be looked at.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from pydantic import AfterValidator
from torch import Tensor, nn

from gsr.network.kernels import KernelBank

PROTOTYPE_WIDTH = 0.15
"""How far apart, in the space of predictions, two kernels are before one is clearly preferred."""


def _known(kind: str) -> str:
    if kind not in CLASSIFIERS:
        raise ValueError(f"must be one of {', '.join(CLASSIFIERS)}")
    return kind


Kind = Annotated[str, AfterValidator(_known)]
"""A key of `CLASSIFIERS`."""


class Classifier(nn.Module, ABC):
    """Features to evidence; in training, also to differentiable raw kernels."""

    turns: ClassVar[bool] = False
    """Whether `gsr.network.turning` knows what a turn of the picture does to the evidence."""

    def __init__(self, channels: int, num_kernels: int):
        super().__init__()
        self.head = nn.Conv2d(channels, self.channels(num_kernels), 3, padding=1)

    @staticmethod
    @abstractmethod
    def channels(num_kernels: int) -> int:
        """Of the evidence, for a bank of this size."""

    @staticmethod
    @abstractmethod
    def scores(
        evidence: Float[Tensor, "b e h w"], bank_raw: Float[Tensor, "n 4"]
    ) -> Float[Tensor, "b n h w"]:
        """Score of every kernel at every pixel; softmax of it is the classifier's probability."""

    @abstractmethod
    def training_kernels(
        self,
        evidence: Float[Tensor, "b e h w"],
        bank: KernelBank,
        *,
        soft: bool,
        generator: torch.Generator | None = None,
    ) -> tuple[Float[Tensor, "b h w 4"], Tensor]:
        """Raw kernels with gradients for both classifier and bank, and the commitment loss."""

    def forward(self, feat: Float[Tensor, "b c h w"]) -> Float[Tensor, "b e h w"]:
        return self.head(feat)


class Logits(Classifier):
    """The paper's: a score per kernel, drawn from in training."""

    @staticmethod
    def channels(num_kernels: int) -> int:
        """See `Classifier`."""
        return num_kernels

    @staticmethod
    def scores(evidence: Tensor, bank_raw: Tensor) -> Tensor:
        """See `Classifier`."""
        return evidence

    def training_kernels(
        self,
        evidence: Tensor,
        bank: KernelBank,
        *,
        soft: bool,
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, Tensor]:
        """See `Classifier`; `soft` mixes the kernels."""
        logits = evidence.float()
        where = generator.device if generator else logits.device
        uniform = torch.rand(logits.shape, generator=generator, device=where)
        uniform = uniform.clamp_(1e-9, 1 - 1e-7)
        noise = -torch.log(-torch.log(uniform)).to(logits.device)
        mixture = (logits + noise).softmax(1).movedim(1, -1)  # [b, h, w, n]
        if not soft:
            hard = F.one_hot(mixture.argmax(-1), mixture.shape[-1]).to(mixture.dtype)
            mixture = hard + mixture - mixture.detach()
        return mixture @ bank.raw, logits.new_zeros(())


class Prototype(Classifier):
    """Ours: the shape that a pixel would like, of which it gets the nearest."""

    turns = True

    def __init__(self, channels: int, num_kernels: int):
        super().__init__(channels, num_kernels)
        # For a device that holds no numbers, torch would load its compiler first, which takes long.
        if not self.head.weight.is_meta:
            # Start at a mid-size round kernel: the centre of the bank.
            nn.init.normal_(self.head.weight, std=0.01)
            with torch.no_grad():
                self.head.bias.copy_(torch.tensor((-0.65, -0.65, 0.0)))  # type: ignore[union-attr]

    @staticmethod
    def channels(num_kernels: int) -> int:
        """See `Classifier`."""
        return 3

    @staticmethod
    def scores(evidence: Tensor, bank_raw: Tensor) -> Tensor:
        """See `Classifier`."""
        predicted, kernels = evidence.movedim(1, -1), bank_raw[:, :3]  # [b, h, w, 3], [n, 3]
        # -|z - k|^2 / 2 as z . k - |k|^2 / 2 - |z|^2 / 2 for predicted z and kernel k, in place:
        # a map per kernel is by far the largest thing here.
        scores = torch.addmm(-0.5 * kernels.square().sum(-1), predicted.reshape(-1, 3), kernels.T)
        scores = scores.unflatten(0, predicted.shape[:-1])
        scores.sub_(0.5 * predicted.square().sum(-1, keepdim=True)).div_(PROTOTYPE_WIDTH**2)
        return scores.movedim(-1, 1)

    def training_kernels(
        self,
        evidence: Tensor,
        bank: KernelBank,
        *,
        soft: bool,
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, Tensor]:
        """See `Classifier`; `soft` takes the kernels as predicted."""
        predicted = evidence.float()
        index = self.scores(predicted.detach(), bank.raw.detach()).argmax(1)
        kernel, predicted = bank.raw[index], predicted.movedim(1, -1)  # [b, h, w, 4], [b, h, w, 3]
        shape, opacity = kernel[..., :3], kernel[..., 3:]
        # The bank follows the predictions, and the predictions stay near the bank.
        commitment = F.mse_loss(predicted, shape.detach()) + F.mse_loss(shape, predicted.detach())
        # Value of the nearest kernel, gradient to the kernel and, straight through, the prediction.
        taken = predicted if soft else shape + predicted - predicted.detach()
        return torch.cat((taken, opacity), -1), commitment


CLASSIFIERS: dict[str, type[Classifier]] = {"logits": Logits, "prototype": Prototype}
"""To add a kind, write its class and name it here."""


def class_scores(
    evidence: Float[Tensor, "b e h w"], bank_raw: Float[Tensor, "n 4"], kind: Kind
) -> Float[Tensor, "b n h w"]:
    """`Classifier.scores` of a kind."""
    return CLASSIFIERS[kind].scores(evidence, bank_raw)


BAND = 2**17
"""Pixels whose scores are held at a time: 100 numbers for each are the largest thing of all."""


def by_bands(run: Callable[[Tensor], Tensor], evidence: Float[Tensor, "b e h w"]) -> Tensor:
    """`run` on bands of rows, each to [b, rows, w, ...], and what it gives put together."""
    return torch.cat([run(band) for band in _bands(evidence)], dim=1)


def _bands(evidence: Tensor) -> tuple[Tensor, ...]:
    rows = max(1, BAND // max(1, evidence.shape[0] * evidence.shape[3]))
    return evidence.split(rows, dim=2)


@dataclass(frozen=True)
class Choice:
    """What the classifier says of each pixel.

    Attributes:
        index: Chosen kernel. [b, h, w]
        second: Runner-up. [b, h, w]
        confidence: Probability of the chosen kernel, in (0, 1]. [b, h, w]
        entropy: Entropy of the probabilities, in bits. [b, h, w]
    """

    index: Int[Tensor, "b h w"]
    second: Int[Tensor, "b h w"]
    confidence: Float[Tensor, "b h w"]
    entropy: Float[Tensor, "b h w"]


def choose(
    evidence: Float[Tensor, "b e h w"], bank_raw: Float[Tensor, "n 4"], kind: Kind
) -> Choice:
    """The deterministic choice of inference, and how sure it is."""
    parts = [vars(_choose(band, bank_raw, kind)) for band in _bands(evidence)]
    return Choice(**{name: torch.cat([part[name] for part in parts], 1) for name in parts[0]})


def nearest(
    evidence: Float[Tensor, "b e h w"], bank_raw: Float[Tensor, "n 4"], kind: Kind
) -> Int[Tensor, "b h w"]:
    """The choice alone, as `choose` makes it: a fifth of the work, and all that encoding needs."""
    bank_raw = bank_raw.float()
    return torch.cat(
        [class_scores(band.float(), bank_raw, kind).argmax(1) for band in _bands(evidence)], 1
    )


def _choose(evidence: Tensor, bank_raw: Tensor, kind: Kind) -> Choice:
    scores = class_scores(evidence.float(), bank_raw.float(), kind)
    probability = scores.softmax(1)
    # Of the scores: two of them may be too near for their probabilities to differ.
    index = scores.topk(min(2, scores.shape[1]), dim=1).indices
    top = probability.gather(1, index[:, :1])
    entropy = torch.special.entr(probability).sum(1) / torch.log(probability.new_tensor(2.0))
    return Choice(index[:, 0], index[:, -1], top[:, 0], entropy)
