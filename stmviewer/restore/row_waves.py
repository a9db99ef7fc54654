"""Dimer rows of Si(001) followed through the gaps of a coarse scan, as waves of their known spacing.

Rows five pixels apart make a wave that every fourth line samples less than twice a period: interpolation, and a network
that sees its surroundings alone, then cannot tell it from its aliases, and draws both directions of the rows at once.
But the measured lines of the whole scan tell them apart: of the waves that would look alike in them few are 0.768 nm
long, rows turn by 90 degrees at monatomic steps, and overtones and the dimers along the rows have their own aliases.

So the directions q of the waves are found once for the whole scan, and the measurement f is taken for

    f(r) = b(r) + sum over q of  Re a_q(r) exp(2 pi i q r)

with a background b and amplitudes a_q that change slowly from place to place: weighted least squares with a Gaussian
around each place (local regression: Fan and Gijbels, 1996, with waves for polynomials; in electron microscopy the angle
of a_q is the geometric phase: Hytch, Snoeck, Kilaas, Ultramicroscopy 74, 131, 1998, section 2). What is left of the
measurement goes to any other method, and the waves are added to its answer.

Thresholds were chosen on coarse images of H:Si(100) of sessions that models are trained on (nine rows or more, every
second of 54), simulated Si(001):H of other seeds than the benchmark's, and other surfaces, simulated and real.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stmviewer.restore.case import Case
from stmviewer.restore.checks import Check
from stmviewer.restore.classical import ROWS
from stmviewer.restore.filling import kind_of_mask, separable
from stmviewer.restore.row_spectrum import Spectrum, background
from stmviewer.scan import FloatArray
from stmviewer.scan.corrugation import ROW_SPACING_M

#: fewer rows than this across the scan do not tell a direction from its lookalikes surely enough
_LEAST_ROWS = 8.0
#: gaps carry waves of up to half a cycle from one line to the next, interpolation well those below this
_CARRIED = 0.3
#: shorter rows (pixels) are hardly sampled along the lines
_LEAST_PERIOD = 3.0
#: spacings that are tried, in units of the known one, and how well calibrations are trusted (standard deviation)
_SPACINGS = np.exp(np.linspace(-0.07, 0.07, 15))
_CALIBRATION = 0.03
#: a wave is seen where its logarithmic height over its surroundings reaches this
_SEEN = 1.0
#: overtones of the rows, and dimers along them, as multiples of the two directions; what the two clearest count
_ORDERS = ((2, 0), (0, 2), (1, 2), (1, -2), (2, 1), (2, -1))
_ORDERS_COUNT = 0.75
#: how clear they must be to be followed themselves, how many at most, and how far from others in the lines (1/px)
_ORDER_SEEN, _MOST_ORDERS, _ALIKE = 2.5, 3, 0.03
#: how far the best direction must be ahead of those more than so many degrees away, and of nothing at all
_SURE, _APART_DEG = 2.0, 8.0
#: width of the Gaussian (px), how much is held against amplitudes, and the step between places they are found at
_WIDTH, _RIDGE, _STEP = 9.0, 0.05, 3
#: places are worked so many lines at a time
_STRIP = 32


@dataclass(frozen=True)
class Rows:
    """The dimer rows of a scan.

    `waves` are wave vectors (x, y) in cycles a pixel: across the rows the first one or two (`directions`), the clearer
    first, then overtones and dimers along the rows. `margin` is how far these directions are ahead of others (natural
    logarithms of power over its surroundings, summed).
    """

    waves: tuple[tuple[float, float], ...]
    directions: int
    margin: float

    def angles_deg(self) -> list[float]:
        """Directions of the rows themselves, from the fast axis, counter-clockwise as all that are told, 0 to 180."""
        return [float(np.degrees(np.arctan2(x, y)) % 180) for x, y in self.waves[: self.directions]]

    def facts(self) -> dict[str, Any]:
        """As provenance holds it."""
        return {
            "waves_per_px": [list(wave) for wave in self.waves],
            "angles_deg": [round(angle, 1) for angle in self.angles_deg()],
            "margin": round(self.margin, 3),
        }


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
        measured = np.nonzero(case.mask.measured.any(axis=1))[0]
        raw[measured] -= self.at(measured.astype(np.float64), columns)
        return replace(case, raw=raw)

    def add_to(self, image: FloatArray) -> None:
        """Adds the waves to an image of the whole case, in place: large scans fit into memory few times."""
        columns = np.arange(image.shape[1], dtype=np.float64)
        for begin in range(0, len(image), _STRIP):
            rows = np.arange(begin, min(begin + _STRIP, len(image)), dtype=np.float64)
            image[begin : begin + _STRIP] += self.at(rows, columns)


def row_checks(rows: Rows | None, methods: Sequence[str], networks: bool) -> list[Check]:
    """What the user should know of the rows, for an image by those methods, some of which may be networks."""
    if rows is not None and (networks or ROWS in methods):
        angles = " and ".join(f"{angle:.0f}°" for angle in rows.angles_deg())
        which = "this one" if rows.directions == 1 else "these two"
        text = (
            f"Dimer rows of Si(001) at {angles} were followed through the gaps: gaps of that width show no direction, "
            f"and in {which} what was measured has the spacing of such rows, 0.768 nm. If this is no Si(001), compare "
            "with plate, which follows nothing"
        )
        return [Check("rows", text)]
    if rows is None and ROWS in methods:
        text = "No dimer rows of Si(001) were recognised that the gaps are too wide for: this is linear interpolation"
        return [Check("rows", text, warns=True)]
    return []


def find(case: Case) -> Rows | None:
    """The dimer rows of a sparse scan whose gaps are too wide for them; None where there is nothing to follow.

    That is where the scan has no scale, its mask is neither of lines nor a grid, its gaps carry the rows anyway, fewer
    than eight rows fit into it, or no direction is clearly ahead of the others.
    """
    found = _sampled(case)
    g = case.geometry
    if found is None or not g.calibrated or g.unit != "m":
        return None
    _, rows, columns = found
    spacing = ROW_SPACING_M / np.array([g.pixel_width, g.pixel_height])  # pixels
    gaps = np.array([_gap(columns), _gap(rows)])
    if min(g.width, g.height) < _LEAST_ROWS * ROW_SPACING_M or spacing.min() < _LEAST_PERIOD:
        return None
    if (gaps / spacing).max() < _CARRIED:
        return None
    spectrum = Spectrum(case, gaps)
    if spectrum.empty:
        return None
    turn = max(0.5, np.degrees(0.35 * ROW_SPACING_M / max(g.width, g.height)))
    spacings, turns = (a.ravel() for a in np.meshgrid(_SPACINGS, np.radians(np.arange(0, 90, turn)), indexing="ij"))
    x, y = np.cos(turns) * spacings / spacing[0], np.sin(turns) * spacings / spacing[1]
    across = y * spacing[1] / spacing[0], -x * spacing[0] / spacing[1]  # turned by 90 degrees on the sample
    first, second = spectrum.seen(x, y), spectrum.seen(*across)
    orders = [spectrum.seen(h * x + k * across[0], h * y + k * across[1]) for h, k in _ORDERS]
    # without the rows themselves, what would be their overtones is something else
    further = np.minimum(np.sort(orders, axis=0)[-2:].sum(axis=0), first + second)
    score = first + second + _ORDERS_COUNT * further
    score -= (np.log(spacings) / _CALIBRATION) ** 2 / 2
    best = int(score.argmax())
    off = np.abs((turns - turns[best] + np.pi / 4) % (np.pi / 2) - np.pi / 4)
    rivals = score[off > np.radians(max(_APART_DEG, 6 * turn))]
    margin = float(score[best] - max(0.0, float(rivals.max(initial=0.0))))
    if margin < _SURE:
        return None
    pairs = [(float(x[best]), float(y[best])), (float(across[0][best]), float(across[1][best]))]
    heights = [float(first[best]), float(second[best])]
    both = [spectrum.summit(wave) for wave in pairs]
    rows_seen = [
        wave for _, wave in sorted(zip(heights, both, strict=True), reverse=True) if spectrum.one(wave) > _SEEN
    ]
    if not any(max(abs(x) * gaps[0], abs(y) * gaps[1]) > _CARRIED for x, y in rows_seen):
        return None
    kept = (*rows_seen, *_orders(both, rows_seen, spectrum))
    return Rows(kept, len(rows_seen), margin)


def _orders(
    both: Sequence[tuple[float, float]], rows_seen: Sequence[tuple[float, float]], spectrum: Spectrum
) -> list[tuple[float, float]]:
    """Overtones and dimers of the rows `both` that are clearly seen, and look like no other wave in the lines."""
    (ax, ay), (bx, by) = both
    found = [(h * ax + k * bx, h * ay + k * by) for h, k in _ORDERS]
    kept: list[tuple[float, float]] = []
    for wave in sorted(found, key=spectrum.one, reverse=True):
        apart = all(spectrum.apart(wave, other) > _ALIKE for other in (*rows_seen, *kept))
        if spectrum.one(wave) > _ORDER_SEEN and apart and len(kept) < _MOST_ORDERS:
            kept.append(wave)
    return kept


def fit(rows: Rows, case: Case) -> RowWaves | None:
    """The amplitudes of known rows from what `case` measured; None where its mask is neither of lines nor a grid."""
    found = _sampled(case)
    if found is None:
        return None
    values, at_rows, at_columns = found
    values = values - _background(case, at_rows, at_columns)
    down, across = (_places(n) for n in case.raw.shape)
    return _fitted(rows.waves, values, at_rows, at_columns, down, across)


def _fitted(
    waves: tuple[tuple[float, float], ...],
    values: FloatArray,
    at_rows: FloatArray,
    at_columns: FloatArray,
    down: FloatArray,
    across: FloatArray,
) -> RowWaves:
    """The amplitudes at the row and column indices `down` and `across` from `values` less their background."""
    amplitudes = np.empty((2 * len(waves), len(down), len(across)), dtype=np.float32)
    sideways = _weights(across, at_columns)
    for begin in range(0, len(down), _STRIP):
        places = down[begin : begin + _STRIP]
        near = (at_rows >= places[0] - 3 * _WIDTH) & (at_rows <= places[-1] + 3 * _WIDTH)
        functions = [np.ones((near.sum(), len(at_columns)))]
        for x, y in waves:
            phase = 2 * np.pi * (y * at_rows[near, None] + x * at_columns[None, :])
            functions += [np.cos(phase), np.sin(phase)]
        downwards = _weights(places, at_rows[near])

        def mean(image: FloatArray, downwards: Any = downwards) -> FloatArray:
            return np.asarray((sideways @ (downwards @ image).T).T)

        solved = _solve(functions, values[near], mean)
        amplitudes[:, begin : begin + _STRIP] = np.moveaxis(solved, -1, 0)
    return RowWaves(waves, amplitudes, down, across)


def _places(count: int) -> FloatArray:
    """Every third index of `count`, and the last."""
    return np.unique(np.append(np.arange(0, count, _STEP), count - 1)).astype(np.float64)


def _solve(waves: Sequence[FloatArray], values: FloatArray, mean: Any) -> FloatArray:
    """Amplitudes (places down, places across, waves but the first, which is the background) by least squares."""
    count = len(waves)
    right = np.stack([mean(wave * values) for wave in waves], axis=-1)
    left = np.empty((*right.shape, count))
    for i in range(count):
        for j in range(i, count):
            left[..., i, j] = left[..., j, i] = mean(waves[i] * waves[j])
    weight = left[..., 0, 0] + 1e-9
    for i in range(count):
        left[..., i, i] += (_RIDGE if i else 1e-6) * weight
    solved: FloatArray = np.linalg.solve(left, right[..., None])[..., 1:, 0]
    return solved


def _sampled(case: Case) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """Measured values (lines, columns) and the row and column indices they lie at, which need not be whole."""
    if case.placement is not None and case.lines is not None:
        if not np.isfinite(case.lines).all():
            return None
        return case.lines, case.placement.positions, np.arange(case.lines.shape[1], dtype=np.float64)
    axes = separable(case.mask.measured)
    if axes is None or kind_of_mask(case.mask.measured) not in ("lines", "grid") or min(map(len, axes)) < 2:
        return None
    return case.raw[np.ix_(*axes)], axes[0].astype(np.float64), axes[1].astype(np.float64)


def _gap(places: FloatArray) -> float:
    return float(np.median(np.diff(places)))


def _background(case: Case, at_rows: FloatArray, at_columns: FloatArray) -> FloatArray:
    smooth = background(case.guess(), case.mask.measured)
    if case.placement is not None:
        return case.placement.at_lines(smooth)
    result: FloatArray = smooth[np.ix_(at_rows.astype(int), at_columns.astype(int))]
    return result


def _weights(places: FloatArray, at: FloatArray) -> Any:
    """A sparse matrix (places, at) of Gaussian weights."""
    from scipy.sparse import csr_matrix

    begin = np.searchsorted(at, places - 3 * _WIDTH)
    end = np.searchsorted(at, places + 3 * _WIDTH, side="right")
    columns = np.concatenate([np.arange(a, b) for a, b in zip(begin, end, strict=True)])
    lines = np.repeat(np.arange(len(places)), end - begin)
    weights = np.exp(-0.5 * ((at[columns] - places[lines]) / _WIDTH) ** 2)
    return csr_matrix((weights, (lines, columns)), shape=(len(places), len(at)))


def _between(values: FloatArray, known: FloatArray, at: FloatArray) -> FloatArray:
    """Linear interpolation along axis 0."""
    place = np.interp(at, known, np.arange(len(known)))
    low = np.minimum(place.astype(int), max(len(known) - 2, 0))
    share = (place - low)[:, None]
    result: FloatArray = (1 - share) * values[low] + share * values[np.minimum(low + 1, len(known) - 1)]
    return result
