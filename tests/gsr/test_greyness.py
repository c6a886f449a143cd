"""Grey in, grey out: a scan that is stored as RGB gets no coloured fringes, by any method."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

import gsr
from gsr.field.payload import pack, unpack
from gsr.images import is_grey, mean_color
from gsr.methods.gaussiansr import GaussianSR

Make = Callable[..., GaussianSR]


def scan(height: int = 11, width: int = 13) -> Tensor:
    """A picture of one channel, thrice. uint8 [3, h, w]"""
    generator = torch.Generator().manual_seed(5)
    plane = torch.randint(0, 256, (height, width), generator=generator, dtype=torch.uint8)
    return plane.expand(3, -1, -1).contiguous()


def as_file(tmp_path: Path) -> Path:
    Image.fromarray(scan().permute(1, 2, 0).numpy()).save(tmp_path / "scan.png")
    return tmp_path / "scan.png"


SOURCES: dict[str, Callable[[Path], Any]] = {
    "file": as_file,
    "pillow": lambda folder: Image.open(as_file(folder)),
    "array": lambda _: scan().permute(1, 2, 0).numpy(),
    "deep array": lambda _: scan().permute(1, 2, 0).numpy().astype(np.uint16) * 257,
    "float array": lambda _: scan().permute(1, 2, 0).numpy().astype(np.float32) / 255,
    "tensor": lambda _: scan().float() / 255,
    "batch": lambda _: (scan().float() / 255)[None],
    "bytes": lambda folder: as_file(folder).read_bytes(),
}


def planes(out: Any) -> np.ndarray:
    """Red, green and blue of whatever a render is, last axis."""
    if isinstance(out, Tensor):
        return out.reshape(-1, *out.shape[-3:])[0, :3].permute(1, 2, 0).numpy()
    assert out.mode == "RGB"
    return np.asarray(out)


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("ensemble", [False, True])
def test_every_source_and_layer(
    kind: str, ensemble: bool, make_model: Make, tmp_path: Path
) -> None:
    field = make_model("lite", corrected=True).encode(SOURCES[kind](tmp_path), ensemble=ensemble)
    for layer in ("result", "gaussians", "residual", "lr"):
        for scale in (0.4, 1, 2.7, 5):
            found = planes(field.render(scale, layer=layer))
            assert (found == found[..., :1]).all(), (layer, scale)


@pytest.mark.parametrize("name", ["lite", "liif-tiny", "paper-tiny", "lanczos", "sinc:lite-tiny"])
def test_every_method(name: str) -> None:
    found = planes(gsr.methods.get(name).encode(scan()).render(2.7))
    assert (found == found[..., :1]).all()


def test_colours_stay_where_one_pixel_has_one(make_model: Make) -> None:
    lr = scan().float() / 255
    lr[0, 3, 4] += 1 / 255 if lr[0, 3, 4] < 0.5 else -1 / 255
    out = make_model("lite").encode(lr).render(3)
    assert (out[0] != out[1]).any()


def test_batch_mates_keep_their_colours(make_model: Make) -> None:
    colored = torch.rand(3, 11, 13, generator=torch.Generator().manual_seed(0))
    model = make_model("lite", corrected=True)
    out = model.encode(torch.stack((colored, scan().float() / 255))).render(3)
    assert torch.equal(out[1, 0], out[1, 2])
    torch.testing.assert_close(out[0], model.encode(colored).render(3), rtol=0, atol=1e-5)


def test_inside_a_grey_field_all_is_grey(make_model: Make) -> None:
    field = make_model("lite", corrected=True).encode(scan())
    found = field.explain(5.2, 4.1, 3)
    for color in (found.rgb, found.splatted, *(part.color for part in found.contributions)):
        assert max(color) - min(color) < 1e-6
    view = gsr.View(0, 0, 13, 11, (33, 39))
    at = field.explain(*((k + 0.5) / 3 for k in (16, 11)), 3)
    shown = field.read(view, "result")[0, :, 11, 16].mean()
    assert at.rgb[0] == pytest.approx(float(shown), abs=1e-5)


def test_what_a_page_gets_is_grey(make_model: Make) -> None:
    field = unpack(pack(make_model("lite", corrected=True).encode(scan())))
    for layer in field.sampler.decoder.layers[-1].parameters():
        torch.testing.assert_close(layer, layer[:1].expand_as(layer))
    assert torch.equal(field.colors[..., 0], field.colors[..., 2])


def test_what_is_grey() -> None:
    pictures = torch.stack((scan(), scan(), scan())).float()
    pictures[1, 2, 0, 0] += 1
    assert is_grey(pictures).tolist() == [True, False, True]
    made = mean_color(torch.rand(4, 3, 2), 1)
    assert torch.equal(made[:, 0], made[:, 2])
