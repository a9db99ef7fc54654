"""What a sparse scan measured, as an array: every row and column in which anything was."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stmviewer.restore.case import Case
from stmviewer.restore.filling import kind_of_mask, separable
from stmviewer.scan import FloatArray
from stmviewer.scan.levelling import find_plane


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
        return np.array([len(self.columns), len(self.rows)]) * self.gaps

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
    if axes is not None:
        rows, columns = axes
        return Seen(level[np.ix_(rows, columns)], rows.astype(np.float64), columns.astype(np.float64))
    known = case.mask.measured.astype(np.float32)
    rows, columns = (np.arange(count, dtype=np.float64) for count in known.shape)
    return Seen(np.where(case.mask.measured, level, 0.0), rows, columns, known)
