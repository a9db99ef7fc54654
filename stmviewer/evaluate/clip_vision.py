"""The image encoder of CLIP ViT-L/14 at 336 pixels, whose embeddings CMMD compares.

Radford et al., ICML 2021 (arXiv 2103.00020): a vision transformer (pre-norm blocks, quick GELU x s(1.702 x)) whose
class token is normalised and projected. Modules are called as in the checkpoints of transformers (`vision_model.*` and
`visual_projection.*`, the misspelt `pre_layrnorm` included), so that those load as they are; those of OpenCLIP
(`visual.*`) are renamed. No weights ship with stmviewer: `clip_weights` finds the user's.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: what the pixels (0 to 1) are centred and scaled by, (R, G, B): openai/CLIP, clip.py
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
#: prefixes of the image encoder in checkpoints of transformers; the rest of a checkpoint is the text encoder
_PREFIXES = ("vision_model.", "visual_projection.")
#: and in those of OpenCLIP, where queries, keys and values are one matrix and the projection is transposed
_OPEN_PREFIX = "visual."
_OPEN_NAMES = (
    (r"^visual\.class_embedding$", "vision_model.embeddings.class_embedding"),
    (r"^visual\.positional_embedding$", "vision_model.embeddings.position_embedding.weight"),
    (r"^visual\.conv1\.", "vision_model.embeddings.patch_embedding."),
    (r"^visual\.ln_pre\.", "vision_model.pre_layrnorm."),
    (r"^visual\.ln_post\.", "vision_model.post_layernorm."),
    (r"^visual\.transformer\.resblocks\.", "vision_model.encoder.layers."),
    (r"\.ln_([12])\.", r".layer_norm\1."),
    (r"\.mlp\.c_fc\.", ".mlp.fc1."),
    (r"\.mlp\.c_proj\.", ".mlp.fc2."),
    (r"\.attn\.", ".self_attn."),
)


@dataclass(frozen=True)
class ClipConfig:
    """Sizes of the encoder; the defaults are ViT-L/14 at 336 pixels (304 million parameters)."""

    width: int = 1024
    hidden: int = 4096
    layers: int = 24
    heads: int = 16
    image: int = 336
    patch: int = 14
    embedding: int = 768


class Attention(nn.Module):
    """Self-attention over tokens (batch, tokens, width)."""

    def __init__(self, c: ClipConfig) -> None:
        super().__init__()
        self.heads = c.heads
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(c.width, c.width) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, width = x.shape
        q, k, v = (
            p(x).view(batch, tokens, self.heads, width // self.heads).transpose(1, 2)
            for p in (self.q_proj, self.k_proj, self.v_proj)
        )
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, tokens, width)
        out: Tensor = self.out_proj(mixed)
        return out


class Mlp(nn.Module):
    def __init__(self, c: ClipConfig) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(c.width, c.hidden), nn.Linear(c.hidden, c.width)

    def forward(self, x: Tensor) -> Tensor:
        h = self.fc1(x)
        out: Tensor = self.fc2(h * torch.sigmoid(1.702 * h))
        return out


class Block(nn.Module):
    def __init__(self, c: ClipConfig) -> None:
        super().__init__()
        self.self_attn, self.mlp = Attention(c), Mlp(c)
        self.layer_norm1, self.layer_norm2 = nn.LayerNorm(c.width), nn.LayerNorm(c.width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.self_attn(self.layer_norm1(x))
        out: Tensor = x + self.mlp(self.layer_norm2(x))
        return out


class Embeddings(nn.Module):
    """The class token and one of each patch, with positions: (batch, 3, side, side) to (batch, 1 + n, width)."""

    def __init__(self, c: ClipConfig) -> None:
        super().__init__()
        self.class_embedding = nn.Parameter(torch.zeros(c.width))
        self.patch_embedding = nn.Conv2d(3, c.width, c.patch, c.patch, bias=False)
        self.position_embedding = nn.Embedding((c.image // c.patch) ** 2 + 1, c.width)

    def forward(self, images: Tensor) -> Tensor:
        patches = self.patch_embedding(images).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.class_embedding.expand(len(images), 1, -1), patches], dim=1)
        out: Tensor = tokens + self.position_embedding.weight
        return out


class Encoder(nn.Module):
    def __init__(self, c: ClipConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Block(c) for _ in range(c.layers))


class VisionModel(nn.Module):
    """Images to the normalised class token (batch, width)."""

    def __init__(self, c: ClipConfig) -> None:
        super().__init__()
        self.embeddings = Embeddings(c)
        self.pre_layrnorm, self.post_layernorm = nn.LayerNorm(c.width), nn.LayerNorm(c.width)
        self.encoder = Encoder(c)

    def forward(self, images: Tensor) -> Tensor:
        x = self.pre_layrnorm(self.embeddings(images))
        for block in self.encoder.layers:
            x = block(x)
        out: Tensor = self.post_layernorm(x[:, 0])
        return out


class ClipVision(nn.Module):
    """Centred and scaled images (batch, 3, side, side) to embeddings (batch, `embedding`), not yet of length 1."""

    def __init__(self, config: ClipConfig | None = None) -> None:
        super().__init__()
        self.config = config or ClipConfig()
        self.vision_model = VisionModel(self.config)
        self.visual_projection = nn.Linear(self.config.width, self.config.embedding, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        out: Tensor = self.visual_projection(self.vision_model(images))
        return out


def is_of_the_image(name: str) -> bool:
    """Whether a tensor of a CLIP checkpoint belongs to the image encoder."""
    return name.startswith((*_PREFIXES, _OPEN_PREFIX))


def image_part(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The image encoder's tensors of a CLIP checkpoint, by the names of `ClipVision`. Old ones hold position numbers
    too, which are no weights."""
    found = {k: v for k, v in state.items() if k.startswith(_PREFIXES) and not k.endswith("position_ids")}
    for name, value in state.items():
        if name.startswith(_OPEN_PREFIX):
            found.update(_of_open_clip(name, value))
    return found


def _of_open_clip(name: str, value: Tensor) -> dict[str, Tensor]:
    """A tensor of OpenCLIP's image encoder by the names here: one, or the three of an attention's first matrix."""
    if name == "visual.proj":
        return {"visual_projection.weight": value.T}
    for pattern, ours in _OPEN_NAMES:
        name = re.sub(pattern, ours, name)
    if ".in_proj_" not in name:
        return {name: value}
    start, kind = name.split("in_proj_")
    return {f"{start}{part}_proj.{kind}": v for part, v in zip("qkv", value.chunk(3), strict=True)}


def build(state: Mapping[str, Tensor], config: ClipConfig | None = None) -> ClipVision:
    """The encoder with the tensors of a checkpoint, in float32. Raises RuntimeError when they do not fit."""
    with torch.device("meta"):
        network = ClipVision(config)
    network.load_state_dict({k: v.float() for k, v in image_part(state).items()}, assign=True)
    return network.eval().requires_grad_(False)
