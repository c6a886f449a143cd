"""Does a graphics card compute what the formula says, and how fast?

    python -m gsr_training.measure.gpu_check

Values and gradients of the splat are compared with the formula in double precision, a field's
pixels with the processor's, and the parts are timed. Without a card Triton's interpreter runs the
kernels on the processor: slow, so the scenes are smaller, and its times say nothing of a card.
"""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import torch
import typer
from torch import Tensor

if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"  # read when kernels are compiled

import gsr
from gsr.base.coords import View
from gsr.cli import run
from gsr.field.render import render
from gsr.network.splat import cuda, grid_points, reference

app = typer.Typer(add_completion=False)

TOLERANCE = 2e-5
"""Largest difference, relative to the largest value, that single precision may make."""
FAILED = 1


@dataclass(frozen=True)
class Scene:
    """What is splatted: images, LR pixels along a side, points of each, channels, radius."""

    images: int
    side: int
    points: int
    depth: int
    radius: int


SCENES = (Scene(2, 5, 40, 5, 1), Scene(1, 7, 70, 32, 2), Scene(2, 4, 33, 8, 3))
LARGE = Scene(16, 48, 2304, 32, 2)
"""A training step's."""


def scene(kind: Scene, device: torch.device) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Geometry, channels, slopes and points, the same every time."""
    generator = torch.Generator().manual_seed(kind.side)
    size = (kind.images, kind.side, kind.side)

    def draw(*rest: int) -> Tensor:
        return torch.rand((*size, *rest), generator=generator, dtype=torch.float64)

    a, c = (1 / (0.2 + draw(2)).square()).unbind(-1)
    b = (draw() - 0.5) * (a * c).sqrt()
    geometry = torch.cat((draw(2) - 0.5, torch.stack((a, b, c, draw()), -1)), -1)
    points = torch.rand((kind.images, kind.points, 2), generator=generator, dtype=torch.float64)
    made = geometry, draw(kind.depth) - 0.5, draw(3, 2) - 0.5, points * kind.side
    return tuple(t.to(device) for t in made)  # type: ignore[return-value]


def there_and_back(splat: Callable[..., Tensor], kind: Scene, values: tuple[Tensor, ...]) -> list:
    """The sums and the gradients of everything but the points."""
    *given, points = values
    leaves = [t.clone().requires_grad_() for t in given]
    out = splat(leaves[0], leaves[1], points, kind.radius, slopes=leaves[2])
    weight = torch.cos(torch.arange(out.numel(), device=out.device)).reshape(out.shape)
    (out * weight.to(out)).sum().backward()
    return [out.detach(), *(leaf.grad for leaf in leaves)]


def equality(device: torch.device) -> Iterator[tuple[str, float]]:
    """What is compared, and the largest difference relative to the largest value."""
    names = ("sums", "gradient of geometry", "gradient of channels", "gradient of slopes")
    for kind in (*SCENES, LARGE) if device.type == "cuda" else SCENES:
        exact = scene(kind, device)
        single = (*(t.float() for t in exact[:3]), exact[3])
        wanted = there_and_back(reference.splat, kind, exact)
        found = there_and_back(cuda.splat, kind, single)
        for name, one, other in zip(names, found, wanted, strict=True):
            yield f"{name}, {kind}", float((one - other).abs().max() / other.abs().max())
    yield "pixels of a field", _field_error(device)


def _field_error(device: torch.device) -> float:
    """Through the whole renderer; on the processor the kernels are called as a card would."""
    lr = scene(SCENES[0], torch.device("cpu"))[1][0, ..., :3].movedim(-1, 0) + 0.5
    field = gsr.load("lite").encode(lr.float())
    wanted = field.render(2)
    if device.type == "cuda":
        return float((render(field.to(device), 2)[0].cpu() - wanted).abs().max())
    height, width = wanted.shape[-2:]
    xs, ys = View.whole(field.lr_size, (height, width)).axes(field.lr_size)
    points, (maps, _) = grid_points(xs, ys), field.splat_maps(xs, ys)
    with torch.no_grad():
        rgb = field.sampler(maps, points, torch.full((1, 2), 2.0), backend="cuda").rgb
    return float((rgb[0].mT.unflatten(-1, (height, width)).clamp(0, 1) - wanted).abs().max())


def times(device: torch.device) -> Iterator[tuple[str, float]]:
    """What is timed, and milliseconds."""
    kind = LARGE if device.type == "cuda" else SCENES[-1]
    exact = scene(kind, device)
    single = (*(t.float() for t in exact[:3]), exact[3])
    with torch.no_grad():
        geometry, channels, slopes, points = single
        forward = partial(cuda.splat, geometry, channels, points, kind.radius, slopes)
        yield "splat", _ms(forward, device)
    both = _ms(lambda: there_and_back(cuda.splat, kind, single), device)
    yield "splat, there and back", both
    model = gsr.load("lite", device=device)
    side = 256 if device.type == "cuda" else 48
    lr = torch.rand((3, side, side), generator=torch.Generator().manual_seed(0))
    field = model.encode(lr)
    yield f"encode {side} x {side}, lite", _ms(lambda: model.encode(lr), device)
    yield f"render it at x4 on {device.type}", _ms(lambda: field.render(4), device)


def _ms(work: Callable[[], object], device: torch.device) -> float:
    """The best of a few, after two that compile."""
    found = []
    for _ in range(7 if device.type == "cuda" else 3):
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        begun = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        found.append(1000 * (time.perf_counter() - begun))
    return min(found[1:])


@app.command()
def main(
    timed: Annotated[bool, typer.Option(help="Time the parts as well.")] = True,
) -> None:
    """Compare and time; exit code 1 if anything differs from the formula."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    card = torch.cuda.get_device_name() if device.type == "cuda" else "none; Triton's interpreter"
    typer.echo(f"card: {card}")
    wrong = 0
    for name, difference in equality(device):
        right = difference <= TOLERANCE
        wrong += not right
        typer.echo(f"{'equal' if right else 'DIFFERS'}  {difference:.1e}  {name}")
    if timed:
        for name, ms in times(device):
            typer.echo(f"{ms:9.2f} ms  {name}")
    if wrong:
        raise typer.Exit(FAILED)


if __name__ == "__main__":
    raise SystemExit(run(None, app))
