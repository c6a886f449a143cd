"""Pictures in and out: the one loader, the one writer, and the classical resampling."""

from gsr.decoding.info import MAX_INPUT_PIXELS, ColourMode, PictureInfo
from gsr.images.embedding import software_line
from gsr.images.greyness import is_grey, mean_color
from gsr.images.picture import Picture, PictureSource, Source
from gsr.images.quantise import Depth, Dither, to_levels, to_pil, to_uint8
from gsr.images.read import load
from gsr.images.resample import Kind, bicubic_view, downscale
from gsr.images.write import check_output, depth_for, save

__all__ = [
    "MAX_INPUT_PIXELS",
    "ColourMode",
    "Depth",
    "Dither",
    "Kind",
    "Picture",
    "PictureInfo",
    "PictureSource",
    "Source",
    "bicubic_view",
    "check_output",
    "depth_for",
    "downscale",
    "is_grey",
    "load",
    "mean_color",
    "save",
    "software_line",
    "to_levels",
    "to_pil",
    "to_uint8",
]
