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
from stmviewer.restore.rows.evidence import BEYOND, looks_like
from stmviewer.restore.rows.lattice import LONG, TERRACE, Rows
from stmviewer.scan import FloatArray, Progress
from stmviewer.scan.threads import in_threads, slices

#: waves of a terrace, those first that keep their place where two look alike in the lines
_TERRACE = tuple(TERRACE[k] for k in (0, 2, 1, 3, 4))
#: waves of both terraces together, as multiples of the two directions
_BOTH = ((1, 0), (0, 1), (2, 0), (0, 2))
#: waves nearer to each other than this in the lines (cycles a pixel) look alike
_ALIKE = 0.04
#: width of the Gaussian (px) for lines and for grids, what is held against amplitudes, and the step between places
_WIDTHS, _RIDGE, _STEP = {"lines": 9.0, "grid": 13.0}, 0.05, 4
#: of the measured values about a place, which are alike, this part counts for which terrace it is; and of the evidence
#: of the patches about it, which reach further, this part, up to so much
_COUNTS, _PATCHES_COUNT, _MOST_SURE = 0.6, 0.5, 30.0
#: no fit is better than this part of the variance
_BEST_FIT = 0.02
#: places are worked so many lines at a time
_STRIP = 128
#: places across of which there are so many alike are solved together
_MANY = 16


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
        result = np.zeros((len(rows), len(columns)))
        self._add(result, rows, columns, Progress())
        return result

    def _add(self, image: FloatArray, rows: FloatArray, columns: FloatArray, progress: Progress) -> None:
        size = float(np.abs(self.amplitudes).max()) or 1.0
        turned = _turned(self.waves, self.across, columns)

        def work(some: slice) -> None:
            progress.check()
            image[some] += size * (turned @ self._along(rows[some], size)).T

        in_threads(work, slices(len(rows), _STRIP), image.size)

    def _along(self, rows: FloatArray, size: float) -> NDArray[np.float32]:
        """Amplitudes of cosine and sine between the places of those rows, in parts of `size`, the phase down the image
        in them: (2 for each wave and place across, rows)."""
        low, _ = _place(self.down, rows)
        near = slice(low.min(initial=0), low.max(initial=0) + 2)  # they are few of all places
        parts = []
        for k, (_, y) in enumerate(self.waves):
            cosine, sine = self.amplitudes[2 * k : 2 * k + 2, near] / size
            between = _between(cosine - 1j * sine, self.down[near], rows)
            between *= np.exp(2j * np.pi * y * rows).astype(np.complex64)[:, None]
            parts += [between.real.T, -between.imag.T]
        return np.ascontiguousarray(np.concatenate(parts), dtype=np.float32)

    def left_out(self, case: Case, progress: Progress) -> Case:
        """The case with the waves taken from what was measured. Raises Cancelled when the user stops it."""
        columns = np.arange(case.raw.shape[1], dtype=np.float64)
        if case.placement is not None and case.lines is not None:
            lines = np.zeros(case.lines.shape)
            self._add(lines, case.placement.positions, columns, progress)
            np.subtract(case.lines, lines, out=lines)
            return replace(case, raw=case.placement.spread(lines), lines=lines)
        raw = np.array(case.raw)
        at = np.nonzero(case.mask.measured.any(axis=1))[0]
        waves = np.zeros((len(at), len(columns)))
        self._add(waves, at.astype(np.float64), columns, progress)
        raw[at] -= waves
        return replace(case, raw=raw)

    def add_to(self, image: FloatArray, progress: Progress) -> None:
        """Adds the waves to an image of the whole case, in place: large scans fit into memory few times. Raises
        Cancelled when the user stops it."""
        rows, columns = (np.arange(count, dtype=np.float64) for count in image.shape)
        self._add(image, rows, columns, progress)


def fit(rows: Rows, case: Case, progress: Progress) -> RowWaves | None:
    """The amplitudes of known rows from what `case` measured; None where its mask is neither of lines nor a grid, or
    where every wave looks like a hill in its gaps. Raises Cancelled when the user stops it."""
    found = rows.measured(case, progress)
    if found is None:
        return None
    width = _WIDTHS[found.kind]
    down = _Axis.of(_places(case.raw.shape[0]), found.rows, width)
    across = _Axis.of(_places(case.raw.shape[1]), found.columns, width)
    if found.kind == "grid":
        terraces = [_apart([h * rows.first + k * rows.second for h, k in _BOTH], found.gaps)]
    else:
        terraces = [
            _apart([h * a + k * b for h, k in _TERRACE], found.gaps)
            for a, b in ((rows.first, rows.second), (rows.second, -rows.first))
        ]
    waves = list(dict.fromkeys(wave for terrace in terraces for wave in terrace))
    if not waves:
        return None
    amplitudes = np.zeros((2 * len(waves), len(down.places), len(across.places)), dtype=np.float32)
    size = float(found.values.std()) or 1.0
    fits = [_Fit(terrace, (found.values / size).astype(np.float32), down, across) for terrace in terraces]

    def work(strip: slice) -> None:
        progress.check()
        both = [fit_.at(strip) for fit_ in fits]
        parts = [np.ones(1)] if len(both) == 1 else _parts(both, rows, down.places[strip], across.places)
        for terrace, (solved, _, _), part in zip(terraces, both, parts, strict=True):
            for k, wave in enumerate(terrace):
                at = 2 * waves.index(wave)
                amplitudes[at, strip] += size * solved[k].real * part
                amplitudes[at + 1, strip] -= size * solved[k].imag * part

    in_threads(work, slices(len(down.places), _STRIP), case.raw.size)
    return RowWaves(tuple(waves), amplitudes, down.places, across.places)


