import base64
import io
import re

import torch
from PIL import Image

import gsr
from gsr.network.encoders import EncoderConfig
from gsr.network.kernels import oriented_bank, physical


def test_a_field_shows_itself():
    torch.manual_seed(0)
    model = gsr.GaussianSR(gsr.ModelConfig("tiny", EncoderConfig(channels=16, blocks=1))).eval()
    field = model.encode(torch.rand(2, 3, 8, 12))
    html = field._repr_html_()
    data = re.search(r"base64,([^\"]+)", html)[1]
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (256, 171)
    assert "12 x 8 Gaussians" in html


def test_kernels_show_themselves():
    html = physical(oriented_bank())._repr_html_()
    assert html.count("<ellipse") == 100
    assert "100 kernels" in html
    many = physical(oriented_bank().repeat(2, 1))._repr_html_()
    assert "the first 100" in many


def test_no_kernels_are_an_empty_picture():
    assert "0 kernels" in physical(torch.zeros(0, 4))._repr_html_()


def test_fields_of_three_pixels_and_of_very_many_show_themselves():
    torch.manual_seed(0)
    model = gsr.GaussianSR(gsr.ModelConfig("tiny", EncoderConfig(channels=4, blocks=1))).eval()
    for size in ((3, 3), (1, 20_000)):
        assert "<img" in model.encode(torch.rand(3, *size))._repr_html_()
