"""The backbone that every learned model shares: a small U-Net on pixel-unshuffled input with a full-resolution head.

Normalised over channels only: statistics over the image would depend on the tile and leave seams between tiles.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: pixel sizes (m) that a network can be told
_SIZES_M = (0.01e-9, 0.3e-9)
#: how many numbers a time is turned into; they come first among what a network is told
TIME_FEATURES = 32
#: image sides are padded to a multiple of this before the network
STRIDE = 8
#: more than any network of ours has, by far
_MOST_LEVELS, _MOST_BLOCKS = 8, 64


@dataclass(frozen=True)
class UNetConfig:
    """Shape of the network; written into the weights file, so that weights and network cannot be mixed up.

    `guesses` is how many first guesses of the image it sees, and `told` whether it is told the sampling besides the
    task; `waves` whether the sharper guess of scattered pixels is that of compressed sensing, not an average. The
    defaults of these are those of weights that do not name them. `bottleneck` is the channels of an
    autoencoder's code; U-Nets have none.
    """

    inputs: int = 3
    outputs: int = 2
    channels: tuple[int, ...] = (32, 64, 96)
    blocks: tuple[int, ...] = (1, 2, 2)
    head: int = 24
    embedding: int = 64
    guesses: int = 1
    told: bool = False
    waves: bool = False
    bottleneck: int = 0

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "UNetConfig":
        """The shape that `to_dict` wrote.

        Raises TypeError or ValueError for what no network of ours looks like: a header that asks for ten million layers
        would keep the program busy for hours before a weight is missed.
        """
        shape: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        config = cls(**shape)
        if not 1 <= len(config.channels) == len(config.blocks) <= _MOST_LEVELS:
            raise ValueError(f"{len(config.channels)} levels of channels and {len(config.blocks)} of blocks")
        if max(config.blocks) > _MOST_BLOCKS:
            raise ValueError(f"{max(config.blocks)} blocks on one level")
        return config


def fourier_features(t: Tensor, size: int) -> Tensor:
    """Sines and cosines of `t` (batch,) at frequencies 1 to 1000 (log-spaced); shape (batch, size)."""
    frequency = torch.exp(torch.linspace(0, math.log(1000.0), size // 2, device=t.device))
    angle = t.float()[:, None] * frequency[None, :]
    return torch.cat([angle.sin(), angle.cos()], dim=1)


def condition(sparse: bool, fraction: float, pixel_m: float | None) -> list[float]:
    """What a network is told of a scan: [task, log2 of the pixel in 0.1 nm, whether that is known, measured fraction].

    `task` is 0 for repair and 1 for sparse, `pixel_m` None where the scan has no scale. Sizes beyond those of any
    training count as unknown: told 0.6 nm, a network that had seen up to 0.28 nm did worse than when it was not told.
    """
    known = pixel_m is not None and _SIZES_M[0] <= pixel_m <= _SIZES_M[1]
    return [float(sparse), math.log2(pixel_m / 1e-10) if known and pixel_m else 0.0, float(known), fraction]


def sampling_features(told: Tensor) -> Tensor:
    """Features of the sampling from `condition` (batch, 4): (batch, 6), zero where the pixel size is unknown."""
    size, known, fraction = told[:, 1], told[:, 2], told[:, 3]
    wave = torch.pi * size / 4
    features = [
        known,
        known * size / 3,
        known * wave.sin(),
        known * wave.cos(),
        fraction,
        fraction.clamp_min(1e-3).log2() / 4,
    ]
    return torch.stack(features, dim=1)


def condition_features(told: Tensor, config: UNetConfig) -> list[Tensor]:
    """What a network of that shape is told, each (batch, n): the task as two switches, the sampling if it takes it."""
    return [told[:, :1], 1 - told[:, :1], *([sampling_features(told)] if config.told else [])]


def condition_size(config: UNetConfig) -> int:
    """How many numbers `condition_features` has for each image."""
    return 2 + (6 if config.told else 0)


class ChannelNorm(nn.Module):
    """Root mean square over the channels of each pixel (Zhang and Sennrich, NeurIPS 2019): no sums over the image."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        gain = self.gain.to(x.dtype)
        if x.stride(1) == 1:  # channels innermost: a third of the time with scales that lie in memory as x does
            size = torch.linalg.vector_norm(x, dim=1, keepdim=True, dtype=torch.float32) ** 2 / x.shape[1]
            return x * (torch.rsqrt(size + 1e-4).to(x.dtype).movedim(1, -1) * gain).movedim(-1, 1)
        size = (x.float() ** 2).mean(dim=1, keepdim=True)
        return x * (torch.rsqrt(size + 1e-4).to(x.dtype) * gain[:, None, None])


