"""What a sparse scan measured, as an array: every row and column in which anything was."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stmviewer.restore.case import Case
from stmviewer.restore.filling import kind_of_mask, separable
from stmviewer.scan import FloatArray
from stmviewer.scan.levelling import find_plane

#: lines may be missing up to this part of those that are there; with more than that part, they are random ones
_MISSING, _MOST_MISSING = 0.15, 0.6
#: waves of the missing ones, down to these parts of the strongest (amplitude)
_PARTS = np.geomspace(0.5, 0.03, 12)


@dataclass(frozen=True)
class Seen:
    """Measured values (rows, columns) less their plane, 0 where nothing was measured, and the row and column indices
    (whole or not) that they lie at. `known` is 1 where something was measured; None where it was everywhere."""

    values: FloatArray
    rows: FloatArray
    columns: FloatArray
    known: NDArray[np.float32] | None = None

    @property
    def gaps(self) -> FloatArray:
        """From one column and one row to the next (x, y), pixels: the period of aliases."""
        return np.array([np.median(np.diff(self.columns)), np.median(np.diff(self.rows))])

    @property
    def extent(self) -> FloatArray:
        """Of what was measured (x, y), pixels."""
        return np.array([np.ptp(self.columns), np.ptp(self.rows)]) + self.gaps

    def evenly(self) -> "Seen":
        """The same, all lines a gap apart: the single ones that are missing (a bad one, a scar) put in between."""
        rows, columns = _steps(self.rows, float(self.gaps[1])), _steps(self.columns, float(self.gaps[0]))
        if self.known is not None or (rows[-1] + 1, columns[-1] + 1) == self.values.shape:
            return self
        all_rows, all_columns = (
            np.interp(np.arange(steps[-1] + 1), steps, at) for steps, at in ((rows, self.rows), (columns, self.columns))
        )
        return Seen(_strongest_waves(self.values, rows, columns), all_rows, all_columns)

    def middle(self, side: int) -> "Seen":
        """What lies within the middle, `side` pixels wide and high."""
        rows, columns = (
            np.nonzero(np.abs(at - (at[0] + at[-1]) / 2) <= side / 2)[0] for at in (self.rows, self.columns)
        )
        part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        known = None if self.known is None else self.known[part]
        return Seen(self.values[part], self.rows[part[0]], self.columns[part[1]], known)

    @property
    def carried(self) -> FloatArray:
        """Frequencies (x, y; cycles a pixel) up to which the gaps carry waves."""
        if self.known is None:
            return 0.5 / self.gaps
        return np.full(2, 0.5 * np.sqrt(self.known.mean()))

    @property
    def count(self) -> int:
        """How many values there are."""
        return self.values.size if self.known is None else int(self.known.sum())


def _steps(at: FloatArray, gap: float) -> NDArray[np.intp]:
    """Which of lines a gap apart those `at` these indices are; their numbers where they lie in no such order."""
    steps = (at - at[0]) / gap
    whole = np.rint(steps)
    missing = whole[-1] + 1 - len(at)
    if not 0 < missing <= _MISSING * len(at) or np.abs(steps - whole).max() > 0.01:
        return np.arange(len(at))
    return whole.astype(np.intp)


def _in_steps(at: NDArray[np.intp]) -> bool:
    """Whether lines are one gap apart but for some that are missing: those of random distances have no aliases."""
    steps = (at - at[0]) / float(np.median(np.diff(at))) if len(at) > 1 else np.zeros(1)
    few = steps[-1] + 1 - len(at) <= _MOST_MISSING * len(at)
    return bool(few and np.abs(steps - np.rint(steps)).max() <= 0.01)


def _strongest_waves(values: FloatArray, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> FloatArray:
    """Values at these steps, and in between what their strongest waves say, more and more of these (Papoulis and
    Gerchberg, IEEE Trans. Circuits Syst. 22, 735, 1975, with a threshold in place of a band)."""
    inside = np.ix_(rows, columns)
    result = np.zeros((int(rows[-1]) + 1, int(columns[-1]) + 1))
    result[inside] = values
    for part in _PARTS:
        spectrum = np.fft.rfft2(result)
        size = np.abs(spectrum)
        spectrum[size < part * size.max()] = 0.0
        result = np.fft.irfft2(spectrum, result.shape)
        result[inside] = values
    return result


def measured(case: Case) -> Seen | None:
    """What `case` measured; None where that is hardly anything, or nearly all of it, or in no order that is known."""
    plane = find_plane(case.raw, case.mask.measured)
    if case.placement is not None and case.lines is not None:
        if not np.isfinite(case.lines).all():
            return None
        everything = np.zeros(case.raw.shape)
        plane.add_to(everything)
        values = case.lines - case.placement.at_lines(everything)
        return Seen(values, case.placement.positions, np.arange(case.lines.shape[1], dtype=np.float64))
    kind = kind_of_mask(case.mask.measured)
    if kind == "gaps":
        return None
    level = plane.taken_from(case.raw)
    axes = separable(case.mask.measured)
    if axes is not None and all(_in_steps(at) for at in axes):
        rows, columns = axes
        return Seen(level[np.ix_(rows, columns)], rows.astype(np.float64), columns.astype(np.float64))
    known = case.mask.measured.astype(np.float32)
    rows, columns = (np.arange(count, dtype=np.float64) for count in known.shape)
    return Seen(np.where(case.mask.measured, level, 0.0), rows, columns, known)
