"""Weights that people choose while they look at a picture."""

from typing import Any

from gsr import GaussianSR, load
from gsr.base.errors import ConfigError
from gsr.methods import described
from gsr.methods.weights import BASE, manifest
from gsr.tasks.advice import RESTORING


class Weights:
    """The model the app was started with, and the bundled ones that may take its place.

    Args:
        own: The first.
    """

    def __init__(self, own: GaussianSR):
        self._own = own
        self._loaded = {own.name: own}

    @property
    def names(self) -> list[str]:
        """The own model comes first."""
        bundled = [name for name in (BASE, RESTORING) if name in manifest()]
        return list(dict.fromkeys((self._own.name, *bundled)))

    def offered(self) -> list[dict[str, Any]]:
        """What the page must know of each; `mixed` where a strength below 1 makes sense."""
        return [
            dict(zip(("name", "label", "about"), (name, *described(name)), strict=True))
            | {"mixed": name == RESTORING}
            for name in self.names
        ]

    def get(self, name: str, strength: float) -> GaussianSR:
        """A model by name, mixed as `gsr.load` does.

        Raises:
            ConfigError: for a name that is not offered, or a strength outside of [0, 1].
            WeightsError: where there is nothing to mix with.
        """
        if name not in self.names:  # no path: this comes from the network
            raise ConfigError(f"weights must be one of {', '.join(self.names)}, got {name!r}.")
        if strength != 1:
            return load(name, strength=strength)
        if name not in self._loaded:
            self._loaded[name] = load(name)
        return self._loaded[name]
