"""Which dimers of a (001) terrace are missing, bare, dihydride or have a dangling bond."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stmviewer.scan.geometry import FloatArray
from stmviewer.simulate.surfaces.dimers import DimerLattice

Indices = NDArray[np.int64]
Pair = tuple[Indices, Indices]

#: share of the dimers of a vacancy line that are indeed missing, and of rows at which the line shifts by one dimer
_LINE_FILLED = 0.85
_LINE_KINKS = 0.4


def keys(i: Indices, j: Indices) -> Indices:
    """One number for each pair of indices."""
    return i * 1_000_003 + j


def without(pair: Pair, others: Pair) -> NDArray[np.bool_]:
    """Which of `pair` are not among `others`."""
    result: NDArray[np.bool_] = ~np.isin(keys(*pair), keys(*others))
    return result


def missing_runs(i: Indices, j: Indices, share: float, mean_run: float, rng: np.random.Generator) -> Pair:
    """`share` of the dimers (i, j), in runs of `mean_run` dimers (geometric).

    Missing dimers attract each other: most runs go along a row, some across (the start of a vacancy line).
    """
    runs = rng.choice(len(i), rng.binomial(len(i), min(share / mean_run, 1)), replace=False)
    length = rng.geometric(1 / mean_run, len(runs))
    step = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    across = np.repeat(rng.random(len(runs)) < 0.3, length)
    first_i, first_j = np.repeat(i[runs], length), np.repeat(j[runs], length)
    missing = np.unique(np.stack([first_i + step * across, first_j + step * ~across]), axis=1)
    return missing[0], missing[1]


def vacancy_lines(i: Indices, j: Indices, spacing: float, rng: np.random.Generator) -> Pair:
    """Those of the dimers (i, j) that lie on dimer-vacancy lines: across the rows, `spacing` dimers apart on average.

    Strain and impurities order missing dimers into such lines (2xn; Chen, Wu, Zhang and Lagally, Phys. Rev. Lett. 73,
    850 (1994)). A line wanders by one dimer at some of the rows, and some of its dimers are there after all.
    """
    if not i.size:
        return i, j
    rows = np.arange(i.min(), i.max() + 1)
    # lines that begin outside may wander in
    outside = 3 * int(np.sqrt(_LINE_KINKS * len(rows)))
    low, high = int(j.min()) - outside, int(j.max()) + outside
    count = max(round((high - low + 1) / max(spacing, 1)), 1)
    start = low + (np.arange(count) + rng.random() + rng.normal(0, 0.12, count)) * (high - low + 1) / count
    walk = rng.choice((-1, 0, 1), (count, len(rows)), p=(_LINE_KINKS / 2, 1 - _LINE_KINKS, _LINE_KINKS / 2))
    at_j = np.rint(start[:, None] + np.cumsum(walk, axis=1)).astype(np.int64)
    at_i = np.broadcast_to(rows, at_j.shape)
    filled = rng.random(at_j.shape) < _LINE_FILLED
    on_line = np.isin(keys(i, j), keys(at_i[filled], at_j[filled]))
    return i[on_line], j[on_line]


@dataclass(frozen=True)
class Patches:
    """Rectangles on the surface: centres (pixels), directions (radians), half lengths and half widths (pixels)."""

    x: FloatArray
    y: FloatArray
    angle: FloatArray
    half_length: FloatArray
    half_width: FloatArray

    @classmethod
    def random(
        cls,
        rows: int,
        columns: int,
        pixel_m: float,
        count: int,
        *,
        angle: float,
        length_m: float,
        width_m: float,
        rng: np.random.Generator,
    ) -> "Patches":
        """`count` patches with their centres in the field, along `angle` or across it, about `length_m` x `width_m`."""
        return cls(
            rng.uniform(0, columns, count),
            rng.uniform(0, rows, count),
            angle + rng.integers(0, 2, count) * np.pi / 2,
            length_m * rng.uniform(0.7, 1.3, count) / (2 * pixel_m),
            width_m * rng.uniform(0.7, 1.3, count) / (2 * pixel_m),
        )

    def contain(self, x: FloatArray, y: FloatArray) -> NDArray[np.bool_]:
        """Whether the points at columns `x` and rows `y` lie in any of them."""
        inside = np.zeros(np.broadcast_shapes(np.shape(x), np.shape(y)), dtype=bool)
        for k in range(len(self.x)):
            right, down = x - self.x[k], y - self.y[k]
            along = right * np.cos(self.angle[k]) + down * np.sin(self.angle[k])
            across = down * np.cos(self.angle[k]) - right * np.sin(self.angle[k])
            inside |= (np.abs(along) < self.half_length[k]) & (np.abs(across) < self.half_width[k])
        return inside

    def dimers(self, lattice: DimerLattice, i: Indices, j: Indices) -> Pair:
        """Those of the dimers (i, j) whose centres lie in a patch."""
        inside = self.contain(*lattice.place(i, j))
        return i[inside], j[inside]


def table_lookup(i: Indices, j: Indices, chosen: Pair) -> NDArray[np.bool_]:
    """Whether each (i, j) (any shape) is among the `chosen` pairs."""
    low_i, low_j = int(i.min()), int(j.min())
    table = np.zeros((int(i.max()) - low_i + 1, int(j.max()) - low_j + 1), dtype=bool)
    row, column = chosen[0] - low_i, chosen[1] - low_j
    there = (row >= 0) & (row < table.shape[0]) & (column >= 0) & (column < table.shape[1])
    table[row[there], column[there]] = True
    result: NDArray[np.bool_] = table[i - low_i, j - low_j]
    return result
