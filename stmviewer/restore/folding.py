"""Hides a part of what was measured, so that a restoration can be judged on the very scan that it is for.

Only a fifth is hidden at a time: around a hidden line the gap doubles, everywhere else the scan stays as it is, and a
method that knows the lattice from there still knows it. Of small scans that is repeated with other fifths, so that
what is found out does not hang on a few lines.

Hidden lines say something false of one thing. Waves that the gaps of the scan can carry, but gaps twice as wide cannot
(in lines of the scan, those between 1/4 and 1/2 a line), are missed beside a hidden line by every interpolation, which
gets them right in the scan itself. What smooths them away then looks better than it is. They are known, since all
measured lines are: `Fold.fine` is that part of the hidden ones.
"""

from dataclasses import dataclass, replace

import numpy as np

from stmviewer.restore.case import Case
from stmviewer.restore.filling import kind_of_mask
from stmviewer.scan import BoolArray, FloatArray
from stmviewer.scan.levelling import fit_plane
from stmviewer.scan.lines import LinePlacement

#: one of so many measured lines or points is hidden, at most so many times
_PARTS = 5
#: so many pixels are worth one fold; smaller scans get several in the same time
_PIXELS = 256 * 256
#: fewer measured lines or points than this are too few to hide any
LEAST_LINES, LEAST_POINTS = 6, 64


@dataclass(frozen=True)
class Fold:
    """A case with a part of its measurement hidden, and that part.

    kept    what a method is given
    held    a case of the hidden part alone: its `residual` of an image is the error there
    how     in words what was hidden ("every 5th measured line")
    fine    of the hidden part what gaps twice as wide cannot carry, in the order of `errors`; None where no lines are
            hidden
    """

    kept: Case
    held: Case
    how: str
    fine: FloatArray | None = None

    def errors(self, image: FloatArray) -> FloatArray:
        """image - measurement at every hidden pixel, in the channel's unit, flat."""
        residual = self.held.residual(image)
        flat: FloatArray = residual[np.isfinite(residual)]
        return flat


def folds(case: Case, seed: int = 0) -> list[Fold]:
    """Hides parts of what `case` measured, another one in each fold; empty where too little was measured for that.

    Lines: every fifth measured line. Grids: every fifth of their lines, and of their columns by turns. Scattered
    points: a random fifth. Full scans with gaps: a copy of the gaps elsewhere. First and last lines are never hidden,
    beyond which there is nothing to go by.
    """
    count = int(np.clip(_PIXELS // case.raw.size, 1, _PARTS))
    found = [_fold(case, k, np.random.default_rng([seed, 5])) for k in range(count)]
    return [f for f in found if f is not None]


def _fold(case: Case, number: int, rng: np.random.Generator) -> Fold | None:
    if case.placement is not None and case.lines is not None:
        return _fold_lines_of_file(case, number)
    measured = case.mask.measured
    kind = kind_of_mask(measured)
    if kind == "gaps":
        return None if number else _parted(case, _moved_gaps(measured, rng), "a copy of its gaps elsewhere")
    if kind == "scattered":
        if measured.sum() < LEAST_POINTS:
            return None
        # the same numbers in each fold, so that each point is hidden once at most
        hidden = measured & (rng.integers(_PARTS, size=measured.shape) == number)
        return _parted(case, hidden, "a random fifth of the measured points")
    axis = number % 2 if kind == "grid" else 0
    at = _chosen(np.nonzero(measured.any(axis=1 - axis))[0], number)
    hidden = np.zeros_like(measured)
    area = (at, slice(None)) if axis == 0 else (slice(None), at)
    hidden[area] = measured[area]
    found = _parted(case, hidden, "every 5th measured line" if kind == "lines" else "every 5th line of the grid")
    if found is None:
        return None
    sides = np.ix_(measured.any(axis=1), measured.any(axis=0))
    waves = np.zeros(measured.shape)
    waves[sides] = fine_waves(case.raw[sides], axis)
    return replace(found, fine=waves[hidden])


def fine_waves(lines: FloatArray, axis: int) -> FloatArray:
    """Of `lines` (rows, columns) without gaps what needs every one of them along `axis`: waves of under four lines.

    The upper half of the cosine transform along that axis, in which edges make no waves of their own; a slope would.
    """
    from scipy.fft import dct, idct

    level = lines - fit_plane(lines)
    waves = np.moveaxis(np.asarray(dct(level, axis=axis, norm="ortho")), axis, 0)
    waves[: -(-len(waves) // 2)] = 0
    fine: FloatArray = np.asarray(idct(np.moveaxis(waves, 0, axis), axis=axis, norm="ortho"))
    return fine


def _chosen(lines: np.ndarray, number: int) -> np.ndarray:
    """Every fifth of `lines` from the one after `number` on, without the first and the last; none of too few."""
    return lines[1 + number : -1 : _PARTS] if len(lines) >= LEAST_LINES else lines[:0]


def _parted(case: Case, hidden: BoolArray, how: str) -> Fold | None:
    kept = case.mask.measured & ~hidden
    return Fold(_only(case, kept), _only(case, hidden), how) if hidden.any() and kept.any() else None


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


def _fold_lines_of_file(case: Case, number: int) -> Fold | None:
    """Lines that lie between rows are hidden as lines, at their true positions."""
    assert case.placement is not None and case.lines is not None
    hide = np.zeros(len(case.lines), dtype=np.bool_)
    hide[_chosen(np.arange(len(hide)), number)] = True
    if not hide.any():
        return None
    parts = []
    for chosen in (~hide, hide):
        placement = LinePlacement(case.placement.geometry, case.placement.positions[chosen])
        lines = case.lines[chosen]
        raw = placement.spread(lines)
        mask = replace(case.mask, measured=np.isfinite(raw))
        parts.append(replace(case, raw=raw, mask=mask, truth=None, placement=placement, lines=lines))
    found = Fold(parts[0], parts[1], "every 5th measured line")
    if parts[1].placement is None or not np.isfinite(case.lines).all():
        return found
    fine = parts[1].placement.spread(fine_waves(case.lines, 0)[hide])
    return replace(found, fine=fine[np.isfinite(fine)])
