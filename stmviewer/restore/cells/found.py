"""The lattice that a sparse scan shows by its long waves, whose cells are then followed through the gaps."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stmviewer.restore.case import Case
from stmviewer.restore.cells.fit import UnitCell, fit, unexplained
from stmviewer.restore.cells.index import Indexed, index, lookalikes
from stmviewer.restore.cells.peaks import Peaks, peaks_of
from stmviewer.restore.cells.seen import Seen, measured
from stmviewer.scan import FloatArray, Geometry, Progress

#: scans of so many pixels a side and measured lines at least, and so many pixels at most, are looked at: drift bends
#: the lattice of larger ones too far
_LEAST_SIDE, _LEAST_LINES, _MOST_PIXELS = 32, 8, 1_200_000
#: the lattice is looked for in the middles of so many pixels a side: steps and drift spoil the spectrum of a large one
_MIDDLES = (512, 256)
#: evidence (natural logarithms) from which a lattice is followed, and the fewest of its peaks
_SURE, _LEAST_PEAKS = 30.0, 6
#: c(4 x 2), the largest cell of Si(001), has 1.2 nm2
_LARGE_M2 = 2e-18
#: so many of its lookalikes are tried, and it must explain so much more than the best of them, or leave so much less
_LOOKALIKES, _AHEAD, _LESS = 6, 1.1, 0.75
#: cells this many gaps wide are drawn finely by the measurement itself
_WIDE = 14.0
#: a cell that leaves more than this of what it was not fitted to explains too little; one stronger than this in the
#: mean, though something is held against strength, is too weak by itself: it is none of this lattice
_LEFT, _STRONGEST = 0.87, 1.0


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

    @property
    def is_large(self) -> bool:
        """Whether the cell is larger than any of Si(001), so that what looks like dimer rows is an overtone of it."""
        g = self.geometry
        area = g.pixel_width * g.pixel_height / abs(float(np.linalg.det(self.vectors)))
        return g.calibrated and area > _LARGE_M2

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
    middle, peaks, lattices = _indexed(seen, progress)
    if not lattices or lattices[0].evidence < _SURE or lattices[0].explained < _LEAST_PEAKS:
        return None
    found = lattices[0]
    vectors = _ahead_of_lookalikes(lattices, peaks, middle, progress)
    if vectors is None or _fine(vectors, seen):
        return None
    cell = fit(vectors, case, progress)
    if cell is None or cell.left > _LEFT or cell.strength.mean() > _STRONGEST:
        return None
    return Cells(vectors, found.evidence, found.explained, len(peaks.waves), case.geometry, (case, cell))


def _indexed(seen: Seen, progress: Progress) -> tuple[Seen, Peaks, list[Indexed]]:
    """The middle whose spectrum shows a lattice best, its peaks, and the lattices that they may be of."""
    best: tuple[Seen, Peaks, list[Indexed]] | None = None
    for side in _MIDDLES:
        middle = seen.middle(side)
        if best is not None and middle.values.shape == best[0].values.shape:
            continue
        progress.check()
        peaks = peaks_of(middle)
        progress.check()
        lattices = index(peaks, middle)
        if best is None or (lattices and (not best[2] or lattices[0].evidence > best[2][0].evidence)):
            best = middle, peaks, lattices
    assert best is not None
    return best


def _ahead_of_lookalikes(
    lattices: Sequence[Indexed], peaks: Peaks, seen: Seen, progress: Progress
) -> FloatArray | None:
    """That of the first lattice and its lookalikes in the gaps which needs the longest waves; None where another one of
    them explains as much without more of the short ones. All of them have the same peaks."""
    tried = lookalikes(lattices, peaks, seen, _LOOKALIKES)
    lowest = min(float(np.hypot(*one.T).min()) for one in tried)
    explained = np.array([1 - unexplained(one, seen, lowest, progress) for one in tried])
    others = float(explained[1:].max(initial=0.0))
    ahead = explained[0] >= _AHEAD * others or 1 - explained[0] <= _LESS * (1 - others)
    return tried[0] if explained[0] > 0 and ahead else None


def _fine(vectors: FloatArray, seen: Seen) -> bool:
    """Whether the measurement draws the cells finely by itself."""
    return bool(np.hypot(*np.linalg.inv(vectors)).min() > _WIDE * 0.5 / seen.carried.min())
