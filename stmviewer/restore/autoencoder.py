"""The baseline of the reference work: a convolutional autoencoder without skip connections.

Kolev et al. (arXiv 2510.25921) compare their generative models with autoencoders that are trained to turn a degraded
image into the good one. As there, an encoder makes the image smaller by strided convolutions, a decoder makes it large
again, and nothing goes past the bottleneck. Ours, not theirs: sizes and blocks are those of the other models here, the
mask and the sharper guess are inputs beside the image, task and sampling are told, and an error scale comes out too.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stmviewer.restore.networks import Block, UNetConfig, condition_features, condition_size, through


class Autoencoder(nn.Module):
    """(batch, inputs, rows, columns) -> (batch, outputs, rows, columns); rows and columns multiples of 8.

    `config.bottleneck` numbers are all that is kept of a patch of 2^levels pixels a side.
    """

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        if config.bottleneck < 1:
            raise ValueError(f"an autoencoder has a bottleneck of 1 channel or more, not {config.bottleneck}")
        width, emb = config.channels, config.embedding
        self.config = config
        self.embed = nn.Sequential(nn.Linear(condition_size(config), emb), nn.SiLU(), nn.Linear(emb, emb), nn.SiLU())
        self.encoder, self.shrink = nn.ModuleList(), nn.ModuleList()
        self.decoder, self.grow = nn.ModuleList(), nn.ModuleList()
        entering = (config.inputs, *width)
        for level, count in enumerate(config.blocks):
            self.shrink.append(nn.Conv2d(entering[level], width[level], 4, stride=2, padding=1))
            self.encoder.append(nn.ModuleList(Block(width[level], emb) for _ in range(count)))
            self.decoder.append(nn.ModuleList(Block(width[level], emb) for _ in range(count)))
            leaving = width[level - 1] if level else config.head
            self.grow.append(nn.Conv2d(width[level], 4 * leaving, 1))
        self.squeeze = nn.Conv2d(width[-1], config.bottleneck, 1)
        self.widen = nn.Conv2d(config.bottleneck, width[-1], 1)
        self.head = nn.Sequential(
            nn.Conv2d(config.head, config.head, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(config.head, config.outputs, 3, padding=1),
        )

    def encode(self, x: Tensor, embedding: Tensor) -> Tensor:
        """(batch, bottleneck, rows / 2^levels, columns / 2^levels)."""
        for shrink, blocks in zip(self.shrink, self.encoder, strict=True):
            x = through(blocks, shrink(x), embedding)
        code: Tensor = self.squeeze(x)
        return code

    def decode(self, code: Tensor, embedding: Tensor) -> Tensor:
        h = self.widen(code)
        for level in reversed(range(len(self.grow))):
            h = F.silu(through(self.decoder[level], h, embedding))
            h = F.pixel_shuffle(self.grow[level](h), 2)
        out: Tensor = self.head(F.silu(h))
        return out

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        embedding = self.embed(torch.cat(condition_features(told, self.config), dim=1).to(x.dtype))
        return self.decode(self.encode(x, embedding), embedding)
