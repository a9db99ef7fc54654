"""Squared maximum mean discrepancy (MMD) of two sets of feature vectors, and how sure it is.

Gretton et al., J. Mach. Learn. Res. 13, 723 (2012): with k(x, y) = exp(-|x - y|^2 / (2 sigma^2)),

    MMD^2 = mean k(x, x') + mean k(y, y') - 2 mean k(x, y).

Biased (eq. 5): the means run over all pairs, x with itself included; never negative, and the smaller the sets, the
larger. Unbiased (eq. 3): without the pairs of x with itself; zero on average for equal distributions, so it may come
out a little below zero. Whoever uses it says which. Where both sets are of the same images (one restored from the
other) the pairs of an image with itself stay out of the unbiased mean k(x, y), too (Gretton's Lemma 6): they would make
the distance of equal distributions negative.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stmviewer.scan import BoolArray, FloatArray


@dataclass(frozen=True)
class Kernels:
    """Kernel values within and between two sets: `xx` (n, n), `yy` (m, m), `xy` (n, m).

    `same` (n, m) is True where x and y are of one image; None where no two are.
    """

    xx: FloatArray
    yy: FloatArray
    xy: FloatArray
    same: BoolArray | None = None


def squared_distances(x: FloatArray, y: FloatArray) -> FloatArray:
    """|x_i - y_j|^2 of feature vectors (n, d) and (m, d); shape (n, m)."""
    result: FloatArray = (x**2).sum(axis=1)[:, None] + (y**2).sum(axis=1)[None, :] - 2 * x @ y.T
    return np.maximum(result, 0.0)


def gaussian(x: FloatArray, y: FloatArray, sigma: float) -> FloatArray:
    """exp(-|x - y|^2 / (2 sigma^2)), shape (n, m)."""
    result: FloatArray = np.exp(-squared_distances(x, y) / (2 * sigma**2))
    return result


def median_distance(x: FloatArray) -> float:
    """The median heuristic for sigma: the median distance of two different vectors of one set."""
    upper = np.triu_indices(len(x), 1)
    return float(np.median(np.sqrt(squared_distances(x, x)[upper])))


def kernels(x: FloatArray, y: FloatArray, sigma: float, same: BoolArray | None = None) -> Kernels:
    return Kernels(gaussian(x, x, sigma), gaussian(y, y, sigma), gaussian(x, y, sigma), same)


def squared_mmd(k: Kernels, *, biased: bool = False, times: FloatArray | None = None) -> float:
    """MMD^2. NaN where a set is too small for it (unbiased: fewer than 2 vectors).

    `times` (n,) is how often each x stands in its set, once where it is not given. Unbiased, its pairs with itself stay
    out all the same.
    """
    return _weighted(k, np.ones(len(k.xx)) if times is None else times, np.ones(len(k.yy)), biased)


def _weighted(k: Kernels, w: FloatArray, v: FloatArray, biased: bool) -> float:
    """MMD^2 where vector i of x was drawn w[i] times and vector j of y v[j] times.

    Unbiased: a vector that was drawn twice is still the same one, and its pair with itself stays out.
    """
    within = _mean_within(k.xx, w, biased) + _mean_within(k.yy, v, biased)
    apart = np.ones_like(k.xy) if biased or k.same is None else (~k.same).astype(np.float64)
    total = float(w @ apart @ v)
    return float(within - 2 * (w @ (apart * k.xy) @ v) / total) if total > 0 else float("nan")


def _mean_within(kernel: FloatArray, w: FloatArray, biased: bool) -> float:
    same = 0.0 if biased else float((w**2 * np.diag(kernel)).sum())
    pairs = w.sum() ** 2 - (0.0 if biased else float((w**2).sum()))
    return (float(w @ kernel @ w) - same) / pairs if pairs > 0 else float("nan")


def draws(
    x_groups: Sequence[str], y_groups: Sequence[str], count: int = 500, seed: int = 0
) -> tuple[FloatArray, FloatArray]:
    """How often each vector of x and y is drawn, (count, n) and (count, m): whole groups (places, sessions) together.

    Images of one group are not independent, and a group that both sets have is drawn for both.
    """
    names = np.unique([*x_groups, *y_groups])
    rng = np.random.default_rng(seed)
    times = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=count)
    at = {name: k for k, name in enumerate(names)}
    x, y = (times[:, [at[g] for g in groups]].astype(np.float64) for groups in (x_groups, y_groups))
    return x, y


def resampled(k: Kernels, drawn: tuple[FloatArray, FloatArray], *, biased: bool = False) -> FloatArray:
    """MMD^2 of each of the draws, (count,). The same draws for two distances make their difference a paired one."""
    return np.array([_weighted(k, w, v, biased) for w, v in zip(*drawn, strict=True)])


def interval(values: FloatArray) -> tuple[float, float]:
    """2.5 to 97.5 % of the values that are numbers; NaN when there are none."""
    known = values[np.isfinite(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, (2.5, 97.5))
    return float(low), float(high)