def _apart(waves: Sequence[FloatArray], gaps: FloatArray) -> list[tuple[float, float]]:
    """Those of the waves that pixels show, that are not taken for hills, and that look like none before them."""
    kept: list[FloatArray] = []
    for wave in waves:
        others = [wave + sign * other for other in kept for sign in (1, -1)]
        alike = [float(looks_like(other[0], other[1], gaps)) for other in others]
        if (
            np.abs(wave).max() < BEYOND
            and looks_like(wave[0], wave[1], gaps) >= LONG
            and min(alike, default=1.0) >= _ALIKE
        ):
            kept.append(wave)
    # a wave and its opposite are one
    return [(float(x), float(y)) if (x, y) > (0, 0) else (-float(x), -float(y)) for x, y in kept]


def _parts(
    both: Sequence[tuple[NDArray[np.complex64], FloatArray, FloatArray]],
    rows: Rows,
    down: FloatArray,
    across: FloatArray,
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


@dataclass(frozen=True)
class _Axis:
    """Places along one axis and the measured lines (or columns) near them: their Gaussian weights (places, lines), and
    of which `kind` each place is: those of one kind have the same `offsets` (one array of pixels for each kind)."""

    places: FloatArray
    at: FloatArray
    weights: Any
    kinds: NDArray[np.intp]
    offsets: list[FloatArray]
    width: float

    @classmethod
    def of(cls, places: FloatArray, at: FloatArray, width: float) -> "_Axis":
        from scipy.sparse import csr_matrix

        begin = np.searchsorted(at, places - 3 * width)
        end = np.searchsorted(at, places + 3 * width, side="right")
        columns = np.concatenate([np.arange(a, b) for a, b in zip(begin, end, strict=True)])
        lines = np.repeat(np.arange(len(places)), end - begin)
        weights = np.exp(-0.5 * ((at[columns] - places[lines]) / width) ** 2)
        kinds: dict[tuple[float, ...], int] = {}
        offsets = [np.round(at[a:b] - place, 3) for a, b, place in zip(begin, end, places, strict=True)]
        numbers = [kinds.setdefault(tuple(offset.tolist()), len(kinds)) for offset in offsets]
        shape = (len(places), len(at))
        matrix = csr_matrix((weights.astype(np.float32), (lines, columns)), shape=shape)
        return cls(places, at, matrix, np.array(numbers, dtype=np.intp), [np.array(kind) for kind in kinds], width)

    def sums(self, frequencies: FloatArray) -> NDArray[np.complex128]:
        """Weighted sums (kinds, n, n) of exp(2 pi i (g - f) offset) for each f and g of n frequencies."""
        result = np.empty((len(self.offsets), len(frequencies), len(frequencies)), dtype=np.complex128)
        for kind, offset in enumerate(self.offsets):
            turned = np.exp(2j * np.pi * offset[:, None] * frequencies)
            weights = np.exp(-0.5 * (offset / self.width) ** 2)
            result[kind] = (turned.conj().T * weights) @ turned
        return result


class _Fit:
    """Least squares of a background and waves about any place.

    Phases count from the place, so that the normal equations are those of its kind alone: a few hundred matrices for
    any number of places. Unknown are the background and, for each wave, its amplitude and the conjugate of that.
    """

    def __init__(
        self, waves: Sequence[tuple[float, float]], values: NDArray[np.float32], down: _Axis, across: _Axis
    ) -> None:
        self._waves, self._values, self._down, self._across = waves, values, down, across
        x, y = np.array([(0.0, 0.0), *waves, *((-x, -y) for x, y in waves)]).T
        count = len(x)
        gram = down.sums(y)[:, None] * across.sums(x)[None]
        self._weights = gram[..., 0, 0].real + 1e-9
        # the power of a wave is half the square of its amplitude
        held = np.array([1e-6, *[2 * _RIDGE] * (count - 1)])
        inverse = np.linalg.inv(gram + (held * self._weights[..., None])[..., None] * np.eye(count))
        self._inverse = inverse.astype(np.complex64)

    def at(self, strip: slice) -> tuple[NDArray[np.complex64], FloatArray, FloatArray]:
        """At the places (rows of them, all across): amplitudes (waves, ...; of exp(2 pi i q r), real part taken), the
        variance that is left, and the number of values that count."""
        down, across = self._down, self._across
        weights = down.weights[strip]
        near = np.unique(weights.indices)
        values, weights = self._values[near], weights[:, near]

        def total(image: Any) -> Any:
            return _weighted(weights, _weighted(across.weights, image.T).T)

        sides = [total(values).astype(np.complex64)]
        turns = []
        for x, y in self._waves:
            sides.append(total(values * _outer(-y, down.at[near], -x, across.at)))
            turns.append(_outer(y, down.places[strip], x, across.places))
            sides[-1] *= turns[-1]
        right = np.stack([*sides, *(side.conj() for side in sides[1:])], axis=-1)
        kinds = down.kinds[strip]
        solved = self._solved(right, kinds)
        weight = np.asarray(self._weights[np.ix_(kinds, across.kinds)])
        mean = right[..., 0].real ** 2 / weight
        variance = total(values**2) - mean
        explained = (solved * right.conj()).sum(axis=-1).real - mean
        rest: FloatArray = np.maximum(variance - explained, _BEST_FIT * variance) + 1e-30
        amplitudes = np.array([2 * solved[..., k + 1] / turn for k, turn in enumerate(turns)], dtype=np.complex64)
        return amplitudes, rest, weight

    def _solved(self, right: NDArray[np.complex64], kinds: NDArray[np.intp]) -> NDArray[np.complex64]:
        """What the normal equations of those kinds of rows give for the right sides (rows, places across, unknowns)."""
        solved = np.empty_like(right)
        across = self._across.kinds
        many = np.bincount(across) >= _MANY
        for kind in np.nonzero(many)[0]:
            at = np.nonzero(across == kind)[0]
            solved[:, at] = right[:, at] @ self._inverse[kinds, kind].transpose(0, 2, 1)
        few = np.nonzero(~many[across])[0]
        solved[:, few] = (self._inverse[np.ix_(kinds, across[few])] @ right[:, few, :, None])[..., 0]
        return solved


def _weighted(weights: Any, image: NDArray[Any]) -> NDArray[Any]:
    """Sums of the lines of a float32 or complex64 image by a real matrix, which scipy would else make complex."""
    image = np.ascontiguousarray(image)
    result: NDArray[Any] = (weights @ image.view(np.float32)).view(image.dtype)
    return result


def _outer(y: float, rows: FloatArray, x: float, columns: FloatArray) -> NDArray[np.complex64]:
    """exp(2 pi i (x column + y row)), (rows, columns)."""
    first, second = (np.exp(2j * np.pi * f * at).astype(np.complex64) for f, at in ((y, rows), (x, columns)))
    return np.asarray(first[:, None] * second)


def _turned(waves: Sequence[tuple[float, float]], places: FloatArray, columns: FloatArray) -> Any:
    """Linear interpolation of amplitudes at `places` across to `columns`, cosine and sine of the phase across in it: a
    sparse matrix (columns, 2 for each wave and place)."""
    from scipy.sparse import csr_matrix

    low, share = _place(places, columns)
    high = np.minimum(low + 1, len(places) - 1)
    each = np.arange(len(columns))
    blocks = []
    for x, _ in waves:
        phase = 2 * np.pi * x * columns
        blocks += [np.cos(phase), np.sin(phase)]
    values = np.concatenate([part for block in blocks for part in ((1 - share) * block, share * block)])
    at = np.concatenate([k * len(places) + side for k in range(len(blocks)) for side in (low, high)])
    shape = (len(columns), len(blocks) * len(places))
    return csr_matrix((values.astype(np.float32), (np.tile(each, 2 * len(blocks)), at)), shape=shape)


def _places(count: int) -> FloatArray:
    """Every fourth index of `count`, and the last: hardly a trace of the Gaussian is lost between them."""
    return np.unique(np.append(np.arange(0, count, _STEP), count - 1)).astype(np.float64)


def _place(known: FloatArray, at: FloatArray) -> tuple[NDArray[np.intp], FloatArray]:
    """The index of the known place before each of `at`, and how far it is to the next one, 0 to 1."""
    place = np.interp(at, known, np.arange(len(known)))
    low = np.minimum(place.astype(np.intp), max(len(known) - 2, 0))
    return low, place - low


def _between(values: NDArray[np.complexfloating[Any, Any]], known: FloatArray, at: FloatArray) -> NDArray[np.complex64]:
    """Linear interpolation along axis 0."""
    low, share = _place(known, at)
    part = share.astype(np.float32)[:, None]
    result: NDArray[np.complex64] = (1 - part) * values[low] + part * values[np.minimum(low + 1, len(known) - 1)]
    return result
