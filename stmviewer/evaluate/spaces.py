"""The embeddings that sets of images are compared in, and how far two sets are apart there.

CMMD needs weights that the user brings (`clip_weights`). What always works are two stand-ins, which are MMDs but not
CMMD: their numbers compare with their own alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from stmviewer.evaluate import cmmd, embedding, mmd
from stmviewer.evaluate.cmmd import Embedder
from stmviewer.scan import BoolArray, FloatArray, Progress

#: sets of fewer images are warned of
FEW = 50
#: median distance in `tip_vector` of good images of H:Si(100), one of each session that models may be trained on
TIP_SIGMA = 0.98
_TIP_LEAST = 64
#: an interval by bootstrap over fewer places or sessions than this says nothing
LEAST_GROUPS = 5


@dataclass(frozen=True)
class Space:
    """An embedding with its kernel. `embed` takes heights without NaN of at least `least` pixels a side."""

    key: str
    title: str
    about: str
    sigma: float
    scale: float
    biased: bool
    least: int
    embed: Callable[[FloatArray], FloatArray]


@dataclass(frozen=True)
class SetDistance:
    """How far two sets are apart.

    `value` as the space defines it, with its 95 % interval (bootstrap over groups; NaN for fewer than five);
    `unbiased` the estimate that is 0 on average for equal distributions; `resampled` the single draws of the value.
    """

    value: float
    interval: tuple[float, float]
    unbiased: float
    resampled: FloatArray


def stand_ins() -> list[Space]:
    """What ships: textures as an ImageNet network sees them, and what the judge of tips looks at."""
    return [
        Space(
            "efficientnet",
            embedding.NAME,
            "1000 MMD² (unbiased), sigma 0.94, of the 1280 features of EfficientNet-Lite0, trained on photographs",
            embedding.SIGMA,
            embedding.SCALE,
            False,
            32,
            lambda image: embedding.embed([image], ["0"], Progress()).features[0],
        ),
        Space(
            "tip",
            "Tip-state MMD",
            f"1000 MMD² (unbiased), sigma {TIP_SIGMA}, of the numbers by which the judge of tips tells good from "
            "double, changed and blurry tips; trained on H:Si(100)",
            TIP_SIGMA,
            1000.0,
            False,
            _TIP_LEAST,
            tip_vector,
        ),
    ]


def clip_space(embedder: Embedder) -> Space:
    return Space(
        "clip",
        cmmd.NAME,
        "1000 MMD² (biased, as defined), sigma 10, of embeddings of CLIP ViT-L/14 at 336 pixels (arXiv 2401.09603)",
        cmmd.SIGMA,
        cmmd.SCALE,
        True,
        32,
        embedder.embed,
    )


def tip_vector(image: FloatArray) -> FloatArray:
    """The numbers that the judge of tips looks at, in units of their spread in its training, cut off at 6, over the
    square root of how many there are: (features,)."""
    from stmviewer.evaluate import tip_features, tip_state

    network, head = tip_state.loaded()
    found = tip_features.tip_features(image, np.ones(image.shape, dtype=np.bool_), network, head.sees_lattice)
    z: FloatArray = np.clip((found.values - head.mean) / head.scale, -6, 6) / np.sqrt(len(head.mean))
    return z


def distance(
    space: Space,
    one: FloatArray,
    other: FloatArray,
    groups: tuple[Sequence[str], Sequence[str]],
    same: BoolArray | None = None,
    draws: int = 500,
) -> SetDistance:
    """The distance of two sets of vectors (n, d) and (m, d); `groups` are the place or session of each.

    `same` (n, m) is True where both are of one image, restored or not; draws take whole groups, for both sets alike.
    """
    k = mmd.kernels(one, other, space.sigma, same)
    values = space.scale * mmd.resampled(k, mmd.draws(*groups, draws), biased=space.biased)
    enough = len({*groups[0], *groups[1]}) >= LEAST_GROUPS
    interval = mmd.interval(values) if enough else (float("nan"), float("nan"))
    value = space.scale * mmd.squared_mmd(k, biased=space.biased)
    unbiased = space.scale * mmd.squared_mmd(k, biased=False)
    return SetDistance(value, interval, unbiased, values)


def nearness(space: Space, vectors: FloatArray, reference: FloatArray, same: BoolArray | None = None) -> FloatArray:
    """How near each image is to a set: its mean kernel value with the set's, without itself; (n,), 0 to 1.

    The set-dependent part of the witness function of the MMD (Gretton et al. 2012, section 2.3).
    """
    values = mmd.gaussian(vectors, reference, space.sigma)
    apart = np.ones_like(values) if same is None else (~same).astype(np.float64)
    total = apart.sum(axis=1)
    result: FloatArray = np.where(total > 0, (apart * values).sum(axis=1) / np.maximum(total, 1), np.nan)
    return result
