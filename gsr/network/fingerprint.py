"""Which weights: a checksum of the numbers themselves, wherever they came from."""

import hashlib

import torch
from torch import nn


def fingerprint(network: nn.Module) -> str:
    """SHA-256 over a network's tensors by name; neither a file nor a device changes it.

    A file's own checksum would still name a network that was trained further since it was read.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        digest.update(flat.view(torch.uint8).numpy().data)
    return digest.hexdigest()
