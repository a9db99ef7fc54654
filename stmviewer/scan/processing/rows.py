"""Lines that do not fit their neighbours: offsets of whole lines, and scars, which are parts of lines."""

import numpy as np

from stmviewer.scan.errors import RequestError
from stmviewer.scan.geometry import BoolArray, FloatArray
from stmviewer.scan.levelling import row_offsets
from stmviewer.scan.processing.flattened import find_line_levels


def align_by_median(data: FloatArray) -> FloatArray:
    """`data` less the median of each row; the mean of these medians stays, as in Gwyddion. Empty rows stay empty."""
    known = np.isfinite(data).any(axis=1)
    offsets = np.zeros(len(data))
    if known.any():
        offsets[known] = np.nanmedian(data[known], axis=1)
        offsets[known] -= offsets[known].mean()
    result: FloatArray = data - offsets[:, None]
    return result


def align_by_difference(data: FloatArray) -> FloatArray:
    """`data` less the offsets by the median of differences between rows (see `row_offsets`)."""
    result: FloatArray = data - row_offsets(data)[:, None]
    return result


def align_by_polynomial(data: FloatArray, degree: int) -> FloatArray:
    """`data` less a polynomial of its own in each row; the mean over the rows of its mean value stays.

    Rows with too few measured pixels for the degree get a lower one. Raises RequestError for a degree that no row of
    that many columns can carry.
    """
    columns = data.shape[1]
    if degree >= columns:
        raise RequestError(f"a polynomial of degree {degree} needs at least {degree + 1} columns; there are {columns}")
    known = np.isfinite(data)
    basis = np.linalg.qr(np.polynomial.legendre.legvander(np.linspace(-1.0, 1.0, columns), degree))[0]
    filled = np.where(known, data, 0.0)
    fitted = np.zeros_like(filled)
    full = known.all(axis=1)
    fitted[full] = filled[full] @ basis @ basis.T
    counts = known.sum(axis=1)
    for row in np.flatnonzero(~full & (counts > 0)):
        at = known[row]
        terms = min(degree + 1, max(1, int(counts[row]) // 2))
        coefficients = np.linalg.lstsq(basis[at, :terms], data[row, at], rcond=None)[0]
        fitted[row] = basis[:, :terms] @ coefficients
    there = counts > 0
    level = float(np.where(known, fitted, 0.0).sum(axis=1)[there].sum() / counts[there].sum()) if there.any() else 0.0
    result: FloatArray = data - fitted + level
    return result


def unflatten(data: FloatArray) -> FloatArray:
    """`data` without the shadows that flattening line by line left beside high features (see `flattened`).

    A copy as it is where none are found. Lines that were not measured whole stay as they are, and nobody looks at them.
    """
    result = data.copy()
    whole = np.isfinite(data).all(axis=1)
    found = find_line_levels(data[whole])
    if found is not None:
        result[whole] = found.taken_from(data[whole])
    return result


def mark_scars(
    data: FloatArray,
    high: float = 0.666,
    low: float = 0.25,
    least_length: int = 16,
    most_width: int = 4,
    *,
    negative: bool = False,
) -> BoolArray:
    """The scars of an image, by the definition of Gwyddion's Mark Scars; shape of `data`.

    A scar is a part of at most `most_width` rows that stands out of the rows above and below by more than `low` times
    the rms difference between neighbouring rows over at least `least_length` pixels, and somewhere by more than
    `high` times. `negative` looks for those that lie lower instead of higher.
    """
    z = -data if negative else data
    steps = np.diff(z, axis=0)
    rms = float(np.sqrt(np.nansum(steps**2) / z.size))
    mark = np.zeros(z.shape)
    count = len(z) - (most_width + 1)
    if rms == 0 or count < 1:
        return mark > 0
    above = z[:count]
    lowest = np.full(above.shape, np.inf)
    open_ = np.ones(above.shape, dtype=np.bool_)
    with np.errstate(invalid="ignore"):
        for width in range(1, most_width + 1):
            lowest = np.minimum(lowest, z[width : width + count])
            ground = np.maximum(above, z[width + 1 : width + 1 + count])
            found = open_ & (lowest - ground >= low * rms)
            open_ &= ~found
            for k in range(1, width + 1):
                part = mark[k : k + count]
                part[found] = np.maximum(part[found], (z[k : k + count][found] - ground[found]) / rms)
    return _long_runs(mark >= low, mark >= high, least_length)


def _long_runs(low: BoolArray, high: BoolArray, least: int) -> BoolArray:
    """The runs of `low` along rows that hold a `high` pixel and are at least that long."""
    rows, columns = low.shape
    padded = np.zeros((rows, columns + 2), dtype=np.int8)
    padded[:, 1:-1] = low
    edge = np.diff(padded.ravel())
    starts, ends = np.flatnonzero(edge == 1), np.flatnonzero(edge == -1)
    # in the padded image, flat; a run never crosses rows, since both ends of a row are empty
    strong = np.zeros((rows, columns + 2), dtype=np.int64)
    strong[:, 1:-1] = high
    before = np.concatenate([[0], np.cumsum(strong.ravel())])
    keep = (ends - starts >= least) & (before[ends + 1] > before[starts + 1])
    flat = np.zeros(padded.size + 1, dtype=np.int64)
    np.add.at(flat, starts[keep] + 1, 1)
    np.add.at(flat, ends[keep] + 1, -1)
    result: BoolArray = np.cumsum(flat)[:-1].reshape(padded.shape)[:, 1:-1] > 0
    return result


def bridge_rows(data: FloatArray, marked: BoolArray) -> FloatArray:
    """`data` with `marked` pixels replaced: linear between the nearest others above and below in the column.

    Where there is none on one side, that on the other side stands. Pixels that were not measured stay so.
    """
    result = data.copy()
    good = ~marked & np.isfinite(data)
    lines = np.arange(data.shape[0])
    for column in np.flatnonzero((marked & np.isfinite(data)).any(axis=0)):
        at = marked[:, column] & np.isfinite(data[:, column])
        given = good[:, column]
        if given.any():
            result[at, column] = np.interp(lines[at], lines[given], data[given, column])
    return result
