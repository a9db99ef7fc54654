"""The unit cell of a known lattice, and where it lies: fitted by turns, since scanners creep and drift.

The measurement is taken for

    f(r) = b(r) + s(r) c(B r + u(r)),   c(p) = sum over orders g of Re a_g exp(2 pi i g p)

with the lattice B, one cell c for the whole scan, and background b, strength s and shift u (in cells) that change
slowly. By turns the a_g are found by least squares over the scan, and b, s and u about every place by those with a
Gaussian around it, linear in u (Lucas and Kanade, IJCAI 1981, eq. 9, with cells for images). How much is held against
short waves is chosen by what the fit to four fifths of the scan says of the last fifth.
"""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stmviewer.restore.case import Case
from stmviewer.restore.cells.overtones import overtones
from stmviewer.restore.cells.seen import Seen, measured
from stmviewer.scan import FloatArray, Progress
from stmviewer.scan.threads import in_threads, slices

#: turns of both fits
_ROUNDS = 4
#: hills so many times as wide as a cell are background; where lattices are only compared, narrower ones, too
_HILLS, _FEW_HILLS = 2.9, 1.7
#: the Gaussian that takes them away, over their width
_SMOOTH = 0.52
#: width of the Gaussian about a place in cells, or in gaps where these are wide, and places in it
_WIDTH, _IN_GAPS, _PLACES = 1.0, 2.2, 3
#: beyond these percentiles stand adsorbates and spikes
_CLIPPED = (1.0, 99.0)
#: what is held against a wave, in parts of the power it would have: one of these times (its frequency over the lowest)
#: to this power
_HELD, _STEEPNESS = np.geomspace(1e-7, 0.1, 7), 10
#: values that the cell is fitted to at most, and where it is only compared; parts that are left out by turns
_MOST_VALUES, _FEW_VALUES, _FOLDS = 24_000, 8_000, 5
#: what is held against strength and shift where little speaks for them, the largest strength, the largest step of a
#: shift, and the strength below which nothing tells one
_STRENGTH_HELD, _SHIFT_HELD, _STRONGEST, _STEP, _WEAKEST = 0.1, 0.3, 1.5, 0.15, 0.2
#: points of the cell that are tabulated along each side
_TABLE, _FINE_TABLE = 128, 256
#: rows of an image that are made at once
_STRIP = 64


@dataclass(frozen=True)
class UnitCell:
    """One cell and where it lies in a scan.

    `vectors` (2, 2; x and y in cycles a pixel) span the lattice; `orders` (n, 2) and complex `amplitudes` (n; real part
    taken) make the cell, in the unit of the scan. At the places with the row and column indices `down` and `across` it
    is shifted by `shifts` (2, places down, across; cells) and of `strength` (places down, across). `left` is the part
    of the variance of what was left out of the fit that it did not explain.
    """

    vectors: FloatArray
    orders: NDArray[np.int64]
    amplitudes: NDArray[np.complex128]
    down: FloatArray
    across: FloatArray
    shifts: FloatArray
    strength: FloatArray
    left: float

    def at(self, rows: FloatArray, columns: FloatArray) -> FloatArray:
        """The cells on the rows and columns of those indices (whole or not), in the unit of the scan."""
        result = np.zeros((len(rows), len(columns)))
        self._add(result, rows, columns, Progress())
        return result

    def left_out(self, case: Case, progress: Progress) -> Case:
        """The case with the cells taken from what was measured. Raises Cancelled when the user stops it."""
        rows, columns = (np.arange(count, dtype=np.float64) for count in case.raw.shape)
        if case.placement is not None and case.lines is not None:
            lines = np.zeros(case.lines.shape)
            self._add(lines, case.placement.positions, columns, progress)
            np.subtract(case.lines, lines, out=lines)
            return replace(case, raw=case.placement.spread(lines), lines=lines)
        cells = np.zeros(case.raw.shape)
        self._add(cells, rows, columns, progress)
        return replace(case, raw=case.raw - cells)

    def add_to(self, image: FloatArray, progress: Progress) -> None:
        """Adds the cells to an image of the whole case, in place. Raises Cancelled when the user stops it."""
        rows, columns = (np.arange(count, dtype=np.float64) for count in image.shape)
        self._add(image, rows, columns, progress)

    def _add(self, image: FloatArray, rows: FloatArray, columns: FloatArray, progress: Progress) -> None:
        (table,) = _tables(self.orders, self.amplitudes, _FINE_TABLE, slopes=False)
        down, across = _between(self.down, rows), _between(self.across, columns)

        def work(some: slice) -> None:
            progress.check()
            place = down[some]
            phases = _phases(self.vectors, rows[some], columns)
            phases += place @ self.shifts @ across.T
            image[some] += _looked_up(table, phases) * (place @ self.strength @ across.T)

        in_threads(work, slices(len(rows), _STRIP), image.size)


