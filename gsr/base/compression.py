"""How small a file is made at the cost of its pixels, format by format."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gsr.base.errors import ConfigError, OutputError

Subsampling = Literal["4:4:4", "4:2:2", "4:2:0"]
_USUAL_QUALITY = 95
_LOSSLESS: dict[str, dict[str, Any]] = {
    "WEBP": {"lossless": True, "exact": True},
    "TIFF": {"compression": "tiff_deflate"},
}


@dataclass(frozen=True)
class Compression:
    """What was asked for; what was not is chosen for the pixels, not for the size.

    Attributes:
        quality: 1 to 100, of JPEG (95 if not given) and of WebP, which is lossless without.
        subsampling: Resolution of colour in a JPEG; 4:4:4, all of it, if not given.
        lossless: Refuse to lose anything.

    Raises:
        OutputError: a quality out of range.
        ConfigError: a quality, or subsampling, of what is lossless.
    """

    quality: int | None = None
    subsampling: Subsampling | None = None
    lossless: bool = False

    def __post_init__(self) -> None:
        if self.quality is not None and not 1 <= self.quality <= 100:
            raise OutputError(f"quality must be between 1 and 100, got {self.quality}.")
        if self.lossless and (self.quality is not None or self.subsampling is not None):
            raise ConfigError("what is lossless has neither a quality nor subsampling.")

    def options(self, file_format: str, path: str | Path) -> dict[str, Any]:
        """For Pillow's writer of a format, by its name there.

        Raises:
            OutputError: the format has no such choice.
        """
        if self.lossless and file_format == "JPEG":
            raise OutputError(f"{path}: JPEG is never lossless; use .png, .webp or .tif.")
        if self.quality is not None and file_format not in ("JPEG", "WEBP"):
            raise OutputError(
                f"{path}: {file_format} is lossless and has no quality; JPEG and WebP have."
            )
        if self.subsampling is not None and file_format != "JPEG":
            raise OutputError(f"{path}: {file_format} has no choice of subsampling; JPEG has.")
        if file_format == "JPEG":
            # Colour at half resolution would undo part of what was just upscaled.
            subsampling = self.subsampling or "4:4:4"
            return {"quality": self.quality or _USUAL_QUALITY, "subsampling": subsampling}
        if file_format == "WEBP" and self.quality is not None:
            return {"quality": self.quality, "method": 6}
        return dict(_LOSSLESS.get(file_format, {}))
