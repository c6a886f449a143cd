"""GaussianSR: an LR image to a field of Gaussians, and the presets.

Read bottom-up: configuration, network, what training calls (`forward`), what everyone else
calls (`encode`).
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated, Literal, overload

import torch
from jaxtyping import Bool, Float
from PIL import Image
from pydantic import Field, InstanceOf
from torch import Tensor, nn

from gsr.base.errors import ConfigError
from gsr.base.reading import Checked
from gsr.field import GaussianField
from gsr.field.mosaic import Mosaic
from gsr.field.protocol import Prediction, Progress
from gsr.field.tile_store import TileStore
from gsr.images import PictureSource, Source, is_grey, mean_color
from gsr.methods.cost import CUBIC_TAPS, QUADRATIC_FORM, Cost, macs
from gsr.methods.encode import Images, check_tile, encode_tiles, part_of, read_images
from gsr.methods.flat import flat_at_borders
from gsr.methods.transparency import brought_together
from gsr.network.classifier import CLASSIFIERS, Kind, nearest
from gsr.network.correction import corrected, reach
from gsr.network.decoder import DecoderConfig, FourierDecoder
from gsr.network.encoders import AnyEncoderConfig, EncoderConfig, new_encoder
from gsr.network.fingerprint import fingerprint
from gsr.network.kernels import KernelBank, physical
from gsr.network.sampler import Sample, Sampler, SamplerConfig, SplatMaps
from gsr.network.tiles import Grid, Slices, widened, within
from gsr.network.turning import turns


def _full_precision(tensor: Tensor) -> torch.autocast:
    """Kernels are measured in float32, also where training runs the encoder in bfloat16."""
    return torch.autocast(tensor.device.type, enabled=False)


@dataclass(frozen=True)
class ModelConfig(Checked):
    """One architecture; presets differ by these values only.

    It stands in every weights file. How to add a key: see `gsr.base.reading`.

    Attributes:
        name: What the weights are called.
        encoder: Kind and size of the encoder, see `gsr.network.encoders`.
        classifier: `logits` (the paper's) or `prototype`.
        num_kernels: Size of the bank.
        bank: How the bank starts, `grid` or `oriented`.
        splatted: Number of splatted feature channels.
        predicted: Whether offsets, colours and splatted features come from a learned head.
            Without it, as in the paper, the first encoder channels are splatted, the others
            interpolated, and a Gaussian sits at its pixel centre with the LR colour.
        sloped: Whether a Gaussian's colour changes linearly across it; with `predicted` only. The
            paper's is constant. A slope lets one Gaussian follow a gradient or the flank of an
            edge that several of one colour each could only imitate.
        sampler: Window, normalisation and decoder.
        corrected: Whether encoding adds to the Gaussians' colours what the result, reduced again,
            misses of the picture; see `gsr.network.correction`. Only where the decoder adds to
            them.
    """

    name: Annotated[str, Field(max_length=200)]
    encoder: InstanceOf[AnyEncoderConfig] = EncoderConfig()
    classifier: Kind = "prototype"
    num_kernels: Annotated[int, Field(ge=1, le=4096)] = 100
    bank: Literal["grid", "oriented"] = "oriented"
    splatted: Annotated[int, Field(ge=0, le=1024)] = 29
    predicted: bool = True
    sloped: bool = False
    sampler: SamplerConfig = SamplerConfig()
    corrected: bool = True

    @property
    def corrects(self) -> bool:
        """Whether there are colours that a correction can reach the result through."""
        return self.corrected and self.sampler.decoder.kind == "residual"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sloped and not self.predicted:
            raise ConfigError("sloped colours are predicted: sloped needs predicted.")
        if not self.predicted and self.splatted > self.encoder.channels:
            raise ConfigError(
                f"splatted must be at most the encoder's {self.encoder.channels} channels, got "
                f"{self.splatted}."
            )


PRESETS = {
    # 29 features and 3 colours make rows of 32 numbers, which the splatting loop likes.
    "lite": ModelConfig("lite", EncoderConfig(channels=48, blocks=9), sloped=True),
    "base": ModelConfig("base", sloped=True),
    "paper": ModelConfig(
        "paper",
        classifier="logits",
        bank="grid",
        splatted=8,
        predicted=False,
        corrected=False,
        sampler=SamplerConfig(
            normalized=False, decoder=DecoderConfig("fourier", (256, 256, 256, 256))
        ),
    ),
}


FAMILIES = {
    "lite": ("GaussianSR", "Gaussians whose kernels are chosen pixel by pixel"),
    "photo": ("GaussianSR for photos", "Takes out noise and compression instead of enlarging them"),
    "paper": ("GaussianSR as published", "The paper's own head, in our framework"),
}
"""What people call weights, and one line on them."""

HEADS_BEFORE_SLOPES = (2, 3)
"""Channels of offsets and of colours."""
BEST = "best-"
"""Before the name of a model: the average of eight turned encodings."""
TURNED = ("evidence", "offsets", "colors", "slopes")
"""Maps that mean the same in every orientation, once they are turned back."""
SLOPES = 6
"""Of three colours along two axes."""


def _head_sizes(config: ModelConfig) -> tuple[int, int, int, int]:
    """Channels of the heads: offsets, colours, their slopes, features."""
    return *HEADS_BEFORE_SLOPES, SLOPES if config.sloped else 0, config.splatted


class GaussianSR(nn.Module):
    """Encoder, bank, classifier, heads and sampler.

    Source: Hu et al., "GaussianSR" (arXiv:2407.18046).
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        channels = config.encoder.channels
        self.encoder = new_encoder(config.encoder)
        self.bank = KernelBank(config.num_kernels, config.bank)
        self.classifier = CLASSIFIERS[config.classifier](channels, config.num_kernels)
        if config.predicted:
            sizes = _head_sizes(config)
            self.heads = nn.Conv2d(channels, sum(sizes), 3, padding=1)
            with torch.no_grad():  # start at pixel centres with LR colours
                self.heads.weight[: sum(sizes[:-1])] = 0
                self.heads.bias[:] = 0  # type: ignore[index]
        decoded = config.splatted if config.predicted else channels
        self.sampler = Sampler(decoded, config.sampler)
        # The layout a CPU's convolutions are fastest in; torch's stubs miss this overload.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def name(self) -> str:
        """What the weights are called."""
        return self.config.name

    @property
    def can_turn(self) -> bool:
        """Whether turned encodings of a picture can be averaged; see `encode`."""
        return CLASSIFIERS[self.config.classifier].turns

    @property
    def radius(self) -> int:
        """LR pixels around one that its Gaussian depends on; the exact halo of a tile."""
        return self._own_radius + (reach(self.sampler) if self.config.corrects else 0)

    @property
    def _own_radius(self) -> int:
        """Without the correction."""
        return self.encoder.radius + 1

    def cost(self) -> Cost:
        """Every Gaussian of the window, weighted and summed, then the decoder."""
        config = self.config
        slopes = SLOPES if config.sloped else 0
        splatted = 3 + slopes + config.splatted + 2 + 1  # colour, features, mean offset, weight
        window = (2 * config.sampler.radius + 1) ** 2
        decoder = self.sampler.decoder
        here = window * (splatted + QUADRATIC_FORM) + macs(decoder)
        if isinstance(decoder, FourierDecoder):  # frequencies times places, waves times amplitudes
            here += decoder.freq.out_features + decoder.coef.out_features - macs(decoder.phase)
        else:  # the cell is one pair per image
            here -= 2 * config.sampler.decoder.hidden[0]
        if not config.predicted:
            here += CUBIC_TAPS * (config.encoder.channels - config.splatted)
        return Cost(None, here, macs(self) - macs(self.encoder) - macs(self.sampler))

    def maps(self, lr: Float[Tensor, "b 3 h w"]) -> tuple[Tensor, dict[str, Tensor]]:
        """Evidence of the classifier, and the other members of `SplatMaps` by name."""
        feat = self.encoder(lr)
        with _full_precision(lr):
            return self._read(lr, feat.to(lr.dtype))

    def _read(self, lr: Tensor, feat: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """What the classifier and the heads read from features."""
        evidence = self.classifier(feat)
        colors = lr.movedim(1, -1)
        if not self.config.predicted:
            own, context = feat.split(
                (self.config.splatted, feat.shape[1] - self.config.splatted), 1
            )
            offsets = colors.new_zeros((*colors.shape[:3], 2))
            return evidence, {
                "offsets": offsets,
                "colors": colors,
                "feat": own.movedim(1, -1),
                "context": context,
            }
        offsets, correction, slopes, own = (
            self.heads(feat).movedim(1, -1).split(_head_sizes(self.config), -1)
        )
        # In the type of the picture, whatever the heads computed in.
        offsets, correction, slopes, own = (
            v.to(lr.dtype) for v in (offsets, correction, slopes, own)
        )
        sloped = {"slopes": slopes.unflatten(-1, (3, 2))} if self.config.sloped else {}
        return evidence, sloped | {
            "offsets": 0.5 * torch.tanh(offsets),
            "colors": colors + correction,
            "feat": own,
            "context": colors.new_zeros((len(colors), 0, *colors.shape[1:3])),
        }

    def forward(
        self,
        lr: Float[Tensor, "b 3 h w"],
        points: Float[Tensor, "b n 2"],
        scale: Float[Tensor, "b 2"],
        *,
        soft: bool = False,
        generator: torch.Generator | None = None,
        backend: str = "auto",
    ) -> Prediction:
        """Training: colours at `points` with gradients for everything.

        Args:
            lr: Images in [0, 1].
            points: (x, y) in LR pixels.
            scale: Magnification (sy, sx) of each sample.
            soft: Early in training: kernels as predicted (`prototype`) or mixed (`logits`).
            generator: Source of the `logits` classifier's noise.
            backend: Splatting back-end, see `gsr.network.splat`.
        """
        maps, commitment = self.training_maps(lr, soft=soft, generator=generator)
        sample: Sample = self.sampler(maps, points, scale, backend)
        return Prediction(sample.rgb, sample.colors, commitment, maps.kernels)

    def training_maps(
        self,
        lr: Float[Tensor, "b 3 h w"],
        *,
        soft: bool = False,
        generator: torch.Generator | None = None,
    ) -> tuple[SplatMaps, Tensor]:
        """What is splatted, with gradients, and the commitment loss; arguments as `forward`."""
        evidence, members = self.maps(lr)
        with _full_precision(lr):
            raw, commitment = self.classifier.training_kernels(
                evidence, self.bank, soft=soft, generator=generator
            )
            return SplatMaps(kernels=physical(raw), **members), commitment

    @overload
    def encode(
        self,
        source: Tensor,
        *,
        tile: int = ...,
        progress: Progress | None = ...,
        ensemble: bool = ...,
        corrected: bool = ...,
        lazy: Literal[False] = ...,
    ) -> GaussianField[Tensor]: ...
    @overload
    def encode(
        self,
        source: PictureSource,
        *,
        tile: int = ...,
        progress: Progress | None = ...,
        ensemble: bool = ...,
        corrected: bool = ...,
        lazy: Literal[False] = ...,
    ) -> GaussianField[Image.Image]: ...
    @overload
    def encode(
        self,
        source: Tensor,
        *,
        tile: int = ...,
        ensemble: bool = ...,
        corrected: bool = ...,
        lazy: Literal[True],
        store: TileStore | None = ...,
    ) -> Mosaic[Tensor]: ...
    @overload
    def encode(
        self,
        source: PictureSource,
        *,
        tile: int = ...,
        ensemble: bool = ...,
        corrected: bool = ...,
        lazy: Literal[True],
        store: TileStore | None = ...,
    ) -> Mosaic[Image.Image]: ...
    @torch.no_grad()
    def encode(
        self,
        source: Source,
        *,
        tile: int = 384,
        progress: Progress | None = None,
        ensemble: bool = False,
        corrected: bool = True,
        lazy: bool = False,
        store: TileStore | None = None,
    ) -> GaussianField | Mosaic:
        """An image as a continuous field. Run once per image.

        Args:
            source: File, bytes, PIL image, numpy array, or tensor [*batch, 3, h, w] in [0, 1].
                Transparency is one of the same Gaussians, see `gsr.methods.transparency`.
            tile: Side of the encoder's tiles in LR pixels. It bounds memory and does not
                change the result: tiles overlap by the receptive field.
            progress: Called with (tiles done, tiles in all); an exception it raises cancels.
            ensemble: Encode the picture in all eight turns and average what the network says:
                eight times the work here, and one field that costs the same to render. It is
                called `best-` and the model's name.
            corrected: Whether the result, reduced again, should give back the picture, where the
                model's configuration has it so; see `gsr.network.correction`.
            lazy: Encode nothing yet: a mosaic makes its tiles when they are first looked at.
            store: Where a mosaic keeps its tiles; a new `TileStore` unless given.

        Returns:
            A field whose renders are tensors for a tensor, and PIL images for a picture.

        Raises:
            ImageError: when `source` is not an image that can be read.
            ConfigError: an ensemble of a model whose classes cannot be turned; a mosaic of several
                images, or a store that is too small for one tile.

        Examples:
            >>> import torch
            >>> import gsr
            >>> model = gsr.load("lite")
            >>> model.encode(torch.rand(3, 6, 8))
            GaussianField(8 x 6 Gaussians, model='lite')
            >>> model.encode(torch.rand(3, 6, 8), lazy=True)
            Mosaic(8 x 6 Gaussians, 0 of 1 tiles, model='lite')
        """
        if ensemble and not self.can_turn:
            raise ConfigError(
                f"{self.name} cannot be averaged over turns: its classes know no direction."
            )
        images = read_images(source)
        plan = _Plan(tile, ensemble, corrected and self.config.corrects)
        if lazy:
            return self._mosaic(images, plan, store or TileStore())
        lr = images.rgb.to(self.bank.raw)
        alpha = None if images.alpha is None else images.alpha[None].to(lr)
        everything = slice(0, lr.shape[-2]), slice(0, lr.shape[-1])
        found = [
            self._settled(self._maps(planes, plan, advance), planes, everything, plan)
            for planes, advance in zip((lr, alpha), images.progress(progress), strict=True)
            if planes is not None
        ]
        field = self._fields(lr, alpha, found, everything, plan, is_grey(lr), fingerprint(self))
        return replace(field, batch_shape=images.batch_shape, info=images.info)

    def _fields(
        self,
        lr: Float[Tensor, "b 3 h w"],
        alpha: Float[Tensor, "b 3 h w"] | None,
        found: list[dict[str, Tensor]],
        part: Slices,
        plan: "_Plan",
        grey: Bool[Tensor, " b"],
        weights: str,
        kept: Slices = (slice(None), slice(None)),
    ) -> GaussianField:
        """The field of a part of pictures, with its transparency.

        Args:
            lr: The whole pictures.
            alpha: Their transparency.
            found: Maps of the part, of both.
            part: Rows and columns that the maps are of.
            plan, grey, weights: Of the pictures.
            kept: What of the part the field is of.
        """
        if alpha is None:
            return self._field(lr[:, :, *part], _greyed(found[0], grey), plan, weights)
        color, veil = found
        if self.shares_gaussians:
            color, veil = brought_together(
                color,
                veil,
                lr,
                alpha,
                part,
                self._far_from_borders(lr.new_full((3,), 0.5), plan)["feat"],
            )
            if plan.corrected:
                color["colors"] = self._corrected_again(color, lr[:, :, *part], plan)
        maps = [_greyed(color, grey), _greyed(veil, torch.ones_like(grey))]
        first, second = (
            self._field(
                planes[:, :, *part][:, :, *kept],
                {name: value[:, *kept] for name, value in one.items()},
                plan,
                weights,
            )
            for planes, one in zip((lr, alpha), maps, strict=True)
        )
        if self.shares_gaussians:
            second = replace(second, sampler=self._plain_sampler())
        return replace(first, alpha=second)

    def _corrected_again(
        self, maps: dict[str, Tensor], lr: Float[Tensor, "b 3 h w"], plan: "_Plan"
    ) -> Float[Tensor, "b h w 3"]:
        """Colours corrected as Gaussians of those kernels and with that presence show them, where
        they stand alone.
        """
        names = [name for name in maps if name not in ("evidence", "context")]
        flat = [
            maps[name].to(lr).flatten(3) if maps[name].ndim > 3 else maps[name][..., None].to(lr)
            for name in names
        ]
        widths = [value.shape[-1] for value in flat]
        stacked = torch.cat((lr, *(value.movedim(-1, 1) for value in flat)), 1)

        def colors(crop: Tensor) -> dict[str, Tensor]:
            pixels, rest = crop[:, :3], crop[:, 3:].movedim(1, -1).split(widths, -1)
            said = {
                name: value.unflatten(-1, maps[name].shape[3:])
                if maps[name].ndim > 3
                else value[..., 0]
                for name, value in zip(names, rest, strict=True)
            }
            kernels = self.bank()[said.pop("index").squeeze(-1).long()]
            seen = kernels.opacities * said.pop("presence")
            alone = said.pop("alone")
            splatted = SplatMaps(
                kernels=replace(kernels, opacities=seen),
                context=pixels.new_zeros((len(pixels), 0, *pixels.shape[-2:])),
                **said,
            )
            fixed = corrected(splatted, pixels, self.sampler).colors
            return {"colors": torch.lerp(said["colors"], fixed, alone[..., None])}

        return encode_tiles(stacked, plan.tile, reach(self.sampler), colors, None)["colors"]

    @property
    def shares_gaussians(self) -> bool:
        """Whether colour and transparency can be of the same Gaussians: those have all of both."""
        return self.config.predicted and self.config.sampler.decoder.kind == "residual"

    def _plain_sampler(self) -> Sampler:
        """What splats with the same weights and has nothing to add."""
        config = replace(self.config.sampler, decoder=DecoderConfig("residual", (1,)))
        plain = Sampler(0, config).to(self.bank.raw)
        with torch.no_grad():
            plain.raw_footprint.copy_(self.sampler.raw_footprint)
        return plain.eval().requires_grad_(False)

    def _field(
        self,
        lr: Float[Tensor, "b 3 h w"],
        maps: dict[str, Tensor],
        plan: "_Plan",
        weights: str,
    ) -> GaussianField:
        return GaussianField(
            lr=lr,
            bank_raw=self.bank.raw.detach().clone(),
            index=maps["index"].squeeze(-1),
            evidence=maps["evidence"].movedim(-1, 1),
            offsets=maps["offsets"],
            colors=maps["colors"],
            feat=maps["feat"],
            context=maps["context"].movedim(-1, 1),
            slopes=maps.get("slopes"),
            presence=maps.get("presence"),
            sampler=self.sampler,
            classifier=self.config.classifier,
            model=f"{BEST}{self.name}" if plan.ensemble else self.name,
            weights=weights,
            faithful=plan.corrected,
            options=("not corrected",) if self.config.corrects and not plan.corrected else (),
        )

    def _mosaic(self, images: Images, plan: "_Plan", store: TileStore) -> Mosaic:
        """A field that fills in."""
        if len(images.rgb) != 1:
            raise ConfigError(f"a mosaic is of one image, and {len(images.rgb)} were given.")
        check_tile(plan.tile)
        lr = images.rgb.to(self.bank.raw)
        alpha = None if images.alpha is None else images.alpha[None].to(lr)
        grey, weights = is_grey(lr), fingerprint(self)

        @lru_cache(maxsize=1)  # its transparency is asked for next
        def both(top: int, bottom: int, left: int, right: int) -> GaussianField:
            part = slice(top, bottom), slice(left, right)
            return self._part(lr, alpha, part, plan, grey, weights)

        def make(part: Slices) -> GaussianField:
            rows, columns = part
            return both(rows.start, rows.stop, columns.start, columns.stop)

        def make_alpha(part: Slices) -> GaussianField:
            made = make(part).alpha
            assert made is not None  # there is one where this is called
            return made

        corner = slice(0, 1), slice(0, 1)
        grid = Grid((lr.shape[-2], lr.shape[-1]), plan.tile)
        veil = None
        if alpha is not None:
            veil = Mosaic(alpha, make_alpha(corner), make_alpha, store, grid)
        return Mosaic(
            lr=lr,
            like=replace(make(corner), alpha=None),
            make=make,
            store=store,
            grid=grid,
            alpha=veil,
            info=images.info,
            batch_shape=images.batch_shape,
        )

    @torch.no_grad()
    def _part(
        self,
        lr: Tensor,
        alpha: Tensor | None,
        part: Slices,
        plan: "_Plan",
        grey: Bool[Tensor, " 1"],
        weights: str,
    ) -> GaussianField:
        """The field of a rectangle, to the last bit as cut out of that of the whole."""
        size = lr.shape[-2], lr.shape[-1]
        # Colours that are corrected once more depend on those around them.
        again = reach(self.sampler) if alpha is not None and plan.corrected else 0
        wide = widened(part, again, size)
        outer = widened(wide, self._own_radius + plan.halo(self.sampler), size)
        inner = within(wide, outer)
        found = []
        for planes in (lr, alpha):
            if planes is None:
                continue
            crop = planes[:, :, *outer]
            maps = self._maps(crop, replace(plan, tile=max(crop.shape[-2:])), None)
            own = {name: value[:, *inner].clone() for name, value in maps.items()}
            found.append(self._settled(own, planes, wide, plan))
        kept = within(part, wide)
        return self._fields(lr, alpha, found, wide, plan, grey, weights, kept)

    def _settled(
        self, maps: dict[str, Tensor], lr: Float[Tensor, "b 3 h w"], part: Slices, plan: "_Plan"
    ) -> dict[str, Tensor]:
        """Maps of a part of pictures, with flat borders as the network has them elsewhere."""
        flat = flat_at_borders(lr, part, self._own_radius + plan.halo(self.sampler))
        if not flat.any():
            return maps
        pixels = lr[:, :, *part].movedim(1, -1)[flat]
        colors, which = pixels.unique(dim=0, return_inverse=True)
        found = [self._far_from_borders(color, plan) for color in colors]
        for name, value in maps.items():
            value[flat] = torch.stack([said[name] for said in found])[which]
        return maps

    def _far_from_borders(self, color: Float[Tensor, "3"], plan: "_Plan") -> dict[str, Tensor]:
        """What the network says of one pixel of a large flat picture."""
        side = 2 * self.radius + 1
        sheet = color[None, :, None, None].expand(1, 3, side, side)
        maps = self._maps(sheet, replace(plan, tile=side), None)
        return {name: value[0, self.radius, self.radius] for name, value in maps.items()}

    def _maps(
        self, images: Float[Tensor, "b 3 h w"], plan: "_Plan", progress: Progress | None
    ) -> dict[str, Tensor]:
        """Maps of a field. [b, h, w, ...]"""
        return (self._averaged if plan.ensemble else self._once)(images, plan, progress)

    def _once(
        self, images: Float[Tensor, "b 3 h w"], plan: "_Plan", progress: Progress | None
    ) -> dict[str, Tensor]:
        """Maps of a field. [b, h, w, ...]"""
        halo = self._own_radius + plan.halo(self.sampler)
        return encode_tiles(
            images, plan.tile, halo, lambda lr: self._chosen(lr, self._said(lr), plan), progress
        )

    def _averaged(
        self, images: Float[Tensor, "b 3 h w"], plan: "_Plan", progress: Progress | None
    ) -> dict[str, Tensor]:
        """As `_once`, of all turns together.

        Features mean something to the decoder in one orientation only: the picture's own are kept.
        """
        every = list(turns())
        mean: dict[str, Tensor] = {}
        for i, turn in enumerate(every):
            advance = progress and part_of(progress, i, len(every) + 1)
            turned = turn.image(images)
            said = encode_tiles(turned, plan.tile, self._own_radius, self._said, advance)
            for name, value in said.items():
                if name not in TURNED:
                    mean.setdefault(name, value)
                    continue
                part = turn.back(name, value) / len(every)
                mean[name] = mean[name] + part if i else part
        # Kernels are chosen and colours corrected for the average, in tiles again.
        flat = {name: value.flatten(3) for name, value in mean.items()}
        widths = [value.shape[-1] for value in flat.values()]
        stacked = torch.cat((images, *(value.movedim(-1, 1) for value in flat.values())), 1)

        def chosen(crop: Tensor) -> dict[str, Tensor]:
            lr, rest = crop[:, :3], crop[:, 3:].movedim(1, -1).split(widths, -1)
            said = {
                name: part.unflatten(-1, mean[name].shape[3:])
                for name, part in zip(mean, rest, strict=True)
            }
            return self._chosen(lr, said, plan)

        advance = progress and part_of(progress, len(every), len(every) + 1)
        return encode_tiles(stacked, plan.tile, plan.halo(self.sampler), chosen, advance)

    def _said(self, lr: Float[Tensor, "1 3 h w"]) -> dict[str, Tensor]:
        """What the network says of each pixel. [1, h, w, ...]"""
        evidence, members = self.maps(lr.contiguous(memory_format=torch.channels_last))
        return {
            **members,
            "evidence": evidence.movedim(1, -1),
            "context": members["context"].movedim(1, -1),
        }

    def _chosen(
        self, lr: Float[Tensor, "1 3 h w"], said: dict[str, Tensor], plan: "_Plan"
    ) -> dict[str, Tensor]:
        """With the kernel that follows from it and, if it is asked for, corrected colours."""
        evidence = said["evidence"].movedim(-1, 1).contiguous()
        index = nearest(evidence, self.bank.raw, self.config.classifier)
        found = {**said, "index": index.unsqueeze(-1)}
        if not plan.corrected:
            return found
        members = {k: v for k, v in said.items() if k not in ("evidence", "context")}
        maps = SplatMaps(
            kernels=self.bank()[index],
            context=said["context"].movedim(-1, 1),
            **members,
        )
        return {**found, "colors": corrected(maps, lr, self.sampler).colors}


@dataclass(frozen=True)
class _Plan:
    """How a picture is encoded; attributes as the arguments of `encode`."""

    tile: int
    ensemble: bool
    corrected: bool

    def halo(self, sampler: Sampler) -> int:
        """LR pixels around one that its corrected colour depends on."""
        return reach(sampler) if self.corrected else 0


def _greyed(maps: dict[str, Tensor], grey: Bool[Tensor, " b"]) -> dict[str, Tensor]:
    """Maps whose Gaussians are grey where their pictures are."""
    if not grey.any():
        return maps
    colors, slopes = maps["colors"], maps.get("slopes")
    found = {"colors": torch.where(grey[:, None, None, None], mean_color(colors, -1), colors)}
    if slopes is not None:
        alike = mean_color(slopes, -2)
        found["slopes"] = torch.where(grey[:, None, None, None, None], alike, slopes)
    return maps | found