def fit(vectors: FloatArray, case: Case, progress: Progress) -> UnitCell | None:
    """The cell of the lattice that `vectors` (2, 2; cycles a pixel) span, from what `case` measured.

    None where too little was measured for one. Raises Cancelled when the user stops it.
    """
    seen = measured(case)
    if seen is None:
        return None
    orders, waves = overtones(vectors, seen, _HILLS)
    if len(orders) < 2 or seen.count < 4 * len(orders):
        return None
    fitting = _Fitting(vectors, orders, waves, seen, _HILLS)
    for turn in range(_ROUNDS):
        progress.check()
        fitting.find_cell(choose=turn in (0, _ROUNDS - 1))
        if turn < _ROUNDS - 1:
            progress.check()
            fitting.find_places()
    return fitting.result()


def unexplained(vectors: FloatArray, seen: Seen, lowest: float, progress: Progress) -> float:
    """How much of the variance of what was left out of the fit a lattice does not explain, after a turn or two.

    Held against its waves is what is held against those of a lattice whose `lowest` frequency (cycles a pixel) that is.
    """
    orders, waves = overtones(vectors, seen, _FEW_HILLS)
    if len(orders) < 2 or seen.count < 4 * len(orders):
        return 1.0
    fitting = _Fitting(vectors, orders, waves, seen, _FEW_HILLS, _FEW_VALUES, lowest)
    fitting.find_cell(choose=True)
    progress.check()
    fitting.find_places()
    fitting.find_cell(choose=True)
    progress.check()
    return fitting.left


class _Normal(NamedTuple):
    """Normal equations of some of the values: products (n, n) of the columns and (n) of these with the values, the sum
    of their squares, and how many they are."""

    gram: Any
    right: Any
    power: float
    values: int

    @classmethod
    def of(cls, design: NDArray[np.float32], values: NDArray[np.float32]) -> "_Normal":
        products = (design.T @ design).astype(np.float64), (design.T @ values).astype(np.float64)
        return cls(*products, float(values @ values), len(values))

    def without(self, part: "_Normal") -> "_Normal":
        return _Normal(*(own - other for own, other in zip(self, part, strict=True)))

    def solved(self, held: FloatArray) -> FloatArray:
        """Amplitudes of cosines and sines, `held` (n) against them in parts of the power of a wave."""
        from scipy.linalg import solve

        size = 1e-9 * float(np.trace(self.gram)) / len(self.gram) + 1e-300
        full = self.gram + np.diag(held * self.values / 2 + size)
        return np.asarray(solve(full, self.right, assume_a="pos", check_finite=False))

    def missed(self, other: "_Normal", held: FloatArray) -> float:
        """The square error in other values of what these say."""
        solved = self.solved(held)
        return float(other.power - 2 * solved @ other.right + solved @ other.gram @ solved)