class Block(nn.Module):
    """Residual block, its middle shifted and scaled by the embedding of task and time (FiLM)."""

    def __init__(self, channels: int, embedding: int) -> None:
        super().__init__()
        self.norm = ChannelNorm(channels)
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.film = nn.Linear(embedding, 2 * channels)
        # small but not zero: a residual branch that starts at zero keeps training at plain interpolation for long
        with torch.no_grad():
            self.second.weight.mul_(0.3)
            self.film.weight.mul_(0.1)
            self.film.bias.zero_()

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        scale, shift = self.film(embedding)[:, :, None, None].chunk(2, dim=1)
        h = self.first(self.norm(x))
        h = h * (1 + scale) + shift
        out: Tensor = x + self.second(F.silu(h))
        return out


class Head(nn.Sequential):
    """The layers at full resolution, which see the features and, once more, what the network saw."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__(
            nn.Conv2d(config.head + config.inputs, config.head, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(config.head, config.outputs, 3, padding=1),
        )

    def forward(self, features: Tensor, x: Tensor) -> Tensor:  # type: ignore[override]
        # put together as float32, where autocast makes features bfloat16, they took as long as all convolutions
        out: Tensor = super().forward(torch.cat([features, x.to(features.dtype)], dim=1))
        return out


def through(blocks: nn.Module, h: Tensor, embedding: Tensor) -> Tensor:
    """`h` through a list of `Block`s, one after the other."""
    for block in blocks.children():
        h = block(h, embedding)
    return h


class UNet(nn.Module):
    """(batch, inputs, rows, columns) -> (batch, outputs, rows, columns); rows and columns multiples of 8.

    `told` (batch, 4) is what `condition` gives for each image, `time` (batch,) the flow time in [0, 1], zero where
    there is none.
    """

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        width, emb = config.channels, config.embedding
        self.embed = nn.Sequential(
            nn.Linear(TIME_FEATURES + condition_size(config), emb), nn.SiLU(), nn.Linear(emb, emb), nn.SiLU()
        )
        self.enter = nn.Conv2d(4 * config.inputs, width[0], 3, padding=1)
        self.down = nn.ModuleList()
        self.shrink = nn.ModuleList()
        self.up = nn.ModuleList()
        self.grow = nn.ModuleList()
        for level, count in enumerate(config.blocks):
            self.down.append(nn.ModuleList(Block(width[level], emb) for _ in range(count)))
            if level + 1 < len(width):
                self.shrink.append(nn.Conv2d(width[level], width[level + 1], 2, stride=2))
                self.grow.append(nn.Conv2d(width[level + 1], 4 * width[level], 1))
                self.up.append(nn.ModuleList(Block(width[level], emb) for _ in range(count)))
        self.leave = nn.Conv2d(width[0], 4 * config.head, 3, padding=1)
        # full-resolution head: without it, pixel shuffling leaves a checkerboard
        self.head: nn.Module = Head(config)

    def forward(self, x: Tensor, told: Tensor, time: Tensor) -> Tensor:
        features = [fourier_features(time, TIME_FEATURES), *condition_features(told, self.config)]
        embedding = self.embed(torch.cat(features, dim=1).to(x.dtype))
        h = self.enter(F.pixel_unshuffle(x, 2))
        skips = []
        for level, blocks in enumerate(self.down):
            h = through(blocks, h, embedding)
            if level < len(self.shrink):
                skips.append(h)
                h = self.shrink[level](h)
        for level in reversed(range(len(self.up))):
            h = F.pixel_shuffle(self.grow[level](h), 2) + skips[level]
            h = through(self.up[level], h, embedding)
        h = F.pixel_shuffle(self.leave(F.silu(h)), 2)
        out: Tensor = self.head(F.silu(h), x)
        return out


def parameter_count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())
