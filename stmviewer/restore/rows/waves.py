"""The waves of known dimer rows: their amplitudes from place to place, and the image that they make.

With the lattice known, the measurement f is taken for

    f(r) = b(r) + sum over q of  Re a_q(r) exp(2 pi i q r)

with a background b and amplitudes a_q that change slowly from place to place: weighted least squares with a Gaussian
around each place (local regression: Fan and Gijbels, 1996, with waves for polynomials; in electron microscopy the angle
of a_q is the geometric phase: Hytch, Snoeck, Kilaas, Ultramicroscopy 74, 131, 1998, section 2). Lines tell the terraces
apart by their dimers, so that each place gets the waves of the terrace that explains it. In a grid of pixels these are
often aliases of the other terrace's overtones: there the waves of both are fitted together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stmviewer.restore.case import Case
from stmviewer.restore.rows.evidence import BEYOND
from stmviewer.restore.rows.lattice import LONG, TERRACE, Rows, looks_like
from stmviewer.restore.rows.measured import measured
from stmviewer.scan import FloatArray

#: waves of a terrace, those first that keep their place where two look alike in the lines
_TERRACE = tuple(TERRACE[k] for k in (0, 2, 1, 3, 4))
#: waves of both terraces together, as multiples of the two directions
_BOTH = ((1, 0), (0, 1), (2, 0), (0, 2))
#: waves nearer to each other than this in the lines (cycles a pixel) look alike
_ALIKE = 0.04
#: width of the Gaussian (px) for lines and for grids, what is held against amplitudes, and the step between places
_WIDTHS, _RIDGE, _STEP = {"lines": 9.0, "grid": 13.0}, 0.05, 3
#: of the measured values about a place, which are alike, this part counts for which terrace it is; and of the evidence
#: of the patches about it, which reach further, this part, up to so much
_COUNTS, _PATCHES_COUNT, _MOST_SURE = 0.6, 0.5, 30.0
#: no fit is better than this part of the variance
_BEST_FIT = 0.02
#: places are worked so many lines at a time
_STRIP = 32


@dataclass(frozen=True)
class RowWaves:
    """The rows of one scan as an image.

    `amplitudes` (2 for each of the `waves`, places down, places across) of cosine and sine, in the unit of the scan, at
    the row and column indices `down` and `across`.
    """

    waves: tuple[tuple[float, float], ...]
    amplitudes: NDArray[np.float32]
    down: FloatArray
    across: FloatArray

    def at(self, rows: FloatArray, columns: FloatArray) -> FloatArray:
        """The waves on the rows and columns of those indices (whole or not), in the unit of the scan."""
        result = np.empty((len(rows), len(columns)))
        for begin in range(0, len(rows), _STRIP):
            part = rows[begin : begin + _STRIP]
            total = np.zeros((len(part), len(columns)))
            for k, (x, y) in enumerate(self.waves):
                phase = 2 * np.pi * (y * part[:, None] + x * columns[None, :])
                for amplitude, wave in zip(self.amplitudes[2 * k : 2 * k + 2], (np.cos, np.sin), strict=True):
                    total += _between(_between(amplitude, self.down, part).T, self.across, columns).T * wave(phase)
            result[begin : begin + _STRIP] = total
        return result

    def left_out(self, case: Case) -> Case:
        """The case with the waves taken from what was measured."""
        columns = np.arange(case.raw.shape[1], dtype=np.float64)
        if case.placement is not None and case.lines is not None:
            lines = case.lines - self.at(case.placement.positions, columns)
            return replace(case, raw=case.placement.spread(lines), lines=lines)
        raw = np.array(case.raw)
        at = np.nonzero(case.mask.measured.any(axis=1))[0]
        raw[at] -= self.at(at.astype(np.float64), columns)
        return replace(case, raw=raw)

    def add_to(self, image: FloatArray) -> None:
        """Adds the waves to an image of the whole case, in place: large scans fit into memory few times."""
        columns = np.arange(image.shape[1], dtype=np.float64)
        for begin in range(0, len(image), _STRIP):
            rows = np.arange(begin, min(begin + _STRIP, len(image)), dtype=np.float64)
            image[begin : begin + _STRIP] += self.at(rows, columns)


@dataclass(frozen=True)
class _Samples:
    """Measured values (lines, columns) less their background, where they lie, and the width of the Gaussian (px)."""

    values: FloatArray
    rows: FloatArray
    columns: FloatArray
    width: float

    def near(self, begin: float, end: float) -> "_Samples":
        inside = (self.rows >= begin - 3 * self.width) & (self.rows <= end + 3 * self.width)
        return _Samples(self.values[inside], self.rows[inside], self.columns, self.width)


def fit(rows: Rows, case: Case) -> RowWaves | None:
    """The amplitudes of known rows from what `case` measured; None where its mask is neither of lines nor a grid."""
    found = measured(case)
    if found is None:
        return None
    samples = _Samples(found.values, found.rows, found.columns, _WIDTHS[found.kind])
    down, across = (_places(n) for n in case.raw.shape)
    if found.kind == "grid":
        terraces = [_apart([h * rows.first + k * rows.second for h, k in _BOTH], found.gaps)]
    else:
        terraces = [
            _apart([h * a + k * b for h, k in _TERRACE], found.gaps)
            for a, b in ((rows.first, rows.second), (rows.second, -rows.first))
        ]
    waves = list(dict.fromkeys(wave for terrace in terraces for wave in terrace))
    amplitudes = np.zeros((2 * len(waves), len(down), len(across)), dtype=np.float32)
    sideways = _weights(across, found.columns, samples.width)
    for begin in range(0, len(down), _STRIP):
        strip = np.s_[begin : begin + _STRIP]
        near = samples.near(down[strip][0], down[strip][-1])
        both = [_amplitudes(terrace, near, down[strip], sideways) for terrace in terraces]
        parts = [np.ones(1)] if len(both) == 1 else _parts(both, rows, down[strip], across)
        for terrace, (solved, _, _), part in zip(terraces, both, parts, strict=True):
            for k, wave in enumerate(terrace):
                at = 2 * waves.index(wave)
                amplitudes[at : at + 2, strip] += np.moveaxis(solved[..., 2 * k : 2 * k + 2], -1, 0) * part
    return RowWaves(tuple(waves), amplitudes, down, across)


def _apart(waves: Sequence[FloatArray], gaps: FloatArray) -> list[tuple[float, float]]:
    """Those of the waves that pixels show, that are not taken for hills, and that look like none before them."""
    kept: list[FloatArray] = []
    for wave in waves:
        alike = [min(looks_like(wave - other, gaps), looks_like(wave + other, gaps)) for other in kept]
        if np.abs(wave).max() < BEYOND and looks_like(wave, gaps) >= LONG and min(alike, default=1.0) >= _ALIKE:
            kept.append(wave)
    return [(float(x), float(y)) for x, y in kept]


def _parts(
    both: Sequence[tuple[FloatArray, FloatArray, FloatArray]], rows: Rows, down: FloatArray, across: FloatArray
) -> list[FloatArray]:
    """How much each place is of either terrace: from how well they fit there, and from the patches around."""
    (_, first, weight), (_, second, _) = both
    ahead = _COUNTS * weight / 2 * (np.log(second) - np.log(first))
    patches = np.clip(rows.evidence[0] - rows.evidence[1], -_MOST_SURE, _MOST_SURE)
    y, x = (
        np.exp(-0.5 * ((at[:, None] - c) / (rows.side / 2)) ** 2)
        for at, c in zip((down, across), rows.centres, strict=True)
    )
    around = (y * patches) @ x.T / (y @ x.T + 1e-12)
    part = 1 / (1 + np.exp(-np.clip(ahead + _PATCHES_COUNT * around, -50, 50)))
    return [part, 1 - part]


def _amplitudes(
    waves: Sequence[tuple[float, float]], samples: _Samples, places: FloatArray, sideways: Any
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """By least squares at all places (down, across): amplitudes of cosines and sines (…, 2 waves), the variance that
    is left, and the number of values that count there."""
    functions = [np.ones_like(samples.values)]
    for x, y in waves:
        phase = 2 * np.pi * (y * samples.rows[:, None] + x * samples.columns[None, :])
        functions += [np.cos(phase), np.sin(phase)]
    downwards = _weights(places, samples.rows, samples.width)

    def mean(image: FloatArray) -> FloatArray:
        return np.asarray((sideways @ (downwards @ image).T).T)

    count = len(functions)
    right = np.stack([mean(function * samples.values) for function in functions], axis=-1)
    left = np.empty((*right.shape, count))
    for i in range(count):
        for j in range(i, count):
            left[..., i, j] = left[..., j, i] = mean(functions[i] * functions[j])
    weight = left[..., 0, 0] + 1e-9
    for i in range(count):
        left[..., i, i] += (_RIDGE if i else 1e-6) * weight
    solved = np.linalg.solve(left, right[..., None])[..., 0]
    variance = mean(samples.values**2) - right[..., 0] ** 2 / weight
    explained = (solved * right).sum(axis=-1) - right[..., 0] ** 2 / weight
    rest: FloatArray = np.maximum(variance - explained, _BEST_FIT * variance) + 1e-300
    return np.asarray(solved[..., 1:]), rest, np.asarray(weight)


def _places(count: int) -> FloatArray:
    """Every third index of `count`, and the last."""
    return np.unique(np.append(np.arange(0, count, _STEP), count - 1)).astype(np.float64)


def _weights(places: FloatArray, at: FloatArray, width: float) -> Any:
    """A sparse matrix (places, at) of Gaussian weights."""
    from scipy.sparse import csr_matrix

    begin = np.searchsorted(at, places - 3 * width)
    end = np.searchsorted(at, places + 3 * width, side="right")
    columns = np.concatenate([np.arange(a, b) for a, b in zip(begin, end, strict=True)])
    lines = np.repeat(np.arange(len(places)), end - begin)
    weights = np.exp(-0.5 * ((at[columns] - places[lines]) / width) ** 2)
    return csr_matrix((weights, (lines, columns)), shape=(len(places), len(at)))


def _between(values: FloatArray, known: FloatArray, at: FloatArray) -> FloatArray:
    """Linear interpolation along axis 0."""
    place = np.interp(at, known, np.arange(len(known)))
    low = np.minimum(place.astype(int), max(len(known) - 2, 0))
    share = (place - low)[:, None]
    result: FloatArray = (1 - share) * values[low] + share * values[np.minimum(low + 1, len(known) - 1)]
    return result
