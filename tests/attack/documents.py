"""Fields, weights, edits and recipes: sound ones, and damage to them."""

import hashlib
import json
import random
import struct
from copy import deepcopy
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

import gsr
from gsr.images import to_pil
from gsr.methods.weights import save_weights
from gsr.network.encoders import EncoderConfig

from . import damage
from .cases import Case, chance

ODD: tuple[Any, ...] = (
    None, True, False, "", "x", "nan", -1, 0, 1, 0.5, 2, 50, 10**5, 10**9, 2**63, 10**400,
    -(10**30), 1e308, float("nan"), float("inf"), [], [[]], [1, "a"], {}, {"a": {}}, [4096] * 16,
    "9" * 5000,
)  # fmt: skip
"""Values for a place that wants another."""
_NESTED = 100_000


@cache
def model() -> gsr.GaussianSR:
    """A small network of random weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        made = gsr.GaussianSR(gsr.ModelConfig("tiny", EncoderConfig(channels=8, blocks=1)))
    return made.eval().requires_grad_(False)


@cache
def photo(transparent: bool = False) -> Any:
    pixels = torch.rand((3, 6, 7), generator=torch.Generator().manual_seed(1))
    made = to_pil(pixels)
    if transparent:
        made.putalpha(to_pil(pixels[:1].repeat(3, 1, 1)).convert("L"))
    return made


@cache
def field_bytes(transparent: bool) -> bytes:
    with TemporaryDirectory() as folder:
        return model().encode(photo(transparent)).save(Path(folder, "a.gsf")).read_bytes()


@cache
def weights_bytes() -> bytes:
    with TemporaryDirectory() as folder:
        return save_weights(model(), Path(folder, "a.safetensors")).read_bytes()


def tensors_apart(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The header and the numbers of a safetensors file."""
    (size,) = struct.unpack_from("<Q", data)
    return json.loads(data[8 : 8 + size]), data[8 + size :]


def tensors_of(header: dict[str, Any], numbers: bytes) -> bytes:
    """Put together again, with the checksum right: whoever changes a file can do that too."""
    header["__metadata__"]["checksum"] = "0" * 64
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    data = struct.pack("<Q", len(text)) + text + numbers
    return data.replace(b"0" * 64, hashlib.sha256(data).hexdigest().encode(), 1)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place inside nested values."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, member in inside:
        found.append((*path, key))
        if isinstance(member, dict | list):
            found += _places(member, (*path, key))
    return found


def changed(value: Any, g: random.Random) -> Any:
    """One to three members get an odd value, another name, vanish or appear."""
    value = json.loads(json.dumps(value))
    for _ in range(g.choice((1, 1, 1, 3))):
        places = _places(value)
        if not places:
            break
        *above, key = g.choice(places)
        holder = value
        for step in above:
            holder = holder[step]
        way = g.randrange(6)
        if way == 0 and isinstance(holder, dict):
            del holder[key]
        elif way == 1 and isinstance(holder, dict):
            holder[g.choice(("extra", "__class__", "π", ""))] = holder[key]
        elif way == 2 and isinstance(holder[key], int | float):
            holder[key] = g.choice((holder[key] + 1, 2 * holder[key], holder[key] / 2, 0))
        else:
            holder[key] = deepcopy(g.choice(ODD))
    return value


def _tensor_file(data: bytes, inside: str, g: random.Random) -> tuple[str, bytes]:
    """A field or weights with damage of one kind.

    Args:
        data: The sound file.
        inside: The member of the header that holds our own JSON.
        g: Draws.
    """
    way = g.randrange(8)
    if way < 3:
        harm = g.choice(damage.BLIND)
        return harm.__name__, harm(data, g)
    header, numbers = tensors_apart(data)
    facts = header["__metadata__"]
    if way < 6:
        new = changed(json.loads(facts[inside]), g)
        facts[inside] = json.dumps(new)
        if g.random() < 0.15:
            opening = g.choice(("[", '{"a":'))
            facts[inside] = opening * g.choice((500, _NESTED)) + "1"
        return "settings", tensors_of(header, numbers)
    names = sorted(set(header) - {"__metadata__"})
    name = g.choice(names)
    entry = header[name]
    if way == 6:
        return "numbers", tensors_of(*_other_numbers(header, numbers, name, g))
    member = g.choice(("dtype", "shape", "data_offsets", "name", "gone", "format"))
    if member == "name":
        header[g.choice(("extra", "alpha.lr", ""))] = header.pop(name)
    elif member == "gone":
        del header[name]
    elif member == "format":
        key = g.choice(sorted(facts))
        facts[key] = g.choice(("", "9", "x", "1.0", "-1", "9" * 5000, facts[key] + " "))
    elif member == "dtype":
        entry["dtype"] = g.choice(
            ("F64", "F16", "BF16", "I8", "U8", "I64", "BOOL", "F8_E4M3", "C64", "?")
        )
    else:
        entry[member] = g.choice(
            ([], [0], [1, 2**62], [2**40, 2**40], entry[member][::-1], [-1], "x")
        )
    return "tensors", tensors_of(header, numbers)


