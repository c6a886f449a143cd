"""The names people type. A change here is a change for everybody who uses the package."""

import dataclasses
import inspect
from typing import get_args, get_overloads, get_type_hints

import pytest
import torch
from PIL import Image
from torch import Tensor

import gsr
from gsr import methods
from gsr.field.mosaic import Mosaic
from gsr.field.protocol import ContinuousImage, Method, Pixels
from gsr.images import PictureSource
from gsr.methods.point_image import PointMethod, SampledImage
from gsr.methods.registry import Best

PUBLIC = {
    "PRESETS", "GaussianField", "GaussianSR", "GsrError", "ModelConfig", "View", "load",
    "open_field",
}  # fmt: skip

FIELD = {
    "batch_shape", "bank", "bank_raw", "choice_at", "classifier", "alpha", "colors", "context",
    "edits", "evidence", "explain", "faithful", "feat", "grey", "index", "info", "kernels",
    "kernels_at", "layers", "lr", "lr_size", "mixed", "model", "nbytes", "offsets", "options",
    "presence", "read", "render", "sampler", "save", "slopes", "splat_maps", "to", "to_html",
    "weights", "with_bank", "with_kernel",
}  # fmt: skip


def test_public_names() -> None:
    assert set(gsr.__all__) == PUBLIC
    assert len(gsr.__all__) == len(set(gsr.__all__))
    assert all(hasattr(gsr, name) for name in gsr.__all__)


def test_version() -> None:
    assert [part.isdigit() for part in gsr.__version__.split(".")] == [True] * 3


def test_names_of_a_field() -> None:
    kind = gsr.GaussianField
    names = {n for n in vars(kind) if not n.startswith("_")}
    names |= {f.name for f in dataclasses.fields(kind)}
    assert names == FIELD


def test_signatures() -> None:
    name, strength, device = inspect.signature(gsr.load).parameters.values()
    assert (name.name, name.default) == ("name", "lite")
    assert (strength.name, strength.default) == ("strength", 1.0)
    assert strength.kind == strength.KEYWORD_ONLY
    assert (device.name, device.default, device.kind) == ("device", "cpu", device.KEYWORD_ONLY)
    assert list(inspect.signature(gsr.GaussianSR.encode).parameters) == [
        "self", "source", "tile", "progress", "ensemble", "corrected", "lazy", "store",
    ]  # fmt: skip
    assert list(inspect.signature(gsr.GaussianField.render).parameters) == [
        "self", "scale", "size", "view", "layer", "progress",
    ]  # fmt: skip
    assert [f.name for f in dataclasses.fields(gsr.View)] == ["x", "y", "width", "height", "size"]


def test_every_public_name_says_what_it_is() -> None:
    for name in PUBLIC - {"PRESETS"}:
        assert inspect.getdoc(getattr(gsr, name)), name


def test_errors_are_value_errors() -> None:
    assert issubclass(gsr.GsrError, ValueError)


@pytest.mark.parametrize("kind", [gsr.GaussianSR, Best, PointMethod])
def test_a_tensor_gives_tensors_and_a_picture_gives_pictures(kind: type) -> None:
    """What an editor is told: the form of a source is the form of its renders."""
    hints = [get_type_hints(overload) for overload in get_overloads(kind.encode)]
    assert len(hints) >= 2
    for of_tensor, of_picture in zip(hints[::2], hints[1::2], strict=True):
        assert (of_tensor["source"], get_args(of_tensor["return"])) == (Tensor, (Tensor,))
        assert of_picture["source"] == PictureSource
        assert get_args(of_picture["return"]) == (Image.Image,)


@pytest.mark.parametrize("kind", [gsr.GaussianField, Mosaic, SampledImage, ContinuousImage])
def test_renders_are_of_the_form_that_the_image_has(kind: type) -> None:
    assert get_type_hints(kind.render)["return"] is Pixels


@pytest.mark.parametrize("name", ["lite", "bicubic", "sinc"])
def test_every_method_keeps_the_protocol(name: str) -> None:
    method = methods.get(name)
    image = method.encode(torch.rand(2, 3, 4, 5))
    assert isinstance(method, Method)
    assert isinstance(image, ContinuousImage)
    assert {"result", "lr"} <= set(image.layers)
    assert (image.batch_shape, image.lr_size, image.grey) == ((2,), (4, 5), (False, False))
    assert (image.alpha, image.info, image.edits, image.options) == (None, None, (), ())
