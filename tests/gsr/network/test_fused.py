"""Fused convolutions are the plain ones."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gsr.network.encoders import EDSR, EncoderConfig
from gsr.network.encoders.fused import can_fuse


def plain(encoder: EDSR, lr: torch.Tensor) -> torch.Tensor:
    """Layer by layer, as with gradients."""
    with torch.enable_grad():
        return encoder(lr).detach()


@settings(deadline=None, max_examples=25)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    batch=st.integers(1, 3),
    blocks=st.integers(0, 3),
    channels=st.sampled_from((1, 5, 16, 48)),
    last=st.booleans(),
)
def test_features_are_those_of_the_layers_one_by_one(
    height: int, width: int, batch: int, blocks: int, channels: int, last: bool
) -> None:
    layout = torch.channels_last if last else torch.contiguous_format
    encoder = EDSR(EncoderConfig(channels, blocks)).to(memory_format=layout)  # type: ignore[call-overload]
    lr = torch.rand(batch, 3, height, width)
    kept = lr.clone()
    with torch.no_grad():
        feat = encoder(lr)
    torch.testing.assert_close(feat, plain(encoder, lr), rtol=1e-5, atol=1e-6)
    assert torch.equal(lr, kept)


def test_only_inference_in_float32_is_fused() -> None:
    x = torch.rand(1, 4, 2, 2)
    assert not can_fuse(x)
    with torch.no_grad():
        assert can_fuse(x) == torch.backends.mkldnn.is_available()
        assert not can_fuse(x.double())
        assert not can_fuse(x.to("meta"))
        with torch.autocast("cpu", torch.bfloat16):
            assert not can_fuse(x)
