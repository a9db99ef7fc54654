"""Sparse lines and grids with a few values missing in them: made whole for the methods, which know whole lines.

A dead pixel, a spike that was marked, or a last line that was not finished make scattered pixels of a mask of lines,
of which no method knows that they lie along lines. So short runs of missing values are interpolated along their line,
lines that miss more are left out, and in the end all that was measured is put back where it was.
"""

from dataclasses import dataclass, replace

import numpy as np

from stmviewer.restore.case import Case
from stmviewer.restore.checks import Check
from stmviewer.restore.filling import kind_of_mask, separable
from stmviewer.scan import BoolArray, FloatArray
from stmviewer.scan.lines import LinePlacement

#: up to so many pixels in a row are interpolated along a line (in a grid, one of its pixels)
_LONGEST = 6
#: with more than this part of all values missing, or of all lines left out, pixels are scattered
_MISSING, _LEFT_OUT = 0.05, 0.25
#: an end of a line is known so far from its last value (pixels)
_AT_ENDS = 2


@dataclass(frozen=True)
class WholeLines:
    """`case` is what methods are given, `filled` (rows, columns of its image) where values were interpolated in it,
    `left_out` how many of the measured lines are no part of it."""

    case: Case
    filled: BoolArray | None = None
    left_out: int = 0

    def doubtful(self, deviation: FloatArray) -> None:
        """Raises the deviation of interpolated pixels, taken for measured by methods, to that around, in place."""
        from scipy.ndimage import maximum_filter

        if self.filled is not None and self.filled.any():
            around = maximum_filter(deviation, 2 * _LONGEST + 1)
            np.copyto(deviation, around, where=self.filled)

    def checks(self) -> list[Check]:
        """What the user should know of it."""
        parts = []
        if self.filled is not None and (count := int(self.filled.sum())):
            pixels = "1 pixel without a value was" if count == 1 else f"{count} pixels without a value were"
            parts.append(f"{pixels} interpolated along their line first")
        if self.left_out:
            one, many = (
                "1 measured line that misses more of its pixels was",
                "measured lines that miss more of theirs were",
            )
            lines = one if self.left_out == 1 else f"{self.left_out} {many}"
            parts.append(f"{lines} kept from the methods, and put back into the result")
        text = f"Measured lines with gaps: {', '.join(parts)}"
        return [Check("lines", text, warns=bool(self.left_out))] if parts else []


def with_whole_lines(case: Case) -> WholeLines:
    """A sparse case whose lines or grid have no gaps; the very case where they have none, or where they are none."""
    if case.placement is not None and case.lines is not None:
        return _lines_of_file(case, case.placement, case.lines)
    measured = case.mask.measured
    if separable(measured) is not None:
        return WholeLines(case)
    rows, columns = (np.nonzero(_mostly(measured.sum(axis=axis)))[0] for axis in (1, 0))
    if len(rows) < 2 or len(columns) < 2:
        return WholeLines(case)
    inside = np.ix_(rows, columns)
    known = measured[inside]
    if known.mean() < 1 - _LEFT_OUT:
        return WholeLines(case)
    values, good = _filled(case.raw[inside], known, int(np.median(np.diff(columns))))
    if values is None:
        return WholeLines(case)
    inside = np.ix_(rows[good], columns)
    given = np.zeros_like(measured)
    given[inside] = True
    unused = int((measured & ~given).any(axis=1).sum())
    if kind_of_mask(given) not in ("lines", "grid") or unused > _LEFT_OUT * len(rows):
        return WholeLines(case)
    raw = np.full(measured.shape, np.nan)
    raw[inside] = values[good]
    whole = replace(case, raw=raw, mask=replace(case.mask, measured=given))
    return WholeLines(whole, given & ~measured, unused)


def _lines_of_file(case: Case, placement: LinePlacement, lines: FloatArray) -> WholeLines:
    """The same of a scan that has fewer lines than rows."""
    known = np.isfinite(lines)
    if known.all():
        return WholeLines(case)
    values, good = _filled(lines, known, 1)
    if values is None:
        return WholeLines(case)
    kept = LinePlacement(placement.geometry, placement.positions[good])
    raw = kept.spread(values[good])
    filled = kept.spread((~known[good]).astype(np.float64)) == 1
    whole = replace(
        case, raw=raw, mask=replace(case.mask, measured=np.isfinite(raw)), placement=kept, lines=values[good]
    )
    return WholeLines(whole, filled, int(known[~good].any(axis=1).sum()))


def _mostly(counts: np.ndarray) -> BoolArray:
    """Which rows or columns belong to a grid: those with more than half of the measured pixels that others have."""
    some = counts[counts > 0]
    return np.asarray(counts > 0.5 * np.median(some)) if len(some) else np.zeros(len(counts), dtype=np.bool_)


def _filled(values: FloatArray, known: BoolArray, gap: int) -> tuple[FloatArray | None, BoolArray]:
    """Lines (n, values), a value every `gap` pixels, with short runs of missing ones interpolated, and which are whole
    then; None where too many values or lines are missing."""
    longest = max(1, _LONGEST // gap)
    result = np.array(values)
    good = np.ones(len(values), dtype=np.bool_)
    at = np.arange(values.shape[1])
    for k in np.nonzero(~known.all(axis=1))[0]:
        there = np.nonzero(known[k])[0]
        if (
            not len(there)
            or np.diff(there).max(initial=1) > longest + 1
            or max(there[0], at[-1] - there[-1]) * gap > _AT_ENDS
        ):
            good[k] = False
        else:
            result[k] = np.interp(at, there, values[k, there])
    something = known.any(axis=1)
    few = (~known[good]).sum() <= _MISSING * known.size and (something & ~good).sum() <= _LEFT_OUT * something.sum()
    return (result if few and good.sum() >= 2 else None), good
