"""How far two sets of images are apart: MMD on features of EfficientNet-Lite0.

An image is levelled by its plane, its 1 to 99 % range brought to 0 to 1 and cut off there, its central square scaled
to 224 x 224 pixels (bilinear, antialiased), and its 1280 features brought to length 1. The distance is 1000 times the
unbiased MMD^2 with a Gaussian kernel of sigma `SIGMA`. It is an MMD on an embedding; it is not CMMD, which is one on
another embedding (CLIP) with another kernel, and numbers of the two must not be compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from stmviewer.evaluate import judges, mmd
from stmviewer.scan import BoolArray, FloatArray, Progress, RequestError
from stmviewer.scan.levelling import fit_plane, robust_range

if TYPE_CHECKING:
    from torch import Tensor

    from stmviewer.evaluate.efficientnet import EfficientNetLite0

NAME = "EfficientNet-Lite0 MMD"
#: median distance of two good images of H:Si(100) (sessions that models may be trained on): the median heuristic,
#: taken once, so that distances of different days and sets compare
SIGMA = 0.94
#: distances are given in thousandths
SCALE = 1000.0
_SIDE = 224
_BATCH = 8
_WEIGHTS = "efficientnet-lite0"


@dataclass(frozen=True)
class Embedded:
    """Feature vectors of images (images, 1280), and the group (place, session) of each."""

    features: FloatArray
    groups: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.groups)

    def part(self, chosen: BoolArray) -> "Embedded":
        """The images (images,) that are chosen."""
        return Embedded(self.features[chosen], tuple(g for g, here in zip(self.groups, chosen, strict=True) if here))


@dataclass(frozen=True)
class Distance:
    """1000 MMD^2 (unbiased) of two sets of images, with a 95 % interval by bootstrap over groups.

    `resampled` are the values of the single draws: their differences to those of another distance from the same
    groups tell whether one is really smaller.
    """

    value: float
    interval: tuple[float, float]
    resampled: FloatArray


def embed(images: Sequence[FloatArray], groups: Sequence[str], progress: Progress) -> Embedded:
    """The features of images (rows, columns) without NaN, at least 32 pixels a side. Raises RequestError for others."""
    import torch

    net = network()
    found = []
    progress = progress.part(1.0, "Embedding images", max(len(images), 1))
    for start in range(0, len(images), _BATCH):
        batch = torch.stack([_square(image) for image in images[start : start + _BATCH]])
        with torch.inference_mode():
            features = net(batch)
        found.append((features / features.norm(dim=1, keepdim=True)).double().numpy())
        progress.tick(len(batch))
    return Embedded(np.concatenate(found) if found else np.zeros((0, 1280)), tuple(groups))


def distance(one: Embedded, other: Embedded, draws: int = 500, times: FloatArray | None = None) -> Distance:
    """How far the sets are apart; NaN where one has fewer than two images.

    `times` (images,) is how often each image of `one` counts, once where it is not given.
    """
    k = mmd.kernels(one.features, other.features, SIGMA)
    x, y = mmd.draws(one.groups, other.groups, draws)
    values = SCALE * mmd.resampled(k, (x if times is None else x * times, y))
    several = len({*one.groups, *other.groups}) > 1
    interval = mmd.interval(values) if several else (float("nan"), float("nan"))
    return Distance(SCALE * mmd.squared_mmd(k, times=times), interval, values)


@cache
def network() -> "EfficientNetLite0":
    from stmviewer.evaluate import efficientnet

    return efficientnet.load(judges.weights(_WEIGHTS))


def _square(image: FloatArray) -> "Tensor":
    """The central square as a tensor (1, 224, 224), grey from 0 to 1."""
    import torch
    import torch.nn.functional as F

    side = min(image.shape)
    if side < 32:
        raise RequestError(f"an image of {image.shape[1]} x {image.shape[0]} pixels is too small to embed; 32 x 32 is")
    if not np.isfinite(image).all():
        raise RequestError("an image with pixels that were not measured cannot be embedded; restore it first")
    top, left = ((n - side) // 2 for n in image.shape)
    level = image - fit_plane(image)
    low, high = robust_range(level)
    grey = np.clip((level - low) / (high - low), 0, 1)[top : top + side, left : left + side]
    tensor = torch.from_numpy(np.ascontiguousarray(grey, dtype=np.float32))[None, None]
    return F.interpolate(tensor, (_SIDE, _SIDE), mode="bilinear", antialias=True, align_corners=False)[0]