def _other_numbers(
    header: dict[str, Any], numbers: bytes, name: str, g: random.Random
) -> tuple[dict[str, Any], bytes]:
    """One tensor of another type with as many numbers, or with numbers that are none."""
    start, end = header[name]["data_offsets"]
    count = (end - start) // (8 if header[name]["dtype"] == "I64" else 4)
    kind = g.choice(("F64", "F16", "BF16", "F32", "F32", "I8", "I32", "I64"))
    size = {"F64": 8, "F16": 2, "BF16": 2, "F32": 4, "I8": 1, "I32": 4, "I64": 8}[kind]
    odd = g.choice(
        (b"\0" * 8, b"\xff" * 8, b"\x00\x00\xc0\x7f" * 2, b"\x00\x00\x80\x7f" * 2, b"\1" * 8)
    )
    header[name] |= {"dtype": kind, "data_offsets": [start, start + count * size]}
    moved = count * size - (end - start)
    for other, entry in header.items():
        if other not in ("__metadata__", name) and entry["data_offsets"][0] >= end:
            entry["data_offsets"] = [place + moved for place in entry["data_offsets"]]
    return header, numbers[:start] + odd[:size] * count + numbers[end:]


def field_file(g: random.Random) -> Case:
    kind, data = _tensor_file(field_bytes(g.random() < 0.4), "field", g)
    return Case(f"field, {kind}", ".gsf", data)


def weights_file(g: random.Random) -> Case:
    kind, data = _tensor_file(weights_bytes(), "config", g)
    return Case(f"weights, {kind}", ".safetensors", data)


EDITS: dict[str, Any] = {
    "format": "gsr-edits",
    "version": 1,
    "edits": [
        {"kind": "kernel", "kernel": 2, "sigma_x": 0.5, "sigma_y": 0.7, "rho": 0.1, "opacity": 0.5},
        {"kind": "without", "kernels": [3, 4]},
        {"kind": "shuffle", "seed": 3},
        {"kind": "force", "kernel": 1},
        {"kind": "top", "k": 3},
        {"kind": "soft"},
        {"kind": "mean"},
        {"kind": "paint", "kernel": 4, "runs": [[1, 2, 3]]},
    ],
}


def edits_file(g: random.Random) -> Case:
    few = EDITS | {"edits": g.sample(EDITS["edits"], g.choice((1, 2, 8)))}
    way = g.randrange(6)
    if way == 0:
        opening = g.choice(("[", '{"edits":[', '{"a":'))
        return Case("edits, nested", ".json", (opening * g.choice((900, _NESTED))).encode())
    text = json.dumps(changed(few, g) if way < 5 else few).encode()
    if way in (4, 5):
        harm = g.choice(damage.BLIND)
        return Case(f"edits, {harm.__name__}", ".json", harm(text, g))
    return Case("edits, values", ".json", text)


_TOML = (
    "nan", "inf", "-1", "0", "1", "0.5", "true", '"x"', "[]", "[[]]", "[1, 2]", "{}",
    "1979-05-27", "1e400", "9" * 400, '"' + "x" * 3000 + '"', "[" * 5000, "{a=" * 900, "", "lite",
    "'''", "0x", "[1, 'a']",
)  # fmt: skip


def recipe(g: random.Random) -> Case:
    """A recipe file; its last line is a comment with overrides of a command line, tabs between."""
    known = (
        "model.preset", "model.init", "model.num_kernels", "data.crop", "data.queries",
        "data.scales", "train.steps", "train.batch", "train.lr", "train.betas", "train.warmup",
        "train.seed", "run.log_every", "run.save_every", "train.x", "x.y", "model", "extends",
    )  # fmt: skip
    lines, overrides = [], []
    for _ in range(g.choice((1, 2, 5))):
        key, value = g.choice(known), g.choice(_TOML)
        if g.random() < 0.5:
            overrides.append(f"--{key}={value}")
        elif "." in key:
            section, name = key.split(".")
            lines.append(f"[{section}]\n{name} = {value}")
        else:
            lines.append(f"{key} = {value}")
    text = "\n".join(lines).encode()
    if g.random() < 0.2 and text:
        text = g.choice(damage.BLIND)(text, g)
    if g.random() < 0.1:
        text = b'extends = "case.toml"\n' + text
    return Case("recipe", ".toml", text + b"\n#!" + "\t".join(overrides).encode())


def document(seed: int, index: int) -> Case:
    """In turn a field, weights, edits, a recipe; fields most often."""
    g = chance(seed, "documents", index)
    return (field_file, weights_file, field_file, edits_file, recipe)[index % 5](g)
