"""How much better waves explain the patches of a sparse scan than hills and noise do: Bayesian evidence.

Within a patch the measurement is taken for a Gaussian process: hills with a squared-exponential covariance, an offset
of each line, white noise, and waves whose cosines and sines have independent normal amplitudes. Its log marginal
likelihood (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, eqs. 2.30 and, for explicit basis
functions, 2.40 with a finite prior) less that without the waves is the evidence, in natural logarithms. Aliases need no
care: waves that the measured lines cannot tell apart have the same evidence.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stmviewer.restore.rows.measured import Patches
from stmviewer.scan import BoolArray, FloatArray
from stmviewer.scan.threads import in_threads, slices

#: waves beyond this (1/px, in either direction) are not seen by the pixels
BEYOND = 0.48


class Model(NamedTuple):
    """Variances of hills, of offsets of lines and of noise, in parts of all, and the length of hills (rows of 5 px)."""

    hills: float
    length: float
    offsets: float
    noise: float


MODELS = (Model(0.6, 5.0, 0.1, 0.15), Model(0.6, 2.5, 0.1, 0.1), Model(0.3, 10.0, 0.1, 0.3))
#: how strong all waves together may be (variance, in parts of all)
_STRENGTHS = (0.15, 0.6)
#: hypotheses that one thread works at a time
_TOGETHER = 160


class Basis(NamedTuple):
    """Waves as one part of the patches sees them, once for each model of the hills: whitened cosines and sines
    (hypotheses, 2, values), their products with each other (hypotheses, 2, 2) and with what was measured (hypotheses,
    2, patches)."""

    columns: list[NDArray[np.float32]]
    products: list[FloatArray]
    right: list[FloatArray]


class Evidence:
    """The evidence of waves in given patches. Hills scale with `spacing`, the larger distance of dimer rows (px)."""

    def __init__(self, patches: Sequence[Patches], spacing: float, models: Sequence[Model] = MODELS) -> None:
        self.count = sum(p.values.shape[1] for p in patches)
        self._parts = []
        for p in patches:
            y, x = (a.ravel() for a in np.meshgrid(p.y, p.x, indexing="ij"))
            dy, dx = y[:, None] - y, x[:, None] - x
            whitened = []
            for m in models:
                hills = m.hills * np.exp(-0.5 * (dy**2 + dx**2) / (m.length * spacing / 5.0) ** 2)
                covariance = hills + m.offsets * (np.abs(dy) < 1e-6) + m.noise * np.eye(len(y))
                cholesky = np.linalg.cholesky(covariance)
                inverse = np.linalg.inv(cholesky)
                values = inverse @ p.values
                alone = -0.5 * (values**2).sum(axis=0) - np.log(np.diag(cholesky)).sum()
                whitened.append((inverse.astype(np.float32), values.astype(np.float32), alone))
            self._parts.append((p, whitened))

    def of(self, waves: Sequence[FloatArray], shares: Sequence[float]) -> FloatArray:
        """Evidence (hypotheses, patches) of sets of waves: one array (hypotheses, 2; x and y in cycles a pixel) for
        each wave of a set, and its share of the variance of all waves."""
        # waves that no pixel sees explain nothing
        seen = np.nonzero(np.any([_seen(wave) for wave in waves], axis=0))[0]
        chunks = in_threads(
            lambda some: np.concatenate(
                [self._of_part(part, [wave[seen[some]] for wave in waves], shares) for part in self._parts], axis=1
            ),
            slices(len(seen), _TOGETHER),
        )
        found = np.zeros((len(waves[0]), self.count))
        if chunks:
            found[seen] = np.concatenate(chunks)
        return found

    def basis(self, waves: FloatArray) -> list[Basis]:
        """Waves (hypotheses, 2; x and y in cycles a pixel), to be judged `beside` others again and again."""
        found = []
        for patches, whitened in self._parts:
            cosines = _columns(patches, waves[:, None], np.ones(1))
            columns = [
                (cosines.reshape(-1, len(inverse)) @ inverse.T).reshape(cosines.shape) for inverse, *_ in whitened
            ]
            products = [(c @ c.transpose(0, 2, 1)).astype(np.float64) for c in columns]
            right = [(c @ values).astype(np.float64) for c, (_, values, _) in zip(columns, whitened, strict=True)]
            found.append(Basis(columns, products, right))
        return found

    def beside(self, chosen: FloatArray, waves: Sequence[Basis]) -> FloatArray:
        """Evidence (hypotheses, patches) of the `chosen` waves (any number, 2) together with each of the others, all of
        the same share: what the block of the chosen ones says is worked out once."""
        given = self.basis(chosen)
        parts = []
        for (_, whitened), one, many in zip(self._parts, given, waves, strict=True):
            with_waves, alone = [], []
            for k, (_, measured, without) in enumerate(whitened):
                fixed = one.columns[k].reshape(2 * len(chosen), len(measured))  # (2 chosen, values)
                fixed_right = one.right[k].reshape(2 * len(chosen), measured.shape[1])
                gram = (fixed @ fixed.T).astype(np.float64)
                across = (many.columns[k] @ fixed.T).astype(np.float64)  # (hypotheses, 2, 2 chosen)
                alone.append(without)
                for strength in _STRENGTHS:
                    share = strength / (len(chosen) + 1)
                    inner = np.eye(len(gram)) + share * gram
                    inverse = np.linalg.inv(inner)
                    solved = inverse @ fixed_right
                    rest = np.eye(2) + share * (many.products[k] - share * across @ inverse @ across.transpose(0, 2, 1))
                    right = many.right[k] - share * across @ solved
                    gain = (fixed_right * solved).sum(axis=0) + (right * (np.linalg.inv(rest) @ right)).sum(axis=1)
                    size = np.linalg.slogdet(inner)[1] + np.linalg.slogdet(rest)[1][:, None]
                    with_waves.append(without + 0.5 * share * gain - 0.5 * size)
            parts.append(_mean(with_waves) - _mean(alone))
        return np.concatenate(parts, axis=1)

    def _of_part(self, part: tuple, waves: Sequence[FloatArray], shares: Sequence[float]) -> FloatArray:
        patches, whitened = part
        sizes = np.sqrt(np.array(shares) / sum(shares))
        columns = _columns(patches, np.stack(waves, axis=1), sizes)
        with_waves, alone = [], []
        for inverse, measured, without in whitened:
            hypotheses, count, values = columns.shape
            basis = (columns.reshape(-1, values) @ inverse.T).reshape(columns.shape)
            gram = np.ascontiguousarray((basis @ basis.transpose(0, 2, 1)).transpose(1, 2, 0))
            right = (basis.reshape(-1, values) @ measured).reshape(hypotheses, count, -1)
            right = np.ascontiguousarray(right.transpose(1, 2, 0))
            alone.append(without)
            with_waves += [without + _gain(strength, gram, right).T for strength in _STRENGTHS]
        found: FloatArray = _mean(with_waves) - _mean(alone)
        return found


def _gain(strength: float, gram: NDArray[np.float32], right: NDArray[np.float32]) -> FloatArray:
    """strength / 2 r' (1 + strength G)^-1 r - log det(1 + strength G) / 2, shape (patches, hypotheses).

    For products G (n, n, hypotheses) of the columns and r (n, patches, hypotheses) with what was measured: elimination
    of all hypotheses at once, which are many, while the matrices are small.
    """
    inner, right = strength * gram, np.array(right)
    inner[np.arange(len(inner)), np.arange(len(inner))] += 1
    gain = np.zeros(right.shape[1:], dtype=np.float64)
    size = np.zeros(right.shape[2], dtype=np.float64)
    for k, pivots in enumerate(inner):
        pivot = pivots[k]
        gain += right[k] ** 2 / pivot
        size += np.log(pivot)
        factors = inner[k + 1 :, k] / pivot
        inner[k + 1 :, k + 1 :] -= factors[:, None] * pivots[k + 1 :]
        right[k + 1 :] -= factors[:, None] * right[k]
    result: FloatArray = 0.5 * strength * gain - 0.5 * size
    return result


def looks_like(x: FloatArray, y: FloatArray, gaps: FloatArray) -> FloatArray:
    """The lowest frequencies (cycles a pixel) that lines with these gaps (x, y; px) cannot tell from those of waves."""
    folded = (((f * gap + 0.5) % 1 - 0.5) / gap for f, gap in zip((x, y), gaps, strict=True))
    return np.asarray(np.hypot(*folded))


def _seen(waves: FloatArray) -> BoolArray:
    """Whether pixels see the waves (..., 2)."""
    seen: BoolArray = np.abs(waves).max(axis=-1) < BEYOND
    return seen


def _columns(patches: Patches, waves: FloatArray, sizes: FloatArray) -> NDArray[np.float32]:
    """Cosines and sines (hypotheses, 2 for each wave, values) of sets of waves (hypotheses, waves, 2), `sizes` high."""
    heights = (sizes * _seen(waves)).astype(np.float32)
    (cosine_x, sine_x), (cosine_y, sine_y) = (
        [turn((2 * np.pi * frequency[..., None] * at).astype(np.float32)) for turn in (np.cos, np.sin)]
        for at, frequency in ((patches.x, waves[..., 0]), (patches.y, waves[..., 1]))
    )
    cosine_y, sine_y = (heights[..., None] * part for part in (cosine_y, sine_y))
    shape = (*waves.shape[:2], 2, len(patches.y), len(patches.x))
    result = np.empty(shape, dtype=np.float32)
    part = np.empty((*shape[:2], *shape[3:]), dtype=np.float32)
    for k, (first, second) in enumerate(((cosine_x, sine_x), (sine_x, -cosine_x))):
        np.multiply(cosine_y[..., None], first[..., None, :], out=result[:, :, k])
        np.multiply(sine_y[..., None], second[..., None, :], out=part)
        result[:, :, k] -= part
    return result.reshape(shape[0], 2 * shape[1], shape[3] * shape[4])


def _mean(logarithms: Sequence[FloatArray]) -> FloatArray:
    """The logarithm of the mean of what has these logarithms."""
    if len(logarithms) == 1:
        return logarithms[0]
    largest = np.maximum.reduce(logarithms)  # np.logaddexp takes five times as long
    return np.asarray(largest + np.log(sum(np.exp(one - largest) for one in logarithms) / len(logarithms)))
