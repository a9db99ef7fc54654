"""The lattice that a sparse scan shows by its long waves, whose cells are then followed through the gaps."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stmviewer.restore.case import Case
from stmviewer.restore.cells.fit import UnitCell, fit
from stmviewer.restore.cells.index import index
from stmviewer.restore.cells.peaks import peaks_of
from stmviewer.restore.cells.seen import measured
from stmviewer.scan import FloatArray, Geometry, Progress

#: scans of so many pixels a side and measured lines at least, and so many pixels at most, are looked at: drift bends
#: the lattice of larger ones too far
_LEAST_SIDE, _LEAST_LINES, _MOST_PIXELS = 32, 8, 1_200_000
#: evidence (natural logarithms) from which a lattice is followed, and the fewest of its peaks
_SURE, _LEAST_PEAKS = 40.0, 6
#: cells this many gaps wide are drawn finely by the measurement itself
_WIDE = 14.0
#: a cell that leaves more than this of what it was not fitted to explains nothing; nor does one much stronger between
#: the squares it was fitted to than in them
_LEFT, _STRONGEST = 0.95, 1.25


@dataclass(frozen=True)
class Cells:
    """The lattice of a scan: `vectors` (2, 2; x and y in cycles a pixel) that span it, the `evidence` for it (natural
    logarithms), how many sharp `peaks` of the spectrum lie on it of how many `seen`; and the cell in that very case."""

    vectors: FloatArray
    evidence: float
    peaks: int
    seen: int
    geometry: Geometry
    fitted: tuple[Case, UnitCell] | None = field(default=None, repr=False, compare=False)

    def fit(self, case: Case, progress: Progress) -> UnitCell | None:
        """The cell as `case` shows it; None where that is too little. Raises Cancelled when the user stops it."""
        if self.fitted is not None and self.fitted[0] is case:
            return self.fitted[1]
        return fit(self.vectors, case, progress)

    def sides(self) -> tuple[float, float]:
        """Of the cell: in m where the scan has a scale, else in pixels."""
        x, y = np.linalg.inv(self.vectors)
        if self.geometry.calibrated:
            x, y = x * self.geometry.pixel_width, y * self.geometry.pixel_height
        long, short = sorted(np.hypot(x, y), reverse=True)
        return float(long), float(short)

    def facts(self) -> dict[str, Any]:
        """As provenance holds it."""
        facts: dict[str, Any] = {
            "lattice_per_px": self.vectors.tolist(),
            "evidence": round(self.evidence, 3),
            "peaks_explained": self.peaks,
            "peaks": self.seen,
            "sides_m" if self.geometry.calibrated else "sides_px": list(self.sides()),
        }
        if self.fitted is not None:
            cell = self.fitted[1]
            facts |= {"left": round(cell.left, 3), "waves": len(cell.orders)}
        return facts


def find(case: Case, progress: Progress) -> Cells | None:
    """The lattice of a sparse scan whose cells are to be followed; None where there is nothing to follow.

    That is where no lattice is clearly seen among the waves that the gaps carry, where its cells are drawn finely
    anyway, or where they explain nothing of what they were not fitted to. Raises Cancelled when the user stops it.
    """
    if case.raw.size > _MOST_PIXELS or min(case.raw.shape) < _LEAST_SIDE:
        return None
    seen = measured(case)
    if seen is None or min(seen.values.shape) < _LEAST_LINES:
        return None
    if np.ptp(seen.values) <= 1e-9 * np.ptp(case.raw[case.mask.measured]):  # nothing but a plane and rounding
        return None
    progress.check()
    peaks = peaks_of(seen)
    if len(peaks.waves) < _LEAST_PEAKS:
        return None
    progress.check()
    found = index(peaks, seen)
    if found is None or found.evidence < _SURE or found.explained < _LEAST_PEAKS:
        return None
    if float(np.hypot(*np.linalg.inv(found.vectors)).min()) > _WIDE * 0.5 / float(seen.carried.min()):
        return None
    cell = fit(found.vectors, case, progress)
    if cell is None or cell.left > _LEFT or cell.strength.mean() > _STRONGEST:
        return None
    return Cells(found.vectors, found.evidence, found.explained, len(peaks.waves), case.geometry, (case, cell))
