"""Hides a part of what was measured, so that a restoration can be judged on the very scan that it is for."""

from dataclasses import dataclass, replace

import numpy as np

from stmviewer.restore.case import Case
from stmviewer.restore.filling import kind_of_mask
from stmviewer.scan import BoolArray, FloatArray
from stmviewer.scan.lines import LinePlacement

#: share of scattered points that is hidden
_SHARE = 0.2
#: fewer measured lines or points than this are too few to hide any
LEAST_LINES, LEAST_POINTS = 8, 64


@dataclass(frozen=True)
class Fold:
    """A case with a part of its measurement hidden, and that part.

    kept    what a method is given
    held    a case of the hidden part alone: its `residual` of an image is the error there
    how     in words what was hidden ("every 2nd measured line")
    """

    kept: Case
    held: Case
    how: str

    def errors(self, image: FloatArray) -> FloatArray:
        """image - measurement at every hidden pixel, in the channel's unit, flat."""
        residual = self.held.residual(image)
        flat: FloatArray = residual[np.isfinite(residual)]
        return flat


def fold(case: Case, seed: int = 0) -> Fold | None:
    """Hides a part of what `case` measured; None where too little was measured to hide any.

    Lines: every second measured line. Grids: every second of their lines. Scattered points: a random fifth. Full scans
    with gaps: a copy of the gaps elsewhere.
    """
    if case.placement is not None and case.lines is not None:
        return _fold_lines_of_file(case)
    measured = case.mask.measured
    kind = kind_of_mask(measured)
    if kind in ("lines", "grid"):
        rows = np.nonzero(measured.any(axis=1))[0]
        if len(rows) < LEAST_LINES:
            return None
        hidden = np.zeros_like(measured)
        hidden[rows[1::2]] = measured[rows[1::2]]
        how = "every 2nd measured line" if kind == "lines" else "every 2nd line of the grid"
    else:
        if measured.sum() < LEAST_POINTS:
            return None
        rng = np.random.default_rng([seed, 5])
        if kind == "gaps":
            hidden, how = _moved_gaps(measured, rng), "a copy of its gaps elsewhere"
        else:
            hidden, how = measured & (rng.random(measured.shape) < _SHARE), "a random fifth of the measured points"
    if not hidden.any() or not (measured & ~hidden).any():
        return None
    return Fold(_only(case, measured & ~hidden), _only(case, hidden), how)


def _only(case: Case, measured: BoolArray) -> Case:
    raw = np.where(measured, case.raw, np.nan)
    return replace(case, raw=raw, mask=replace(case.mask, measured=measured), truth=None)


def _moved_gaps(measured: BoolArray, rng: np.random.Generator) -> BoolArray:
    """The gaps, moved around the image to where the most was measured of sixteen places tried."""
    best = np.zeros_like(measured)
    for _ in range(16):
        shift = tuple(int(rng.integers(n)) for n in measured.shape)
        hidden = measured & np.roll(~measured, shift, axis=(0, 1))
        if hidden.sum() > best.sum():
            best = hidden
    return best


def _fold_lines_of_file(case: Case) -> Fold | None:
    """Lines that lie between rows are hidden as lines, at their true positions."""
    assert case.placement is not None and case.lines is not None
    count = len(case.lines)
    if count < LEAST_LINES:
        return None
    keep = np.arange(count) % 2 == 0
    parts = []
    for chosen in (keep, ~keep):
        placement = LinePlacement(case.placement.geometry, case.placement.positions[chosen])
        lines = case.lines[chosen]
        raw = placement.spread(lines)
        mask = replace(case.mask, measured=np.isfinite(raw))
        parts.append(replace(case, raw=raw, mask=mask, truth=None, placement=placement, lines=lines))
    return Fold(parts[0], parts[1], "every 2nd measured line")
