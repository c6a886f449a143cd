"""Networks at their start, and how fast each of their parts learns."""

import math
from dataclasses import asdict, replace

import torch
from torch.optim.swa_utils import get_ema_multi_avg_fn

from gsr.base.errors import ConfigError, shown
from gsr.base.reading import read_values
from gsr.methods import NETWORKS
from gsr.methods.baselines import BaselineConfig
from gsr.methods.gaussiansr import ModelConfig
from gsr.methods.weights import Trained, load_network
from gsr.methods.weights import build as build_network
from gsr.network.encoders import AnyEncoderConfig
from gsr_training.trainer.recipe import ModelRecipe, TrainRecipe
from gsr_training.trainer.warm_start import grown


def build(recipe: ModelRecipe, seed: int) -> Trained:
    """A seeded network, from scratch or from weights.

    Raises:
        ConfigError: for an unknown preset, settings it does not have, or weights of another
            architecture.
        WeightsError: for weights that cannot be read.
    """
    if recipe.preset not in NETWORKS:
        raise ConfigError(
            f"model.preset: unknown {recipe.preset!r}; choose one of {', '.join(NETWORKS)}."
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build_network(_configured(NETWORKS[recipe.preset], recipe))
    if recipe.init:
        _start_from(network, recipe.init)
    return network


def _configured(
    config: ModelConfig | BaselineConfig, recipe: ModelRecipe
) -> ModelConfig | BaselineConfig:
    config = replace(config, encoder=_encoder(config.encoder, recipe))
    of_gaussians = {
        "finest": recipe.finest != 0,
        "slopes": recipe.slopes != "preset",
        "corrected": recipe.corrected != "preset",
    }
    asked = [key for key, there in of_gaussians.items() if there]
    if not asked:
        return config
    if not isinstance(config, ModelConfig):
        key = asked[0]
        raise ConfigError(f"model.{key} is a setting of Gaussians; {recipe.preset} has none.")
    if recipe.slopes != "preset":
        config = replace(config, sloped=recipe.slopes == "yes")
    if recipe.corrected != "preset":
        config = replace(config, corrected=recipe.corrected == "yes")
    finest = recipe.finest or config.sampler.finest
    return replace(config, sampler=replace(config.sampler, finest=finest))


def _encoder(usual: AnyEncoderConfig, recipe: ModelRecipe) -> AnyEncoderConfig:
    kinds = AnyEncoderConfig.kinds()
    if recipe.encoder and recipe.encoder not in kinds:
        raise ConfigError(
            f"model.encoder must be one of {', '.join(kinds)}, got {shown(recipe.encoder)}."
        )
    kind = recipe.encoder or usual.kind
    values = asdict(usual) if kind == usual.kind else {}
    asked = {"channels": recipe.channels, "blocks": recipe.blocks}
    values |= {key: value for key, value in asked.items() if value}
    made: AnyEncoderConfig = read_values(kinds[kind], values, "model")
    return made


def _start_from(network: Trained, name: str) -> None:
    weights, own = grown(load_network(name), network), network.state_dict()
    if {k: v.shape for k, v in weights.items()} != {k: v.shape for k, v in own.items()}:
        raise ConfigError(f"model.init: the weights {name!r} are of another architecture.")
    network.load_state_dict(weights)


def new_optimizer(network: torch.nn.Module, recipe: TrainRecipe) -> torch.optim.Adam:
    """Adam, with groups for the bank and the classifier. `factor` scales a group's rate."""
    factors = {"bank.": recipe.bank_lr, "classifier.": recipe.classifier_lr}
    groups: dict[float, list[torch.nn.Parameter]] = {1.0: []}
    for name, parameter in network.named_parameters():
        prefix = next((p for p in factors if name.startswith(p)), None)
        groups.setdefault(factors[prefix] if prefix else 1.0, []).append(parameter)
    return torch.optim.Adam(
        [{"params": own, "factor": factor} for factor, own in groups.items()],
        lr=recipe.lr,
        betas=(recipe.betas[0], recipe.betas[1]),
        fused=next(network.parameters()).is_cuda,
    )


WARMUP_SHARE = 0.1
"""A warm-up is over after this fraction of the run."""


def learning_rate(recipe: TrainRecipe, step: int, done: float) -> float:
    """Warm-up, then the schedule over `done`, the fraction of the run behind us.

    Warm-up goes by steps, and ends with the first tenth of the run at the latest: one of a few
    minutes may not have that many steps.
    """
    done = min(done, 1.0)
    if recipe.schedule == "multistep":
        peak = recipe.lr * recipe.gamma ** sum(done >= m for m in recipe.milestones)
    else:
        cosine = 0.5 * (1 + math.cos(math.pi * done))
        peak = recipe.lr_end + (recipe.lr - recipe.lr_end) * cosine
    return peak * min(1.0, max((step + 1) / max(1, recipe.warmup), done / WARMUP_SHARE))


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Give every group its share of `rate`."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["factor"]


@torch.no_grad()
def update_average(
    average: torch.nn.Module, network: torch.nn.Module, decay: float, step: int
) -> None:
    """Move the average a little towards the network, in place.

    Early on the average forgets faster: with its final decay it would hold the random start for
    long, and a short run would ship it.

    Args:
        decay: How much of the average stays, in the long run.
        step: Steps done before this one.
    """
    pairs = list(average.parameters()), list(network.parameters())
    get_ema_multi_avg_fn(min(decay, (1 + step) / (10 + step)))(*pairs, None)
