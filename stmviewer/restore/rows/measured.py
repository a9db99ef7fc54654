"""What a sparse scan measured on lines or a grid, and the patches of it in which a lattice is looked for."""

from dataclasses import dataclass

import numpy as np

from stmviewer.restore.case import Case
from stmviewer.restore.filling import kind_of_mask, separable
from stmviewer.scan import BoolArray, FloatArray, Progress
from stmviewer.scan.levelling import find_plane
from stmviewer.scan.smoothing import smooth

#: a patch is so many rows of dimers wide, but holds no fewer and no more measured values than these if it can; and the
#: least rows
_ROWS_WIDE, _VALUES, _LEAST_WIDE = 5.0, (175.0, 250.0), 3.3
#: so many patches at most in each direction, spread over the scan
_MOST = 6
#: finer pixels than this (per row of dimers) are averaged along the lines
_PER_ROW = 5.0
#: beyond these percentiles of a patch stand adsorbates and spikes, not rows
_CLIPPED = (2.0, 98.0)


@dataclass(frozen=True)
class Measured:
    """Measured values (lines, columns) less their surroundings, and the row and column indices that they lie at."""

    values: FloatArray
    rows: FloatArray
    columns: FloatArray
    kind: str

    @property
    def gaps(self) -> FloatArray:
        """From one column and one row to the next (x, y), pixels."""
        return np.array([np.median(np.diff(self.columns)), np.median(np.diff(self.rows))])


@dataclass(frozen=True)
class Patches:
    """Patches of one shape: where their lines (y) and columns (x) lie within them, their values (lines x columns one
    after the other, patches) of mean 0 and standard deviation 1, and their centres (y, x; patches) in the scan.
    Pixels."""

    y: FloatArray
    x: FloatArray
    values: FloatArray
    centres: FloatArray


def measured(case: Case, progress: Progress) -> Measured | None:
    """What `case` measured; None where its mask is neither of lines nor a grid, or no plain lines are given."""
    if case.placement is not None and case.lines is not None:
        if not np.isfinite(case.lines).all():
            return None
        guess = case.guess()
        progress.check()  # each of these takes a second of 4096 x 4096 pixels
        hills = case.placement.at_lines(background(guess, case.mask.measured))
        columns = np.arange(case.lines.shape[1], dtype=np.float64)
        return Measured(case.lines - hills, case.placement.positions, columns, "lines")
    axes = separable(case.mask.measured)
    kind = kind_of_mask(case.mask.measured)
    if axes is None or kind not in ("lines", "grid") or min(map(len, axes)) < 2:
        return None
    guess = case.guess()
    progress.check()
    hills = background(guess, case.mask.measured)
    progress.check()
    values = case.raw[np.ix_(*axes)] - hills[np.ix_(*axes)]
    return Measured(values, axes[0].astype(np.float64), axes[1].astype(np.float64), kind)


def cut(found: Measured, spacing: FloatArray, least: float) -> list[Patches]:
    """Patches of a scan whose dimer rows are `spacing` (x, y; px) apart, those of one shape together.

    Patches in which values differ by no more than `least` show nothing.
    """
    values, columns = found.values, found.columns
    fine = int(spacing[0] // _PER_ROW)
    if found.gaps[0] == 1 and fine > 1:
        count = len(columns) // fine
        values = values[:, : count * fine].reshape(len(values), count, fine).mean(axis=2)
        columns = columns[: count * fine].reshape(count, fine).mean(axis=1)
    gap_x, gap_y = float(np.median(np.diff(columns))), float(found.gaps[1])
    row = float(spacing.max())
    side = max(_LEAST_WIDE * row, float(np.clip(_ROWS_WIDE * row, *np.sqrt(np.array(_VALUES) * gap_x * gap_y))))
    high, wide = (min(len(at), max(2, round(side / gap))) for at, gap in ((found.rows, gap_y), (columns, gap_x)))
    shapes: dict[tuple[float, ...], list[tuple[FloatArray, tuple[float, float]]]] = {}
    for top in _starts(len(found.rows), high):
        for left in _starts(len(columns), wide):
            y, x = found.rows[top : top + high], columns[left : left + wide]
            shape = tuple(np.round(np.concatenate([y - y[0], x - x[0]]), 2).tolist())
            part = values[top : top + high, left : left + wide].ravel()
            shapes.setdefault(shape, []).append((part, (float(y.mean()), float(x.mean()))))
    result = []
    for shape, parts in shapes.items():
        y, x = np.array(shape[:high]), np.array(shape[high:])
        stacked = np.stack([part for part, _ in parts], axis=1)
        stacked = np.clip(stacked, *np.percentile(stacked, _CLIPPED, axis=0))
        deviation = stacked.std(axis=0)
        telling = deviation > least
        if telling.any():
            normal = ((stacked - stacked.mean(axis=0)) / np.where(telling, deviation, 1.0))[:, telling]
            centres = np.array([centre for _, centre in parts])[telling].T
            result.append(Patches(y, x, normal, centres))
    return result


def _starts(count: int, size: int) -> list[int]:
    steps = min(_MOST, max(1, round(count / size)))
    return sorted({round(place) for place in np.linspace(0, count - size, steps)})


def background(image: FloatArray, is_measured: BoolArray) -> FloatArray:
    """The plane and the hills of an image (rows, columns) without gaps; the plane is that of its measured pixels."""
    plane = find_plane(image, is_measured)  # at the edges running means do not follow a slope
    hills = plane.taken_from(image)
    smooth(hills)
    plane.add_to(hills)
    return hills
