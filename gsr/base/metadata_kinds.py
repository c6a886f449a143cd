"""The kinds of metadata that can be kept of a picture, each by its name."""

from collections.abc import Collection

from gsr.base.errors import ConfigError

KINDS = ("icc", "exif", "xmp", "iptc", "text", "dpi", "copyright")
"""`copyright` is that and the author, without the rest of the EXIF data."""


def check_kinds(keep: Collection[str]) -> None:
    """Refuse what is no kind; ConfigError."""
    if unknown := sorted(set(keep) - set(KINDS)):
        raise ConfigError(
            f"metadata to keep must be among {', '.join(KINDS)}, got {', '.join(unknown)!r}."
        )


def kinds(listed: str) -> frozenset[str]:
    """The kinds in a list with commas.

    Raises:
        ConfigError: one is unknown.
    """
    keep = frozenset(word.strip().lower() for word in listed.split(",") if word.strip())
    check_kinds(keep)
    return keep
