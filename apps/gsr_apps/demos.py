"""The photos that come with the app."""

from pathlib import Path

FOLDER = Path(__file__).parent / "demo"

FOCUS: dict[str, tuple[float, float]] = {
    "osprey": (0.407, 0.243),
    "cat": (0.38, 0.36),
    "city-night": (0.6, 0.42),
    "coffee": (0.5, 0.38),
    "colosseum": (0.2, 0.4),
    "hubble-deep-field": (0.42, 0.6),
    "rocket": (0.5, 0.35),
    "spices": (0.5, 0.35),
    "text": (0.4, 0.5),
    "woodblock-waves": (0.75, 0.2),
}
"""Where to look first, as fractions of width and height."""

FIRST = "osprey"


def demo_photos() -> list[Path]:
    """Paths of the demo photos, the first one to show first."""
    photos = [p for p in FOLDER.iterdir() if p.suffix.lower() in (".jpg", ".png")]
    return sorted(photos, key=lambda path: (path.stem != FIRST, path.name))


def focus_of(name: str) -> tuple[float, float]:
    """Where to look first in a picture, as fractions of width and height."""
    return FOCUS.get(Path(name).stem, (0.5, 0.5))