class _Fitting:
    """Both fits by turns."""

    def __init__(
        self,
        vectors: FloatArray,
        orders: NDArray[np.int64],
        waves: FloatArray,
        seen: Seen,
        hills: float,
        most_values: int = _MOST_VALUES,
        lowest: float | None = None,
    ) -> None:
        self._vectors, self._orders, self._seen = vectors, orders, seen
        cell = float(1 / np.hypot(*vectors.T).min())
        width = max(_WIDTH * cell, _IN_GAPS * float(seen.gaps.max()), _IN_GAPS * 0.5 / float(seen.carried.min()))
        self._down, self._across = (_places(at, width) for at in (seen.rows, seen.columns))
        self._weights = [
            np.exp(-0.5 * ((places[:, None] - at) / width) ** 2)
            for places, at in ((self._down, seen.rows), (self._across, seen.columns))
        ]
        self._between = _between(self._down, seen.rows), _between(self._across, seen.columns)
        self._detail = _detail(seen, _SMOOTH * hills * cell)
        self._phases = _phases(vectors, seen.rows, seen.columns)
        shape = len(self._down), len(self._across)
        self._shifts, self._strength = np.zeros((2, *shape)), np.ones(shape)
        frequencies = np.hypot(*waves.T)
        self._steep = np.tile((frequencies / (lowest or frequencies[0])) ** _STEEPNESS, 2)
        self._held, self.left = float(_HELD[-1]), 1.0
        self._amplitudes = np.zeros(len(orders), dtype=np.complex128)
        self._sample, self._folds = self._sampled(cell, most_values)
        self._known = self._sums(np.ones(seen.values.shape))

    def _sampled(self, cell: float, most: int) -> tuple[NDArray[np.intp], list[NDArray[np.intp]]]:
        """Values that the cell is fitted to, and which of them are left out together: those of squares of a cell."""
        seen = self._seen
        rng = np.random.default_rng(0)
        every = np.arange(seen.values.size) if seen.known is None else np.nonzero(seen.known.ravel())[0]
        sample = np.sort(rng.permutation(every)[:most])
        row, column = np.divmod(sample, len(seen.columns))
        blocks = np.stack([seen.rows[row] // cell, seen.columns[column] // cell], axis=1).astype(np.int64)
        _, block = np.unique(blocks, axis=0, return_inverse=True)
        turn = rng.permutation(int(block.max()) + 1)[block.ravel()] % _FOLDS
        return sample, [np.nonzero(turn == k)[0] for k in range(_FOLDS)]

    def _moved(self) -> FloatArray:
        """Phases (2, rows, columns) in the lattice as it lies."""
        down, across = self._between
        return np.asarray(self._phases + down @ self._shifts @ across.T)

    def find_cell(self, choose: bool) -> None:
        """Least squares for the amplitudes; `choose` how much is held against short waves anew."""
        down, across = self._between
        strength = (down @ self._strength @ across.T).ravel()[self._sample]
        phases = self._moved().reshape(2, -1)[:, self._sample]
        design = _design(phases, self._orders) * strength[:, None].astype(np.float32)
        values = self._detail.ravel()[self._sample].astype(np.float32)
        parts = [_Normal.of(design[fold], values[fold]) for fold in self._folds]
        whole = _Normal(*map(sum, zip(*parts, strict=True)))
        if choose and whole.power > 0:
            errors = [sum(whole.without(part).missed(part, held * self._steep) for part in parts) for held in _HELD]
            self._held, self.left = float(_HELD[int(np.argmin(errors))]), min(errors) / whole.power
        solved = whole.solved(self._held * self._steep)
        cosines, sines = np.split(solved, 2)
        self._amplitudes = cosines - 1j * sines

    def find_places(self) -> None:
        """Background, strength and shift about each place, from the cell as it is known."""
        seen = self._seen
        moved = self._moved()
        tables = _tables(self._orders, self._amplitudes, _TABLE)
        columns = [np.ones(seen.values.shape), *(_looked_up(table, moved) for table in tables)]
        if seen.known is not None:
            columns = [column * seen.known for column in columns]
        shape = self._strength.shape
        gram, right = np.empty((*shape, 4, 4)), np.empty((*shape, 4))
        for i, one in enumerate(columns):
            right[..., i] = self._sums(one * self._detail)
            for j, other in enumerate(columns[i:], i):
                gram[..., i, j] = gram[..., j, i] = self._sums(one * other)
        share = 1.0 if seen.known is None else float(seen.known.mean())
        powers = [float(np.mean(column**2)) / share + 1e-300 for column in columns[1:]]
        held = np.array([0.0, _STRENGTH_HELD * powers[0], *(_SHIFT_HELD * power for power in powers[1:])])
        gram += self._known[..., None, None] * np.diag(held + 1e-9 * powers[0])
        found = np.linalg.solve(gram, right[..., None])[..., 0]
        self._strength = np.clip(found[..., 1], 0, _STRONGEST)
        step = found[..., 2:] / np.maximum(self._strength, 2 * _WEAKEST)[..., None]
        step = np.clip(step, -_STEP, _STEP) * (self._strength > _WEAKEST)[..., None]
        shifts = self._shifts + step.transpose(2, 0, 1)
        # where the cell is weak its neighbours tell where it would lie
        weight = self._strength + 0.02
        self._shifts = np.stack([_smooth(shift * weight) / _smooth(weight) for shift in shifts])

    def _sums(self, values: FloatArray) -> FloatArray:
        """Weighted sums about each place."""
        if self._seen.known is not None and values.min() == 1:
            values = self._seen.known.astype(np.float64)
        down, across = self._weights
        return np.asarray(down @ values @ across.T)

    def result(self) -> UnitCell:
        return UnitCell(
            self._vectors,
            self._orders,
            self._amplitudes,
            self._down,
            self._across,
            self._shifts,
            self._strength,
            self.left,
        )


def _detail(seen: Seen, width: float) -> FloatArray:
    """The values less hills of that width (px), adsorbates and spikes cut; 0 where nothing was measured."""
    from scipy.ndimage import gaussian_filter

    widths = width / seen.gaps[::-1]
    known = np.ones(seen.values.shape) if seen.known is None else seen.known.astype(np.float64)
    smooth = [gaussian_filter(a, widths, mode="constant", truncate=3.5) for a in (seen.values, known)]
    detail = seen.values - smooth[0] / (smooth[1] + 1e-12)
    low, high = np.percentile(detail[known > 0], _CLIPPED)
    return np.asarray(np.clip(detail, low, high) * known)


def _design(phases: FloatArray, orders: NDArray[np.int64]) -> NDArray[np.float32]:
    """Cosines and sines (values, 2 for each order) at phases (2, values)."""
    powers = []
    for phase, order in zip(phases, orders.T, strict=True):
        turn = np.exp(2j * np.pi * phase).astype(np.complex64)
        table = [np.ones_like(turn)]
        for _ in range(int(np.abs(order).max())):
            table.append(table[-1] * turn)
        powers.append(table)
    count = len(orders)
    result = np.empty((2 * count, phases.shape[1]), dtype=np.float32)
    for n, (h, k) in enumerate(orders):
        second = powers[1][abs(k)]
        wave = powers[0][h] * (second if k >= 0 else second.conj())
        result[n], result[count + n] = wave.real, wave.imag
    return result.T


def _tables(
    orders: NDArray[np.int64], amplitudes: NDArray[np.complex128], side: int, slopes: bool = True
) -> list[FloatArray]:
    """The cell (side, side), and with `slopes` its derivatives along both of its sides."""
    factors = [np.ones(len(orders)), *(2j * np.pi * order for order in orders.T)] if slopes else [np.ones(len(orders))]
    result = []
    for factor in factors:
        spectrum = np.zeros((side, side), dtype=np.complex128)
        np.add.at(spectrum, tuple((orders % side).T), amplitudes * factor)
        result.append(np.ascontiguousarray(np.fft.ifft2(spectrum).real) * side**2)
    return result


def _looked_up(table: FloatArray, phases: FloatArray) -> FloatArray:
    """Values of a table at phases (2, ...), linear between its points."""
    from scipy.ndimage import map_coordinates

    return np.asarray(map_coordinates(table, (phases % 1) * len(table), order=1, mode="grid-wrap"))


def _phases(vectors: FloatArray, rows: FloatArray, columns: FloatArray) -> FloatArray:
    """Phases (2, rows, columns) of both vectors, in cycles."""
    return np.stack([x * columns[None, :] + y * rows[:, None] for x, y in vectors])


def _places(at: FloatArray, width: float) -> FloatArray:
    """Places from the first to the last of `at`, several within the width of the Gaussian."""
    return np.linspace(at[0], at[-1], max(2, round(_PLACES * float(at[-1] - at[0]) / width) + 1))


def _between(places: FloatArray, at: FloatArray) -> FloatArray:
    """Linear interpolation from evenly spaced `places` to `at`, the outermost beyond them: a matrix (at, places)."""
    where = np.interp(at, places, np.arange(len(places)))
    low = np.minimum(where.astype(np.intp), len(places) - 2)
    result = np.zeros((len(at), len(places)))
    each = np.arange(len(at))
    result[each, low] = 1 - (where - low)
    result[each, low + 1] = where - low
    return result


def _smooth(values: FloatArray) -> FloatArray:
    """As wide as the Gaussian about a place."""
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(values, _PLACES, mode="nearest"))
